"""Whether the evidence answers the question at all; if not, why not.

Two logistic models over six signals of the evidence, one for questions that name a paper of the library
(is the fact asked for there?) and one for the others (is the subject there?). The weights of the first are
fitted by ``python -m eval.targets.calibrate`` on questions kept apart from those that measure the
assistant; the second's stand as they were fitted before there was a sixth signal, which adds nothing to it.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assistant.answer.evidence import Evidence, content_words
from assistant.english import is_foreign
from assistant.query import Query, QueryWord, is_coined

_QUANTITY = re.compile(
    r"\bhow (?:many|much|long|fast|large|big|often|far|old|high)\b|\bnumber of\b"
    r"|\b(?:what|which) (?:percent|percentage|score|accuracy|rate|number|size|fraction|share|speed)\b",
    re.IGNORECASE,
)
_HALF_MATCH = 0.5
_NOT_STATED = -4.0
"""Log-odds that a sentence states what is asked, where there is none."""
_NAME_MATCH = 0.7
_COINED_LENGTH = 5
_FOLLOW_UP = 1.0
"""Log-odds added for a follow-up."""
_FULL_TEXT = 1.83
"""Log-odds more that it takes in a full text, among whose many sentences some come near by chance."""
_MISSING_MATCH = 0.4
_OFF_TOPIC = 2.0
"""Log-odds below the threshold; a model judges better than this one where it is close."""


class Signals(NamedTuple):
    """What the evidence says about a question.

    ``attributes`` is how well the words besides the paper's names are matched and ``similarity`` the best
    sentence's cosine, ``stated`` the greatest log-odds that a sentence states what is asked; all speak for
    an answer. ``missing`` is the weight of words matched by less than
    half, ``unknown_name`` is 1 for a coined name that the evidence does not hold (where the question names
    a paper: that no paper holds) and 0.5 for another capitalised word, and ``quantity`` is 1 where a number
    is asked for; these speak against it.
    """

    attributes: float
    similarity: float
    missing: float
    unknown_name: float
    quantity: float
    stated: float


class Model(NamedTuple):
    """A logistic model: weights in the order of :class:`Signals`, a bias, the lowest log-odds to answer."""

    weights: tuple[float, ...]
    bias: float
    threshold: float


NAMED = Model((2.7, 2.94, 0.0, -3.69, -0.41, 0.73), -1.57, -0.95)
UNNAMED = Model((1.84, 10.7, -10.21, -2.73, -1.28, 0.0), -1.48, 0.4)


def measure(query: Query, evidence: Sequence[Evidence], named: Sequence[QueryWord]) -> Signals:
    """Measure the evidence of the papers that would be cited.

    Args:
        query: the question.
        evidence: the evidence of those papers alone.
        named: the question's words that name them.
    """
    words = content_words(query)
    matches = best_matches(evidence)
    weights = np.array([word.weight for word in words], dtype=np.float32)
    asked = weights * np.array([word not in named for word in words])
    share = weights / max(float(weights.sum()), 1e-9)
    similarities = [sentence.similarity for each in evidence for sentence in each.sentences]
    unknown = [
        1.0 if is_coined(word.surface) else 0.5
        for word, match in zip(words, matches, strict=True)
        if word.name and match < _NAME_MATCH and not (named and word.known)
    ]
    return Signals(
        attributes=float(matches @ asked / asked.sum()) if asked.any() else 1.0,
        similarity=max(similarities, default=0.0),
        missing=float(share @ np.clip(_HALF_MATCH - matches, 0.0, 1.0)),
        unknown_name=max(unknown, default=0.0),
        quantity=float(asks_quantity(query)),
        stated=max(
            (sentence.stated for each in evidence for sentence in each.sentences),
            default=_NOT_STATED,
        ),
    )


def names_unknown_system(query: Query, evidence: Sequence[Evidence]) -> bool:
    """Tell whether the question is about a coined name, such as ``ConvNeXt``, that no paper holds.

    Short acronyms are left to the model: a paper may well spell out what a question abbreviates.
    """
    return any(
        is_coined(word.surface)
        and not word.known
        and len(word.surface) >= _COINED_LENGTH
        and match < _NAME_MATCH
        for word, match in zip(content_words(query), best_matches(evidence), strict=True)
    )


def asks_quantity(query: Query) -> bool:
    """Tell whether a number is asked for."""
    return _QUANTITY.search(query.text) is not None


def best_matches(evidence: Sequence[Evidence]) -> np.ndarray:
    """Return how well each content word is matched anywhere in the evidence."""
    best: np.ndarray = np.max([each.matches for each in evidence], axis=0)
    return best


def answers(
    signals: Signals, *, named: bool, follow_up: bool = False, full_text: bool = False
) -> bool:
    """Decide whether evidence with these signals answers the question.

    Someone who asks on about a paper has read an answer from it, and asks what it is likely to say.

    Args:
        signals: of the evidence.
        named: whether the question names a paper.
        follow_up: whether it goes on about one.
        full_text: whether the best evidence is from a paper's full text.
    """
    model = NAMED if named else UNNAMED
    odds = log_odds(signals, model) + _FOLLOW_UP * follow_up
    return odds >= needed(model, named=named, full_text=full_text)


def needed(model: Model, *, named: bool, full_text: bool) -> float:
    """Return the lowest log-odds to answer."""
    return model.threshold + _FULL_TEXT * (full_text and not named)


def is_off_topic(signals: Signals, *, named: bool) -> bool:
    """Tell whether the evidence is so far from the question that no model need be asked about it."""
    return not named and log_odds(signals, UNNAMED) < UNNAMED.threshold - _OFF_TOPIC


def log_odds(signals: Signals, model: Model) -> float:
    """Return the model's log-odds that the question is answered."""
    return math.fsum(map(float.__mul__, model.weights, signals)) + model.bias


def reason(query: Query, evidence: Sequence[Evidence], *, named: bool) -> str:
    """Say in one sentence why the question is not answered."""
    if is_foreign(query.text):
        return "Without a language model only questions in English find their answer."
    words = content_words(query)
    matches = best_matches(evidence) if evidence else np.zeros(len(words))
    pairs = [(word, float(match)) for word, match in zip(words, matches, strict=True)]
    unknown = [
        word.surface
        for word, match in pairs
        if word.name and not word.known and match < _NAME_MATCH
    ]
    if unknown:
        return f"No paper in the library mentions {_listed(unknown)}."
    worst = sorted(pairs, key=lambda pair: pair[1])[:3]
    missing = [word.surface for word, match in worst if match < _MISSING_MATCH]
    if named and evidence:
        about = f" about {_listed(missing)}" if missing else ""
        return f"The text of “{evidence[0].passage.title}” in the library does not say anything{about}."
    if missing:
        return f"No paper in the library deals with {_listed(missing)}."
    return "No passage in the library answers this."


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
