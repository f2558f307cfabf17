"""Words into pieces: what stands side by side on one line, up to the gap of a column or a cell."""

import re
import unicodedata
from collections.abc import Sequence

from assistant.parse.sheet import Piece, Rect, Word

_WIDE = 1.1  # of the size: the widest space inside a justified line
_STRETCHED = 2.6  # the same, in a line whose neighbours run across the gap
_NEXT_LINE = 1.6  # sizes: how far away a neighbouring line is
_AFTER_STOP = 1.9  # the same, after a sentence or a clause
_AFTER_LABEL = 2.6  # the same, after a section's number or a list's mark
_OVERLAP = -0.6  # of the size: how far a word may begin before the last one ends
_SAME_ROW = 0.55  # of the size: how far scripts stand off the baseline
_TOUCH = 0.45  # of the size: pieces this close are one, in whatever order they were drawn
MOST_PIECES = 2_500
"""A page of more is no text: labels of a plot, or a trap. It is read in the order drawn."""
_MOST_ACCENTS = 300
_MOST_BARS = 300  # of one page; more are the bars of a chart
_LABEL = re.compile(
    r"(?:[A-Z]|\d{1,2}|[IVX]{1,5})(?:\.\d{1,2}){0,4}[.)]?|[•◦▪–∙*‣■□●○-]|\(?[a-z0-9]{1,3}[.)]|\[\d+\]"
)
_ACCENTS = {
    "´": "\u0301",
    "`": "\u0300",
    "¨": "\u0308",
    "ˆ": "\u0302",
    "˜": "\u0303",
    "ˇ": "\u030c",
    "˚": "\u030a",
}


def pieces_of(
    words: Sequence[Word], page: int, *, bars: Sequence[Rect] = (), turned: bool = False
) -> list[Piece]:
    """Group a page's words into pieces, in the order drawn; vertical lines part them."""
    bars = bars[:_MOST_BARS]
    pieces: list[Piece] = []
    current: list[Word] = []
    for word in _with_accents(words):
        if current and (not _continues(current, word) or _barred(current[-1], word, bars)):
            pieces.append(Piece(current, page, turned=turned))
            current = []
        current.append(word)
    if current:
        pieces.append(Piece(current, page, turned=turned))
    if len(pieces) > MOST_PIECES:
        return pieces
    return _merge_stretched(_merge_touching(pieces, bars), bars)


def _barred(left: Word, right: Word, bars: Sequence[Rect]) -> bool:
    """Whether a vertical line stands between two words."""
    if right.x0 - left.x1 < 0.3 * right.size:
        return False
    middle = right.base + 0.3 * right.size
    return any(left.x1 - 1 < bar.x0 < right.x0 + 1 and bar.y0 < middle < bar.y1 for bar in bars)


def _continues(line: list[Word], word: Word) -> bool:
    """Whether a word goes on the line that the words before it make."""
    last = line[-1]
    largest = max(line[0].size, last.size)
    size = max(word.size, largest)
    if min(abs(word.base - last.base), abs(word.base - line[0].base)) > _SAME_ROW * size:
        return False
    if word.nested != last.nested:
        return False
    gap = word.x0 - last.x1
    widest = _WIDE * min(size, max(word.size, last.size))
    if len(line) == 1 and _LABEL.fullmatch(last.text):
        widest = _AFTER_LABEL * size
    elif len(line) > 2 and last.text[-1] in ".,:;?!":
        widest = _AFTER_STOP * size
    return _OVERLAP * size < gap < widest and word.x0 > line[0].x0


def _merge_touching(pieces: list[Piece], bars: Sequence[Rect]) -> list[Piece]:
    """Join pieces of one row that touch, or of which one lies within the other, however drawn."""
    order = {id(piece): index for index, piece in enumerate(pieces)}
    rows = sorted(pieces, key=lambda piece: -piece.base)
    gone: set[int] = set()
    for index, upper in enumerate(rows):
        if id(upper) in gone:
            continue
        for lower in rows[index + 1 :]:
            if upper.base - lower.base > 0.7 * max(upper.size, 14.0):
                break
            if id(lower) in gone or not _touch(upper, lower):
                continue
            left, right = (upper, lower) if upper.x0 < lower.x0 else (lower, upper)
            if _barred(left.words[-1], right.words[0], bars):
                continue
            _absorb(upper, lower)
            order[id(upper)] = min(order[id(upper)], order[id(lower)])
            gone.add(id(lower))
    return sorted(
        (piece for piece in rows if id(piece) not in gone), key=lambda piece: order[id(piece)]
    )


