"""One answer as a stream of events: the question rewritten, passages, text, citations, verdicts, done."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, TypeVar

from assistant.answer import marking
from assistant.answer.draft import Piece, Written
from assistant.answer.extract import is_broad
from assistant.answer.restate import Rewritten
from assistant.models.meter import Meter
from assistant.query import Query
from assistant.records import (
    Answer,
    AnswerDone,
    AnswerText,
    Citation,
    Cited,
    Claim,
    ClaimChecked,
    Event,
    Passage,
    PassagesFound,
    QuestionRewritten,
    Timings,
    Turn,
)
from assistant.verify import Check, Judgement, checks_of

T = TypeVar("T")
Verify = Literal["mark", "drop", "off"]

PASSAGES = 12
"""Passages that an answer may rest on."""

_PER_PAPER_BROAD = 2


class Backend(Protocol):
    """Writes answers: from quotes, or with a language model."""

    @property
    def name(self) -> str:
        """What ``Answer.backend`` says."""

    def rewrite(self, question: str, history: Sequence[Turn]) -> Rewritten:
        """Make a question stand alone, and take it apart if it asks several things."""

    def write(
        self, query: Query, passages: Sequence[Passage], *, follow_up: bool
    ) -> Iterator[Piece | Written]:
        """Write the answer piece by piece, and the whole of it last."""


class Find(Protocol):
    """Retrieval over one library."""

    def __call__(self, query: Query, *, limit: int, per_paper: int) -> list[Passage]:
        """Rank passages."""


class ClaimChecker(Protocol):
    """Judges claims: by rules, or with a language model too."""

    def judge(self, claims: Sequence[Check]) -> Generator[Judgement, None, tuple[str, ...]]:
        """Judge each claim in order; return notes for the user, a line each."""


class _Checked(NamedTuple):
    """Claims with their verdicts, and notes on how they were found."""

    claims: tuple[Claim, ...]
    notes: tuple[str, ...]


class Asker(NamedTuple):
    """What answering takes.

    ``one_paper`` says that only one paper is asked; ``meter`` knows what the models take.
    """

    analyse: Callable[[str], Query]
    find: Find
    backend: Backend
    checker: ClaimChecker
    verify: Verify
    one_paper: bool
    meter: Meter

    def ask(self, question: str, history: Sequence[Turn]) -> Iterator[Event]:
        """Answer a question."""
        clock = _Clock()
        asked = self.backend.rewrite(question, history)
        yield QuestionRewritten(
            standalone_question=asked.standalone, sub_questions=asked.sub_questions
        )
        clock.lap("rewrite")
        query = self.analyse(asked.standalone)
        passages = self._passages(query, asked.sub_questions)
        yield PassagesFound(passages=tuple(passages))
        clock.lap("retrieve")
        written = yield from self._write(query, passages, follow_up=asked.standalone != question)
        clock.lap("answer")
        claims, notes = yield from self._check(written, passages)
        marked = self._marked(written, claims)
        refusal = written.refusal or marked.refusal
        if self.verify == "drop":
            yield AnswerText(text=marked.text)
        clock.lap("verify")
        yield AnswerDone(
            answer=Answer(
                question=question,
                standalone_question=asked.standalone,
                answer=marked.text,
                refused=refusal is not None,
                refusal_reason=refusal,
                citations=marked.citations,
                claims=_citing(claims, marked.citations),
                backend=written.model,
                usage=self.meter.usage,
                timings_ms=clock.timings(),
            ),
            notes=(*written.notes, *notes),
        )

    def _passages(self, query: Query, sub_questions: Sequence[str]) -> list[Passage]:
        """Find passages for the question and for each of its parts, in turn, none twice."""
        queries = [query, *map(self.analyse, sub_questions)]
        found = [
            self.find(each, limit=PASSAGES, per_paper=self._per_paper(each)) for each in queries
        ]
        if len(found) == 1:
            return found[0]
        best: dict[str, Passage] = {}
        for rank in range(PASSAGES):
            for passages in found:
                if rank < len(passages):
                    best.setdefault(passages[rank].chunk.id, passages[rank])
        chosen = list(best.values())[:PASSAGES]
        return [each.model_copy(update={"rank": rank}) for rank, each in enumerate(chosen, 1)]

    def _per_paper(self, query: Query) -> int:
        """Say how many passages of one paper a question needs: few if it asks about many papers."""
        return _PER_PAPER_BROAD if is_broad(query) and not self.one_paper else PASSAGES

    def _write(
        self, query: Query, passages: Sequence[Passage], *, follow_up: bool
    ) -> Generator[Event, None, Written]:
        """Stream the answer as it is written; return the whole of it.

        Where sentences may be taken out, no text is shown before it was checked.
        """
        written: Written | None = None
        for item in self.backend.write(query, passages, follow_up=follow_up):
            if isinstance(item, Written):
                written = item
                continue
            if item.citation is not None:
                yield Cited(citation=item.citation)
            if self.verify != "drop":
                yield AnswerText(text=item.text)
        assert written is not None, "a backend ends with the whole answer"
        return written

    def _check(
        self, written: Written, passages: Sequence[Passage]
    ) -> Generator[Event, None, _Checked]:
        """Give each claim a verdict, as it is found; return all."""
        if self.verify == "off":
            yield from (ClaimChecked(claim=claim) for claim in written.claims)
            return _Checked(written.claims, ())
        checks = checks_of(written.claims, written.citations, passages)
        judging = self.checker.judge(checks)
        found: list[Claim] = []
        try:
            for claim in written.claims:
                verdict = next(judging).verdict
                found.append(claim.model_copy(update={"verdict": verdict}))
                yield ClaimChecked(claim=found[-1])
            return _Checked(tuple(found), _returned(judging))
        finally:
            judging.close()

    def _marked(self, written: Written, claims: Sequence[Claim]) -> marking.Marked:
        if self.verify == "off":
            return marking.Marked(written.text, written.citations)
        return marking.apply(written.text, claims, written.citations, drops=self.verify == "drop")


def _citing(claims: Sequence[Claim], citations: Sequence[Citation]) -> tuple[Claim, ...]:
    """Leave out of claims the citations that went with what was dropped."""
    left = {citation.number for citation in citations}
    return tuple(
        claim.model_copy(update={"citations": tuple(n for n in claim.citations if n in left)})
        for claim in claims
    )


def _returned(ended: Generator[object, None, T]) -> T:
    """Return what a generator that has given all its items returns."""
    try:
        next(ended)
    except StopIteration as end:
        returned: T = end.value
        return returned
    raise AssertionError("it has more items than were asked for")


class _Clock:
    """Measures the stages of an answer."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self._laps[stage] = round(1000 * (now - self._last), 3)
        self._last = now

    def timings(self) -> Timings:
        """Return the stages and the total, in milliseconds."""
        return Timings(**self._laps, total=round(1000 * (self._last - self._began), 3))
