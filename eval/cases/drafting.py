"""Draft cases from a library: questions for a person to look through, edit and keep.

With a language model, it first names what readers of the field look for, then asks for that of each paper
and slice of it (domain indicators, as in ELTEX, Razmyslovich et al., arXiv 2503.15055). Without one,
questions are sentences with a gap. A draft is kept only if its key facts stand in the paper to the letter.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from pydantic import BaseModel, Field

from assistant.chunk import SECTION_SEPARATOR
from assistant.errors import LibraryEmptyError, ReplyFormError
from assistant.library import Library
from assistant.models.parallel import in_parallel
from assistant.models.stop import Stop
from assistant.query import is_coined
from assistant.records import Chunk, Paper
from assistant.text import clean, fold, one_line, words
from eval.cases import cloze
from eval.cases.dataset import Case
from eval.cases.matching import normalise, states

KIND = "drafted"

_ABSTRACTS = 20
_ABSTRACT_CHARACTERS = 1_200
_MOST_SENTENCES = 150
"""Sentences of a paper that are compared with what it is about."""
_SLICE_CHARACTERS = 6_000
_COMMON = 2
"""Papers that may hold a name worth asking for."""
_LONGEST_FACT = 12
"""Words."""


class Drafts(NamedTuple):
    """Drafted cases, and how many were dropped for which reason."""

    cases: tuple[Case, ...]
    dropped: Counter[str]


Progress = Callable[[int, int], None]


def draft(
    library: Library,
    *,
    per_paper: int,
    progress: Progress = lambda _done, _total: None,
) -> Drafts:
    """Draft questions on every paper of a library.

    Args:
        library: the library; if its settings name a language model, that writes the questions.
        per_paper: questions per paper, at most.
        progress: is told of the papers done and of their number.

    Raises:
        LibraryEmptyError: if it holds no papers.
        ModelUnavailableError: if the model does not answer.
    """
    papers = library.papers()
    if not papers:
        raise LibraryEmptyError("the library is empty: add papers with `assistant ingest`")
    has_model = library.settings.llm != "extractive"
    writer: _Writer = _Model(library, papers) if has_model else _Cloze(library, papers)
    workers = library.settings.llm_concurrency if has_model else 1

    def work(paper: Paper, stop: Stop) -> Drafts:
        return writer.write(paper, library.chunks(paper.id), per_paper, stop)

    cases: list[Case] = []
    dropped: Counter[str] = Counter()
    for done, found in enumerate(in_parallel(work, papers, workers=workers), start=1):
        cases += found.cases
        dropped += found.dropped
        progress(done, len(papers))
    return Drafts(tuple(cases), dropped)


class _Writer(Protocol):
    """Writes questions on one paper."""

    def write(self, paper: Paper, chunks: Sequence[Chunk], count: int, stop: Stop) -> Drafts:
        """Write ``count`` questions at most, until ``stop`` ends it."""


class _Cloze:
    """Writes questions with a gap."""

    def __init__(self, library: Library, papers: Sequence[Paper]) -> None:
        self._library = library
        self._holders = Counter(
            name
            for paper in papers
            for name in {
                fold(word)
                for chunk in library.chunks(paper.id)
                for word in words(chunk.text)
                if is_coined(word)
            }
        )

    def write(self, paper: Paper, chunks: Sequence[Chunk], count: int, _stop: Stop) -> Drafts:
        """Write questions on the sentences nearest to what a paper is about."""
        own = fold(paper.title).replace(" ", "")

        def is_telling(name: str) -> bool:
            return fold(name) not in own and self._holders[fold(name)] <= _COMMON

        found = list(cloze.candidates(chunks, is_telling))
        step = -(-len(found) // _MOST_SENTENCES) or 1
        found = found[::step]
        if not found:
            return Drafts((), Counter({"papers without a sentence to ask about": 1}))
        vectors = self._library.embed(
            [f"{paper.title}\n{paper.abstract}", *(each.sentence for each in found)]
        )
        closeness = vectors[1:] @ vectors[0]
        chosen = cloze.choose(found, np.asarray(closeness), count)
        cases = [cloze.question(each, paper, number=n) for n, each in enumerate(chosen, start=1)]
        return Drafts(tuple(cases), Counter())


class _Indicators(BaseModel):
    """What readers of a field look for in a paper."""

    indicators: list[str] = Field(min_length=1)


class _Question(BaseModel):
    """A question as a model drafts it."""

    question: str
    answer: str
    facts: list[str]


class _Questions(BaseModel):
    """Several of them."""

    questions: list[_Question]


class _Slice(NamedTuple):
    """A part of a paper: its abstract, or a section of its full text, and the page if it is on one."""

    name: str
    text: str
    page: int | None


class _Model:
    """Has a language model write questions, and keeps those that hold."""

    def __init__(self, library: Library, papers: Sequence[Paper]) -> None:
        self._library = library
        step = -(-len(papers) // _ABSTRACTS)
        abstracts = [
            f"{paper.title}\n{paper.abstract[:_ABSTRACT_CHARACTERS]}" for paper in papers[::step]
        ]
        found = library.reply(
            "draft.indicators", _Indicators, data={"abstracts": "\n\n".join(abstracts)}
        )
        self._indicators = "\n".join(f"- {clean(each)}" for each in found.indicators)

    def write(self, paper: Paper, chunks: Sequence[Chunk], count: int, stop: Stop) -> Drafts:
        """Ask for questions on each slice of a paper in turn, until there are enough."""
        kept: list[Case] = []
        dropped: Counter[str] = Counter()
        slices = _slices(chunks)
        for place, each in enumerate(slices):
            wanted = -(-(count - len(kept)) // (len(slices) - place))
            if wanted <= 0:
                break
            try:
                drafted = self._ask(paper, each, wanted, stop)
            except ReplyFormError:
                dropped["replies that were no questions"] += 1
                continue
            for question in drafted:
                problem = _problem(question, each, [case.question for case in kept])
                if problem:
                    dropped[problem] += 1
                elif len(kept) < count:
                    kept.append(_case(question, paper, each, number=len(kept) + 1))
        return Drafts(tuple(kept), dropped)

    def _ask(self, paper: Paper, part: _Slice, count: int, stop: Stop) -> list[_Question]:
        data = {
            "title": paper.title,
            "indicators": self._indicators,
            "count": str(count),
            "text": part.text,
        }
        return self._library.reply("draft.questions", _Questions, data=data, stop=stop).questions


def _slices(chunks: Sequence[Chunk]) -> list[_Slice]:
    """Join a paper's chunks by section of the outermost level; asides are none."""
    texts: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        texts.setdefault(
            (chunk.section or chunk.source).partition(SECTION_SEPARATOR)[0], []
        ).append(chunk)
    return [
        _Slice(name, "\n".join(each.text for each in found)[:_SLICE_CHARACTERS], _page(found))
        for name, found in texts.items()
        if not cloze.is_aside(name)
    ]


