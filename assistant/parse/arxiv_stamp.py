"""The stamp that arXiv prints up the left margin of a paper's first page."""

import re
from collections.abc import Sequence

from assistant.parse.pieces import pieces_of
from assistant.parse.sheet import Piece, Sheet

_UPWARDS = 1  # quarter turns
_MARGIN = 0.12  # of the page's width: arXiv's stamps stand at about 0.05
_SIZES = (0.015, 0.06)  # of the page's width: arXiv's is 20 points of about 600
_STAMP = re.compile(
    r"arXiv:(?P<id>(?:[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})v[1-9][0-9]{0,2})"
    r"(?: \[[A-Za-z-]+(?:\.[A-Za-z-]+)?\])?"
    r" [0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?:19|20)[0-9]{2}"
)


def arxiv_stamp(sheets: Sequence[Sheet]) -> str | None:
    """Find the id on the stamp, version included: ``2503.14476v2``; what merely mentions one is none."""
    if not sheets or sheets[0].turn != _UPWARDS:
        return None
    first = sheets[0]
    pieces = pieces_of(first.turned, first.number, turned=True)
    found = {
        match["id"]
        for piece in pieces
        if _in_margin(piece, first) and (match := _STAMP.fullmatch(piece.text))
    }
    return found.pop() if len(found) == 1 else None


def _in_margin(piece: Piece, sheet: Sheet) -> bool:
    """Whether a sideways line stands where stamps do, as large as they are, and not in a figure."""
    smallest, largest = _SIZES
    return (
        0 < sheet.width - piece.base < _MARGIN * sheet.width
        and smallest * sheet.width < piece.size < largest * sheet.width
        and not any(word.nested for word in piece.words)
    )
