"""Tables: rows of cells between rules, or aligned near a caption that says "Table"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.parse.captions import caption_label
from assistant.parse.sheet import Piece, Rect, hull

_SAME_EDGE = 5.0  # points: rules of one table end alike
_JOINED = 14.0  # points: rules this close on one height are one
_TALLEST = 0.92  # of the page
_NEAR_CAPTION = 40.0  # points between a caption and its table
_CELLS = 0.4  # of a table's rows have more than one cell
_PROSE = 7  # words in a cell: running text rather than a cell
_NUMERIC = re.compile(
    r"[-+±~≈<>$€£]?\d[\d.,:%±×()\[\]/–-]*[kKMBx%s†‡*]*|[-–—✓✗×]|N/?A", re.IGNORECASE
)


@dataclass(slots=True)
class Table:
    """A table's rows, from the top, each from left to right."""

    rows: list[list[Piece]]
    rect: Rect


def find_tables(pieces: Sequence[Piece], rules: Sequence[Rect], height: float) -> list[Table]:
    """Find the tables of a page of that height."""
    tables: list[Table] = []
    taken: set[int] = set()
    for rect in _ruled_areas(pieces, rules, height):
        inside = [
            piece
            for piece in pieces
            if id(piece) not in taken
            and rect.holds((piece.x0 + piece.x1) / 2, piece.base + 0.3 * piece.size)
        ]
        if inside:
            taken.update(id(piece) for piece in inside)
            tables.append(Table(rows_of(inside), hull(inside)))
    for caption in pieces:
        label = caption_label(caption)
        if label and label.kind == "table" and id(caption) not in taken:
            if _has_table(caption, tables):
                continue
            rows = _aligned_near(caption, [piece for piece in pieces if id(piece) not in taken])
            if rows:
                cells = [piece for row in rows for piece in row]
                taken.update(id(piece) for piece in cells)
                tables.append(Table(rows, hull(cells)))
    return tables


def rows_of(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Group pieces into rows, from the top, each from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if rows and rows[-1][0].base - piece.base < 0.45 * max(piece.size, rows[-1][0].size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.x0) for row in rows]


def is_numeric(cell: Piece) -> bool:
    """Whether a cell holds a number."""
    return any(_NUMERIC.fullmatch(word.text) for word in cell.words)


def _has_table(caption: Piece, tables: Sequence[Table]) -> bool:
    return any(
        min(abs(table.rect.y0 - caption.y1), abs(caption.y0 - table.rect.y1)) < _NEAR_CAPTION
        and table.rect.x0 < caption.x1
        and caption.x0 < table.rect.x1
        for table in tables
    )


def _ruled_areas(pieces: Sequence[Piece], rules: Sequence[Rect], height: float) -> list[Rect]:
    """Stretches between rules of one width in which rows have cells."""
    areas: list[Rect] = []
    for chain in _chains(_joined(rules)):
        run: list[Rect] = []
        for upper, lower in pairwise(chain):
            gap = Rect(upper.x0 - 4, lower.y1, upper.x1 + 4, upper.y0)
            if gap.height < _TALLEST * height and _tabular(gap, pieces, begun=bool(run)):
                run.append(gap)
            else:
                areas.extend(_closed(run, pieces))
                run = []
        areas.extend(_closed(run, pieces))
    return areas


def _closed(run: list[Rect], pieces: Sequence[Piece]) -> list[Rect]:
    """The area of a run of intervals, if on the whole its rows have cells."""
    if not run:
        return []
    area = Rect(run[0].x0, run[-1].y0, run[0].x1, run[0].y1)
    rows = rows_of(_inside(area, pieces))
    several = sum(len(row) > 1 for row in rows)
    share = 0.1 if len(run) > 2 and _captioned(area, pieces) else _CELLS
    return [area] if len(rows) > 1 and several >= max(1, share * len(rows)) else []


def _captioned(area: Rect, pieces: Sequence[Piece]) -> bool:
    """Whether a caption that says "Table" stands over or under an area."""
    for piece in pieces:
        label = caption_label(piece)
        near = min(abs(area.y0 - piece.y1), abs(piece.y0 - area.y1)) < _NEAR_CAPTION
        if label and label.kind == "table" and near and area.x0 < piece.x1 and piece.x0 < area.x1:
            return True
    return False


