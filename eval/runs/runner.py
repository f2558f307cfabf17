"""Asks a library every case of a dataset, scores the answers and writes results and report."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from filelock import FileLock, Timeout
from pydantic import ValidationError

from assistant.errors import InputError
from assistant.files import write_whole
from assistant.library import Library
from assistant.records import Record
from eval.cases.dataset import Case, Dataset
from eval.runs.asking import Scored, Texts, ask_and_score, failed
from eval.runs.in_time import in_time
from eval.runs.manifest import Manifest, describe, differences
from eval.runs.results import PASSAGES, RESULTS, Journal, Result, read_passages, write
from eval.runs.summary import Report, summarise

CASE_SECONDS = 300.0
"""How long a case may take."""

MANIFEST = "run.json"
REPORT = "report.json"

_MOST_UNAVAILABLE = 5
"""Cases in a row that a backend may leave without an answer before no more are asked."""

_LOCK = "run.lock"
_REPEATS = "repeats"

Progress = Callable[[int, int], None]


class Run(Record):
    """A finished run: a result for every case, and their summary.

    ``unavailable`` says why, where a backend left all cases without an answer, or too many in a row.
    """

    results: tuple[Result, ...]
    report: Report
    unavailable: str | None = None


class _Series(NamedTuple):
    """All cases asked once; ``unavailable`` as in :class:`Run`."""

    results: list[Result]
    unavailable: str | None


def run(
    dataset: Dataset,
    library: Library,
    out: Path,
    *,
    repeats: int = 1,
    case_seconds: float = CASE_SECONDS,
    progress: Progress = lambda _done, _total: None,
) -> Run:
    """Ask and score every case; write results as they come, in the dataset's order at the end.

    Where the folder holds a part of this very run, it goes on from there: what was answered is not
    asked again, what failed is. Where a backend does not answer for several cases in a row, the rest are
    not asked and count as failed. Models are asked several cases at a time, as many as the settings
    allow. With several repeats, scores are means over them, and answers those of the first; the
    results of each lie in a folder of their own.

    Args:
        dataset: the cases.
        library: the library that is asked; without a cache if repeats are to differ.
        out: the folder to write to, made if it is not there.
        repeats: how often each case is asked.
        case_seconds: how long a case may take; one that takes longer has failed.
        progress: is told of the cases done and of their number, over all repeats.

    Raises:
        InputError: if the folder cannot be written to, is in use, or holds another run.
        LibraryEmptyError: if the library holds no papers.
        SettingsError: if the library's settings cannot be used.
    """
    manifest = describe(dataset, library, repeats=repeats)
    total = repeats * len(dataset.cases)
    with _own(out):
        _begin(out, manifest)
        folders = [out] if repeats == 1 else [out / _REPEATS / str(n + 1) for n in range(repeats)]
        series: list[list[Result]] = []
        unavailable: str | None = None
        for number, folder in enumerate(folders):
            asked, unavailable = _ask_all(
                dataset.cases,
                library,
                folder,
                case_seconds=case_seconds,
                progress=_shifted(progress, number * len(dataset.cases), total),
            )
            series.append(asked)
            if unavailable is not None:
                break
        results = series[0]
        if repeats > 1:
            results = [_merge(each) for each in zip(*series, strict=True)]
            write(out / RESULTS, results)
            write(out / PASSAGES, read_passages(folders[0]).values())
        report = summarise(manifest, results, repeats=series)
        write_whole(out / REPORT, report.model_dump_json(indent=2).encode() + b"\n")
    return Run(results=tuple(results), report=report, unavailable=unavailable)


def read_manifest(folder: Path) -> Manifest:
    """Read what a run was made with.

    Raises:
        InputError: if there is no run in the folder, or its file is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise InputError(f"{folder} holds no run: `assistant eval run DATASET --out DIR` makes one")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} cannot be read: it is damaged, or of another version") from error


@contextmanager
def _own(out: Path) -> Iterator[None]:
    """Make the folder and keep other processes out of it.

    Raises:
        InputError: if it cannot be written to, or is in use.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{os.fspath(out)} is a file: name a folder to write the run to")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / _LOCK, timeout=0):
            yield
    except Timeout as error:
        raise InputError(
            f"another process is writing a run to {out}: wait, or name another folder"
        ) from error
    except OSError as error:
        raise InputError(f"cannot write to {os.fspath(out)}: {error.strerror}") from error


def _begin(out: Path, manifest: Manifest) -> None:
    """Write down what the run is made with, or see that it is what the folder's run was made with."""
    advice = "name another folder with --out, or remove this one"
    if (out / MANIFEST).exists():
        if found := differences(read_manifest(out), manifest):
            raise InputError(f"{out} holds a run with {', '.join(found)}: {advice}")
    elif (out / RESULTS).exists():
        raise InputError(f"{out} holds results that cannot be gone on with: {advice}")
    write_whole(out / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")


def _ask_all(
    cases: Sequence[Case],
    library: Library,
    folder: Path,
    *,
    case_seconds: float,
    progress: Callable[[int], None],
) -> _Series:
    """Ask the cases that the folder has no answer to; return all results in the cases' order."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder)
    found = {each.case.id: each for each in journal.resume(cases)}
    texts = Texts(library)

    def work(case: Case, stop: threading.Event) -> Scored:
        return ask_and_score(case, library, texts, unwanted=stop.is_set)

    todo = [case for case in cases if case.id not in found]
    settings = library.settings
    workers = 1 if settings.llm == "extractive" else settings.llm_concurrency
    if found:
        progress(len(found))
    missed = 0  # cases in a row
    with closing(in_time(work, todo, workers=workers, seconds=case_seconds)) as asked:
        for case, scored in asked:
            late = failed(case, f"no answer within {case_seconds:g} s", seconds=case_seconds)
            result, passages, unavailable = scored or Scored(late)
            journal.add(result, passages)
            found[case.id] = result
            progress(len(found))
            missed = missed + 1 if unavailable else 0
            if missed == _MOST_UNAVAILABLE:
                break
    ended = missed == _MOST_UNAVAILABLE or missed == len(cases)
    unasked = "not asked, as a backend was unavailable"
    ordered = [found.get(case.id) or failed(case, unasked, seconds=0.0) for case in cases]
    journal.finish(ordered)
    return _Series(ordered, result.error if ended else None)


def _shifted(progress: Progress, earlier: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(earlier + done, total)


def _merge(repeats: Sequence[Result]) -> Result:
    """Make one result of those of a case: scores are means over the repeats that they apply to."""
    answered = [each for each in repeats if each.error is None]
    if not answered:
        return repeats[0]
    names = dict.fromkeys(name for each in answered for name in each.scores)
    return answered[0].model_copy(
        update={
            "scores": {name: _mean(name, answered) for name in names},
            "seconds": round(fmean(each.seconds for each in answered), 3),
        }
    )


def _mean(name: str, repeats: Sequence[Result]) -> float | None:
    values = [value for each in repeats if (value := each.scores.get(name)) is not None]
    return round(fmean(values), 6) if values else None
