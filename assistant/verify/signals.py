"""What speaks for and against a claim in its evidence, as a handful of numbers, and what they amount to.

Words are matched by their vectors in context, each by its best match (MaxSim; Khattab and Zaharia,
"ColBERT", SIGIR 2020). A claim is supported if the evidence deals with it *and* says the same of it;
the probability is the product of two logistic models, one for each. They are fitted by ``python -m
eval.targets.claims --fit``.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.models import Array
from assistant.verify.conflicts import Conflict, find_conflict, opposite_in
from assistant.verify.places import Closeness
from assistant.verify.polarity import direction
from assistant.verify.quantities import unbacked
from assistant.verify.reading import Embedded
from assistant.verify.wording import Word, Wording, held

_WEAKEST = 0.1
_PAIR_REACH = 3
_SENTENCE_SPREAD = 0.2
_WORD_SPREAD = 0.1
_DOUBT = 1e-3
_HELD = 0.5


class Coverage(NamedTuple):
    """Whether the evidence deals with what the claim is about.

    ``closeness`` is the mean best match of the claim's words; ``held`` the share of its content words
    that the evidence has as such, weighted by length; ``together`` how well the worst pairs of
    neighbours are matched within one sentence. Against it speak ``numbers``, 1 if one is not in the
    evidence, and ``names``, the logarithm of one more than are not.
    """

    closeness: float
    held: float
    together: float
    numbers: float
    names: float


class Agreement(NamedTuple):
    """Whether the evidence says the same of it.

    ``slant`` in [-1, 1] is the least agreement of a word of direction (more, less, inhibits) with the
    evidence's words of direction that are used like it. Against it speak ``opposites``, the number of
    words whose opposite stands in the nearest sentences instead, ``denial``, 1 if the claim denies or
    lessens and the nearest sentences do not, and ``contrary``, 1 if the rules find a contradiction.
    """

    slant: float
    opposites: float
    denial: float
    contrary: float


class Model(NamedTuple):
    """Weights and biases of the two logistic models."""

    coverage: Coverage
    coverage_bias: float
    agreement: Agreement
    agreement_bias: float


class Measured(NamedTuple):
    """The signals, the worst conflict, and the evidence's sentences from the nearest on."""

    coverage: Coverage
    agreement: Agreement
    conflict: Conflict
    nearest: tuple[Wording, ...]


def probability(coverage: Coverage, agreement: Agreement, model: Model) -> float:
    """Return the probability that evidence with these signals supports the claim."""
    covered = _weigh(model.coverage, coverage) + model.coverage_bias
    agreed = _weigh(model.agreement, agreement) + model.agreement_bias
    return _logistic(covered) * _logistic(agreed)


def _weigh(weights: Sequence[float], signals: Sequence[float]) -> float:
    return math.fsum(map(float.__mul__, weights, signals))


def _logistic(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def measure(claim: Embedded, evidence: Embedded, sentences: Sequence[Wording]) -> Measured | None:
    """Measure how well evidence backs a claim, or return ``None`` if either has no words.

    Args:
        claim: the claim.
        evidence: the part of the evidence that is embedded.
        sentences: all of the evidence.
    """
    words = [word for wording in claim.wordings for word in wording.words]
    if not words or not len(evidence.owners):
        return None
    similarity = claim.vectors @ evidence.vectors.T
    starts = np.flatnonzero(np.diff(evidence.owners, prepend=-1))
    numbers = evidence.owners[starts]
    by_sentence: Array = np.maximum.reduceat(similarity, starts, axis=1).T
    closeness = by_sentence.mean(axis=1)
    ranked = np.argsort(-closeness, kind="stable")
    nearest = tuple(evidence.wordings[number] for number in numbers[ranked])
    conflict = find_conflict(
        claim.wordings, sentences, nearest, _closeness(claim, evidence, similarity)
    )
    near = np.zeros(len(evidence.wordings))
    near[numbers] = np.exp((closeness - closeness.max()) / _SENTENCE_SPREAD)
    given = [word for wording in evidence.wordings for word in wording.words]
    return Measured(
        _cover(claim.wordings, sentences, by_sentence),
        Agreement(
            slant=_slant(words, given, similarity, near[evidence.owners]),
            opposites=float(sum(opposite_in(word, nearest[:3]) for word in words if word.content)),
            denial=float(_denies(words) and not any(_denies(each.words) for each in nearest[:2])),
            contrary=float(conflict == Conflict.CONTRARY),
        ),
        conflict,
        nearest,
    )


def _closeness(claim: Embedded, evidence: Embedded, similarity: Array) -> Closeness:
    """Look up how alike a word of the claim and one of the evidence are used."""
    rows, columns = (
        {
            id(word): index
            for index, word in enumerate(word for w in each.wordings for word in w.words)
        }
        for each in (claim, evidence)
    )
    return lambda word, other: float(similarity[rows[id(word)], columns[id(other)]])


def _cover(claim: Sequence[Wording], sentences: Sequence[Wording], by_sentence: Array) -> Coverage:
    words = [word for wording in claim for word in wording.words]
    chosen = [index for index, word in enumerate(words) if word.content] or range(len(words))
    content = [words[index] for index in chosen]
    present = [max(held(word, each) for each in sentences) for word in content]
    weights = np.array([_weight(word) for word in content])
    missing = [word for word, share in zip(content, present, strict=True) if share < _HELD]
    given = [number for wording in sentences for number in wording.quantities]
    return Coverage(
        closeness=float(by_sentence.max(axis=0).mean()),
        held=float(weights @ present / weights.sum()),
        together=_together(by_sentence[:, list(chosen)]),
        numbers=float(any(unbacked(wording.quantities, given) for wording in claim)),
        names=math.log1p(sum(word.name for word in missing)),
    )


def _weight(word: Word) -> float:
    """Weigh a word by its length, for long words are rare, and more if it is a name."""
    return 0.5 + min(len(word.folded), 12) / 12 + 0.5 * word.name


def _together(by_sentence: Array) -> float:
    """Return how well the worst tenth of neighbouring words are matched within one sentence."""
    count = by_sentence.shape[1]
    pairs = [
        np.minimum(by_sentence[:, :-gap], by_sentence[:, gap:]).max(axis=0)
        for gap in range(1, min(_PAIR_REACH, count - 1) + 1)
    ]
    return float(np.quantile(np.concatenate(pairs or [by_sentence.max(axis=0)]), _WEAKEST))


def _denies(words: Sequence[Word]) -> bool:
    return any(word.negator or direction(word.stem) < 0 for word in words)


def _slant(
    words: Sequence[Word],
    given: Sequence[Word],
    similarity: Array,
    near: npt.NDArray[np.float64],
) -> float:
    """Compare each word of direction with the evidence's, by how alike they are used; return the worst."""
    signs = np.array([_sign(word) for word in given])
    sided = np.flatnonzero(signs)
    found = []
    for word, row in zip(words, similarity, strict=True):
        if sign := _sign(word):
            weights = np.exp((row[sided] - 1.0) / _WORD_SPREAD) * near[sided]
            found.append(float(sign * (weights @ signs[sided]) / (weights.sum() + _DOUBT)))
    return min(found, default=0.0)


def _sign(word: Word) -> int:
    return direction(word.stem) * (-1 if word.negated else 1)
