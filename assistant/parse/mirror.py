"""Pages of Hebrew or Arabic, which read from right to left: mirrored, they are laid out as any other.

Words, rules and figures change sides, so that a line begins at its left and columns come in reading order;
what is written down of a mirrored page stands where it was drawn.
"""

from collections.abc import Sequence

from assistant.parse.scripts import is_right_to_left
from assistant.parse.sheet import Piece, Rect, Sheet, Word

_TOUCHING = 0.06  # of the size: no space of any font is as narrow


def mirror(sheet: Sheet) -> None:
    """Mirror a page if most of what it says reads from right to left."""
    words = [word for word in sheet.words if not word.text.isascii()]
    backward = sum(is_right_to_left(char) for word in words for char in word.text)
    if not backward or 2 * backward < sum(len(word.text) for word in sheet.words):
        return
    sheet.mirrored = True
    for word in sheet.words:
        word.x0, word.x1 = sheet.width - word.x1, sheet.width - word.x0
    for areas in (sheet.rules, sheet.bars, sheet.frames, sheet.forms, sheet.figures):
        areas[:] = [
            Rect(sheet.width - area.x1, area.y0, sheet.width - area.x0, area.y1) for area in areas
        ]


def set_in_order(pieces: Sequence[Piece]) -> None:
    """On a mirrored page, put Latin words and numbers side by side in the order in which they read."""
    for piece in pieces:
        ordered: list[Word] = []
        latin: list[Word] = []
        for word in piece.words:
            if any(map(is_right_to_left, word.text)):
                ordered.extend([*_joined(latin), word])
                latin = []
            else:
                latin.append(word)
        piece.words = [*ordered, *_joined(latin)]


def _joined(latin: Sequence[Word]) -> list[Word]:
    """Words in their own order; those that touch are one: PDFium parts them at digits."""
    joined: list[Word] = []
    for word in reversed(latin):
        if joined and joined[-1].x0 - word.x1 < _TOUCHING * word.size:
            joined[-1].text += word.text
            joined[-1].x0 = word.x0
        else:
            joined.append(word)
    return joined
