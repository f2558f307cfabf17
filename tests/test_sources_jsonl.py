"""JSONL: one object per line, one paper per object."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.records import Paper, SourcedPaper, SourceFailure
from assistant.sources.jsonl import read_jsonl

GOOD = b'{"title": "Good"}\n'


def read(content: bytes) -> list[SourcedPaper | SourceFailure]:
    return list(read_jsonl([content], Path("papers.jsonl")))


def paper(**row: Any) -> Paper:
    [item] = read(json.dumps(row).encode())
    assert isinstance(item, SourcedPaper), item
    return item.paper


def failure(line: bytes) -> SourceFailure:
    """The failure of a line between two good ones."""
    first, failed, last = read(GOOD + line + b"\n" + GOOD)
    assert isinstance(first, SourcedPaper)
    assert isinstance(last, SourcedPaper)
    assert isinstance(failed, SourceFailure)
    assert failed.source == "papers.jsonl:2"
    return failed


def test_all_fields() -> None:
    assert paper(
        id="x7", title="T", abstract="A", authors=["Ann Lee", "Bo Ek"], year=2024,
        pdf="https://x.org/p.pdf", url="https://x.org/p", extra={"ignored": [1]},
    ) == Paper(
        id="x7", title="T", abstract="A", authors=("Ann Lee", "Bo Ek"), year=2024,
        pdf_url="https://x.org/p.pdf", url="https://x.org/p",
    )  # fmt: skip


def test_beir_rows() -> None:
    assert paper(_id="4983", title="T", text="A", metadata={}) == Paper(
        id="4983", title="T", abstract="A"
    )


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Ann Lee and Bo Ek", ("Ann Lee", "Bo Ek")),
        ("Ann Lee, Bo Ek", ("Ann Lee", "Bo Ek")),
        ("Ann Lee, Bo Ek, and Cy Po", ("Ann Lee", "Bo Ek", "Cy Po")),
        ("Ann Lee, Bo Ek and Cy Po", ("Ann Lee", "Bo Ek", "Cy Po")),
        ("Lee, Ann and Ek, Bo", ("Ann Lee", "Bo Ek")),
        ("Lee, Ann; Ek, Bo", ("Ann Lee", "Bo Ek")),
        ("Ann Sand", ("Ann Sand",)),
        ("", ()),
        ([], ()),
        (None, ()),
        (["Lee, Ann", " "], ("Lee, Ann",)),
    ],
)
def test_authors_as_list_or_text(value: object, names: tuple[str, ...]) -> None:
    assert paper(title="T", authors=value).authors == names


def test_endless_white_space_between_authors_takes_no_time() -> None:
    assert paper(title="T", authors="Ann Lee" + " " * 1_000_000 + "x").authors == ("Ann Lee x",)


@pytest.mark.parametrize("value", [2024, "2024", " 2024 ", 2024.0])
def test_years(value: object) -> None:
    assert paper(title="T", year=value).year == 2024


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_year(value: object) -> None:
    assert paper(title="T", year=value).year is None


@pytest.mark.parametrize(
    "row",
    [
        {"id": "2503.14476v2"},
        {"id": "arXiv:2503.14476v2"},
        {"pdf": "https://arxiv.org/pdf/2503.14476v2"},
        {"id": "mine", "url": "http://export.arxiv.org/abs/2503.14476v2"},
        {"id": "2503.14476", "pdf": "https://arxiv.org/pdf/2503.14476v2.pdf"},
    ],
)
def test_an_arxiv_id_is_found_in_any_field(row: dict[str, str]) -> None:
    found = paper(title="T", **row)

    assert (found.id, found.version) == ("2503.14476", 2)
    assert found.url == "https://arxiv.org/abs/2503.14476"
    assert found.pdf_url == "https://arxiv.org/pdf/2503.14476v2"


def test_an_arxiv_paper_keeps_its_pdf_elsewhere() -> None:
    found = paper(title="T", id="2503.14476", pdf="https://openreview.net/pdf?id=x")

    assert found.pdf_url == "https://openreview.net/pdf?id=x"
    assert found.url == "https://arxiv.org/abs/2503.14476"


@pytest.mark.parametrize("given_id", [7, "7", " 7 "])
def test_ids_are_texts(given_id: object) -> None:
    assert paper(title="T", id=given_id).id == "7"


def test_an_id_is_made_printable() -> None:
    assert paper(title="T", id="../a b\n\tc\x1b[31m/\u202e").id == "../a b c/"


@pytest.mark.parametrize("link", ["javascript:x", "ftp://x.org", "https://", "http://[::1", "x"])
def test_only_web_links_are_kept(link: str) -> None:
    found = paper(title="T", url=link, pdf=link)

    assert (found.url, found.pdf_url) == (None, None)


def test_latex_and_white_space_are_rendered() -> None:
    found = paper(title="A\n  $\\alpha$", abstract="10\\%\n\nmore\ud800")

    assert (found.title, found.abstract) == ("A α", "10% more")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"title": "T"', "not JSON"),
        (b"Title: T", "not JSON"),
        (b'{"title": "T"} {"title": "U"}', "not JSON"),
        (b'[{"title": "T"}]', "is a list, not an object"),
        (b'"T"', "is a string"),
        (b"null", "is null"),
        (b"true", "is a boolean"),
        (b"12", "is a number"),
        (b"{}", "no title"),
        (b'{"title": null, "abstract": "A"}', "no title"),
        (b'{"title": " \\u0007 "}', "no title"),
        (b'{"title": ["T"]}', '"title" is a list'),
        (b'{"title": "T", "abstract": {"a": 1}}', '"abstract" is an object'),
        (b'{"title": "T", "id": true}', '"id" is a boolean'),
        (b'{"title": "T", "id": 1.5}', '"id" is a number'),
        (b'{"title": "T", "authors": {"a": "b"}}', '"authors" is an object'),
        (b'{"title": "T", "authors": ["A", 3]}', '"authors" holds more than strings'),
        (b'{"title": "T", "year": "soon"}', '"year" is not a year'),
        (b'{"title": "T", "year": "\xc2\xb2024"}', '"year" is not a year'),
        (b'{"title": "T", "year": 99999}', '"year" is not a year'),
        (b'{"title": "T", "year": true}', '"year" is not a year'),
        (b'{"title": "T", "year": 1e400}', '"year" is not a year'),
        (b'{"title": "T", "year": NaN}', "NaN is not JSON"),
        (b'{"title": "T", "x": -Infinity}', "-Infinity is not JSON"),
        (b'{"title": "T", "title": "U"}', 'the key "title" is there twice'),
        (b'{"title": "T", "x": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b'{"title": "T", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"title": "J\xe9r"}', "byte 0xe9 at offset 12"),
        (b'{"title": "a\x00"}', "NUL bytes"),
        (
            b'{"title": "T", "id": "' + b"x" * 201 + b'"}',
            "its id should have at most 200 characters",
        ),
        (b'{"title": "T", "abstract": "' + b"x" * 1_000_001 + b'"}', "over 1,000,000 characters"),
    ],
)
def test_a_bad_line_is_reported_and_the_good_ones_go_on(line: bytes, reason: str) -> None:
    assert reason in failure(line).error


def test_a_line_of_100_mb_is_reported_without_being_held() -> None:
    blocks = [b'{"title": "', *[b"x" * 1_000_000] * 100, b'"}\n', GOOD]

    failed, good = list(read_jsonl(blocks, Path("papers.jsonl")))

    assert isinstance(failed, SourceFailure)
    assert failed.source == "papers.jsonl:1"
    assert "longer than 10,000,000 bytes" in failed.error
    assert isinstance(good, SourcedPaper)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)
rows = st.dictionaries(
    st.sampled_from(["id", "_id", "title", "abstract", "text", "authors", "year", "pdf", "url"]),
    json_values,
)


@given(rows)
def test_any_row_is_a_paper_or_a_failure(row: dict[str, Any]) -> None:
    assert len(read(json.dumps(row).encode())) == 1


@given(st.binary())
def test_no_bytes_are_too_broken_to_read(content: bytes) -> None:
    for item in read(content):
        assert isinstance(item, SourcedPaper | SourceFailure)
