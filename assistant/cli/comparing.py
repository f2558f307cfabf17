"""The command that compares papers."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import JsonFlag, LlmOption, NoCacheFlag, open_library, read_settings
from assistant.cli.output import complain, progress
from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.records import ComparisonDone, ComparisonEvent, Usage

_SOME_FAILED = 4
_MUCH = 0.10
_MANY_TOKENS = 200_000
"""US dollars from which a run is confirmed; tokens, where the price is not known."""
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
    propose: Annotated[
        bool,
        typer.Option("--propose", help="Compare also by aspects that the language model proposes."),
    ] = False,
    llm: LlmOption = None,
    no_cache: NoCacheFlag = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before a costly run.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compare papers in a table whose cells are cited, with a summary."""
    from assistant.compare.export import TableFormat, render
    from assistant.records import ComparisonPlanned

    wanted = "json" if as_json else table_format
    if wanted not in _FORMATS:
        raise InputError(f"--format {wanted}: choose one of {', '.join(_FORMATS)}")
    library = open_library(read_settings(llm=llm, no_cache=no_cache))
    aspects = list(aspect or ())
    if propose:
        aspects += _proposed(library, papers or (), question)
    events = library.compare(papers or (), aspects=aspects, question=question, save=save)
    plan = next(events)
    if isinstance(plan, ComparisonPlanned) and plan.expected is not None:
        _confirm(plan.missing, plan.expected, library.settings.llm, yes=yes)
    done = _fill(events)
    print(render(done.comparison, library.papers(), TableFormat(wanted)), end="")
    for note in done.notes:
        complain(f"note: {note}")
    failed = [cell for cell in done.comparison.cells if cell.error is not None]
    for cell in failed:
        complain(f"{cell.paper_id}, {cell.aspect}: {cell.error}")
    if failed:
        raise typer.Exit(_SOME_FAILED)


def _proposed(library: "Library", papers: Sequence[str], question: str | None) -> tuple[str, ...]:
    proposal = library.propose_aspects(papers, question=question)
    if proposal.note is not None:
        complain(f"note: {proposal.note}")
    return proposal.aspects


def _confirm(cells: int, expected: "Usage", llm: str, *, yes: bool) -> None:
    """Ask before a run that may cost a good deal; where nobody can be asked, refuse it.

    Raises:
        InputError: if there is no terminal to ask on.
    """
    taken = expected.input_tokens + expected.output_tokens
    cost = expected.cost_usd
    if yes or (taken < _MANY_TOKENS if cost is None else cost < _MUCH):
        return
    price = "at a price that is not known" if cost is None else f"${cost:.2f}"
    what = f"{cells} cells by {llm}: up to {taken:,} tokens, {price}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError(f"{what}; add --yes to go on, or compare less")
    typer.confirm(f"{what}. Go on?", abort=True, err=True)


def _fill(events: "Iterable[ComparisonEvent]") -> "ComparisonDone":
    """Follow the cells until the table is done."""
    from assistant.records import CellFilled, ComparisonDone

    filled = 0
    with progress() as update:
        for event in events:
            if isinstance(event, CellFilled):
                filled += 1
                update("cells", filled, event.total)
            elif isinstance(event, ComparisonDone):
                return event
    raise AssertionError("the stream ends with the whole table")
