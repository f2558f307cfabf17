"""From a stretch of a document's text to the places on its pages where it stands."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

from assistant.records import Box, Line


def boxes(lines: Sequence[Line], start: int, end: int) -> tuple[Box, ...]:
    """Find where ``text[start:end]`` stands: a box per line touched, as narrow as its words.

    Args:
        lines: Lines in text order: a document's, or only those of a chunk.
        start: Offset in the document's text.
        end: Offset behind the last character.

    Returns:
        Boxes in text order, in PDF points; none where the stretch holds no words.
    """
    if end <= start:
        return ()
    found: list[Box] = []
    first = max(0, bisect_right(lines, start, key=attrgetter("start")) - 1)
    for line in lines[first:]:
        if line.start >= end:
            break
        edges = _edges(line, max(start, line.start), min(end, line.end))
        if edges is not None:
            found.append(Box(page=line.page, x0=edges[0], y0=line.y0, x1=edges[1], y1=line.y1))
    return tuple(found)


def _edges(line: Line, start: int, end: int) -> tuple[float, float] | None:
    """Left and right edge of ``[start:end]`` of a line; inside a word, in proportion."""
    lefts: list[float] = []
    rights: list[float] = []
    for index, (offset, x0, x1) in enumerate(line.words):
        begin = line.start + offset
        last = index + 1 == len(line.words)
        # The space before the next word is not part of this one.
        stop = line.end if last else line.start + line.words[index + 1][0] - 1
        if start >= stop or end <= begin:
            continue
        width = (x1 - x0) / (stop - begin)
        lefts.append(x0 + width * max(0, start - begin))
        rights.append(x1 - width * max(0, stop - end))
    return (min(lefts), max(rights)) if lefts else None
