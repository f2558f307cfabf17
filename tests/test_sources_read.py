"""read_source: from what a user typed to papers, with every mishap one line."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.records import Paper, SourcedPaper, SourceFailure
from assistant.sources import read_source

DIGEST = "Title: A digest\nSummary: S\n---\n"
JSONL = '{"title": "A row"}\n'
BIB = "@misc{key, title={An entry}}\n"
PDF = b"%PDF-1.7\n..."

ROOT_READS_ALL = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the one that sources are named from."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def titles(source: str) -> list[str]:
    items = list(read_source(source))
    assert [item for item in items if isinstance(item, SourceFailure)] == []
    return [item.paper.title for item in items if isinstance(item, SourcedPaper)]


def failure(source: str) -> SourceFailure:
    [item] = read_source(source)
    assert isinstance(item, SourceFailure), item
    assert item.error.isprintable()
    assert item.source.isprintable()
    return item


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("papers.jsonl", JSONL, "A row"),
        ("papers.NDJSON", JSONL, "A row"),
        ("refs.bib", BIB, "An entry"),
        ("refs.bibtex", BIB, "An entry"),
        ("paper.pdf", PDF, "paper"),
        ("digest.txt", DIGEST, "A digest"),
        ("digest.md", DIGEST, "A digest"),
        ("digest", DIGEST, "A digest"),
        ("digest.txt", DIGEST.encode("utf-16"), "A digest"),
        ("digest.txt", DIGEST.replace("\n", "\r"), "A digest"),
        ("title-only.txt", "\ufeff\n\nTitle: Alone", "Alone"),
        ("rows.txt", JSONL, "A row"),
        ("rows.json", JSONL, "A row"),
        ("refs.txt", "% refs\n" + BIB, "An entry"),
        ("no-suffix", PDF, "no suffix"),
    ],
)
def test_formats_are_told_by_suffix_then_by_content(
    folder: Path, name: str, content: str | bytes, title: str
) -> None:
    write(folder / name, content)

    assert titles(name) == [title]


def test_a_folder_is_read_below_and_in_order_and_other_files_are_skipped(folder: Path) -> None:
    write(folder / "in" / "b.jsonl", JSONL)
    write(folder / "in" / "a.pdf", PDF)
    write(folder / "in" / "sub" / "deep.bib", BIB)
    write(folder / "in" / "c.txt", DIGEST)
    write(folder / "in" / "notes.txt", "Title: of no digest\n")
    write(folder / "in" / "notes.md", "---\ntitle: Notes\ntags: x\n---\n")
    write(folder / "in" / "code.py", "@dataclass(frozen=True)\n")
    write(folder / "in" / "package.json", "{}")
    write(folder / "in" / "image.png", b"\x89PNG\0")
    write(folder / "in" / ".git" / "x.jsonl", JSONL)
    write(folder / "in" / ".hidden.jsonl", JSONL)

    items = [item for item in read_source("in") if isinstance(item, SourcedPaper)]

    assert [item.location for item in items] == [
        "in/a.pdf",
        "in/b.jsonl:1",
        "in/c.txt:1",
        "in/sub/deep.bib:1",
    ]


def test_a_bad_file_in_a_folder_does_not_stop_the_others(folder: Path) -> None:
    write(folder / "in" / "a.jsonl", b"\x00\x01")
    write(folder / "in" / "b.pdf", b"")
    write(folder / "in" / "c.bib", BIB)

    bad_rows, bad_pdf, good = read_source("in")

    assert isinstance(bad_rows, SourceFailure)
    assert (bad_rows.source, "binary" in bad_rows.error) == ("in/a.jsonl", True)
    assert isinstance(bad_pdf, SourceFailure)
    assert bad_pdf.source == "in/b.pdf"
    assert isinstance(good, SourcedPaper)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path) -> None:
    (folder / "in").mkdir()
    os.mkfifo(folder / "in" / "pipe.jsonl")

    assert "holds no file" in failure("in").error


def test_folders_that_link_to_each_other_end(folder: Path) -> None:
    write(folder / "in" / "a.jsonl", JSONL)
    (folder / "in" / "again").symlink_to(folder / "in")

    assert titles("in") == ["A row"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", "", "holds no records"),
        ("empty.jsonl", "", "holds no records"),
        ("empty.bib", "", "holds no records"),
        ("empty.pdf", "", "is empty"),
        ("blank.txt", "\ufeff \n\n", "holds no records"),
        ("blank.jsonl", "\n\n", "holds no records"),
        ("comment.bib", "% nothing\n", "holds no records"),
        ("lines.txt", "---\nTitle\n---\n", "is not a digest"),
        ("binary.txt", b"\x7fELF\0\1", "is a binary file"),
        ("binary.jsonl", b"\x7fELF\0\1", "is a binary file"),
        ("page.html", "<html></html>", "is not a digest"),
        ("list.json", '[{"title": "T"}]', "is not a digest"),
        ("page.pdf", "<html></html>", "is not a PDF"),
        ("cut.txt", DIGEST.encode("utf-16")[:-1], "is not valid UTF-16"),
        ("no-mark.txt", DIGEST.encode("utf-16-le"), "is a binary file"),
    ],
)
def test_a_file_without_papers_is_one_failure(
    folder: Path, name: str, content: str | bytes, reason: str
) -> None:
    write(folder / name, content)

    failed = [item for item in read_source(name) if isinstance(item, SourceFailure)]

    assert [item.source for item in failed] == [name]
    assert reason in failed[0].error


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere.txt", "no such file or folder"),
        ("nowhere/2503.14476.pdf", "no such file or folder"),
        ("", "the source is empty"),
        ("  ", "the source is empty"),
        ("a\0b", "no such file or folder"),
        ("x" * 10_000, "no such file or folder"),
        ("\x1b[31mred\nline", "no such file or folder"),
        ("\udcff", "no such file or folder"),
        ("ftp://example.org/paper.pdf", "is no http(s) link"),
        ("http:///paper.pdf", "is no http(s) link"),
        ("https://[::1/paper.pdf#page=2", "is no http(s) link"),
        ("2513.14476", "no such file or folder"),
    ],
)
def test_a_source_that_is_nothing_is_one_failure(folder: Path, source: str, reason: str) -> None:
    assert reason in failure(source).error


def test_an_empty_folder_is_a_failure(folder: Path) -> None:
    (folder / "in").mkdir()

    assert "holds no file" in failure("in").error


@ROOT_READS_ALL
def test_an_unreadable_file_or_folder_is_a_failure(folder: Path) -> None:
    write(folder / "in" / "a.jsonl", JSONL)
    (folder / "in" / "a.jsonl").chmod(0)
    assert "cannot be read" in failure("in/a.jsonl").error
    assert "cannot be read" in failure("in").error

    (folder / "in").chmod(0)
    try:
        assert "cannot be read" in failure("in").error
        assert "cannot be read" in failure("in/a.jsonl").error
    finally:
        (folder / "in").chmod(0o700)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no such file here")
def test_a_file_that_fails_while_it_is_read_is_a_failure() -> None:
    assert "cannot be read (Input/output error)" in failure("/proc/self/mem").error


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device here")
def test_an_endless_device_ends() -> None:
    assert "binary" in failure("/dev/zero").error


@pytest.mark.parametrize(
    "source",
    [
        "2503.14476v2",
        "arXiv:2503.14476v2",
        "https://arxiv.org/pdf/2503.14476v2.pdf",
        " 2503.14476v2",
    ],
)
def test_an_arxiv_id_stands_for_its_paper(folder: Path, source: str) -> None:
    assert list(read_source(source)) == [
        SourcedPaper(
            paper=Paper(
                id="2503.14476",
                title="arXiv:2503.14476",
                url="https://arxiv.org/abs/2503.14476",
                pdf_url="https://arxiv.org/pdf/2503.14476v2",
                version=2,
            ),
            location=source,
        )
    ]


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ("https://example.org/papers/attention-is-all-you-need.pdf", "attention is all you need"),
        ("https://example.org/pdf?id=7#page=2", "pdf"),
        ("https://example.org", "PDF"),
    ],
)
def test_a_link_to_a_pdf_stands_for_its_paper(folder: Path, link: str, title: str) -> None:
    [item] = read_source(link)

    assert isinstance(item, SourcedPaper)
    assert item.location == link
    assert item.paper.title == title
    assert item.paper.url == item.paper.pdf_url == link.partition("#")[0]


def test_a_file_comes_before_an_arxiv_id(folder: Path) -> None:
    write(folder / "2503.14476", DIGEST)

    assert titles("2503.14476") == ["A digest"]


def test_names_of_files_are_printable_in_places(folder: Path) -> None:
    write(folder / "a\x1b[31m\nb.jsonl", JSONL)

    [item] = read_source("a\x1b[31m\nb.jsonl")

    assert isinstance(item, SourcedPaper)
    assert item.location == "a b.jsonl:1"


@pytest.mark.parametrize("content", ["\n" * 60_000 + "x", "@" * 60_000, "Title" * 12_000])
def test_what_cannot_be_recognised_takes_no_time(folder: Path, content: str) -> None:
    write(folder / "x", content)

    assert "is not a digest" in failure("x").error


def test_papers_stream(folder: Path) -> None:
    write(folder / "big.jsonl", JSONL * 100_000)

    stream = read_source("big.jsonl")
    first = next(stream)
    stream.close()

    assert isinstance(first, SourcedPaper)


@pytest.mark.parametrize("name", ["x", "x.txt", "x.jsonl", "x.bib", "x.pdf"])
@given(content=st.binary() | st.binary().map(b"Title: T\nSummary: ".__add__))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_raises(folder: Path, name: str, content: bytes) -> None:
    write(folder / name, content)

    items = list(read_source(name))

    assert items
    assert all(isinstance(item, SourcedPaper | SourceFailure) for item in items)


@given(st.text())
def test_no_source_raises(source: str) -> None:
    for item in read_source("nowhere/" + source):
        assert isinstance(item, SourcedPaper | SourceFailure)
