"""Answers without a language model: the sentences that answer, verbatim, grouped by paper."""

import math
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from assistant.answer import abstain
from assistant.answer.evidence import Evidence, Sentence, content_words, judge
from assistant.models.answer_head import AnswerHead
from assistant.names import NameMatcher
from assistant.query import Query, QueryWord, Vocabulary
from assistant.retrieve import LONG
from assistant.text import STOPWORDS, fold, words

BROAD_PAPERS = 5
RIVAL_PAPERS = 4

BEST_SENTENCES, BEST_CHARACTERS = 8, 1200
NAMED_SENTENCES, NAMED_CHARACTERS = 3, 600
OTHER_SENTENCES, OTHER_CHARACTERS = 1, 1000
"""What is quoted at most: of the best paper, of each of several papers the question names, of any other.

One sentence is quoted however long it is.
"""

_EVIDENCE_SHARE = 0.4
_CLOSE = 0.3
_BROAD_REACH = 0.25
_CHANCE = 0.15
"""How much closer a full text must come to an abstract: of its many passages one is near by chance."""

_BROAD = re.compile(
    r"\b(?:which|what|list|any|all|name|these|those|some|other|several|many|the)\s+(?:\w+\s+){0,3}?"
    r"(?:papers|works|studies|articles|publications|authors|approaches|methods|systems|projects)\b"
    r"|\bpapers\b|\bwho else\b|\bwhat is there\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
_ASKS_RESULT = re.compile(
    r"\bhow (?:many|much|long|fast|quickly|large|big|small|often|far|old|high|well|good|strong)\b"
    r"|\b(?:accurac|gain|improv|better|best|faster|speed|outperform|percent|rate|scor|result|sav|reduc"
    r"|evidence|grow|larger|bigger|fewer|size|number|cost|price|amount|performance)\w*",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\b(?:we|this (?:paper|work|study)) (?:\w+ )?(?:propose|present|introduce|develop|release|study)",
    re.IGNORECASE,
)
_INTRODUCTION_BONUS = 0.3
_NUMBER_BONUS = 0.15
_LINK_BONUS = 0.3
_SIMILARITY_WEIGHT = 1.0
_STATED_WEIGHT = 0.05
_LEAST_STATED = -4.0
_PASSAGE_MATCH_WEIGHT = 1.5
"""Beside how well the sentence matches word by word. Tuned on the two tuning sets of eval/datasets."""

_TELLING_WORDS = 4
_LONG_LIST = 8
"""Words from which on a sentence has one such as "the" or "is" among them, and a list of names has not."""
_PROSE_SHARE = 0.4
"""Share of a sentence's characters that stand in words of three letters or more, at least."""
_LABEL = re.compile(
    r"\W*(?:\d+\W*(?:https?:|$)|(?:figure|fig|table|tab|section|step|definition|theorem|lemma|algorithm|"
    r"appendix|example|equation)\b)",
    re.IGNORECASE,
)
"""How a sentence of fewer words begins that has a number in it and says nothing."""

_LINK = re.compile(r"https?://\S+")
_ASKS_LINK = re.compile(
    r"\b(?:code|url|link|github|repo|repository|website|page|docs?|documentation|available)\b",
    re.IGNORECASE,
)


class Extract(NamedTuple):
    """The sentences chosen, by paper, best paper first; or none, and the reason."""

    groups: tuple[tuple[Sentence, ...], ...]
    refusal: str | None


class _Room(NamedTuple):
    """How much is quoted of a paper at most."""

    sentences: int
    characters: int


class _Rated(NamedTuple):
    """A sentence and its score; the head of its table, if it is a row of one."""

    score: float
    sentence: Sentence
    head: Sentence | None


class _Candidate(NamedTuple):
    """A paper that may answer: its evidence, its score, and the question's words that name it.

    ``called`` says that its title has the name; else it only mentions what is asked about.
    """

    paper_id: str
    evidence: tuple[Evidence, ...]
    score: float
    names: tuple[QueryWord, ...]
    called: bool

    @property
    def in_full_text(self) -> bool:
        """Whether its best passage is from its full text."""
        best = max(self.evidence, key=lambda each: each.passage.score)
        return best.passage.chunk.source == "pdf"


class Assessment(NamedTuple):
    """The papers to cite, their evidence, whether the question names any, and the signals of all that."""

    chosen: tuple[_Candidate, ...]
    evidence: tuple[Evidence, ...]
    named: bool
    signals: abstain.Signals

    @property
    def in_full_text(self) -> bool:
        """Whether the best evidence is from a paper's full text."""
        return self.evidence[0].passage.chunk.source == "pdf"


def extract(
    query: Query,
    evidence: Sequence[Evidence],
    vocabulary: Vocabulary,
    head: AnswerHead,
    *,
    follow_up: bool = False,
    one_paper: bool = False,
) -> Extract:
    """Choose the sentences that answer, or refuse.

    Args:
        query: the question.
        evidence: its passages, weighed.
        vocabulary: tells which words are rare.
        head: tells whether a sentence states what is asked.
        follow_up: whether the question goes on about a paper that has answered before.
        one_paper: whether only one paper is asked.
    """
    found = assess(query, evidence, vocabulary, head)
    if found is None:
        return Extract((), "No passage in the library fits the question.")
    full_text = found.in_full_text and not one_paper
    if abstain.names_unknown_system(query, found.evidence) or not abstain.answers(
        found.signals, named=found.named, follow_up=follow_up, full_text=full_text
    ):
        return Extract((), abstain.reason(query, found.evidence, named=found.named))
    groups = (
        _sentences(query, candidate, _room(candidate, found.chosen), vocabulary)
        for candidate in found.chosen
    )
    return Extract(tuple(group for group in groups if group), None)


def is_broad(query: Query) -> bool:
    """Tell whether a question asks for several papers."""
    return _BROAD.search(query.text) is not None


def assess(
    query: Query,
    evidence: Sequence[Evidence],
    vocabulary: Vocabulary,
    head: AnswerHead | None,
) -> Assessment | None:
    """Choose the papers to cite and measure what their evidence says; None where there are none.

    Without a ``head`` nothing is known of what sentences state, which only tells where a paper is named.
    """
    candidates = _candidates(evidence, NameMatcher(query, vocabulary))
    if not candidates:
        return None
    named = [candidate for candidate in candidates if candidate.names]
    chosen = [
        candidate._replace(evidence=judge(candidate.evidence, head)) if head else candidate
        for candidate in _choose(query, candidates, named)
    ]
    relevant = tuple(each for candidate in chosen for each in candidate.evidence)
    names = [word for candidate in named for word in candidate.names]
    signals = abstain.measure(query, relevant, names)
    return Assessment(tuple(chosen), relevant, bool(named), signals)


def _candidates(evidence: Sequence[Evidence], names: NameMatcher) -> list[_Candidate]:
    by_paper: dict[str, list[Evidence]] = {}
    for each in evidence:
        by_paper.setdefault(each.passage.chunk.paper_id, []).append(each)
    lowest = min((each.score for each in evidence), default=0.0)
    spread = max((each.score for each in evidence), default=0.0) - lowest or 1.0
    found = [
        _Candidate(
            paper_id=paper_id,
            evidence=tuple(group),
            score=max(
                (1 - _EVIDENCE_SHARE) * each.passage.score
                + _EVIDENCE_SHARE * (each.score - lowest) / spread
                for each in group
            ),
            names=names.names_of(
                group[0].passage.title, " ".join(each.passage.chunk.text for each in group)
            ),
            called=names.calls(group[0].passage.title),
        )
        for paper_id, group in by_paper.items()
    ]
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.paper_id))


