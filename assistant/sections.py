"""A document's blocks as the stretches that chunks do not reach beyond. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from assistant.records import Block, Document
from assistant.text import Span

_UNINDEXED = frozenset({"heading", "reference"})
_FLOATS = frozenset({"caption", "table"})
_REACH = 3
_NEAR = 40.0
_MAX_CONTEXT = 400


class Section(NamedTuple):
    """A stretch of text, the path of headings it stands under, and what a table in it is about.

    ``context`` is the caption and the first row of the table; chunks without them are read with it.
    """

    span: Span
    path: tuple[str, ...]
    context: str = ""


class _Area(NamedTuple):
    """Where a block stands: its first page, and its edges there in PDF points."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


def sections(document: Document, blocks: Sequence[Block]) -> Iterator[Section]:
    """Join neighbouring blocks of running text, and tables with their captions; in text order.

    Headings and references are left out.

    Args:
        document: what the blocks are of.
        blocks: those to join, in text order.
    """
    captions = _Captions(document, blocks)
    run: list[int] = []
    for index, block in enumerate(blocks):
        if run and not _continues(blocks, run, index, captions):
            yield _section(document, blocks, run, captions)
            run = []
        if block.kind not in _UNINDEXED:
            run.append(index)
    if run:
        yield _section(document, blocks, run, captions)


def _continues(
    blocks: Sequence[Block], run: Sequence[int], index: int, captions: "_Captions"
) -> bool:
    block, last = blocks[index], blocks[run[-1]]
    if block.kind in _UNINDEXED or block.section != last.section:
        return False
    if block.kind not in _FLOATS or last.kind not in _FLOATS:
        return block.kind not in _FLOATS and last.kind not in _FLOATS
    return captions.of(index) is not None and captions.of(index) == captions.of(run[-1])


def _section(
    document: Document, blocks: Sequence[Block], run: Sequence[int], captions: "_Captions"
) -> Section:
    first, last = blocks[run[0]], blocks[run[-1]]
    span = Span(first.start, last.end)
    table = next((index for index in run if blocks[index].kind == "table"), None)
    if table is None:
        return Section(span, first.section)
    caption = captions.of(table)
    about = [_text(document, blocks[caption])] if caption is not None else []
    head = _text(document, blocks[table]).partition("\n")[0]
    return Section(span, first.section, " ".join([*about, head])[:_MAX_CONTEXT])


class _Captions:
    """Which caption belongs to which table: the nearest above or below it on its page."""

    def __init__(self, document: Document, blocks: Sequence[Block]) -> None:
        self._own: dict[int, int] = {}
        area = _areas(document, blocks)
        for index, block in enumerate(blocks):
            if block.kind == "table":
                near = range(max(0, index - _REACH), min(len(blocks), index + _REACH + 1))
                named = [each for each in near if _is_table_caption(document, blocks[each])]
                found = [
                    (gap, each) for each in named if (gap := _gap(area(index), area(each))) < _NEAR
                ]
                if found:
                    self._own[index] = min(found)[1]

    def of(self, index: int) -> int | None:
        """Return the caption's index: a table's, or a caption's own."""
        if index in self._own.values():
            return index
        return self._own.get(index)


def _is_table_caption(document: Document, block: Block) -> bool:
    return block.kind == "caption" and _text(document, block)[:5].casefold() == "table"


def _areas(document: Document, blocks: Sequence[Block]) -> Callable[[int], _Area | None]:
    """Find blocks on the page, by index; nothing for one without lines."""
    found: dict[int, _Area] = {}
    number = 0
    for line in document.lines:
        while number < len(blocks) and blocks[number].end <= line.start:
            number += 1
        if number == len(blocks) or line.start < blocks[number].start or not line.words:
            continue
        x0, x1 = line.words[0][1], line.words[-1][2]
        known = found.get(number, _Area(line.page, x0, line.y0, x1, line.y1))
        if known.page == line.page:
            found[number] = _Area(
                known.page,
                min(known.x0, x0),
                min(known.y0, line.y0),
                max(known.x1, x1),
                max(known.y1, line.y1),
            )
    return found.get


def _gap(table: _Area | None, caption: _Area | None) -> float:
    """Measure how far apart two blocks are on their page, upwards; infinity if not in line."""
    if table is None or caption is None or table.page != caption.page:
        return float("inf")
    if min(table.x1, caption.x1) <= max(table.x0, caption.x0):
        return float("inf")
    return max(caption.y0 - table.y1, table.y0 - caption.y1, 0.0)


def _text(document: Document, block: Block) -> str:
    return document.text[block.start : block.end]