def _inside(area: Rect, pieces: Sequence[Piece]) -> list[Piece]:
    return [
        piece
        for piece in pieces
        if area.holds((piece.x0 + piece.x1) / 2, piece.base + 0.3 * piece.size)
    ]


def _joined(rules: Sequence[Rect]) -> list[Rect]:
    """Rules on one height as one, from the top."""
    joined: list[Rect] = []
    for rule in sorted(rules, key=lambda rule: (-round(rule.y0 / 2), rule.x0)):
        last = joined[-1] if joined else None
        if last and abs(last.y0 - rule.y0) < 2 and rule.x0 - last.x1 < _JOINED:
            joined[-1] = Rect(
                last.x0, min(last.y0, rule.y0), max(last.x1, rule.x1), max(last.y1, rule.y1)
            )
        else:
            joined.append(rule)
    return joined


def _chains(rules: Sequence[Rect]) -> list[list[Rect]]:
    """Rules that begin and end alike, from the top."""
    chains: list[list[Rect]] = []
    for rule in rules:
        for chain in chains:
            last = chain[-1]
            if abs(last.x0 - rule.x0) < _SAME_EDGE and abs(last.x1 - rule.x1) < _SAME_EDGE:
                chain.append(rule)
                break
        else:
            chains.append([rule])
    return [chain for chain in chains if len(chain) > 1]


def _tabular(gap: Rect, pieces: Sequence[Piece], *, begun: bool) -> bool:
    """Whether what stands between two rules can be rows of a table."""
    inside = _inside(gap, pieces)
    if any(caption_label(piece) for piece in inside):
        return False
    rows = rows_of(inside)
    if not rows:
        return gap.height < 6 * 10
    several = sum(len(row) > 1 for row in rows)
    if len(rows) <= 2 and begun:
        return True
    prose = sum(
        len(row) == 1 and row[0].word_count >= _PROSE and row[0].width > 0.8 * gap.width
        for row in rows
    )
    return prose <= 0.4 * len(rows) and (several >= 0.3 * len(rows) or len(rows) <= 2)


def _aligned_near(caption: Piece, pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Rows of cells under or over a caption, without rules to tell them by."""
    below = [
        piece for piece in pieces if piece.base < caption.base and piece.size > 0.5 * caption.size
    ]
    above = [
        piece for piece in pieces if piece.base > caption.base and piece.size > 0.5 * caption.size
    ]
    return max(
        _rows_from(caption, rows_of(below)),
        _rows_from(caption, rows_of(above)[::-1])[::-1],
        key=len,
    )


def _rows_from(caption: Piece, rows: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """The rows of cells that begin near a caption, going away from it."""
    found: list[list[Piece]] = []
    doubtful: list[list[Piece]] = []  # a heading between groups of rows, if more rows follow
    base, reach = caption.base, _NEAR_CAPTION
    for row in rows:
        cells = _cells_by(caption, row)
        if not cells:
            continue
        if abs(cells[0].base - base) > reach:
            break
        if _row_of_cells(cells):
            found.extend([*doubtful, cells])
            doubtful = []
        elif not found or doubtful or any(cell.word_count >= _PROSE for cell in cells):
            break
        else:
            doubtful = [cells]
        base, reach = cells[0].base, 2.6 * cells[0].size
    numeric = sum(is_numeric(cell) for row in found for cell in row)
    return found if len(found) > 2 and numeric >= len(found) else []


def _cells_by(caption: Piece, row: Sequence[Piece]) -> list[Piece]:
    """The pieces of a row that stand over or under a caption, not in another column of the page."""
    cells = [
        piece for piece in row if caption.x0 - 60 < (piece.x0 + piece.x1) / 2 < caption.x1 + 60
    ]
    if not cells:
        return []
    first, last = row.index(cells[0]), row.index(cells[-1])
    while first > 0 and _next_cell(row[first - 1], row[first]):
        first -= 1
    while last + 1 < len(row) and _next_cell(row[last], row[last + 1]):
        last += 1
    return list(row[first : last + 1])


def _next_cell(left: Piece, right: Piece) -> bool:
    """Whether two neighbours in a row can be cells of one table."""
    return right.x0 - left.x1 < 8 * right.size and max(left.word_count, right.word_count) < _PROSE


def _row_of_cells(cells: Sequence[Piece]) -> bool:
    wordy = sum(cell.word_count >= _PROSE for cell in cells)
    return len(cells) > 2 and wordy <= len(cells) / 3
