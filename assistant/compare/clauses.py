"""The part of a sentence that says it: outer clauses go that add nothing, the rest stays to the letter."""

import re
from collections.abc import Collection
from typing import NamedTuple

from assistant.compare import cues
from assistant.text import Span, fold, stem, words
from assistant.verify.quantities import quantities

_LONG = 16
_LONG_WITH_FACTS = 28
"""Words. A shorter sentence is left whole; so is a longer one of which all facts are wanted."""
_SHORTEST = 4

_OPENING = re.compile(
    r"(?:however|moreover|furthermore|additionally|in addition|in particular|specifically|notably"
    r"|finally|first|last|lastly|second|therefore|thus|hence|consequently|nevertheless|instead|also"
    r"|concretely|as a result|overall|in this (?:paper|work|study|article|survey|report)|to this end"
    r"|to (?:address|bridge|tackle|overcome|fill|meet|solve|study|investigate|mitigate|alleviate) [^,;]{1,90}"
    r"|building (?:up)?on [^,;]{1,60}|motivated by [^,;]{1,60}|inspired by [^,;]{1,60}),\s+",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(
    r"(?P<start>;\s+(?:and\s+|but\s+)?|\s+(?:--|–|—)\s+|,?\s+(?:but|while|whereas|yet|so|although)\s+(?=\w)"
    r"|,\s+and\s+(?=(?:we|our|it|they|its|their|this|these|the|a|an)\b))"
    r"|,\s+(?=(?:and|which|where|thus|thereby|with|as well as|particularly|especially|by|outperform\w*"
    r"|\w+ing)\b)|\s+(?=(?:thereby|compared (?:to|with))\b)",
    re.IGNORECASE,
)
"""Where a clause ends. One that follows a ``start`` stands alone; others lean on what is before them."""


class _Clause(NamedTuple):
    """A clause, where what is before it ends, and whether it stands alone."""

    start: int
    end: int
    alone: bool


def shorten(
    text: str,
    *,
    wanted: re.Pattern[str] | None,
    stems: Collection[str] = (),
    cue_only: bool = False,
) -> Span:
    """Find the shortest run of a sentence's clauses that holds what matters; it stands alone.

    Args:
        text: the sentence.
        wanted: what must stay, where it holds that.
        stems: stems of words that must stay.
        cue_only: whether the numbers and names of other clauses may go.
    """
    opening = _OPENING.match(text)
    whole = Span(opening.end() if opening else 0, len(text))
    if len(words(text[whole.start :])) <= (_LONG if cue_only else _LONG_WITH_FACTS):
        return whole
    clauses = _clauses(text, whole.start)
    kept = [
        position
        for position, clause in enumerate(clauses)
        if _matters(text[clause.start : clause.end], wanted, stems, cue_only=cue_only)
    ]
    if not kept:
        return whole
    first = max(position for position in range(kept[0] + 1) if clauses[position].alone)
    found = Span(clauses[first].start, clauses[kept[-1]].end)
    return found if len(words(text[found.start : found.end])) >= _SHORTEST else whole


def _clauses(text: str, start: int) -> list[_Clause]:
    """Cut at boundaries outside brackets."""
    found: list[_Clause] = []
    alone = True
    for match in _BOUNDARY.finditer(text, start):
        before = text[start : match.start()]
        if match.start() > start and before.count("(") <= before.count(")"):
            found.append(_Clause(start, match.start(), alone))
            start, alone = match.end(), match["start"] is not None
    return [*found, _Clause(start, len(text), alone)]


def _matters(
    clause: str, wanted: re.Pattern[str] | None, stems: Collection[str], *, cue_only: bool
) -> bool:
    if wanted is not None and wanted.search(clause) is not None:
        return True
    if stems and not set(stems).isdisjoint(stem(fold(word)) for word in words(clause)):
        return True
    return not cue_only and bool(quantities(clause) or cues.names(clause))
