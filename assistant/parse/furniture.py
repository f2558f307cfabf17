"""What repeats on every page and belongs to none: running heads and feet, page and line numbers, stamps."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from assistant.parse.captions import caption_label
from assistant.parse.sheet import Piece, Rect, Sheet, Word
from assistant.parse.tables import is_numeric, rows_of
from assistant.text import fold

_MARGIN = 0.13  # of the page's height: running heads and feet stand no further in
_OFTEN = 0.2  # of the pages: a running head of a chapter is on no fewer
_ROWS = 3  # outermost rows looked at
_SAME_PLACE = 3.0  # points
_MIN_LINE_NUMBERS = 15  # on one page
_APART = 0.6  # of the size: clear space between a running head and what follows
_CELLS = 3  # in a row: fewer are a running head with a page's number
_NUMERIC_CELLS = 2  # in a row of numbers
_NEXT_ROW = 2.5  # sizes from row to row of a table

_NUMBER = re.compile(r"[0-9]+")
_PAGE_NUMBER = re.compile(
    r"(?:page|p\.)?\s*[-–—|]?\s*(?:[0-9]{1,4}|[ivxl]{1,6}|[A-Z]?-?[0-9]{1,3})\s*(?:(?:of|/)\s*[0-9]{1,4})?\s*[-–—|]?",
    re.IGNORECASE,
)


def without_line_numbers(words: Sequence[Word]) -> list[Word]:
    """Drop the numbers that review versions print beside every line."""
    groups: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        if word.text.isdecimal() and len(word.text) <= 4:
            groups[round(word.x1 / 2)].append(word)
    gone: set[int] = set()
    for edge, group in groups.items():
        column = group + groups.get(edge + 1, [])
        if _counts_lines(column) and _alone(column, words):
            gone.update(id(word) for word in column)
    return [word for word in words if id(word) not in gone]


def _counts_lines(column: Sequence[Word]) -> bool:
    if len(column) < _MIN_LINE_NUMBERS:
        return False
    numbers = [int(word.text) for word in sorted(column, key=lambda word: -word.base)]
    steps = sum(1 for a, b in pairwise(numbers) if b == a + 1)
    return steps >= 0.9 * (len(numbers) - 1)


def _alone(column: Sequence[Word], words: Sequence[Word]) -> bool:
    """Whether a column of numbers has all other words on one side, clear of it."""
    mine = {id(word) for word in column}
    left, right = min(word.x0 for word in column), max(word.x1 for word in column)
    low, high = min(word.base for word in column), max(word.base for word in column)
    others = [word for word in words if id(word) not in mine and low <= word.base <= high]
    before = sum(word.x1 < left for word in others)
    after = sum(word.x0 > right for word in others)
    return max(before, after) >= 0.97 * len(others) or before + after == len(others) > 0


def furniture(pages: Sequence[Sequence[Piece]], sheets: Sequence[Sheet]) -> set[int]:
    """Find running heads and feet and page numbers; the ids of their pieces."""
    edges = [
        {side: _outer_rows(pieces, sheet, top=side) for side in (True, False)}
        for pieces, sheet in zip(pages, sheets, strict=True)
    ]
    places = _Places(edges)
    found: set[int] = set()
    for pieces, sheet, sides in zip(pages, sheets, edges, strict=True):
        for top, rows in sides.items():
            apart = [
                count
                for count in range(1, len(rows) + 1)
                if _stands_apart(rows[:count], pieces, top=top)
            ]
            for index, row in enumerate(rows[: max(apart, default=0)]):
                if places.belongs(row, top=top, outermost=not index) and not _in_table(
                    row, pieces, sheet.rules
                ):
                    found.update(id(piece) for piece in row)
    return found


def _in_table(row: Sequence[Piece], pieces: Sequence[Piece], rules: Sequence[Rect]) -> bool:
    """Whether a row is part of a table: its caption, its head or one of its rows of numbers."""
    first = row[0]
    if len(row) == 1 and (label := caption_label(first)):
        return label.kind == "table"
    if len(row) < _CELLS:
        return False
    reach = _NEXT_ROW * first.size
    near = rows_of([piece for piece in pieces if abs(piece.base - first.base) < reach])
    numeric = [
        other
        for other in near
        if sum(is_numeric(piece) for piece in other) >= _NUMERIC_CELLS and _aligned(row, other)
    ]
    if sum(is_numeric(piece) for piece in row) >= _NUMERIC_CELLS:
        return len(numeric) > 1  # it is one of them itself
    under = any(other[0].base < first.base for other in numeric)
    return under and any(
        abs(rule.y0 - first.base) < 2 * first.size and rule.x0 < row[-1].x0 and first.x1 < rule.x1
        for rule in rules
    )


def _aligned(row: Sequence[Piece], other: Sequence[Piece]) -> bool:
    """Whether each cell of a row stands over or under one of another."""
    return all(any(cell.x0 < each.x1 and each.x0 < cell.x1 for each in other) for cell in row)


class _Places:
    """What stands at the edges of all pages, and how often at the same place."""

    def __init__(self, edges: Sequence[dict[bool, list[list[Piece]]]]) -> None:
        pages = len(edges)
        self._least = 2 if pages <= 4 else 3  # a short paper
        self._often = max(self._least, _OFTEN * pages)
        self._texts: dict[tuple[str, bool], list[tuple[int, float]]] = defaultdict(list)
        self._bands: Counter[tuple[bool, int]] = Counter()
        for page, sides in enumerate(edges):
            for top, rows in sides.items():
                for row in rows:
                    for piece in row:
                        self._texts[_key(piece), top].append((page, piece.base))
                if len(rows) > 1 and abs(rows[0][0].base - rows[1][0].base) > 2 * rows[0][0].size:
                    self._bands[top, round(rows[0][0].base)] += 1

    def belongs(self, row: Sequence[Piece], *, top: bool, outermost: bool) -> bool:
        """Whether a row that stands apart at a page's edge is furniture."""
        band = sum(self._bands[top, round(row[0].base) + off] for off in (-1, 0, 1)) >= self._often
        return (band and outermost) or all(
            self._repeats(piece, top=top) or _is_page_number(piece.text) for piece in row
        )

    def _repeats(self, piece: Piece, *, top: bool) -> bool:
        pages = {
            page
            for page, base in self._texts[_key(piece), top]
            if abs(base - piece.base) < _SAME_PLACE
        }
        bare = piece.text.strip("0123456789 -–")
        return len(pages) >= (self._often if bare else self._least)


