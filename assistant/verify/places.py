"""What stands in a claim where the evidence has something else: names or numbers exchanged, a word replaced.

A word's place is its company: what stands on both sides of it, up to three words each way. A word is out of
place if it keeps in the claim the company of another word of the sentence rather than its own. So order may
change, but not who did what. Lists may be reordered, and sides change in the passive voice.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

from assistant.english import chunk_share
from assistant.text import stem
from assistant.verify.antonyms import are_alike, exclude
from assistant.verify.roles import turns_round
from assistant.verify.wording import Word, Wording, held

Closeness = Callable[[Word, Word], float]
"""How alike a word of the claim and one of a sentence are used, in [-1, 1]."""

_LONGEST = 80
"""Words of a sentence that is worth comparing; what is longer is none."""
_MOST_LIKE = 3
_MOST_PLACES = 60
"""Places of one word in the evidence that are looked at."""
_REACH = 3
_HELD = 0.5
_SLIGHT = 0.5
"""What it counts that a word without content, or the end of a clause, is the same."""
_FIRM = 1.5
_SIMILAR = 0.4
"""Closeness from which a word in the place of another counts as a synonym."""
_SAME_NAME = 0.6
_LIKE = 0.6
_NEARLY_ALL = 0.75
_TIE_REACH = 4
_TIE_ENDS = frozenset(["|", "and", "while", "but"])
_RESPECTIVELY = "respect"
_END = "|"
_MARK = re.compile(r"[.!?,;:()\[\]—–]")
_PART = re.compile(r"[^\W_]+")
_DROPPED = frozenset(["a", "an", "the", "its", "their", "our", "this", "these"])
_HEADS = frozenset(
    stem(word)
    for word in """model models system method framework algorithm approach paper benchmark dataset technique
    architecture pipeline report technical base""".split()  # noqa: SIM905 - a word list reads best as prose
)
_CONNECTORS = frozenset([_END, "and", "or", "well", "as", "both"])


class Misplaced(Enum):
    """What is wrong with a word's place."""

    EXCHANGED = "another name or number stands there"
    OPPOSITE = "a word that excludes it stands there"
    REPLACED = "a word that is no synonym stands there"


class _Token(NamedTuple):
    """A word or an end of a clause: what it is compared by, and whether it is a name or number."""

    key: str
    word: Word | None
    specific: bool


def misplaced(
    claim: Wording, nearest: Sequence[Wording], evidence: Sequence[Wording], closeness: Closeness
) -> Iterator[Misplaced]:
    """Find what stands in the place of something else of the sentences that are like the claim."""
    if len(claim.words) > _LONGEST:
        return
    readable = [each for each in nearest if len(each.words) <= _LONGEST]
    like = [each for each in readable if _share(claim.content, each) >= _LIKE][:_MOST_LIKE]
    if not like:
        return
    names = {word.folded for each in evidence for word in each.words if word.name}
    own = _tokens(claim, names)
    elsewhere = [_tokens(each, names) for each in evidence if len(each.words) <= _LONGEST]
    kept = [
        _best_company(own, i, elsewhere) if _says_something(token) else 0.0
        for i, token in enumerate(own)
    ]
    for sentence in like:
        yield from _compare(claim, own, sentence, _tokens(sentence, names), kept, closeness)


def _compare(
    claim: Wording,
    own: Sequence[_Token],
    sentence: Wording,
    given: Sequence[_Token],
    kept: Sequence[float],
    closeness: Closeness,
) -> Iterator[Misplaced]:
    if turns_round(claim, sentence):
        return
    alone = _share(claim.content, sentence) >= _NEARLY_ALL
    for i, j, company in _rivals(own, given, kept):
        token, other = own[i], given[j]
        if token.specific:
            if alone and _is_exchanged(own, i, given, j, company):
                yield Misplaced.EXCHANGED
        elif _is_opposite(token, other, company):
            if not _listed(given, token.key, other.key):
                yield Misplaced.OPPOSITE
        elif alone and company.firm and _is_replaced(token, other, sentence, closeness):
            yield Misplaced.REPLACED


