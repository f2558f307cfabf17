"""Exports of a comparison: safe in a spreadsheet, in LaTeX and in Markdown, whatever the papers hold."""

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.compare.export import TableFormat, render, typeset
from assistant.export import Format, citation_keys
from assistant.export import render as render_papers
from assistant.records import Cell, Comparison, Paper

HOSTILE = (
    "100% of $x_i$ & {braces}: #1 ~ ^ \\input{/etc/passwd}",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1) | [link](javascript:x) <b>bold</b>",
    'φ-Decoding “quoted” "plain" 😀 中文 Łódź straße Ünïcödé ﬁnal ± ≤ ∞ Δ Ω °',
    "[1] \\\\ \\end{longtable} line\nbreak\ttab --",
    "-1+1",
)


def comparison(*texts: str) -> tuple[Comparison, list[Paper]]:
    """Make a table in which each text is a title, an aspect and a cell."""
    papers = [Paper(id=f"p{n}", title=text) for n, text in enumerate(texts)]
    cells = tuple(
        Cell(paper_id=paper.id, aspect=aspect, text=text, found=n % 2 == 0, citations=())
        for n, (paper, text) in enumerate(zip(papers, texts, strict=True))
        for aspect in texts
    )
    return (
        Comparison(
            papers=tuple(paper.id for paper in papers),
            aspects=texts,
            cells=cells,
            summary="Summary.",
            citations=(),
        ),
        papers,
    )


def test_no_cell_of_a_csv_is_a_formula() -> None:
    found = list(csv.reader(io.StringIO(render(*comparison(*HOSTILE), TableFormat.CSV))))
    assert len(found) == 1 + len(HOSTILE)
    assert {len(row) for row in found} == {3 + len(HOSTILE)}
    assert not [value for row in found for value in row if value.startswith(("=", "+", "-", "@"))]


def test_markdown_cells_neither_part_nor_link() -> None:
    lines = render(*comparison(*HOSTILE), TableFormat.MARKDOWN).split("\n\n")[0].splitlines()
    assert len(lines) == 2 + len(HOSTILE)
    for line in lines:
        assert len(re.findall(r"(?<!\\)\|", line)) == 2 + len(HOSTILE)
        assert not re.search(r"(?<!\\)[<\[]", line)


def test_json_is_the_public_format() -> None:
    document = json.loads(render(*comparison("a", "b"), TableFormat.JSON))
    assert list(document) == ["papers", "aspects", "cells", "summary", "citations"]


def test_keys_are_those_of_the_bibtex_export_of_the_whole_library() -> None:
    table, papers = comparison("Same", "Same")
    library = [Paper(id="p 0", title="Same"), *papers]
    latex = render(table, library, TableFormat.LATEX)
    cited = re.findall(r"\\cite\{([^}]*)\}", latex)
    assert cited == [citation_keys(library)[paper.id] for paper in papers]
    bibtex = render_papers(library, Format.BIBTEX)
    assert all(f"@misc{{{key}," in bibtex for key in cited)
    rows = list(csv.DictReader(io.StringIO(render(table, library, TableFormat.CSV))))
    assert [row["key"] for row in rows] == cited


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("50% & $1", r"50\% \& \$1"),
        ("φ and Δ", r"\ensuremath{\phi} and \ensuremath{\Delta}"),
        ("café", r"caf\'{e}"),
        ("a 😀 b", "a  b"),
        ("≤ 3 ± 0.2", r"\ensuremath{\leq} 3 \ensuremath{\pm} 0.2"),
        ("ﬁne—ly", "fine---ly"),
    ],
)
def test_latex_writes_what_its_fonts_have(text: str, written: str) -> None:
    assert typeset(text) == written


@given(st.text())
def test_latex_is_plain_ascii_with_nothing_to_act_on(text: str) -> None:
    written = typeset(text)
    assert written.isascii()
    # Every command is one of ours, and no special character is left bare.
    bare = re.sub(r"\\(?:[a-zA-Z]+|[%&$#_{}`'^~=.\"])", "", written)
    assert not re.search(r"[%&$#_~^\\]", bare)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_a_hostile_table_compiles(tmp_path: Path) -> None:
    (tmp_path / "table.tex").write_text(render(*comparison(*HOSTILE), TableFormat.LATEX), "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "table.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "table.pdf").stat().st_size > 1000
