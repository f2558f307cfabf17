"""One case asked, and what the answer is scored by."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from assistant.errors import (
    AssistantError,
    LibraryEmptyError,
    PaperNotFoundError,
    ReplyFormError,
    SettingsError,
    UnavailableError,
)
from assistant.library import Library
from assistant.records import Answer, AnswerDone, Passage, PassagesFound
from eval.cases.dataset import Case
from eval.runs.results import Result
from eval.scores.scorers import Outcome, score
from eval.scores.support import check


class Heard(NamedTuple):
    """An answer, and the passages it may rest on."""

    answer: Answer
    passages: tuple[Passage, ...]


class Scored(NamedTuple):
    """A case's result, the passages retrieved for it, and whether it failed as a backend did not answer."""

    result: Result
    passages: tuple[Passage, ...] = ()
    unavailable: bool = False


class Texts:
    """The texts that quotes are looked for in, each read once."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, answer: Answer) -> dict[str, tuple[str, ...]]:
        """Return the texts of the papers that an answer cites."""
        cited = {citation.paper_id for citation in answer.citations}
        for paper_id in cited - self._known.keys():
            with suppress(PaperNotFoundError):  # a citation of nothing: its quote cannot be found
                paper = self._library.paper(paper_id)
                document = self._library.document(paper_id)
                full_text = (document.text,) if document else ()
                self._known[paper_id] = (paper.abstract, paper.title, *full_text)
        return {paper_id: self._known[paper_id] for paper_id in cited & self._known.keys()}


def ask(case: Case, library: Library, *, unwanted: Callable[[], bool] = lambda: False) -> Heard:
    """Ask one case's question and return the whole answer.

    Args:
        case: the case.
        library: what is asked.
        unwanted: is asked after every piece whether nobody waits for the answer any more.

    Raises:
        AssistantError: if there is no answer.
    """
    passages: tuple[Passage, ...] = ()
    for event in library.ask(case.question, history=case.history):
        if isinstance(event, PassagesFound):
            passages = event.passages
        if isinstance(event, AnswerDone):
            return Heard(event.answer, passages)
        if unwanted():
            break
    raise AssistantError("the answer broke off")


def ask_and_score(
    case: Case, library: Library, texts: Texts, *, unwanted: Callable[[], bool] = lambda: False
) -> Scored:
    """Ask one case and score the answer. A failure is the case's, not the run's.

    Raises:
        LibraryEmptyError: if there is nothing to ask.
        SettingsError: if the library's settings cannot be used.
    """
    started = time.perf_counter()
    try:
        heard = ask(case, library, unwanted=unwanted)
        seconds = _since(started)
        outcome = Outcome(
            case,
            heard.answer,
            texts.of(heard.answer),
            passages=heard.passages,
            support=check(heard.answer, heard.passages, library),
        )
    except (LibraryEmptyError, SettingsError):
        raise  # no case can be asked
    except Exception as error:  # noqa: BLE001 - one case's failure is not the run's
        absent = isinstance(error, UnavailableError) and not isinstance(error, ReplyFormError)
        return Scored(failed(case, _line(error), seconds=_since(started)), unavailable=absent)
    result = Result(
        case=case, answer=heard.answer, error=None, scores=_rounded(score(outcome)), seconds=seconds
    )
    return Scored(result, heard.passages)


def failed(case: Case, error: str, *, seconds: float) -> Result:
    """Return the result of a case that has no answer."""
    return Result(case=case, answer=None, error=error, scores={}, seconds=seconds)


def _rounded(scores: dict[str, float | None]) -> dict[str, float | None]:
    """Round to what two machines agree on."""
    return {name: None if value is None else round(value, 6) for name, value in scores.items()}


def _line(error: Exception) -> str:
    line = " ".join(str(error).split())
    return line if isinstance(error, AssistantError) else f"{type(error).__name__}: {line}"


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
