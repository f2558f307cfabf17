"""Digests: records of ``Title:``, ``PDF:`` and ``Summary:``, parted by ``---`` lines.

Fields come in any order and case; an indented line continues the field above it.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from assistant.sources.draft import MAX_ABSTRACT, Draft, build_paper
from assistant.sources.failures import Item, excerpt, failure, location
from assistant.sources.latex import plain_text
from assistant.sources.lines import Line, read_lines

FIELD = re.compile(r"(title|pdf|summary)[ \t]*:(.*)", re.IGNORECASE)

_SEPARATOR = re.compile(r"-{3,}\s*")


def read_digest(blocks: Iterable[bytes], path: Path) -> Iterator[Item]:
    """Read a digest, record by record; a malformed record is one failure and the next goes on."""
    record = _Record()
    for line in read_lines(blocks):
        if _SEPARATOR.fullmatch(line.text):
            yield from record.finished(path)
            record = _Record()
        else:
            record.add(line)
    yield from record.finished(path)


class _Record:
    """The record being read: its fields so far, and the first thing that is wrong with it."""

    def __init__(self) -> None:
        self._fields: dict[str, list[str]] = {}
        self._open: list[str] | None = None
        self._size = 0
        self._first_line: int | None = None
        self._problem: tuple[int, str] | None = None

    def add(self, line: Line) -> None:
        """Take the next line of the record."""
        if self._problem or not (line.problem or line.text.strip()):
            return
        self._first_line = self._first_line or line.number
        problem = line.problem or self._problem_of_size(line) or self._taken(line.text)
        if problem:
            self._problem = (line.number, problem)
            self._fields.clear()

    def _problem_of_size(self, line: Line) -> str | None:
        self._size += len(line.text)
        if self._size <= MAX_ABSTRACT:
            return None
        return f"the record is over {MAX_ABSTRACT:,} characters: shorten it"

    def _taken(self, text: str) -> str | None:
        """Add the text to the field it belongs to, or say why it belongs to none."""
        if text[0].isspace() and self._open is not None:
            self._open.append(text)
            return None
        match = FIELD.fullmatch(text)
        if match is None:
            return (
                f"{excerpt(text)} is no field: begin it with Title:, PDF: or Summary:, "
                "or indent it to continue the field above"
            )
        name = match[1].lower()
        if name in self._fields:
            return f"a second {match[1]}: in one record: part records by a line ---"
        self._open = self._fields[name] = [match[2]]
        return None

    def finished(self, path: Path) -> Iterator[Item]:
        """Yield what the record came to: a paper, a failure, or nothing for an empty record."""
        if self._problem:
            line, reason = self._problem
            yield failure(location(path, line), reason)
        elif self._fields:
            texts = {name: plain_text(" ".join(parts)) for name, parts in self._fields.items()}
            draft = Draft(
                title=texts.get("title", ""),
                abstract=texts.get("summary", ""),
                pdf=" ".join(self._fields.get("pdf", [])),
            )
            yield build_paper(draft, location(path, self._first_line))