def _choose(
    query: Query, candidates: list[_Candidate], named: list[_Candidate]
) -> list[_Candidate]:
    """Choose the papers to cite: those named, or the best and what comes close to it."""
    best = candidates[0].score
    if named:
        # The best paper stays even when a word of the question happens to name another.
        covered: set[str] = set()
        chosen = [] if candidates[0].names else [candidates[0]]
        for candidate in sorted(named, key=lambda each: not each.called):
            own = {fold(word.surface) for word in candidate.names}
            if not own <= covered:
                chosen.append(candidate)
                covered |= own
        return chosen[:BROAD_PAPERS]
    if is_broad(query):
        return [c for c in candidates if c.score >= best - _BROAD_REACH][:BROAD_PAPERS]

    def reach(candidate: _Candidate) -> float:
        by_chance = candidate.in_full_text and not candidates[0].in_full_text
        return _CLOSE - _CHANCE if by_chance else _CLOSE

    return [c for c in candidates if c.score >= best - reach(c)][:RIVAL_PAPERS]


def _room(candidate: _Candidate, chosen: Sequence[_Candidate]) -> _Room:
    if candidate.names and len(chosen) > 1:
        return _Room(NAMED_SENTENCES, NAMED_CHARACTERS)
    if candidate is chosen[0]:
        return _Room(BEST_SENTENCES, BEST_CHARACTERS)
    return _Room(OTHER_SENTENCES, OTHER_CHARACTERS)


