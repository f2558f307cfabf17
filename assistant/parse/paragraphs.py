"""Lines in reading order into paragraphs, captions, footnotes and formulas."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.parse.captions import caption_label
from assistant.parse.layout import Column, Flow, Page, Profile
from assistant.parse.scripts import has_ideographs, joined
from assistant.parse.sheet import Piece, Word
from assistant.records import BlockKind

_BULLET = re.compile(r"[•◦▪∙‣■□●○➢➤✦⋄▸►]|[–\-*∗]")
_ITEM = re.compile(r"(?:\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]|\[\d{1,3}\]|•.*)")
_NOTE_MARK = re.compile(r"(?:\d{1,2}|[*†‡§¶∗]{1,3})(?=[^\d.,:%)\]–-]|$)")
_SECTION_NUMBER = re.compile(r"(?:\d{1,2}|[A-Z])(?:\.\d{1,2}){0,4}\.?")
_SENTENCE_END = re.compile(r"[.!?:。！？：][\"'”’)\]]*$")


@dataclass(slots=True)
class Part:
    """What will be one block."""

    kind: BlockKind
    pieces: list[Piece]
    column: Column
    rows: bool = False  # each piece's line stays a line: tables, listings
    level: int = 0
    masthead: bool = False
    aside: bool = False  # in a drawn box with other text, or beside other text: no heading

    @property
    def text(self) -> str:
        """Its words, parted by spaces."""
        return joined([piece.text for piece in self.pieces])

    @property
    def last(self) -> Piece:
        """Its last line."""
        return self.pieces[-1]


def parts_of(page: Page, profile: Profile) -> list[Part]:
    """Group the lines of a page laid out into parts, in reading order."""
    parts: list[Part] = []
    for flow in page.flows:
        if flow.table:
            parts.append(Part("table", flow.pieces, flow.column, rows=True))
            continue
        if flow.formula:
            parts.append(Part("formula", flow.pieces, flow.column))
            continue
        _add_flow(parts, flow, page, profile)
    return parts


def _add_flow(parts: list[Part], flow: Flow, page: Page, profile: Profile) -> None:
    column = flow.column
    notes_below = _notes_below(flow, page, profile)
    fresh = True
    for piece in flow.pieces:
        kind: BlockKind = "caption" if caption_label(piece) else "text"
        if kind == "text" and piece.base < notes_below:
            kind = "footnote"
        part = parts[-1] if parts else None
        aside = id(piece) in page.boxed or id(piece) in page.accompanied
        if (
            part
            and (not fresh or kind == "formula" or _same_row(part.last, piece))
            and _goes_on(part, piece, kind, profile)
        ):
            part.pieces.append(piece)
        else:
            parts.append(Part(kind, [piece], column, masthead=flow.masthead, aside=aside))
        fresh = False


def _same_row(a: Piece, b: Piece) -> bool:
    return a.page == b.page and abs(a.base - b.base) < 0.5 * max(a.size, b.size)


def _notes_below(flow: Flow, page: Page, profile: Profile) -> float:
    """The height below which a stack's lines are footnotes."""
    small = []
    for piece in reversed(flow.pieces):
        if not profile.smaller(piece.size):
            break
        small.append(piece)
    before = flow.pieces[-len(small) - 1] if len(small) < len(flow.pieces) else None
    while small:
        top = small.pop()
        apart = before is None or not _alike(before, top) or _parted(before, top, profile)
        if apart and _opens_notes(top, page):
            return top.base + 1
        before = top
    return 0.0


def _opens_notes(piece: Piece, page: Page) -> bool:
    """Whether footnotes begin with a line: at the page's foot, marked or under a short rule."""
    if piece.base > 0.5 * page.height or caption_label(piece):
        return False
    lower = [
        other
        for each in page.flows
        if not each.table
        for other in each.pieces
        if other.base < piece.base
        and other.x0 < piece.x1
        and piece.x0 < other.x1
        and other.size > piece.size + 0.6
    ]
    if lower:
        return False
    ruled = any(
        piece.y1 - 2 <= rule.y0 <= piece.y1 + 10
        and rule.x0 < piece.x1
        and piece.x0 - 25 < rule.x0
        and rule.width < 0.75 * page.width
        for rule in page.rules
    )
    return ruled or bool(_NOTE_MARK.match(piece.words[0].text))


def _goes_on(part: Part, piece: Piece, kind: BlockKind, profile: Profile) -> bool:
    """Whether a line belongs to the part before it."""
    last = part.last
    if part.kind in ("formula", "table"):
        return False
    if part.kind == "footnote" or kind == "footnote":
        return part.kind == kind and not _new_note(piece) and not _parted(last, piece, profile)
    if kind == "caption" and not (_mid_sentence(part, piece, profile) and part.kind == "text"):
        return False
    if _same_row(last, piece):
        return piece.x0 - last.x1 < 3 * piece.size and _alike(last, piece)
    if not _alike(last, piece) or _parted(last, piece, profile):
        return False
    if part.kind == "caption":
        return True
    return not _begins(part, piece)


