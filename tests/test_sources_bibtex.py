"""BibTeX: entries become papers, with their LaTeX rendered and their ids found."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.records import Paper, SourcedPaper, SourceFailure
from assistant.sources.bibtex import read_bibtex

GOOD = "@misc{good, title={Good}}\n"


def read(content: str | bytes) -> list[SourcedPaper | SourceFailure]:
    data = content if isinstance(content, bytes) else content.encode()
    return list(read_bibtex([data], Path("refs.bib")))


def paper(fields: str) -> Paper:
    [item] = read(f"@article{{key, {fields}}}")
    assert isinstance(item, SourcedPaper), item
    return item.paper


def outcomes(content: str | bytes) -> list[str]:
    """Ids of the papers read, and places of the failures, in order."""
    return [
        item.paper.id if isinstance(item, SourcedPaper) else item.source for item in read(content)
    ]


def test_an_entry_becomes_a_paper_with_its_place() -> None:
    [item] = read("""\
% a comment
@string{ann = "Lee, Ann"}
@preamble{"\\newcommand{\\x}{y}"}

@InProceedings{lee2024,
  Title    = {{DAPO}: An {\\"O}pen $\\alpha$ {S}ystem},
  author   = ann,
  abstract = {Only a ~2\\% drop,
              on 10% of runs.},
  year     = 2024,
  doi      = {10.1234/abc_d},
}
""")

    assert item == SourcedPaper(
        paper=Paper(
            id="lee2024",
            title="DAPO: An Öpen α System",
            abstract="Only a ~2% drop, on 10% of runs.",
            authors=("Ann Lee",),
            year=2024,
            url="https://doi.org/10.1234/abc_d",
        ),
        location="refs.bib:5",
    )


def test_authors_are_named_first_name_first() -> None:
    names = 'Lee, Ann and M{\\"u}ller, J{\\"o}rg and {The Team} and Ludwig van Beethoven and others'

    assert paper(f"title={{T}}, author={{{names}}}").authors == (
        "Ann Lee",
        "Jörg Müller",
        "The Team",
        "Ludwig van Beethoven",
    )


@pytest.mark.parametrize(
    "fields",
    [
        "eprint={2503.14476v2}, archivePrefix={arXiv}, primaryClass={cs.LG}",
        "eprint={2503.14476v2}, eprinttype={arxiv}",
        "eprint={arXiv:2503.14476v2}",
        "journal={arXiv preprint arXiv:2503.14476v2}, year={2025}",
        "journal={CoRR}, volume={abs/2503.14476v2}",
        "note={arXiv:2503.14476v2 [cs.LG]}",
        "url={https://arxiv.org/abs/2503.14476v2}",
        "howpublished={\\url{https://arxiv.org/abs/2503.14476v2}}",
        "doi={10.48550/arXiv.2503.14476v2}",
    ],
)
def test_an_arxiv_id_is_found_where_tools_put_it(fields: str) -> None:
    found = paper(f"title={{T}}, {fields}")

    assert (found.id, found.version) == ("2503.14476", 2)
    assert found.url == "https://arxiv.org/abs/2503.14476"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("eprint={hep-th/9901001}, archivePrefix={arXiv}", "hep-th/9901001"),
        ("eprint={0309136}, archivePrefix={arXiv}, primaryClass={math.GT}", "math/0309136"),
        ("eprint={2503.14476}, archivePrefix={HAL}", "key"),
        ("note={An extended version of arXiv:2503.14476}", "key"),
        ("journal={Journal of 2503.14476}", "key"),
    ],
)
def test_only_the_papers_own_arxiv_id_counts(fields: str, expected: str) -> None:
    assert paper(f"title={{T}}, {fields}").id == expected


@pytest.mark.parametrize(
    ("fields", "url", "pdf_url"),
    [
        ("url={https://x.org/a\\_b}", "https://x.org/a_b", None),
        ("url={\\url{https://x.org/a}}, doi={10.1234/x}", "https://x.org/a", None),
        ("doi={https://doi.org/10.1234/x}", "https://doi.org/10.1234/x", None),
        ("url={https://x.org/a.PDF}", "https://x.org/a.PDF", "https://x.org/a.PDF"),
        ("pdf={https://x.org/a}", "https://x.org/a", "https://x.org/a"),
        ("file={:home/me/a.pdf:PDF}", None, None),
        ("url={javascript:alert(1)}", None, None),
    ],
)
def test_links(fields: str, url: str | None, pdf_url: str | None) -> None:
    found = paper(f"title={{T}}, {fields}")

    assert (found.url, found.pdf_url) == (url, pdf_url)


@pytest.mark.parametrize(
    ("fields", "year"),
    [("year={2024}", 2024), ("date={2023-05-01}", 2023), ("year={in press}", None), ("", None)],
)
def test_years(fields: str, year: int | None) -> None:
    assert paper(f"title={{T}}, {fields}").year == year


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("@book{x, year=1999}", "no title"),
        ("@book{x, title={}}", "no title"),
        ("@book{x}", "no title"),
        ("@article{x, title={A}, title={B}}", "a field twice (title)"),
        ("@article{x, title={never closed", "not BibTeX"),
        ("@article{x title={A}}", "not BibTeX"),
        ("@{@{@{@{", "not BibTeX"),
        (f"@misc{{{'k' * 201}, title={{T}}}}", "its id should have at most 200 characters"),
    ],
)
def test_a_bad_entry_is_reported_and_the_good_ones_go_on(entry: str, reason: str) -> None:
    items = read(GOOD + entry + "\n" + GOOD.replace("good", "last"))

    assert outcomes(GOOD + entry + "\n" + GOOD.replace("good", "last")) == [
        "good",
        "refs.bib:2",
        "last",
    ]
    assert isinstance(items[1], SourceFailure)
    assert reason in items[1].error


def test_bytes_that_are_not_utf8_cost_their_entry_only() -> None:
    entry = "@misc{x,\n author={Jérôme},\n title={T}}\n".encode("latin-1")

    items = read(GOOD.encode() + entry + GOOD.replace("good", "last").encode())

    assert isinstance(items[0], SourceFailure)
    assert items[0].source == "refs.bib:3"
    assert "UTF-8" in items[0].error
    assert [item.paper.id for item in items[1:] if isinstance(item, SourcedPaper)] == [
        "good",
        "last",
    ]


def test_entries_with_one_key_are_left_to_merging() -> None:
    assert outcomes(GOOD + GOOD) == ["good", "good"]


def test_a_long_file_is_read_in_stretches_that_share_their_strings() -> None:
    filler = "".join(f"@misc{{k{n}, title={{T}}, note={{{'x' * 1000}}}}}\n" for n in range(600))
    content = '@string{name = "A Name"}\n' + filler + "@misc{last, title = name}\n"

    items = read(content)

    assert len(items) == 601
    assert isinstance(items[-1], SourcedPaper)
    assert items[-1].location == "refs.bib:602"
    assert items[-1].paper.title == "A Name"


def test_an_endless_entry_is_reported_without_being_held() -> None:
    blocks = [b"@misc{x, title={", *[b"x" * 1000 + b"\n"] * 20_000, b"}}\n", GOOD.encode()]

    failed, good = list(read_bibtex(blocks, Path("refs.bib")))

    assert isinstance(failed, SourceFailure)
    assert failed.source == "refs.bib:1"
    assert isinstance(good, SourcedPaper)


def test_the_parser_keeps_quiet(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        read("@article{x, title={never closed\n" + GOOD)

    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


pieces = st.sampled_from(
    ["@article", "@string", "@comment", "{", "}", "(", ")", '"', ",", "=", "\n", "#", "\\", "key",
     "title", "author", " and ", "2024", '{\\"o}', "$", "\xe9", "~"]
)  # fmt: skip


@given(st.lists(pieces, max_size=60).map(lambda parts: "".join(parts).encode()) | st.binary())
def test_no_bytes_are_too_broken_to_read(content: bytes) -> None:
    for item in read(content):
        assert isinstance(item, SourcedPaper | SourceFailure)


plain = st.text(
    st.characters(categories=["L", "Nd"]) | st.sampled_from(" .,;:!?-"), min_size=1
).filter(lambda text: text.strip() != "" and "--" not in text)


@given(title=plain, year=st.integers(1000, 9999))
def test_what_is_written_in_the_format_is_read_back(title: str, year: int) -> None:
    found = paper(f"title = {{{title}}}, year = {year}")

    assert found == Paper(id="key", title=" ".join(title.split()), year=year)
