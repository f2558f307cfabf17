"""Quotes that a model gives, found again in the text they are said to come from."""

import re
from collections.abc import Iterator

from assistant.text import Span, fold, words

_FEWEST_WORDS = 3
_ALIKE = str.maketrans("‐‑‒–—−", "------")
_UNHEARD = re.compile(r"[\s\"'`“”„«»‘’‚‹›\u00ad]")
_ENDS = " .…\"'`“”„«»‘’*_"


def locate(quote: str, text: str) -> Span | None:
    """Find where ``text`` has ``quote``, or None if it does not have it, or it has fewer than three words.

    Case, white space, quotation marks and the kind of dashes make no difference; letters and digits do.
    """
    quote = quote.strip(_ENDS)
    wanted = "".join(char for char, _ in _heard(quote))
    if len(words(quote)) < _FEWEST_WORDS or not wanted:
        return None
    heard = list(_heard(text))
    joined = "".join(char for char, _ in heard)
    place = joined.find(wanted)
    while place >= 0:
        start, end = heard[place][1], heard[place + len(wanted) - 1][1] + 1
        if _is_whole(text, start, end):
            return Span(start, end)
        place = joined.find(wanted, place + 1)
    return None


def _heard(text: str) -> Iterator[tuple[str, int]]:
    """Give the characters that make a difference, folded, each with its place in the text."""
    for place, char in enumerate(text.translate(_ALIKE)):
        if not _UNHEARD.match(char):
            for folded in fold(char):
                yield folded, place


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether a stretch begins and ends where words do, and cuts no number in two."""
    before, after = text[max(0, start - 1) : start], text[end : end + 2]
    cuts_number = after[:1] in {".", ","} and after[1:].isdigit()
    return not before.isalnum() and not after[:1].isalnum() and not cuts_number
