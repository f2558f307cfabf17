"""How common words are in English at large.

A small library knows too little of the language: in fifty abstracts "far" and "judge" are as rare as the
name of a system. What it has counted is therefore blended with how often a word occurs in English.
"""

import math
import re
from functools import lru_cache
from importlib.resources import files

from assistant.text import STOPWORDS, fold, stem, words

_WORDS = "english.txt"  # most frequent first; see docs/decisions/0006-word-weights.md
_CHUNK_WORDS = 130
_ZIPF_SHARE, _ZIPF_SHIFT = 0.1, 3
_LATIN = re.compile(r"[a-z\u00df-\u024f]")
_LEAST_LATIN = 0.75
_OTHER_FUNCTION_WORDS = frozenset(
    fold(word)
    for word in """aber alle auch auf aus bei beim das dass dem der des durch ein eine einem einen einer eines
    für gegen gibt haben ihre ist kann keine mehr mit nach nicht oder ohne sich sie sind und unter vom von
    vor warum welche welchem welchen welcher welches werden wie wird wurde wurden zu zum zur zwischen
    au aux avec ce ces cette comment dans du elle est et il ils la le les leur mais ne nous où ou par pas
    plus pour pourquoi qu que quel quelle quelles quels qui quoi sans ses sont sur un une
    al como con cuál cuáles cuánto cuántos cómo del desde el ella entre es esta este las lo los muy más
    para pero por porque qué quién se según ser si sin sobre su sus también
    che chi cosa da dei del della delle di gli ha hanno il lo nel nella non perché più quale quali quanti
    questa questo sono sul è
    ao com das dos em essa esse foi mas não na nas nos pela pelo qual quais são uma
    aan bij dat deze dit een het hoe hoeveel maar met naar niet ook op te uit van voor waarom wat welk
    welke wordt zijn
    av det för hur inte och på som till vad är att den ett från
    czy dla jak jaki jakie jest która które który nie od oraz po przez się są""".split()  # noqa: SIM905 - a word list reads best as prose
)
"""Function words of German, French, Spanish, Italian, Portuguese, Dutch, Swedish and Polish."""


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
    return sum(word in _OTHER_FUNCTION_WORDS for word in found) > english


@lru_cache(maxsize=1)
def _frequencies() -> dict[str, float]:
    """Read each stem's share of all words."""
    lines = (files("assistant.data") / _WORDS).read_text(encoding="utf-8").split()
    found: dict[str, float] = {}
    for rank, word in enumerate(lines):
        term = stem(word)
        found[term] = found.get(term, 0.0) + _ZIPF_SHARE / (rank + _ZIPF_SHIFT)
    return found
