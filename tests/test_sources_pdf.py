"""PDF files: one paper each, known by name and content."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import SourceError
from assistant.records import Paper, SourcedPaper
from assistant.sources.identity import has_placeholder_title
from assistant.sources.pdf import MAX_PDF_BYTES, read_pdf

PDF = b"%PDF-1.7\n..."


def paper(name: str, content: bytes = PDF) -> Paper:
    [item] = read_pdf([content], Path(name))
    assert isinstance(item, SourcedPaper)
    assert item.location == name
    return item.paper


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("2503.14476.pdf", None),
        ("2503.14476v2.pdf", 2),
        ("arXiv:2503.14476v2.PDF", 2),
        ("2503.14476v2 (1).pdf", 2),
    ],
)
def test_a_file_named_by_an_arxiv_id_is_that_paper(name: str, version: int | None) -> None:
    found = paper(name)

    assert (found.id, found.title, found.version) == ("2503.14476", "arXiv:2503.14476", version)
    assert found.url == "https://arxiv.org/abs/2503.14476"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("attention-is-all-you-need.pdf", "attention is all you need"),
        ("SWEET-RL_multi_turn.pdf", "SWEET-RL multi turn"),
        ("A%20study of  φ.pdf", "A study of φ"),
        ("notes on 2503.14476.pdf", "notes on 2503.14476"),
        ("---.pdf", "PDF"),
    ],
)
def test_other_files_are_titled_by_their_names(name: str, title: str) -> None:
    found = paper(name)

    assert found.title == title
    assert has_placeholder_title(found)


def test_the_same_content_is_the_same_paper_under_any_name() -> None:
    assert paper("a.pdf").id == paper("b.pdf").id
    assert paper("a.pdf").id != paper("a.pdf", PDF + b"more").id


def test_the_header_may_come_after_some_junk() -> None:
    assert paper("a.pdf", b"x" * 1000 + PDF).title == "a"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"<html>", "no %PDF- header"), (b"x" * 1024 + PDF, "no %PDF- header")],
)
def test_what_is_no_pdf_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        list(read_pdf([content], Path("a.pdf")))


def test_a_huge_pdf_is_refused_before_it_is_read_to_the_end() -> None:
    block = PDF + b"x" * 10_000_000
    blocks = iter([block] * 1000)

    with pytest.raises(SourceError, match="over 200 MB"):
        list(read_pdf(blocks, Path("a.pdf")))
    assert len(list(blocks)) > 1000 - MAX_PDF_BYTES / len(block) - 2


@given(st.text(min_size=1).map(lambda stem: f"{stem}.pdf".replace("/", "")))
def test_any_name_gives_a_title(name: str) -> None:
    [item] = read_pdf([PDF], Path(name))

    assert isinstance(item, SourcedPaper)