def _rivals(
    own: Sequence[_Token], given: Sequence[_Token], kept: Sequence[float]
) -> Iterator[tuple[int, int, "_Company"]]:
    """Yield words of the claim with those of the sentence whose company they keep rather than their own.

    ``kept`` is how much of its own company each word of the claim keeps.
    """
    for i, token in enumerate(own):
        if _says_something(token):
            for j, other in enumerate(given):
                if _may_rival(token, other):
                    company = _company(own, i, given, j)
                    if company.total > kept[i] and company.near:
                        yield i, j, company


def _may_rival(token: _Token, other: _Token) -> bool:
    return (
        other.word is not None
        and token.specific == other.specific
        and _says_something(other)
        and not _same(token.key, other.key)
    )


def _is_exchanged(
    own: Sequence[_Token], i: int, given: Sequence[_Token], j: int, company: "_Company"
) -> bool:
    first, second = own[i].key, given[j].key
    respectively = [any(t.key == _RESPECTIVELY for t in tokens) for tokens in (own, given)]
    if respectively == [False, True]:
        return False
    if company.before and company.after and company.total >= _FIRM:
        return not _keeps_tie(own, i, given, j) and not (
            not any(respectively) and _listed(own, first, second) and _listed(given, first, second)
        )
    return (
        company.tied
        and not _keeps_tie(own, i, given, j)
        and (any(respectively) or not _listed(given, first, second))
    )


def _keeps_tie(own: Sequence[_Token], i: int, given: Sequence[_Token], j: int) -> bool:
    """Tell whether a word has beside it the name or number that it has in the sentence, unlike the rival."""
    places = [place for place, other in enumerate(given) if _same(own[i].key, other.key)]
    keys = {token.key for token in own}
    fronted = any(
        {_tie(given, place, step)} & keys and (rival := _tie(given, j, step)) and rival not in keys
        for place in places
        for step in (-1, 1)
    )
    return fronted or any(
        not _same(tie, _tie(given, j, step))
        and any(_same(tie, _tie(given, place, step)) for place in places)
        for step in (-1, 1)
        if (tie := _tie(own, i, step))
    )


def _tie(tokens: Sequence[_Token], i: int, step: int) -> str:
    """Return the next name or number one way in the same clause, empty if none is near."""
    for distance in range(1, _TIE_REACH + 1):
        place = i + step * distance
        if not 0 <= place < len(tokens) or tokens[place].key in _TIE_ENDS:
            return ""
        if tokens[place].specific:
            return tokens[place].key
    return ""


def _is_opposite(token: _Token, other: _Token, company: "_Company") -> bool:
    assert token.word is not None
    assert other.word is not None
    return (
        company.total >= _FIRM
        and token.word.negated == other.word.negated
        and exclude(token.word.folded, other.word.folded)
    )


def _is_replaced(token: _Token, other: _Token, sentence: Wording, closeness: Closeness) -> bool:
    assert token.word is not None
    assert other.word is not None
    return (
        token.word.negated == other.word.negated
        and held(token.word, sentence) < _HELD
        and not are_alike(token.word.stem, other.word.stem)
        and closeness(token.word, other.word) < _least_closeness(token.word, other.word)
    )


def _least_closeness(first: Word, second: Word) -> float:
    """Words that English at large does not have name something: they have no synonyms."""
    coined = chunk_share(first.stem) == chunk_share(second.stem) == 0
    return _SAME_NAME if coined else _SIMILAR


class _Company(NamedTuple):
    """How much of what stands before and after two words is the same.

    ``adjacent`` counts the neighbours that are; ``near`` is whether they say so much as a word.
    """

    before: float
    after: float
    adjacent: int
    near: bool
    tied: bool

    @property
    def total(self) -> float:
        return self.before + self.after

    @property
    def firm(self) -> bool:
        """Whether both neighbours are the same, and more than that."""
        return self.adjacent == 2 and self.total >= _FIRM


def _best_company(own: Sequence[_Token], i: int, sentences: Sequence[Sequence[_Token]]) -> float:
    """Return how much of its company in the claim a word keeps where it stands in the evidence."""
    places = (
        _company(own, i, given, j).total
        for given in sentences
        for j, other in enumerate(given)
        if _same(own[i].key, other.key)
    )
    return max(islice(places, _MOST_PLACES), default=0.0)


