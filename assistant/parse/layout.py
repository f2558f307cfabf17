"""A page's words as lines in reading order: columns apart, tables whole, text of figures left out."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from assistant.parse.captions import caption_label
from assistant.parse.formulas import find_formulas
from assistant.parse.order import Stack, read_in_order, stack_up
from assistant.parse.pieces import MOST_PIECES
from assistant.parse.sheet import Piece, Rect, Sheet, hull
from assistant.parse.tables import Table, find_tables, rows_of

_OPENING = re.compile(
    r"(?:(?:[0-9I]+\.?\s+)?(?:abstract|summary|introduction)"
    r"|(?:[0-9一]+[.．、]?\s*)?(?:摘\s*要|引\s*言|前\s*言|[绪緒]\s*[论論]|要\s*旨|概\s*要|はじめに))[\s.:：—-]*",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:abstract|summary)\s*[.:—–]|(?:摘\s*要|要\s*旨|概\s*要)[\s:：]", re.IGNORECASE
)
_SECTION = re.compile(r"[0-9]{1,2}(?:\.[0-9])*\.?\s+[A-Z]")
_PROSE = 6  # words that make a line of running text rather than a label
_FIGURE = 24.0  # points: smaller drawings are marks, not figures
_SMALL = 0.45  # of the page's height: a larger included figure may be a page of text
_NEAR = 36.0  # points between a figure and its caption
_ALIGNED = 3.0  # points


@dataclass(slots=True)
class Column:
    """The edges between which a stack's lines run."""

    left: float
    right: float


@dataclass(slots=True)
class Flow:
    """One stack in reading order: lines with their column, or the rows of a table."""

    pieces: list[Piece]
    column: Column
    table: Table | None = None
    formula: bool = False
    masthead: bool = False


@dataclass(slots=True)
class Page:
    """A page laid out."""

    number: int
    width: float
    height: float
    flows: list[Flow] = field(default_factory=list)
    rules: list[Rect] = field(default_factory=list)
    boxed: set[int] = field(default_factory=set)  # ids of lines in drawn boxes
    accompanied: set[int] = field(
        default_factory=set
    )  # ids of lines with others beside them in a column
    dropped: int = 0  # words of figures


@dataclass(slots=True)
class Profile:
    """What is usual in a document."""

    size: float  # of running text
    pitch: float  # from line to line, in sizes

    def smaller(self, size: float) -> bool:
        """Whether type is clearly smaller than running text."""
        return size < self.size - 0.6


def profile_of(pages: Sequence[Sequence[Piece]]) -> Profile:
    """Measure the running text: its size and its leading."""
    sizes: Counter[float] = Counter()
    for pieces in pages:
        for piece in pieces:
            sizes[piece.size] += sum(len(word.text) for word in piece.words) * (
                piece.word_count >= _PROSE
            )
    size = sizes.most_common(1)[0][0] if sizes else 10.0
    steps: Counter[float] = Counter()
    for pieces in pages:
        lines = [
            piece for piece in pieces if abs(piece.size - size) < 0.3 and piece.word_count >= _PROSE
        ]
        for upper, lower in pairwise(lines):
            if (
                abs(upper.x0 - lower.x0) < 2 * size
                and 0.9 * size < upper.base - lower.base < 2.5 * size
            ):
                steps[round((upper.base - lower.base) / size, 2)] += 1
    return Profile(size, steps.most_common(1)[0][0] if steps else 1.2)


