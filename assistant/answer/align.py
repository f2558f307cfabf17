"""Which sentences of a passage carry a sentence of the answer."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from assistant.models import Array
from assistant.records import Passage
from assistant.text import Span, content_terms, sentences

MOST_SENTENCES = 3

_CLOSENESS_SHARE = 0.5
_NUMBER_WEIGHT = 2.0
_GAIN = 0.2
_NEARLY_ALL, _FAR_LESS = 0.9, 0.5

Embed = Callable[[Sequence[str]], Array]


class _Sentence(NamedTuple):
    """A sentence of a passage and what it is about."""

    span: Span
    terms: frozenset[str]


class Aligner:
    """Aligns sentences of one answer to its passages; what it reads of a passage it reads once."""

    def __init__(self, embed: Embed | None = None) -> None:
        """Compare by words alone, or by meaning too if ``embed`` makes unit vectors of texts."""
        self._embed = embed
        self._sentences: dict[str, list[_Sentence]] = {}
        self._vectors: dict[str, Array] = {}

    def align(self, claim: str, passage: Passage) -> Span:
        """Find the stretch of the passage's text that carries ``claim``: one to three whole sentences.

        The best sentence is the one that shares most of the claim's terms, numbers counting double, and is
        nearest to it in meaning; a neighbour is taken along while it covers a fifth more of the claim.
        """
        found = self._read(passage)
        if not found:
            return Span(0, len(passage.chunk.text))
        weights = {term: _weight(term) for term in content_terms(claim)}
        scores = np.array([_covered(weights, each.terms) for each in found])
        if self._embed is not None and len(found) > 1 and not _is_plain(scores):
            (vector,) = self._embed([claim])
            closeness = self._embedded(passage, self._embed) @ vector
            scores = (1 - _CLOSENESS_SHARE) * scores + _CLOSENESS_SHARE * closeness
        first = last = int(np.argmax(scores))
        first, last = _widen(found, weights, first, last)
        return Span(found[first].span.start, found[last].span.end)

    def _read(self, passage: Passage) -> list[_Sentence]:
        chunk = passage.chunk
        if chunk.id not in self._sentences:
            self._sentences[chunk.id] = [
                _Sentence(span, frozenset(content_terms(chunk.text[slice(*span)])))
                for span in sentences(chunk.text)
            ]
        return self._sentences[chunk.id]

    def _embedded(self, passage: Passage, embed: Embed) -> Array:
        chunk = passage.chunk
        if chunk.id not in self._vectors:
            self._vectors[chunk.id] = embed(
                [chunk.text[slice(*each.span)] for each in self._read(passage)]
            )
        return self._vectors[chunk.id]


def _is_plain(scores: Array) -> bool:
    """Tell whether the words alone show it: one sentence has nearly all of them, and no other comes near."""
    *_, second, first = np.sort(scores)
    return bool(first >= _NEARLY_ALL and second <= _FAR_LESS)


def _widen(
    found: Sequence[_Sentence], weights: dict[str, float], first: int, last: int
) -> tuple[int, int]:
    """Take along neighbours that say more of the claim."""
    covered = found[first].terms
    while last - first + 1 < MOST_SENTENCES:
        sides = [place for place in (first - 1, last + 1) if 0 <= place < len(found)]
        gains = {
            place: _covered(weights, covered | found[place].terms) - _covered(weights, covered)
            for place in sides
        }
        best = max(gains, key=lambda place: gains[place], default=None)
        if best is None or gains[best] < _GAIN:
            break
        first, last = min(first, best), max(last, best)
        covered |= found[best].terms
    return first, last


def _covered(weights: dict[str, float], terms: frozenset[str]) -> float:
    """Return which share of a claim's terms, by weight, is among ``terms``."""
    return sum(weights[term] for term in weights if term in terms) / (sum(weights.values()) or 1.0)


def _weight(term: str) -> float:
    return _NUMBER_WEIGHT if term[0].isdigit() else 1.0