def _touch(a: Piece, b: Piece) -> bool:
    size = max(a.size, b.size)
    off = abs(a.base - b.base)
    if off > _SAME_ROW * size or a.words[0].nested != b.words[0].nested:
        return False
    gap = max(a.x0, b.x0) - min(a.x1, b.x1)
    if gap >= (-0.3 if off > 0.1 * size else -0.8) * size:
        return gap < _TOUCH * size
    # One inside the other: a script, or a word drawn later than its line.
    inner, outer = (a, b) if a.width < b.width else (b, a)
    return inner.width < 0.5 * outer.width and (inner.size < 0.9 * outer.size or off < 0.1 * size)


def _merge_stretched(pieces: list[Piece], bars: Sequence[Rect]) -> list[Piece]:
    """Join parts of a line pulled apart by justification: its neighbours run across the gap."""
    rows = _rows(pieces)
    gone: set[int] = set()
    for index, row in enumerate(rows):
        above = rows[index - 1] if index else []
        below = rows[index + 1] if index + 1 < len(rows) else []
        left = row[0]
        for right in row[1:]:
            gap = right.x0 - left.x1
            if (
                0 <= gap < _STRETCHED * left.size
                and abs(left.base - right.base) < 0.1 * left.size
                and abs(left.size - right.size) < 0.6
                and left.words[0].nested == right.words[0].nested
                and not _barred(left.words[-1], right.words[0], bars)
                and _bridged(left, right, above, below)
            ):
                _absorb(left, right)
                gone.add(id(right))
            else:
                left = right
    return [piece for piece in pieces if id(piece) not in gone]


def _rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces on one height, from the top, each row from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if rows and rows[-1][0].base - piece.base < 0.3 * piece.size:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.x0) for row in rows]


def _bridged(left: Piece, right: Piece, above: Sequence[Piece], below: Sequence[Piece]) -> bool:
    """Whether the lines next to a gap, as far as there are any, run across it."""
    middle = (left.x1 + right.x0) / 2
    bridges = 0
    for row in (above, below):
        near = [
            piece
            for piece in row
            if abs(piece.base - left.base) < _NEXT_LINE * left.size
            and piece.x0 < right.x1
            and left.x0 < piece.x1
        ]
        if not near:
            continue
        if not any(piece.x0 < middle < piece.x1 and piece.word_count > 2 for piece in near):
            return False
        bridges += 1
    return bridges > 0


def _absorb(piece: Piece, other: Piece) -> None:
    piece.words = sorted(piece.words + other.words, key=lambda word: (word.x0, -word.base))
    piece.measure()


def _with_accents(words: Sequence[Word]) -> list[Word]:
    """Put accents that were drawn apart from their word back onto it."""
    lone = [word for word in words if word.text in _ACCENTS]
    if not lone:
        return list(words)
    placed: set[int] = set()
    for accent in lone[:_MOST_ACCENTS]:
        middle = (accent.x0 + accent.x1) / 2
        for word in words:
            if (
                word is not accent
                and word.x0 <= middle <= word.x1
                and abs(word.base - accent.base) < 0.5 * word.size
                and _accentuate(word, accent.text, (middle - word.x0) / max(word.x1 - word.x0, 0.1))
            ):
                placed.add(id(accent))
                break
    return [word for word in words if id(word) not in placed]


def _accentuate(word: Word, accent: str, share: float) -> bool:
    """Put an accent on the letter nearest to that share of the word's width that can bear it."""
    middle = share * len(word.text) - 0.5
    for index in sorted(range(len(word.text)), key=lambda index: abs(index - middle))[:3]:
        letter = {"ı": "i", "ȷ": "j"}.get(word.text[index], word.text[index])
        composed = unicodedata.normalize("NFC", letter + _ACCENTS[accent])
        if letter.isalpha() and len(composed) == 1:
            word.text = word.text[:index] + composed + word.text[index + 1 :]
            return True
    return False