def _company(own: Sequence[_Token], i: int, given: Sequence[_Token], j: int) -> _Company:
    before, near, tied = _alike(own, i, given, j, -1)
    after, next_, _ = _alike(own, i, given, j, 1)
    neighbours = {own[i + step].key for step, same in ((-1, near), (1, next_)) if same}
    both = near + next_
    return _Company(before, after, both, both == 2 or bool(neighbours - {_END}), tied)


class _Alike(NamedTuple):
    """How much is the same one way; whether the neighbour is, and all up to a name or number."""

    weight: float
    adjacent: bool
    tied: bool


def _alike(own: Sequence[_Token], i: int, given: Sequence[_Token], j: int, step: int) -> _Alike:
    """Weigh the words that are the same going one way, at most one other between."""
    total, missed, adjacent, tied = 0.0, 0, False, False
    for distance in range(1, _REACH + 1):
        here, there = i + step * distance, j + step * distance
        if not (0 <= here < len(own) and 0 <= there < len(given)):
            break
        if own[here].key == given[there].key:
            total += _weight(own[here])
            adjacent |= distance == 1
            tied |= not missed and own[here].specific and distance > 1
        elif missed:
            break
        else:
            missed += 1
    return _Alike(total, adjacent, tied)


def _weight(token: _Token) -> float:
    return 1.0 if _says_something(token) else _SLIGHT


def _says_something(token: _Token) -> bool:
    return token.specific or (token.word is not None and token.word.content)


def _same(first: str, second: str) -> bool:
    """Tell whether two keys may be one thing: a compound may be named by a part of it."""
    if first == second:
        return bool(first)
    a, b = _parts(first), _parts(second)
    return bool(a and b) and ("".join(a) == "".join(b) or set(a) < set(b) or set(b) < set(a))


@lru_cache(maxsize=20_000)
def _parts(key: str) -> tuple[str, ...]:
    return tuple(_PART.findall(key))


def _listed(tokens: Sequence[_Token], first: str, second: str) -> bool:
    """Tell whether two words stand in one list: between them is but what is of their sort, or joins them."""
    places = [i for i, token in enumerate(tokens) if token.key in {first, second}]
    return any(
        tokens[i].key != tokens[j].key
        and j > i + 1
        and all(_may_be_listed(token, tokens[i]) for token in tokens[i + 1 : j])
        and all(
            one.key in _CONNECTORS or other.key in _CONNECTORS
            for one, other in pairwise(tokens[i : j + 1])
        )
        for i, j in pairwise(places)
    )


def _may_be_listed(token: _Token, first: _Token) -> bool:
    if token.key in _CONNECTORS:
        return True
    return token.specific == first.specific and _says_something(token)


def _share(words: Sequence[Word], sentence: Wording) -> float:
    return sum(held(word, sentence) >= _HELD for word in words) / len(words) if words else 0.0


def _tokens(wording: Wording, names: Collection[str]) -> tuple[_Token, ...]:
    """Return the words in order and the ends of clauses, without articles and what a name is said to be.

    ``names`` are folded words that are names although at the beginning of a sentence they do not look so.
    """
    numbers = {each.span.start: f"{each.value:g}" for each in wording.quantities}
    found = [_Token(_END, None, specific=False)]
    last = 0
    for word in wording.words:
        mark = _mark(wording.text[last : word.span.start])
        last = word.span.end
        if mark and found[-1].key != mark:
            found.append(_Token(mark, None, specific=False))
        if word.folded in _DROPPED or (found[-1].specific and word.stem in _HEADS):
            continue
        number = next((numbers[at] for at in range(word.span.start - 1, last) if at in numbers), "")
        named = word.name or (word.folded in names and len(found) == 1)
        if named and not number and found[-1].word is not None and found[-1].word.name:
            found[-1] = _Token(f"{found[-1].key} {word.stem}", found[-1].word, specific=True)
            continue
        specific = bool(number) or named or any(map(str.isdigit, word.folded))
        found.append(_Token(number or word.stem, word, specific))
    return (*found, _Token(_END, None, specific=False))


def _mark(between: str) -> str:
    """Return what a gap between two words ends: a bracket, a clause, or nothing."""
    match = _MARK.search(between)
    return "" if match is None else match.group() if match.group() in "()" else _END