def _page(chunks: Sequence[Chunk]) -> int | None:
    pages = {page for chunk in chunks for page in (chunk.page_first, chunk.page_last)}
    return pages.pop() if len(pages) == 1 else None


def _problem(drafted: _Question, part: _Slice, before: Sequence[str]) -> str | None:
    """Say why a draft cannot be kept; ``None`` if it can."""
    question, text = normalise(drafted.question), normalise(part.text)
    facts = [fact for fact in drafted.facts if normalise(fact)]
    if not question.endswith("?") or not facts:
        return "no question, or no key fact"
    if not all(states(text, [fact]) for fact in facts):
        return "a key fact that is not in the paper"
    if any(len(fact.split()) > _LONGEST_FACT for fact in facts):
        return "a key fact that is a sentence"
    if all(states(question, [fact]) for fact in facts):
        return "a question that gives its answer away"
    if question in map(normalise, before):
        return "a question asked twice"
    return None


def _case(drafted: _Question, paper: Paper, part: _Slice, *, number: int) -> Case:
    def line(text: str) -> str:
        return one_line(text)

    return Case(
        id=f"{KIND}-{paper.id}-{number}",
        kind=KIND,
        question=line(drafted.question),
        papers=(paper.id,),
        facts=tuple((line(fact),) for fact in drafted.facts if normalise(fact)),
        pages=() if part.page is None else (part.page,),
        reference=line(drafted.answer),
        answerable=True,
    )
