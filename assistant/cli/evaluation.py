"""Commands that measure the assistant: eval run, eval report, eval diff."""

import math
import shlex
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import JsonFlag, LlmOption, open_library, read_settings
from assistant.cli.output import Interrupted, complain, print_json, progress
from assistant.errors import GateError, InputError, UnavailableError
from assistant.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.analysis.differences import Diff, Floor, Loaded
    from eval.runs.runner import Run

SOME_FAILED = 4

eval_app = typer.Typer(
    help="Ask a library questions with known answers, and score what it says.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    app.add_typer(eval_app, name="eval", rich_help_panel=None)


@eval_app.callback()
def _group() -> None:
    """Ask a library questions with known answers, and score what it says."""


@eval_app.command("run", epilog="Example: assistant eval run questions.yaml --out runs/first")
def run(
    dataset: Annotated[
        Path, typer.Argument(help="Cases: a YAML list or JSONL.", show_default=False)
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results; else a new one under the home. A run that broke off "
            "there goes on.",
            show_default=False,
        ),
    ] = None,
    llm: LlmOption = None,
    gate: Annotated[
        Path | None,
        typer.Option(
            metavar="BASELINE",
            help="A run's folder or results file: fail with exit code 6 if a measure is worse "
            "beyond chance.",
            show_default=False,
        ),
    ] = None,
    floor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=VALUE",
            help="Fail with exit code 6 if the measure's mean is below, or any case failed (see "
            "completed=SHARE); may be given several times.",
            show_default=False,
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, max=100, help="Ask each case so often; models are asked anew.")
    ] = 1,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="What a case may take.")
    ] = 300.0,
    as_json: JsonFlag = False,
) -> None:
    """Ask the library every question of a dataset, score the answers, write results and reports."""
    from eval.analysis import differences
    from eval.cases.dataset import load
    from eval.runs.runner import run as run_cases
    from eval.runs.summary import table
    from eval.scores.scorers import can_score

    cases = load(dataset)
    floors = [_floor(each) for each in floor or ()]
    for each in floors:
        if not can_score(each.measure, cases.cases):
            raise InputError(f"--floor {each.measure}: no case of {dataset} can have that measure")
    baseline = differences.load(gate) if gate is not None else None
    if baseline is not None:
        differences.require_same_dataset(baseline, dataset_hash=cases.digest, second=str(dataset))
        if all(each.error is not None for each in baseline.results):
            raise InputError(
                f"--gate {gate}: no case was answered in it, so nothing compares with it"
            )
    library = open_library(read_settings(llm=llm, no_cache=repeats > 1))
    folder = (
        out or library.settings.home / "runs" / f"{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"
    )
    try:
        with progress() as update:
            finished = run_cases(
                cases,
                library,
                folder,
                repeats=repeats,
                case_seconds=timeout,
                progress=partial(update, "Asking"),
            )
    except KeyboardInterrupt as interrupt:
        named = "" if out else f", with --out {shlex.quote(str(folder))}"
        raise Interrupted(f"run the same command again{named} to go on") from interrupt
    for failure in finished.report.failures if finished.unavailable is None else ():
        complain(f"failed: {failure.id}: {failure.error}")
    if as_json:
        print_json(finished.report.model_dump(mode="json"))
    else:
        print(table(finished.report))
        print(f"\nResults: {one_line(str(folder))}")
    _conclude(folder, finished, baseline, floors)


@eval_app.command("report", epilog="Example: assistant eval report runs/first")
def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A finished run.", show_default=False)
    ],
) -> None:
    """Write a finished run's reports anew, for people (HTML, Markdown) and for CI (JUnit XML)."""
    from eval.reports.publish import HTML, JUNIT, MARKDOWN, republish
    from eval.runs.summary import table

    print(table(republish(folder)))
    print()
    for name in (HTML, MARKDOWN, JUNIT):
        print(one_line(str(folder / name)))


@eval_app.command("diff", epilog="Example: assistant eval diff runs/first runs/second")
def diff(
    first: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run, the one before.", show_default=False)
    ],
    second: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run, the one after.", show_default=False)
    ],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Compare two runs of the same cases: what changed beyond chance, and what did not."""
    from eval.analysis import differences

    found = differences.compare(differences.load(first), differences.load(second))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if found.conditions:
        complain(f"note: the runs were made with {', '.join(found.conditions)}")
    print(differences.table(found))
    print(f"\n{differences.verdict(found)}")


def _floor(text: str) -> "Floor":
    """Read ``MEASURE=VALUE``."""
    from eval.analysis.differences import Floor
    from eval.scores.measures import COMPLETED, MEASURES

    name, _, value = text.partition("=")
    known = (*MEASURES, COMPLETED)
    if name not in known:
        raise InputError(f"--floor {text}: no such measure; there are {', '.join(known)}")
    try:
        least = float(value)
    except ValueError:
        least = math.nan
    if not math.isfinite(least):
        raise InputError(f"--floor {text}: expected MEASURE=VALUE, as in fact_recall=0.8")
    return Floor(name, least)


def _conclude(
    folder: Path, finished: "Run", baseline: "Loaded | None", floors: "Sequence[Floor]"
) -> None:
    """Publish the run, and end as it deserves."""
    from eval.reports.publish import publish

    if finished.unavailable is not None:
        publish(folder)
        raise UnavailableError(
            f"{finished.unavailable}; {_answered(finished)}: mend it, then go on with --out {folder}"
        )
    compared, reasons = None, None
    if baseline is not None or floors:
        try:
            compared, reasons = _judge(folder, finished, baseline, floors)
        except InputError:
            publish(folder)  # a gate that cannot be judged takes no report away
            raise
    publish(folder, diff=compared, gate=reasons)
    if reasons:
        raise GateError(f"the gate fails: {'; '.join(reasons)}")
    if reasons is not None:
        complain("the gate passes")
    if finished.report.failures:
        raise typer.Exit(SOME_FAILED)


def _judge(
    folder: Path, finished: "Run", baseline: "Loaded | None", floors: "Sequence[Floor]"
) -> "tuple[Diff | None, list[str]]":
    """Compare a run with its baseline and floors; say why the gate fails, a line each."""
    from eval.analysis import differences

    group = finished.report.overall
    if group.errors == group.cases:
        return None, ["no case was answered"]
    compared = differences.compare(baseline, differences.load(folder)) if baseline else None
    return compared, differences.failures(compared, differences.overall(finished.report), floors)


def _answered(finished: "Run") -> str:
    group = finished.report.overall
    return f"{group.cases - group.errors} of {group.cases} cases have an answer"
