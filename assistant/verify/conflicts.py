"""Where a claim and its evidence cannot both be right: numbers, names, negations, opposites, roles.

These are rules, for no similarity tells 52.3 from 53.2. Each looks at the sentences nearest to the
claim, and trusts itself to speak of a contradiction only where the rest of the claim stands in that
very sentence.
"""

from collections.abc import Sequence
from enum import IntEnum

from assistant.query import is_coined
from assistant.text import fold
from assistant.verify.places import Closeness, Misplaced, misplaced
from assistant.verify.polarity import allies, opposites
from assistant.verify.quantities import Quantity, agree, unbacked
from assistant.verify.roles import are_reversed, turns_round
from assistant.verify.wording import Word, Wording, held, holds_version

_SAME_SENTENCE = 0.6
"""Share of the claim's other content words in a sentence that says the same but for the conflict."""
_ALMOST_VERBATIM = 0.75
_ALL_ELSE = 0.85
_COMMON_COUNTS = (2.0, 3.0)
_NEAREST = 3
_ALIGNED = 2
_HELD = 0.5


class Conflict(IntEnum):
    """What stands between a claim and its evidence, the worse the higher."""

    NONE = 0
    MISSING = 1
    CONTRARY = 2


def find_conflict(
    claim: Sequence[Wording],
    evidence: Sequence[Wording],
    nearest: Sequence[Wording],
    closeness: Closeness,
) -> Conflict:
    """Find the worst conflict of a claim with its evidence, whose sentences ``nearest`` ranks.

    ``closeness`` tells how alike a word of the claim and one of ``nearest`` are used.
    """
    near = nearest[:_NEAREST]
    return max(
        (
            conflict
            for wording in claim
            for conflict in (
                _numbers(wording, evidence, near),
                _names(wording, evidence, near),
                _negation(wording, near),
                _opposites(wording, near),
                _roles(wording, near),
                _places(wording, near, evidence, closeness),
            )
        ),
        default=Conflict.NONE,
    )


def _numbers(claim: Wording, evidence: Sequence[Wording], near: Sequence[Wording]) -> Conflict:
    given = [each for wording in evidence for each in wording.quantities]
    missing = unbacked(claim.quantities, given)
    if any(_is_in_slot(claim, number, near) for number in missing):
        return Conflict.CONTRARY
    if any(not _is_common_count(claim, number) for number in missing):
        return Conflict.MISSING
    for wording in near[:1]:
        if _share(claim.content, wording) < _ALMOST_VERBATIM:
            continue
        for number in unbacked(claim.quantities, wording.quantities):
            rivals = unbacked(wording.quantities, claim.quantities)
            if any(rival.kind == number.kind for rival in rivals):
                return Conflict.CONTRARY
    return Conflict.NONE


def _is_in_slot(claim: Wording, number: Quantity, near: Sequence[Wording]) -> bool:
    """Tell whether a sentence like the claim has another number of the same kind."""
    return any(
        _share(claim.content, wording) >= _SAME_SENTENCE
        and any(
            other.kind == number.kind and not any(agree(own, other) for own in claim.quantities)
            for other in wording.quantities
        )
        for wording in near
    )


def _is_common_count(claim: Wording, number: Quantity) -> bool:
    """Tell whether it is a "two" or "three" in words: a writer counts what a text only lists."""
    surface = claim.text[number.span.start : number.span.end]
    return surface.isalpha() and number.value in _COMMON_COUNTS and not number.kind


def _names(claim: Wording, evidence: Sequence[Wording], near: Sequence[Wording]) -> Conflict:
    missing = [word for word in claim.content if word.name and _is_missing(word, claim, evidence)]
    replaced = [
        word
        for word in claim.content
        for wording in near[:1]
        if word.name and word not in missing and _is_replaced(word, claim, wording)
    ]
    if replaced or any(_is_replaced(word, claim, near[0]) for word in missing if near):
        return Conflict.CONTRARY
    if any(_is_said_otherwise(word, claim, near) for word in missing):
        return Conflict.MISSING
    return Conflict.NONE


def _is_said_otherwise(word: Word, claim: Wording, near: Sequence[Wording]) -> bool:
    """Tell whether a sentence has what the claim says beside this word."""
    rest = [other for other in claim.content if other is not word]
    return any(_share(rest, sentence) >= _ALMOST_VERBATIM for sentence in near)


