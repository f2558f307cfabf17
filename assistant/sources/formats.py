"""Which reader reads a file: told by its suffix, else by its beginning."""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from assistant.errors import SourceError
from assistant.sources.digest import FIELD, read_digest
from assistant.sources.failures import Item
from assistant.sources.jsonl import read_jsonl
from assistant.sources.lines import UTF16_MARKS
from assistant.sources.pdf import read_pdf

Reader = Callable[[Iterable[bytes], Path], Iterator[Item]]

KINDS = "a digest (Title:, PDF:, Summary:), JSONL, BibTeX or PDF"

_DIGEST_SUFFIXES = frozenset({"", ".txt", ".text", ".md", ".digest"})
_FIELD_LINE = re.compile(rf"^{FIELD.pattern}", re.IGNORECASE | re.MULTILINE)
_ENTRY_LINE = re.compile(r"^[ \t]*@[a-z]+[ \t]*[{(]", re.IGNORECASE | re.MULTILINE)


def reader_of(path: Path, head: bytes) -> Reader:
    """Choose the reader of a file that a user named. Raises ``SourceError`` when none fits."""
    reader = _reader_by_suffix(path)
    if reader is read_pdf or (reader is None and head.startswith(b"%PDF-")):
        return read_pdf
    if b"\0" in head and not head.startswith(UTF16_MARKS):
        raise SourceError(f"is a binary file: name {KINDS}, in UTF-8")
    text = _decoded(head)
    if not text.strip():
        raise SourceError("the file is empty: it holds no records")
    reader = reader or _reader_by_content(text)
    if reader is None:
        raise SourceError(f"is not {KINDS}: check the file")
    return reader


def belongs(path: Path, head: bytes) -> bool:
    """Whether a file that lies in a folder is one to read; others are none of our business."""
    if _reader_by_suffix(path):
        return True
    return path.suffix.lower() in _DIGEST_SUFFIXES and _is_digest(_decoded(head))


def _reader_by_suffix(path: Path) -> Reader | None:
    readers: dict[str, Reader] = {
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
        ".bib": _read_bibtex,
        ".bibtex": _read_bibtex,
        ".pdf": read_pdf,
    }
    return readers.get(path.suffix.lower())


def _reader_by_content(text: str) -> Reader | None:
    if _is_digest(text):
        return read_digest
    if text.lstrip().startswith("{"):
        return read_jsonl
    if _ENTRY_LINE.search(text):
        return _read_bibtex
    # One field is enough when the user named the file: the reader says what the records lack.
    return read_digest if _FIELD_LINE.search(text) else None


def _is_digest(text: str) -> bool:
    fields = {match[1].lower() for match in _FIELD_LINE.finditer(text)}
    return "title" in fields and len(fields) > 1


def _decoded(head: bytes) -> str:
    """Decode the beginning of a file as far as recognising it takes."""
    encoding = "utf-16" if head.startswith(UTF16_MARKS) else "utf-8"
    text = head.removeprefix(codecs.BOM_UTF8).decode(encoding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_bibtex(blocks: Iterable[bytes], path: Path) -> Iterator[Item]:
    from assistant.sources.bibtex import read_bibtex  # its parser is slow to import

    yield from read_bibtex(blocks, path)
