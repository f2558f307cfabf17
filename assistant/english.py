"""How common words are in English at large.

A small library knows too little of the language: in fifty abstracts "far" and "judge" are as rare as the
name of a system. What it has counted is therefore blended with how often a word occurs in English.
"""

import math
import re
from functools import lru_cache
from importlib.resources import files

from assistant.text import STOPWORDS, fold, stem, words

_OTHER_WORDS = (
    "function_words.txt"  # of German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish
)
_WORDS = "english.txt"  # most frequent first; see docs/decisions/0006-word-weights.md
_CHUNK_WORDS = 130
_ZIPF_SHARE, _ZIPF_SHIFT = 0.1, 3
_LATIN = re.compile(r"[a-z\u00df-\u024f]")
_LEAST_LATIN = 0.75


def chunk_share(term: str) -> float:
    """Estimate the share of chunks of any English text that hold a stemmed term; 0 if it is rare.

    Words by rank follow Zipf's law as Mandelbrot shifted it ("An informational theory of the statistical
    structure of language", 1953).
    """
    return 1 - math.exp(-_CHUNK_WORDS * _frequencies().get(term, 0.0))


def is_foreign(text: str) -> bool:
    """Tell whether a text is plainly in another language than English.

    That is where it has more function words of another, or much of it is in another script, names written
    in Latin letters aside; bare names and terms are in none.
    """
    found = [fold(word) for word in words(text)]
    letters = [char for word in found for char in word if char.isalpha()]
    if sum(map(bool, map(_LATIN.match, letters))) < _LEAST_LATIN * len(letters):
        return True
    english = sum(word in STOPWORDS for word in found)
    return sum(word in _function_words() for word in found) > english


@lru_cache(maxsize=1)
def _frequencies() -> dict[str, float]:
    """Read each stem's share of all words."""
    lines = (files("assistant.data") / _WORDS).read_text(encoding="utf-8").split()
    found: dict[str, float] = {}
    for rank, word in enumerate(lines):
        term = stem(word)
        found[term] = found.get(term, 0.0) + _ZIPF_SHARE / (rank + _ZIPF_SHIFT)
    return found


@lru_cache(maxsize=1)
def _function_words() -> frozenset[str]:
    """Read the function words of other languages."""
    lines = (files("assistant.data") / _OTHER_WORDS).read_text(encoding="utf-8").split()
    return frozenset(map(fold, lines))