def _is_missing(word: Word, claim: Wording, evidence: Sequence[Wording]) -> bool:
    surface = claim.text[word.span.start : word.span.end]
    if any(held(word, each) >= _HELD and holds_version(word, each) for each in evidence):
        return False
    if any(_spells_out(surface, wording) for wording in (claim, *evidence)):
        return False
    return is_coined(surface) or not any(_abbreviates(word, claim, each) for each in evidence)


def _spells_out(acronym: str, wording: Wording) -> bool:
    """Tell whether the initials of successive words make up the acronym."""
    letters = fold(acronym.removesuffix("s"))
    return acronym[:2].isupper() and letters.isalnum() and letters in wording.initials


def _abbreviates(word: Word, claim: Wording, wording: Wording) -> bool:
    """Tell whether an acronym of the sentence stands for the words of the claim around this one."""
    return any(
        other.name
        and len(other.folded) > 1
        and other.folded.removesuffix("s") in claim.initials
        and word.folded[0] in other.folded
        for other in wording.words
    )


def _is_replaced(word: Word, claim: Wording, sentence: Wording) -> bool:
    """Tell whether a sentence that is the claim but for a few words has another name there."""
    if held(word, sentence) >= _HELD or _share(claim.content, sentence) < _ALMOST_VERBATIM:
        return False
    before, after = _neighbours(word, claim)
    return any(
        other.name
        and held(other, claim) < _HELD
        and _neighbours(other, sentence) == (before, after)
        for other in sentence.content
    )


def _neighbours(word: Word, wording: Wording) -> tuple[str, str]:
    """Return the stems before and after a word, empty at the ends."""
    index = wording.words.index(word)
    before = wording.words[index - 1].stem if index else ""
    after = wording.words[index + 1].stem if index + 1 < len(wording.words) else ""
    return before, after


def _negation(claim: Wording, near: Sequence[Wording]) -> Conflict:
    """Find what one side denies and the other affirms, in a sentence that says the same otherwise."""
    for sentence in near:
        if _share(claim.content, sentence) >= _ALMOST_VERBATIM:
            contrary = (
                claim.denied & sentence.affirmed
                or sentence.denied & claim.affirmed
                or (claim.negates and not sentence.negates)
            )
            return Conflict.CONTRARY if contrary else Conflict.NONE
    return Conflict.NONE


def _opposites(claim: Wording, near: Sequence[Wording]) -> Conflict:
    """Find a word whose opposite stands in its place in a sentence that says the same otherwise."""
    if not near or turns_round(claim, near[0]):
        return Conflict.NONE
    for word in claim.words:
        rest = [other for other in claim.content if other is not word]
        if not word.negated and opposite_in(word, near[:1]) and _share(rest, near[0]) >= _ALL_ELSE:
            return Conflict.CONTRARY
    return Conflict.NONE


def opposite_in(word: Word, sentences: Sequence[Wording]) -> bool:
    """Tell whether sentences have the word's opposite, but neither the word nor one on its side."""
    others = {other.stem for sentence in sentences for other in sentence.words if not other.negated}
    if word.stem in others or others.isdisjoint(opposites(word.stem)):
        return False
    return others.isdisjoint(allies(word.stem))


def _roles(claim: Wording, near: Sequence[Wording]) -> Conflict:
    """Find "A outperforms B" where the evidence has "B outperforms A"."""
    for sentence in near[:2]:
        if _share(claim.content, sentence) >= _SAME_SENTENCE and are_reversed(claim, sentence):
            return Conflict.CONTRARY
    return Conflict.NONE


def _places(
    claim: Wording, near: Sequence[Wording], evidence: Sequence[Wording], closeness: Closeness
) -> Conflict:
    """Find names or numbers exchanged, and words in the place of others."""
    found = misplaced(claim, near[:_ALIGNED], evidence, closeness)
    return max(
        (Conflict.MISSING if each is Misplaced.REPLACED else Conflict.CONTRARY for each in found),
        default=Conflict.NONE,
    )


def _share(words: Sequence[Word], sentence: Wording) -> float:
    """Return the share of words that a sentence holds."""
    return sum(held(word, sentence) >= _HELD for word in words) / len(words) if words else 0.0
