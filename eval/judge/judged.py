"""The judge's scores of a run: ``judged.jsonl`` beside its results, gone on with where it broke off."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from assistant.errors import InputError, ReplyFormError
from assistant.library import Library
from assistant.models.parallel import in_parallel
from assistant.models.stop import Stop
from assistant.records import Answer, Claim, Record
from eval.cases.dataset import cluster
from eval.judge.judging import BEST, Grade, Judge, asked, expected, fingerprint, shown
from eval.runs.results import RESULTS, Result, read, write
from eval.scores.scorers import Scores
from eval.statistics.means import Interval, mean_interval

FILE = "judged.jsonl"
MEASURES = ("judge_correctness", "judge_completeness", "judge_faithfulness")

T = TypeVar("T")


class Judged(Record):
    """A line of ``judged.jsonl``: a case's scores by the judge, and its reasons.

    ``key`` changes with judge, prompts, case and answer. ``problems`` say why something is unscored.
    """

    id: str
    key: str
    judge: str
    scores: Scores
    reasons: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def judge_run(
    results: Sequence[Result],
    library: Library,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Judged]:
    """Judge every answer of a run by the library's model; what is judged already is not judged again.

    Args:
        results: the run's results.
        library: names the judge in its settings.
        folder: the run's folder, which gets ``judged.jsonl``.
        progress: is told of the cases judged and of their number.

    Raises:
        InputError: if the file cannot be written.
        SettingsError: if the settings name no language model, or one that cannot be used.
        ModelUnavailableError: if it does not answer; what is judged by then is kept.
    """
    name = library.settings.llm
    keys = {result.case.id: _key(result, name) for result in results}
    known = {each.key: each for each in read_judged(folder)}
    done = {case_id: known[key] for case_id, key in keys.items() if key in known}
    todo = [result for result in results if result.case.id not in done]

    def work(result: Result, stop: Stop) -> Judged:
        return _judge(result, Judge(library, stop), key=keys[result.case.id], name=name)

    try:
        write(folder / FILE, done.values())
        with (folder / FILE).open("a", encoding="utf-8") as file:
            progress(len(done), len(results))
            for each in in_parallel(work, todo, workers=library.settings.llm_concurrency):
                file.write(each.model_dump_json() + "\n")
                file.flush()
                done[each.id] = each
                progress(len(done), len(results))
    except OSError as error:
        raise InputError(f"cannot write to {os.fspath(folder)}: {error.strerror}") from error
    return [done[result.case.id] for result in results]


def read_judged(folder: Path) -> list[Judged]:
    """Read what a run's judge said so far; a last line that broke off is left out.

    Raises:
        InputError: if the file is damaged otherwise.
    """
    path = folder / FILE
    remedy = "delete the file, and what the judge said is asked anew"
    return read(path, Judged, tail=True, remedy=remedy) if path.exists() else []


def read_run(folder: Path) -> list[Result]:
    """Read a run's results, with the scores of its judge if it has one.

    Raises:
        InputError: if there is no run in the folder, or a file of it is damaged.
    """
    if not (folder / RESULTS).is_file():
        raise InputError(f"{folder} holds no run: `assistant eval run DATASET --out DIR` makes one")
    judged = {each.id: each.scores for each in read_judged(folder)}
    return [
        result.model_copy(update={"scores": result.scores | judged.get(result.case.id, {})})
        for result in read(folder / RESULTS, Result)
    ]


class Summary(Record):
    """A measure's mean with its 95 % interval, and how many cases have it and have not."""

    interval: Interval | None
    scored: int
    unscored: int


def summary(results: Sequence[Result], judged: Sequence[Judged]) -> dict[str, Summary]:
    """Summarise what the judge said of a run."""
    return {name: _summary(name, results, judged) for name in MEASURES}


def _summary(name: str, results: Sequence[Result], judged: Sequence[Judged]) -> Summary:
    found = [
        (value, cluster(result.case))
        for result, each in zip(results, judged, strict=True)
        if (value := each.scores.get(name)) is not None
    ]
    values, clusters = [value for value, _ in found], [name for _, name in found]
    return Summary(
        interval=mean_interval(values, clusters) if found else None,
        scored=len(found),
        unscored=len(results) - len(found),
    )


def _key(result: Result, judge: str) -> str:
    answer = result.answer
    said = None if answer is None else [shown(answer), *map(_cited_text, _pairs(answer))]
    parts = [judge, fingerprint(), result.case.model_dump(mode="json"), said]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _judge(result: Result, judge: Judge, *, key: str, name: str) -> Judged:
    """Judge one case. Unanswered ones, and refusals where there is nothing to say, have no grades."""
    case, answer = result.case, result.answer
    scores: Scores = dict.fromkeys(MEASURES)
    problems: list[str] = []
    reasons: list[str] = []
    if answer is not None and not answer.refused:
        grade = None
        if case.answerable and expected(case):
            grade = _tried(
                partial(judge.grade, asked(case), expected(case), shown(answer)), problems
            )
        if grade is not None:
            scores |= _graded(grade)
            reasons.append(grade.reason)
        scores["judge_faithfulness"] = _faithfulness(answer, judge, problems)
    elif answer is not None and case.answerable:
        scores["judge_completeness"] = 0.0  # a refusal says nothing wrong, and nothing asked for
    return Judged(
        id=case.id,
        key=key,
        judge=name,
        scores=scores,
        reasons=tuple(reasons),
        problems=tuple(problems),
    )


def _graded(grade: Grade) -> Scores:
    return {
        "judge_correctness": grade.correctness / BEST,
        "judge_completeness": grade.completeness / BEST,
    }


def _faithfulness(answer: Answer, judge: Judge, problems: list[str]) -> float | None:
    """Return the share of claims that what they cite bears out, of those that could be judged."""
    verdicts: list[bool] = []
    for claim, text in _pairs(answer):
        if not text:
            verdicts.append(False)  # it cites nothing
            continue
        found = _tried(partial(judge.support, claim.text, text), problems)
        if found is not None:
            verdicts.append(found.support == "supported")
    return sum(verdicts) / len(verdicts) if verdicts else None


def _pairs(answer: Answer) -> list[tuple[Claim, str]]:
    """Return each claim with the quotes it cites."""
    return [
        (
            claim,
            "\n".join(
                f"{citation.title}: {citation.quote}"
                for citation in answer.citations
                if citation.number in claim.citations
            ),
        )
        for claim in answer.claims
    ]


def _cited_text(pair: tuple[Claim, str]) -> list[str]:
    claim, text = pair
    return [claim.text, text]


def _tried(ask: Callable[[], T | None], problems: list[str]) -> T | None:
    """Ask; note why it is unscored where the judge does not settle, or not in the form asked for."""
    try:
        found = ask()
    except ReplyFormError as error:
        problems.append(str(error))
        return None
    if found is None:
        problems.append("the judge did not settle on a verdict")
    return found
