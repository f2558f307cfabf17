"""Cells without a language model: the shortest stretch of a paper that answers an aspect, verbatim."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assistant.answer.citations import cite
from assistant.answer.evidence import Evidence, Sentence, content_words
from assistant.compare.aspects import Aspect
from assistant.compare.clauses import shorten
from assistant.compare.cues import Cues
from assistant.query import Query, QueryWord
from assistant.records import Chunk, Citation, Passage
from assistant.text import Span, fold, stem, terms, words
from assistant.verify.quantities import quantities

_MATCH = 0.8
"""What matching the aspect's question word by word weighs beside the cues."""
_SIMILARITY = 0.8
_ABSTRACT = 0.25
_SECTION = 0.4
_LEAST_SAID = 0.58
"""The least that a sentence must say of an aspect's own words, on average and by their rarity."""

_COUNTING = frozenset(
    """amount average count counts how length many much number percentage rate size sizes total""".split()  # noqa: SIM905 - a word list reads best as prose
)


class Finding(NamedTuple):
    """The stretch of a passage that answers."""

    passage: Passage
    span: Span


class _Rated(NamedTuple):
    score: float
    sentence: Sentence


def find(aspect: Aspect, query: Query, evidence: Sequence[Evidence]) -> Finding | None:
    """Find what a paper states on an aspect; None if it is silent.

    Args:
        aspect: the aspect.
        query: the aspect's question, analysed.
        evidence: passages of the one paper, weighed for that question.
    """
    rated = (
        _by_cues(aspect.cues, evidence) if aspect.cues is not None else _by_words(query, evidence)
    )
    best = max(rated, key=lambda each: (each.score, -_place(each.sentence)), default=None)
    if best is None:
        return None
    passage, span = best.sentence.passage, best.sentence.span
    wanted = aspect.cues.wanted if aspect.cues is not None else None
    own = content_words(query) if aspect.cues is None else ()
    kept = shorten(
        best.sentence.text,
        wanted=wanted,
        stems=_stems(own),
        cue_only=aspect.cues is not None and aspect.cues.focus == "cue",
    )
    return Finding(passage, Span(span.start + kept.start, span.start + kept.end))


def nearest(evidence: Sequence[Evidence]) -> Citation | None:
    """Cite the sentence nearest to an aspect's question; None if nothing of the paper was found."""
    sentences = [sentence for each in evidence for sentence in each.sentences]
    best = max(sentences, key=lambda each: each.score + each.similarity, default=None)
    return cite(best.passage, best.span, number=1) if best is not None else None


def _by_cues(cues: Cues, evidence: Sequence[Evidence]) -> list[_Rated]:
    """Rate the sentences that hold what is wanted by their cues, and by how near they are."""
    found = []
    for each in evidence:
        chunk = each.passage.chunk
        length = max(len(chunk.text), 1)
        for sentence in each.sentences:
            if cues.wanted.search(sentence.text) is None:
                continue
            strength = cues.strength(sentence.text)
            if strength < cues.least:
                continue
            score = strength + _MATCH * sentence.score + _SIMILARITY * sentence.similarity
            if _is_abstract(chunk):
                score += _ABSTRACT + cues.place * sentence.span.start / length
            elif cues.sections is not None and cues.sections.search(chunk.section or ""):
                score += _SECTION
            found.append(_Rated(score, sentence))
    return found


def _by_words(query: Query, evidence: Sequence[Evidence]) -> list[_Rated]:
    """Rate the sentences that say the aspect's own words, or others for them."""
    asked = content_words(query)
    counts = any(fold(word.surface) in _COUNTING for word in asked)
    subject = np.array([word.weight * (fold(word.surface) not in _COUNTING) for word in asked])
    if not subject.any():
        subject = np.ones(len(asked))
    weights = subject / subject.sum()
    acronym = _acronym(query)
    found = []
    for each in evidence:
        is_abstract = _is_abstract(each.passage.chunk)
        for sentence in each.sentences:
            said = float(_said(asked, acronym, sentence) @ weights)
            if said >= _LEAST_SAID and (not counts or quantities(sentence.text)):
                score = said + sentence.score + sentence.similarity + _ABSTRACT * is_abstract
                found.append(_Rated(score, sentence))
    return found


def _said(asked: Sequence[QueryWord], acronym: str, sentence: Sentence) -> np.ndarray:
    """Tell per word how nearly a sentence says it: 1 to the letter, or as part of an acronym."""
    spoken = words(sentence.text)
    if acronym and any(part == acronym for word in spoken for part in re.split(r"[-_.]", word)):
        return np.ones(len(asked))
    held = set(terms(sentence.text))
    return np.array(
        [
            1.0 if held.intersection(word.terms) else float(match)
            for word, match in zip(asked, sentence.matches, strict=True)
        ]
    )


def _acronym(query: Query) -> str:
    """Return the initials of an aspect of several words: RL for "reinforcement learning"."""
    initials = "".join(word[0] for word in words(query.text)).upper()
    return initials if len(initials) > 1 else ""


def _is_abstract(chunk: Chunk) -> bool:
    return chunk.source == "abstract" or (chunk.section or "").lower().startswith("abstract")


def _stems(asked: Sequence[QueryWord]) -> frozenset[str]:
    return frozenset(stem(fold(word)) for each in asked for word in words(each.surface))


def _place(sentence: Sentence) -> int:
    return sentence.passage.chunk.start + sentence.span.start