def _is_page_number(text: str) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(text) and text.strip("-–—| "))


def _key(piece: Piece) -> str:
    return _NUMBER.sub("#", fold(piece.text))


def _outer_rows(pieces: Iterable[Piece], sheet: Sheet, *, top: bool) -> list[list[Piece]]:
    """The outermost rows in a page's margin, from the edge inwards."""
    margin = _MARGIN * sheet.height
    near = [
        piece
        for piece in pieces
        if (piece.base > sheet.height - margin if top else piece.base < margin)
    ]
    near.sort(key=lambda piece: -piece.base if top else piece.base)
    rows: list[list[Piece]] = []
    for piece in near:
        if rows and abs(rows[-1][0].base - piece.base) < 0.5 * piece.size:
            rows[-1].append(piece)
        elif len(rows) < _ROWS:
            rows.append([piece])
        else:
            break
    return rows


def _stands_apart(rows: Sequence[Sequence[Piece]], pieces: Iterable[Piece], *, top: bool) -> bool:
    """Whether clear space parts outermost rows from the rest of the page."""
    mine = {id(piece) for row in rows for piece in row}
    inner = rows[-1][0]
    for piece in pieces:
        if id(piece) not in mine:
            space = inner.y0 - piece.y1 if top else piece.y0 - inner.y1
            if space < _APART * max(inner.size, 8.0):
                return False
    return True