def lay_out(
    pieces: Sequence[Piece],
    *,
    page: Page,
    sheet: Sheet,
    profile: Profile,
) -> None:
    """Put the lines of a page in reading order, into ``page``."""
    if len(pieces) > MOST_PIECES:
        page.flows.append(Flow(list(pieces), _edges(pieces)))
        return
    tables = find_tables(pieces, sheet.rules, page.height)
    cells = {id(piece) for table in tables for row in table.rows for piece in row}
    free = [piece for piece in pieces if id(piece) not in cells]
    figures = [rect for rect in sheet.figures if rect.width > _FIGURE and rect.height > _FIGURE]
    inner = _figure_text(free, figures, profile) | _form_text(free, sheet.forms, page.height)
    page.dropped = sum(len(piece.words) for piece in free if id(piece) in inner)
    free = [piece for piece in free if id(piece) not in inner]
    head = _masthead(free, page, profile) if page.number == 1 else []
    heads = {id(piece) for piece in head}
    free = [piece for piece in free if id(piece) not in heads]
    formulas = find_formulas(free, width=page.width)
    parts = {id(piece) for formula in formulas for piece in formula}
    free = [piece for piece in free if id(piece) not in parts]
    solid = [rect for rect in [*figures, *sheet.forms] if not _holds_text(rect, free)]
    obstacles = [
        *(table.rect for table in tables),
        *(hull(formula) for formula in formulas),
        *solid,
    ]
    stacks = stack_up(free, obstacles)
    stacks.extend(Stack(formula, hull(formula), whole=True) for formula in formulas)
    set_apart = {id(stack) for stack in stacks[len(stacks) - len(formulas) :]}
    stacks.extend(
        Stack([piece for row in table.rows for piece in row], table.rect, whole=True)
        for table in tables
    )
    by_rect = {
        id(stack): table
        for stack, table in zip(stacks[len(stacks) - len(tables) :], tables, strict=True)
    }
    columns = _columns(stacks)
    for row in rows_of(head):
        page.flows.append(Flow(row, _edges(row), masthead=True))
    for stack in stacks:
        _widen(stack, columns)
    for stack in read_in_order(stacks):
        table = by_rect.get(id(stack))
        column = _edges(stack.pieces) if stack.whole else _column_of(stack, columns)
        page.flows.append(Flow(stack.pieces, column, table, formula=id(stack) in set_apart))
    page.rules = sheet.rules
    page.accompanied = _accompanied(free, columns)
    page.boxed = {id(piece) for piece in free if piece.words[0].nested}
    for rect in sheet.frames:
        lines = [piece for piece in free if rect.holds((piece.x0 + piece.x1) / 2, piece.base)]
        if len(lines) > 2:
            page.boxed.update(id(piece) for piece in lines)


def _edges(pieces: Sequence[Piece]) -> Column:
    return Column(min(piece.x0 for piece in pieces), max(piece.x1 for piece in pieces))


def _holds_text(rect: Rect, pieces: Sequence[Piece]) -> bool:
    """Whether a drawing is a box around running text rather than a figure."""
    return any(rect.holds((piece.x0 + piece.x1) / 2, piece.base) for piece in pieces)


def _figure_text(pieces: Sequence[Piece], figures: Sequence[Rect], profile: Profile) -> set[int]:
    """Find the labels inside figures: not running text, not the cells of an uncaptioned table."""
    found: set[int] = set()
    captions = [(piece, label) for piece in pieces if (label := caption_label(piece))]
    for rect in figures:
        inside = [
            piece
            for piece in pieces
            if rect.holds((piece.x0 + piece.x1) / 2, piece.base + 0.3 * piece.size)
            and id(piece) not in found
        ]
        if not inside or any(caption_label(piece) for piece in inside):
            continue
        if any(label.kind == "table" and _beside(piece, rect) for piece, label in captions):
            continue
        prose = sum(piece.word_count for piece in inside if piece.word_count >= _PROSE)
        total = sum(piece.word_count for piece in inside)
        if prose < 0.5 * total and (
            _labels(inside) or all(profile.smaller(piece.size) for piece in inside)
        ):
            found.update(id(piece) for piece in inside)
    return found


def _form_text(pieces: Sequence[Piece], forms: Sequence[Rect], height: float) -> set[int]:
    """Find the labels inside included figures; a large form of running text stays."""
    nested = [piece for piece in pieces if piece.words[0].nested]
    captions = [piece for piece in pieces if not piece.words[0].nested and caption_label(piece)]
    found: set[int] = set()
    for rect in [*forms, None]:
        inside = [
            piece
            for piece in nested
            if id(piece) not in found
            and (rect is None or rect.holds((piece.x0 + piece.x1) / 2, piece.base))
        ]
        prose = sum(piece.word_count for piece in inside if piece.word_count >= _PROSE)
        small = rect is not None and rect.height < _SMALL * height
        figure = small and any(_beside(caption, hull(inside)) for caption in captions if inside)
        if figure or prose < 0.5 * sum(piece.word_count for piece in inside):
            found.update(id(piece) for piece in inside)
    return found