def _sentences(
    query: Query, candidate: _Candidate, room: _Room, vocabulary: Vocabulary
) -> tuple[Sentence, ...]:
    """Choose a paper's best sentences, none twice: the best first, then the others in text order.

    The row of a table comes with the table's head.
    """
    scorer = _SentenceScorer(query, candidate, vocabulary)
    found: dict[str, _Rated] = {}
    for each in candidate.evidence:
        head = next(filter(_is_row, each.sentences), None)
        for sentence in _quotable(each.sentences, links=scorer.wants_link):
            own_head = head if head is not sentence and _is_row(sentence) else None
            rated = _Rated(scorer.score(sentence, each, head=own_head), sentence, own_head)
            if sentence.text not in found or found[sentence.text].score < rated.score:
                found[sentence.text] = rated
    ranked = sorted(found.values(), key=lambda rated: (-rated.score, _place(rated.sentence)))
    best = _fitting(ranked, room)
    chosen = [rated.sentence for rated in best]
    heads = {rated.head.text: rated.head for rated in best if rated.head is not None}
    missing = [head for text, head in heads.items() if text not in {each.text for each in chosen}]
    if best and best[0].head in missing:
        return tuple(sorted([*chosen, *missing], key=_place))
    return (*chosen[:1], *sorted([*chosen[1:], *missing], key=_place))


def _fitting(ranked: Sequence[_Rated], room: _Room) -> Sequence[_Rated]:
    lengths = accumulate(len(rated.sentence.text) for rated in ranked[: room.sentences])
    return ranked[: max(1, sum(length <= room.characters for length in lengths))]


def _is_row(sentence: Sentence) -> bool:
    return "\t" in sentence.text


def _quotable(sentences: Sequence[Sentence], *, links: bool) -> Sequence[Sentence]:
    """Leave out headings, labels, formulas, and lists of names or addresses, where there is anything else."""
    return [each for each in sentences if _tells(each.text, links=links)] or sentences


def _tells(text: str, *, links: bool) -> bool:
    prose, found = _LINK.subn(" ", text)
    if "\t" in text or (links and found):
        return True
    said = words(prose)
    if len(said) < _TELLING_WORDS:
        return _NUMBER.search(prose) is not None and not _LABEL.match(text)
    plain = [word for word in said if len(word) > 2 and word.isalpha()]
    if sum(map(len, plain)) < _PROSE_SHARE * len("".join(prose.split())):
        return False
    if len(said) < _LONG_LIST:
        return any(map(str.islower, plain))
    return any(fold(word) in STOPWORDS for word in said)


def _place(sentence: Sentence) -> int:
    return sentence.passage.chunk.start + sentence.span.start


class _Within:
    """How rare words are in one paper: what all of it is about tells none of its sentences apart."""

    def __init__(self, paper_id: str, vocabulary: Vocabulary) -> None:
        self._papers = (paper_id,)
        self._vocabulary = vocabulary
        self._chunks = vocabulary.chunk_count(papers=self._papers)

    def rarity(self, word: QueryWord) -> float:
        """Return a word's inverse document frequency in a full text; 1 where that says nothing."""
        if self._chunks <= LONG:
            return 1.0
        held = min(
            self._vocabulary.document_frequency(term, papers=self._papers) for term in word.terms
        )
        return math.log(1 + (self._chunks - held + 0.5) / (held + 0.5)) if held else 1.0


class _SentenceScorer:
    """Scores a paper's sentences: how well they match what is asked of it, with what is looked for."""

    def __init__(self, query: Query, candidate: _Candidate, vocabulary: Vocabulary) -> None:
        words = content_words(query)
        own = _Within(candidate.paper_id, vocabulary)
        # The paper's own name says which paper, not which of its sentences.
        weights = np.array(
            [0.0 if word in candidate.names else word.weight * own.rarity(word) for word in words]
        )
        self._weights = weights / weights.sum() if weights.any() else weights
        self._wants_number = _ASKS_RESULT.search(query.text) is not None
        self.wants_link = _ASKS_LINK.search(query.text) is not None

    def score(self, sentence: Sentence, evidence: Evidence, *, head: Sentence | None) -> float:
        """Score a sentence in its passage; only the order of a paper's scores means something.

        A row of a table also says what its table's ``head`` says.
        """
        matches = sentence.matches if head is None else np.maximum(sentence.matches, head.matches)
        score = float((matches + _PASSAGE_MATCH_WEIGHT * evidence.matches) @ self._weights)
        score += _SIMILARITY_WEIGHT * sentence.similarity
        score += _STATED_WEIGHT * max(_LEAST_STATED, sentence.stated)
        if not self._weights.any() and _INTRODUCES.search(sentence.text):
            score += _INTRODUCTION_BONUS
        if self._wants_number and _NUMBER.search(sentence.text):
            score += _NUMBER_BONUS
        if self.wants_link and _LINK.search(sentence.text):
            score += _LINK_BONUS
        return score
