"""Exports are safe to open and can be read back."""

import csv
import io
import json
import re

import bibtexparser
import pytest
from bibtexparser.model import Entry
from hypothesis import given
from hypothesis import strategies as st

from assistant.export import Format, citation_keys, escape_formula, escape_latex, render
from assistant.records import Paper
from assistant.text import clean

HOSTILE = [
    "100% of A_B & C #1 costs $5 ~ x^2",
    '=cmd("/c calc")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "＝1＋1",
    "\t=1",
    "\r\n=1",
    "He said \"no\", twice; 'yes'",
    "two\nlines",
    "open { only",
    "close } only",
    "} @misc{evil, title = {",
    "back \\ slash and \\textbf{bold}",
    "🎉 φ-Decoding — ünïcode",
    "@article{x,}",
]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

text = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)
names = st.lists(st.sampled_from(["Ann Lee", "B. Ö. & C", "D_E", "{F}"]), max_size=3).map(tuple)
papers = st.lists(
    st.builds(
        Paper,
        id=text.filter(lambda value: bool(clean(value).strip())),
        title=text.filter(lambda value: bool(clean(value).strip())),
        abstract=text,
        authors=names,
        year=st.none() | st.integers(1900, 2100),
        url=st.none()
        | st.sampled_from(["https://arxiv.org/abs/1", "https://x.org/a_b%20c?d=e&f#g"]),
        pdf_url=st.none() | st.just("https://arxiv.org/pdf/1"),
    ),
    max_size=4,
    unique_by=lambda paper: paper.id,
)

_COMMANDS = {
    r"\textbackslash{}": "\\", r"\textbraceleft{}": "{", r"\textbraceright{}": "}",
    r"\textasciitilde{}": "~", r"\textasciicircum{}": "^",
    r"\%": "%", r"\&": "&", r"\$": "$", r"\#": "#", r"\_": "_",
}  # fmt: skip
_COMMAND = re.compile("|".join(map(re.escape, _COMMANDS)))


def from_latex(latex: str) -> str:
    """Read what a LaTeX document would print."""
    return _COMMAND.sub(lambda match: _COMMANDS[match.group()], latex)


def one_line(value: str) -> str:
    return " ".join(value.split())


def entries(exported: str) -> list[Entry]:
    library = bibtexparser.parse_string(exported)
    assert library.failed_blocks == []
    return library.entries


def titled(title: str) -> Paper:
    return Paper(id="2503.14476", title=title)


class TestCsv:
    @given(papers)
    def test_has_a_row_a_paper(self, listed: list[Paper]) -> None:
        assert len(rows(listed)) == len(listed)

    @given(papers)
    def test_no_cell_is_a_formula(self, listed: list[Paper]) -> None:
        assert not [
            cell for row in rows(listed) for cell in row.values() if cell.startswith(FORMULA)
        ]

    @given(papers)
    def test_cells_are_the_texts_to_the_letter(self, listed: list[Paper]) -> None:
        cells = [row["title"] for row in rows(listed)]
        assert [
            cell.removeprefix("'") if paper.title.startswith(FORMULA) else cell
            for cell, paper in zip(cells, listed, strict=True)
        ] == [paper.title for paper in listed]

    @pytest.mark.parametrize("harmless", ["DAPO", "3 = 3", "", "'quoted'", "a-b"])
    def test_other_text_stays_as_it_is(self, harmless: str) -> None:
        assert escape_formula(harmless) == harmless

    def test_what_is_not_known_is_empty(self) -> None:
        (row,) = rows([titled("DAPO")])
        assert (row["year"], row["url"], row["authors"]) == ("", "", "")

    def test_authors_share_a_cell(self) -> None:
        (row,) = rows([Paper(id="x", title="T", authors=("Ann Lee", "Bo Li"))])
        assert row["authors"] == "Ann Lee; Bo Li"

    def test_an_empty_library_is_the_header(self) -> None:
        assert render([], Format.CSV) == "id,title,authors,year,url,pdf_url,abstract\r\n"


class TestBibtex:
    @given(papers)
    def test_can_be_read_back(self, listed: list[Paper]) -> None:
        read = entries(render(listed, Format.BIBTEX))
        assert [from_latex(field(entry, "title")) for entry in read] == [
            one_line(paper.title) for paper in listed
        ]

    @given(papers)
    def test_keys_are_unique_and_plain(self, listed: list[Paper]) -> None:
        keys = list(citation_keys(listed).values())
        assert len(set(keys)) == len(listed)
        assert all(re.fullmatch(r"[A-Za-z0-9.\-]+", key) for key in keys)

    @given(papers)
    def test_braces_balance_as_bibtex_counts_them(self, listed: list[Paper]) -> None:
        """BibTeX counts every brace, a backslash before it or not."""
        exported = render(listed, Format.BIBTEX)
        depths = [0]
        for brace in re.findall(r"[{}]", exported):
            depths.append(depths[-1] + (1 if brace == "{" else -1))
        assert min(depths) == depths[-1] == 0
        assert depths[1:].count(0) == len(listed)

    @pytest.mark.parametrize("title", HOSTILE)
    def test_a_hostile_title_is_one_entry(self, title: str) -> None:
        (entry,) = entries(render([titled(title)], Format.BIBTEX))
        assert from_latex(field(entry, "title")) == one_line(title)

    def test_a_title_keeps_its_capitals(self) -> None:
        assert "title = {{DAPO at Scale}}" in render([titled("DAPO at Scale")], Format.BIBTEX)

    def test_an_arxiv_paper_names_its_eprint(self) -> None:
        paper = Paper(id="2503.14476", title="DAPO", url="https://arxiv.org/abs/2503.14476")
        (entry,) = entries(render([paper], Format.BIBTEX))
        assert (field(entry, "eprint"), field(entry, "archiveprefix")) == ("2503.14476", "arXiv")

    def test_what_is_not_known_has_no_field(self) -> None:
        (entry,) = entries(render([titled("DAPO")], Format.BIBTEX))
        assert [found.key for found in entry.fields] == ["title"]

    def test_authors_are_joined_as_bibtex_wants(self) -> None:
        paper = Paper(id="x", title="T", authors=("Ann Lee", "Bo & Co"))
        (entry,) = entries(render([paper], Format.BIBTEX))
        assert field(entry, "author") == r"Ann Lee and Bo \& Co"

    def test_a_key_begins_with_the_first_word(self) -> None:
        assert citation_keys([titled("φ-Decoding: Foresight")]) == {
            "2503.14476": "phidecoding-2503.14476"
        }

    def test_equal_keys_are_numbered(self) -> None:
        listed = [Paper(id="論", title="A"), Paper(id="文", title="A")]
        assert list(citation_keys(listed).values()) == ["a-", "a--2"]


class TestJson:
    @given(papers)
    def test_gives_the_papers_back(self, listed: list[Paper]) -> None:
        rows = json.loads(render(listed, Format.JSON))
        assert [Paper.model_validate(row) for row in rows] == listed

    def test_keeps_letters_readable(self) -> None:
        assert "φ-Decoding" in render([titled("φ-Decoding")], Format.JSON)


@given(text)
def test_escaped_latex_is_one_line(value: str) -> None:
    assert "\n" not in escape_latex(value)


def rows(listed: list[Paper]) -> list[dict[str, str]]:
    exported = render(listed, Format.CSV)
    return list(csv.DictReader(io.StringIO(exported, newline=""), strict=True))


def field(entry: Entry, name: str) -> str:
    """Return a field without the braces that keep its capitals."""
    value: str = entry.fields_dict[name].value
    return value[1:-1] if value.startswith("{") and value.endswith("}") else value