def _labels(pieces: Sequence[Piece]) -> bool:
    """Whether pieces are scattered: few begin at one edge as the lines of a text do."""
    lefts = Counter(round(piece.x0 / 4) for piece in pieces)
    return len(pieces) < 3 or lefts.most_common(1)[0][1] < 0.6 * len(pieces)


def _beside(caption: Piece, rect: Rect) -> bool:
    """Whether a caption stands just over or under a drawing."""
    near = min(abs(rect.y0 - caption.y1), abs(caption.y0 - rect.y1)) < _NEAR
    return near and caption.x0 < rect.x1 and rect.x0 < caption.x1


def _masthead(pieces: Sequence[Piece], page: Page, profile: Profile) -> list[Piece]:
    """Title and authors of a first page: all that stands over the first running text."""
    lines = sorted(pieces, key=lambda piece: (round(piece.x0), -piece.base))
    top = 0.0
    for first, second, third in zip(lines, lines[1:], lines[2:], strict=False):
        aligned = abs(first.x0 - second.x0) < _ALIGNED and abs(second.x0 - third.x0) < _ALIGNED
        close = first.base - third.base < 3.2 * profile.pitch * first.size
        wordy = min(piece.word_count for piece in (first, second)) >= 5
        if aligned and close and wordy and first.size < profile.size + 1.5:
            top = max(top, first.y1)
    for piece in pieces:
        opens = _OPENING.fullmatch(piece.text) or (piece.bold > 0.97 and _SECTION.match(piece.text))
        leads = _LEAD.match(piece.text) and piece.base < top + 150
        if caption_label(piece) or leads or (opens and piece.base < top + 60):
            top = max(top, piece.y1)
    if top <= 0.35 * page.height:
        return []
    return [piece for piece in pieces if piece.base > top + 0.5 * piece.size]


def _widen(stack: Stack, columns: Sequence[Column]) -> None:
    """Let a paragraph reach as far as its column, so that what stands right of a short line is no column."""
    if stack.whole:
        return
    column, rect = _column_of(stack, columns), stack.rect
    words = sum(piece.word_count for piece in stack.pieces)
    if rect.x0 < column.left + 2.5 * stack.pieces[0].size and words > 3:
        stack.reach = Rect(rect.x0, rect.y0, max(rect.x1, column.right), rect.y1)


def _columns(stacks: Sequence[Stack]) -> list[Column]:
    """The columns of a page, as its longer stacks show them."""
    columns = []
    for stack in stacks:
        wordy = sum(piece.word_count >= _PROSE for piece in stack.pieces)
        if len(stack.pieces) >= 4 and wordy >= len(stack.pieces) / 2 and not stack.whole:
            lefts = Counter(round(piece.x0) for piece in stack.pieces)
            left = min((edge for edge, count in lefts.items() if count >= 2), default=stack.rect.x0)
            columns.append(Column(min(left, stack.rect.x0 + 30), stack.rect.x1))
    return columns


def _accompanied(pieces: Sequence[Piece], columns: Sequence[Column]) -> set[int]:
    """Pieces that share their row with another one of the same column, as headings never do."""
    found: set[int] = set()
    for row in rows_of(pieces):
        for left, right in pairwise(row):
            if abs(left.base - right.base) < 2 and any(
                column.left - 6 <= left.x0 and right.x1 <= column.right + 6 for column in columns
            ):
                found.update((id(left), id(right)))
    return found


def _column_of(stack: Stack, columns: Sequence[Column]) -> Column:
    """The narrowest column that a stack fits, or its own edges."""
    rect = hull(stack.pieces)
    fitting = [
        column
        for column in columns
        if column.left - 6 <= rect.x0 + 1 and rect.x1 <= column.right + 6
    ]
    return min(
        fitting, key=lambda column: column.right - column.left, default=Column(rect.x0, rect.x1)
    )
