"""Commands that measure the assistant: eval run."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.common import LlmOption, open_library, read_settings
from assistant.cli.output import complain, one_line, progress

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
        typer.Option(help="Folder for the results; else a new one under the home."),
    ] = None,
    llm: LlmOption = None,
) -> None:
    """Ask the library every question of a dataset, score the answers, write results and report."""
    from eval.cases import load
    from eval.report import table
    from eval.runner import run as run_cases

    cases = load(dataset)
    library = open_library(read_settings(llm=llm))
    folder = (
        out or library.settings.home / "runs" / f"{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"
    )
    with progress() as update:
        report = run_cases(cases, library, folder, progress=partial(update, "Asking")).report
    for failure in report.failures:
        complain(f"failed: {failure.id}: {failure.error}")
    print(table(report))
    print(f"\nResults: {one_line(str(folder))}")
    if report.failures:
        raise typer.Exit(SOME_FAILED)
