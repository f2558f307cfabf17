"""A paper's title, told by its type from what else stands on the first page."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from assistant.parse.layout import Profile
from assistant.parse.paragraphs import Part, ends_sentence
from assistant.parse.scripts import has_ideographs, joined, letter_count
from assistant.parse.sheet import Piece

_SHORTEST = 12  # Latin characters
_LONGEST = 400
_LONGEST_OPENING = 160  # where no size tells a title from a paragraph
_SAME_SIZE = 0.6  # points
_LARGE = 2.0  # points over running text: authors are set smaller
_WORDS = 3
_VENUE = re.compile(
    r"(?:the )?(?!an? )(?:[a-z&.-]+ ){0,4}(?:journal of|transactions on|annals of|archives of|bulletin of)\b"
    r"|(?:the )?proceedings of\b|(?:[a-z&.-]+ ){1,5}(?:journal|letters|bulletin|magazine)$"
    r"|frontiers in\b|physical review\b|scientific reports$|nature [a-z]+$",
    re.IGNORECASE,
)


class _Candidate(NamedTuple):
    text: str
    size: float


def find_title(parts: Sequence[Part], profile: Profile) -> str | None:
    """The largest type on the first page that says enough to be a title, and is no journal's name."""
    first = [part for part in parts if part.kind == "text" and part.pieces[0].page == 1]
    pieces = [piece for part in first for piece in part.pieces if piece.page == 1]
    if not pieces:
        return None
    usual = max(profile.size, min(piece.size for piece in pieces))
    found = list(_larger(pieces, usual + _SAME_SIZE))
    if not found:
        return _opening(first[0])
    title, *others = found
    if _VENUE.match(title.text):
        for other in others:
            wordy = len(other.text.split()) >= _WORDS or has_ideographs(other.text)
            if wordy and other.size > usual + _LARGE and not _VENUE.match(other.text):
                return other.text
    return title.text


def _larger(pieces: Sequence[Piece], than: float) -> Iterator[_Candidate]:
    """Lines of one size, the largest first, that say enough to be a title."""
    for size in sorted({piece.size for piece in pieces if piece.size > than}, reverse=True):
        for same, run in groupby(pieces, key=lambda piece: abs(piece.size - size) < _SAME_SIZE):
            text = joined([piece.text for piece in run]) if same else ""
            if _says_enough(text) and letter_count(text) <= _LONGEST:
                yield _Candidate(text, size)


def _opening(part: Part) -> str | None:
    """The first paragraph, if it is a line or two and no sentence."""
    text = part.text
    short = letter_count(text) <= _LONGEST_OPENING
    return text if short and _says_enough(text) and not ends_sentence(text) else None


def _says_enough(text: str) -> bool:
    return letter_count(text) >= _SHORTEST and (" " in text or has_ideographs(text))
