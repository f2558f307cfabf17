"""The command that compares papers."""

from typing import Annotated

import typer

from assistant.cli.common import JsonFlag, open_library
from assistant.cli.output import complain, progress
from assistant.errors import InputError
from assistant.records import CellFilled, ComparisonDone

_SOME_FAILED = 4
_FORMATS = ("markdown", "csv", "latex", "json")


def register(app: typer.Typer) -> None:
    """Add this module's command to the app."""
    app.command(
        epilog="Example: assistant compare 2503.14476 2503.13288 --aspect benchmarks --aspect code"
    )(compare)


def compare(
    papers: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Papers.", show_default=False)
    ] = None,
    *,
    aspect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="What to compare; may be given several times. By default problem, method, data, base model, "
            "benchmarks, headline result, limitations and code.",
            show_default=False,
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Compare the papers that match.", show_default=False),
    ] = None,
    table_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="markdown, csv, latex or json.")
    ] = "markdown",
    save: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Keep the table; the next time, only what is new or has changed is filled.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare papers in a table whose cells are cited, with a summary."""
    wanted = "json" if as_json else table_format
    if wanted not in _FORMATS:
        raise InputError(f"--format {wanted}: choose one of {', '.join(_FORMATS)}")
    library = open_library()
    events = library.compare(papers or (), aspects=aspect or (), question=question, save=save)
    with progress() as update:
        for filled, event in enumerate(events, start=1):
            if isinstance(event, CellFilled):
                update("cells", filled, event.total)
            elif isinstance(event, ComparisonDone):
                table = event.comparison
    from assistant.compare.export import TableFormat, render

    print(render(table, library.papers(), TableFormat(wanted)), end="")
    failed = [cell for cell in table.cells if cell.error is not None]
    for cell in failed:
        complain(f"{cell.paper_id}, {cell.aspect}: {cell.error}")
    if failed:
        raise typer.Exit(_SOME_FAILED)
