"""The entry point: commands joined, errors turned into one line and an exit code."""

import os
import sys
import traceback

import typer
from typer.exceptions import TyperException

from assistant import __version__
from assistant.__main__ import ADVICE, INTERRUPTED
from assistant.cli import (
    asking,
    cases,
    comparing,
    evaluation,
    library,
    measuring,
    settings,
    ui,
    usage,
)
from assistant.cli.output import Interrupted, complain
from assistant.errors import AssistantError

app = typer.Typer(
    name="assistant",
    help="Ask questions about scientific papers; every sentence of the answer is cited.",
    epilog="Start with `assistant demo`. Every command has its own --help; --debug shows tracebacks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
library.register(app)
asking.register(app)
comparing.register(app)
evaluation.register(app)
cases.register(evaluation.eval_app)
measuring.register(evaluation.eval_app)
settings.register(app)
ui.register(app)
usage.register(app)


def _print_version(value: bool) -> None:
    if value:
        print(f"paper-assistant {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Ask questions about scientific papers; every sentence of the answer is cited."""


def main() -> None:
    """Run the command line and exit with the code that the interface promises."""
    debug = "--debug" in sys.argv
    sys.exit(run([argument for argument in sys.argv[1:] if argument != "--debug"], debug=debug))


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command; return its exit code."""
    try:
        return _run(arguments)
    except (KeyboardInterrupt, Interrupted) as interrupt:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has shown ^C
        complain(f"interrupted; {str(interrupt) or ADVICE}")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has read enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence
        from assistant.models.failures import redact

        if debug:
            print(redact(traceback.format_exc()), file=sys.stderr, end="")
        if isinstance(error, AssistantError):
            complain(f"error: {error}")
            return error.exit_code
        complain(
            f"error: unexpected {type(error).__name__}: {redact(str(error))} (--debug shows where)"
        )
        return 1


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, standalone_mode=False)
    except TyperException as error:
        complain(f"error: {error.format_message()} (see `assistant --help`)")
        return 2
    except typer.Abort as interrupt:
        raise KeyboardInterrupt from interrupt
    except SystemExit as end:  # typer makes one of a reader who has gone
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        raise
    sys.stdout.flush()  # so that a reader who has gone is noticed here and not at exit
    if code == INTERRUPTED:  # typer has taken the interrupt for an exit
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0
