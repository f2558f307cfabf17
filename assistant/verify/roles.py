"""Who is set above whom: "A outperforms B", "B is outperformed by A", "B is worse than A"."""

from collections.abc import Iterator
from typing import NamedTuple

from assistant.verify.antonyms import exclude
from assistant.verify.polarity import is_comparison
from assistant.verify.wording import Word, Wording

_PASSIVE_REACH = 3
_BE = frozenset(["is", "are", "was", "were", "be", "been", "being"])


class Sides(NamedTuple):
    """Stems on either side of a comparison, without those on both: who does it, and to whom."""

    subject: frozenset[str]
    object: frozenset[str]


def are_reversed(claim: Wording, sentence: Wording) -> bool:
    """Tell whether the claim has "A outperforms B" where the sentence has "B outperforms A"."""
    return any(
        _cross(word, claim, pivot, sentence)
        for word, pivot in _pivots(claim, sentence)
        if word.stem == pivot.stem
    )


def turns_round(claim: Wording, sentence: Wording) -> bool:
    """Tell whether it is the same comparison the other way round: "B is worse than A"."""
    return any(
        _cross(word, claim, pivot, sentence)
        for word, pivot in _pivots(claim, sentence)
        if exclude(word.folded, pivot.folded)
    )


def _pivots(claim: Wording, sentence: Wording) -> Iterator[tuple[Word, Word]]:
    pivots = [word for word in sentence.words if is_comparison(word.stem)]
    for word in claim.words:
        if is_comparison(word.stem):
            yield from ((word, pivot) for pivot in pivots if pivot.negated == word.negated)


def _cross(word: Word, claim: Wording, pivot: Word, sentence: Wording) -> bool:
    own, given = _sides(word, claim), _sides(pivot, sentence)
    crossed = bool(own.subject & given.object) and bool(own.object & given.subject)
    return crossed and not own.subject & given.subject


def _sides(pivot: Word, wording: Wording) -> Sides:
    before = frozenset(w.stem for w in wording.content if w.span.start < pivot.span.start)
    after = frozenset(w.stem for w in wording.content if w.span.start > pivot.span.start)
    both = before & after
    found = Sides(before - both, after - both)
    return Sides(found.object, found.subject) if _is_passive(pivot, wording) else found


def _is_passive(pivot: Word, wording: Wording) -> bool:
    index = wording.words.index(pivot)
    before = wording.words[max(0, index - _PASSIVE_REACH) : index]
    following = wording.words[index + 1 : index + 2]
    return any(word.folded in _BE for word in before) and any(
        word.folded == "by" for word in following
    )
