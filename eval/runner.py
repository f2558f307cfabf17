"""Asks a library every case of a dataset, scores the answers and writes results and report."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from assistant.errors import (
    AssistantError,
    InputError,
    LibraryEmptyError,
    PaperNotFoundError,
    SettingsError,
)
from assistant.library import Library
from assistant.records import Answer, AnswerDone, Record
from eval.cases import Case, Dataset
from eval.report import Report, summarise
from eval.scorers import Outcome, score


class Result(Record):
    """A line of ``results.jsonl``. A case that failed has an error and neither answer nor scores."""

    case: Case
    answer: Answer | None
    error: str | None
    scores: dict[str, float | None]
    seconds: float


class Run(Record):
    """A finished run: a result for every case, and their summary."""

    results: tuple[Result, ...]
    report: Report


def run(
    dataset: Dataset,
    library: Library,
    out: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Run:
    """Ask and score every case; write ``results.jsonl`` as it goes and ``report.json`` at the end.

    Args:
        dataset: the cases.
        library: the library that is asked.
        out: the folder to write to, made if it is not there.
        progress: is told of the cases done and of their number.

    Raises:
        InputError: if the folder cannot be written to.
        LibraryEmptyError: if the library holds no papers.
        SettingsError: if the library's settings cannot be used.
    """
    results: list[Result] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "results.jsonl").open("w", encoding="utf-8") as file:
            for result in _results(dataset, library):
                file.write(result.model_dump_json() + "\n")
                file.flush()
                results.append(result)
                progress(len(results), len(dataset.cases))
        report = summarise(dataset, results, settings=library.settings)
        unfinished = out / "report.json.new"
        unfinished.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
        unfinished.replace(out / "report.json")
    except OSError as error:
        raise InputError(f"cannot write to {os.fspath(out)}: {error.strerror}") from error
    return Run(results=tuple(results), report=report)


def _results(dataset: Dataset, library: Library) -> Iterator[Result]:
    texts = _Texts(library)
    for case in dataset.cases:
        started = time.perf_counter()
        try:
            answer = ask(case, library)
        except (LibraryEmptyError, SettingsError):
            raise  # no case can be asked
        except Exception as error:  # noqa: BLE001 - one case's failure is not the run's
            yield _failed(case, error, seconds=_since(started))
            continue
        seconds = _since(started)
        outcome = Outcome(case, answer, texts.of(answer), seconds)
        yield Result(case=case, answer=answer, error=None, scores=score(outcome), seconds=seconds)


def ask(case: Case, library: Library) -> Answer:
    """Ask one case's question and return the whole answer."""
    for event in library.ask(case.question, history=case.history):
        if isinstance(event, AnswerDone):
            return event.answer
    raise AssistantError("the answer broke off")


def _failed(case: Case, error: Exception, *, seconds: float) -> Result:
    line = " ".join(str(error).split())
    message = line if isinstance(error, AssistantError) else f"{type(error).__name__}: {line}"
    return Result(case=case, answer=None, error=message, scores={}, seconds=seconds)


class _Texts:
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


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
