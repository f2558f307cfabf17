"""Aspects: what a column of the table asks of each paper, and what a sentence that answers looks like."""

from collections.abc import Sequence
from typing import NamedTuple

from assistant.compare.cues import Cues, known
from assistant.errors import InputError
from assistant.text import fold, one_line, words

DEFAULTS = (
    "problem",
    "method",
    "data",
    "base model",
    "benchmarks",
    "headline result",
    "limitations",
    "code",
)
MAX_ASPECTS = 20
MAX_ASPECT = 200
"""Characters."""


class Aspect(NamedTuple):
    """A column of the table.

    ``question`` is searched for. ``cues`` say what an answer looks like, None where only the aspect's own
    words do.
    """

    name: str
    question: str
    cues: Cues | None = None


def read_aspects(names: Sequence[str]) -> list[Aspect]:
    """Read aspects as given, each once; the default ones if none is.

    Raises:
        InputError: if one is empty or too long, or if there are too many.
    """
    found: dict[str, Aspect] = {}
    for name in names or DEFAULTS:
        aspect = _read(name)
        found.setdefault(fold(aspect.name), aspect)
    if len(found) > MAX_ASPECTS:
        raise InputError(f"{len(found)} aspects are too many: name {MAX_ASPECTS} at most")
    return list(found.values())


def _read(name: str) -> Aspect:
    cleaned = one_line(name)
    if not words(cleaned):
        raise InputError("an aspect is empty: name it in words, such as --aspect 'base model'")
    if len(cleaned) > MAX_ASPECT:
        raise InputError(
            f"an aspect has {len(cleaned)} characters: name it in {MAX_ASPECT} at most"
        )
    folded = fold(cleaned).rstrip("?. ")
    for each in known():
        if each.names.fullmatch(folded):
            return Aspect(cleaned, each.question, each)
    return Aspect(cleaned, cleaned)