def _alike(a: Piece, b: Piece) -> bool:
    """Whether two lines are set in one size, if only in part."""
    near = max(0.6, 0.08 * a.size)
    return abs(a.size - b.size) <= near or abs(_largest(a) - _largest(b)) <= near / 2


def _largest(piece: Piece) -> float:
    return max((word.size for word in piece.words if len(word.text) > 2), default=piece.size)


def _parted(last: Piece, piece: Piece, profile: Profile) -> bool:
    """Whether more than the usual space parts two lines."""
    if last.page != piece.page:
        return True
    low = min(word.base - 0.21 * word.size for word in last.words)
    high = max(word.base + 0.73 * word.size for word in piece.words)
    size = max(last.size, piece.size)
    usual = (max(profile.pitch, 1.15) - 0.94) * size
    return low - high > usual + 0.3 * size


def _new_note(piece: Piece) -> bool:
    first = piece.words[0].text
    return bool(_NOTE_MARK.match(first)) and not first.isalpha()


def _mid_sentence(part: Part, piece: Piece, profile: Profile) -> bool:
    """Whether a line that begins like a caption is but the next line of a sentence."""
    last = part.last
    return (
        _alike(last, piece)
        and not _parted(last, piece, profile)
        and abs(piece.x0 - part.column.left) < 2
        and not _SENTENCE_END.search(last.text)
        and last.x1 > part.column.right - 2 * last.size
    )


def _begins(part: Part, piece: Piece) -> bool:
    """Whether a line begins a paragraph, by its looks against the lines before it."""
    last, column = part.last, part.column
    size = piece.size
    first = piece.words[0]
    if _BULLET.fullmatch(first.text) and len(piece.words) > 1:
        return True
    if _SECTION_NUMBER.fullmatch(first.text) and piece.bold > 0.9:
        return True
    ended = bool(_SENTENCE_END.search(last.text))
    if (
        _ITEM.fullmatch(first.text)
        and _marked(part)
        and abs(piece.x0 - part.pieces[0].x0) < 0.3 * size
    ):
        return True
    if _ITEM.fullmatch(first.text) and (ended or piece.x0 > column.left + 2 * size):
        return True
    short = last.x1 + 0.3 * size + _unbroken(first) < column.right - 0.5 * size
    if last.bold > 0.95 and piece.bold < 0.5 and all(line.bold > 0.95 for line in part.pieces):
        return short or not first.text[0].islower()
    if piece.bold > 0.95 and last.bold < 0.5 and short:
        return True
    shift = piece.x0 - min(line.x0 for line in part.pieces[-4:] if _same_row(line, last))
    if shift > 0.6 * size:
        # Under a first line that hangs out, as in lists, the text goes on further in.
        hangs = len(part.pieces) == 1 and (_marked(part) or last.x0 < column.left + 2)
        return not (hangs and _marked(part)) and ended
    if shift < -0.6 * size:
        indented_first = len(part.pieces) == 1 and not _marked(part)
        return not indented_first
    return short and ended


def _unbroken(word: Word) -> float:
    """How much space the part of a word takes that no line break parts."""
    return word.size if has_ideographs(word.text) else word.x1 - word.x0


def _marked(part: Part) -> bool:
    first = part.pieces[0].words[0].text
    return bool(_BULLET.fullmatch(first) or _ITEM.fullmatch(first))


def ends_sentence(text: str) -> bool:
    """Whether a text ends as sentences do."""
    return bool(_SENTENCE_END.search(text.rstrip()))


def merge_over_breaks(parts: Sequence[Part]) -> list[Part]:
    """Join paragraphs that a column or a page broke in two; what stood between comes after them."""
    merged: list[Part] = []
    open_part: Part | None = None
    for part in parts:
        if part.kind == "text":
            if open_part is not None and _resumes(open_part, part):
                open_part.pieces.extend(part.pieces)
                continue
            open_part = part
        elif part.kind in ("heading", "formula", "reference"):
            open_part = None
        merged.append(part)
    return merged


def _resumes(before: Part, after: Part) -> bool:
    """Whether a paragraph is the rest of one that a break interrupted."""
    last, first = before.last, after.pieces[0]
    if not _alike(last, first) or before.rows or after.rows:
        return False
    if (
        last.page == first.page
        and first.base < last.base
        and _same_column(before.column, after.column)
    ):
        between = last.base - first.base
        if between < 2.2 * first.size:  # the next line: a paragraph of its own on purpose
            return False
    if not 0 <= first.page - last.page <= 2:
        return False
    word = last.words[-1].text
    start = first.words[0].text
    if ends_sentence(last.text) or _BULLET.fullmatch(start):
        return False
    if last.word_count < 3 and len(before.pieces) == 1:
        return False
    if word.endswith("-") or start[:1].islower():
        return True
    full = last.x1 > before.column.right - 1.5 * last.size and len(before.pieces) > 1
    flush = first.x0 < after.column.left + 0.5 * first.size and first.word_count > 4
    return full and flush and first.bold < 0.5


def _same_column(a: Column, b: Column) -> bool:
    return abs(a.left - b.left) < 8 and abs(a.right - b.right) < 40
