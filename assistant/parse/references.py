"""The list of references, one part per entry."""

import re
from collections import Counter
from collections.abc import Sequence

from assistant.parse.headings import is_references
from assistant.parse.layout import Column
from assistant.parse.paragraphs import Part, ends_sentence
from assistant.parse.sheet import Piece

_BRACKETED = re.compile(r"\[[^\]\s]{1,12}\]")
_NUMBERED = re.compile(r"\d{1,3}\.")


def split_references(parts: Sequence[Part]) -> list[Part]:
    """Make every entry under a heading "References" a part of its own."""
    result: list[Part] = []
    entries: list[Part] | None = None
    level = 0
    for part in parts:
        if part.kind == "heading":
            result.extend(_entries(entries or []))
            if is_references(part):
                entries, level = [], part.level
            else:
                entries = [] if entries is not None and part.level > level else None
            result.append(part)
        elif entries is not None and (
            part.kind in ("text", "formula") or _is_small_entry(part, entries)
        ):
            entries.append(part)
        else:
            result.append(part)
    result.extend(_entries(entries or []))
    return result


def _is_small_entry(part: Part, entries: Sequence[Part]) -> bool:
    """Whether what looks like a footnote is set as the entries before it are."""
    return part.kind == "footnote" and any(
        abs(part.last.size - entry.last.size) < 0.3 for entry in entries
    )


def _entries(parts: Sequence[Part]) -> list[Part]:
    """Split the lines of a list of references into entries."""
    lines = [(piece, part.column) for part in parts for piece in part.pieces]
    if not lines:
        return []
    starts = _starts(lines)
    entries: list[Part] = []
    for index, (piece, column) in enumerate(lines):
        if index in starts or not entries:
            entries.append(Part("reference", [piece], column))
        else:
            entries[-1].pieces.append(piece)
    return entries


def _starts(lines: Sequence[tuple[Piece, Column]]) -> set[int]:
    """The lines with which entries begin: numbered, hanging out, or after space."""
    for pattern in (_BRACKETED, _NUMBERED):
        marked = {i for i, (piece, _) in enumerate(lines) if pattern.match(piece.words[0].text)}
        if len(marked) >= max(2, 0.12 * len(lines)):
            return marked
    hanging = _hanging(lines)
    if hanging:
        return hanging
    return {
        index
        for index in range(1, len(lines))
        if ends_sentence(lines[index - 1][0].text) and _new(lines[index - 1][0], *lines[index])
    }


def _hanging(lines: Sequence[tuple[Piece, Column]]) -> set[int]:
    """Lines that begin at their column's edge, where most others are indented alike."""
    starts: set[int] = set()
    indented = 0
    edges: dict[tuple[int, int], float] = {}
    for piece, column in lines:
        key = (piece.page, round(column.left / 40))
        edges[key] = min(edges.get(key, piece.x0), piece.x0)
    offsets: Counter[int] = Counter()
    for index, (piece, column) in enumerate(lines):
        offset = piece.x0 - edges[piece.page, round(column.left / 40)]
        offsets[round(offset)] += 1
        if offset < 0.4 * piece.size:
            starts.add(index)
        else:
            indented += 1
    return starts if indented >= 0.35 * len(lines) else set()


def _new(last: Piece, piece: Piece, column: Column) -> bool:
    if last.page != piece.page or piece.base > last.base:
        return True
    apart = last.base - piece.base > 1.45 * piece.size
    return apart or last.x1 < column.right - 4 * piece.size
