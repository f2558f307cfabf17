"""What reaches the terminal: results on stdout, all else on stderr, nothing raw from a paper."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from assistant.text import one_line


class Interrupted(Exception):  # noqa: N818 - no error
    """Ctrl-C; it says how to go on."""


def complain(message: str) -> None:
    """Print one line to stderr."""
    print(one_line(message), file=sys.stderr)


def print_json(document: Any) -> None:  # noqa: ANN401 - any JSON document
    """Print one JSON document to stdout."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


def bold(text: str) -> str:
    """Emphasise, where stdout is a terminal that shows it."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\x1b[1m{text}\x1b[0m" if coloured else text


def wrap(text: str, *, indent: str = "") -> str:
    """Wrap text to the terminal's width, or to 100 columns where there is none."""
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    return textwrap.fill(
        text,
        width=width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar per stage on stderr while the block runs, with the time still to go.

    Nothing is shown where stderr is no terminal.
    """
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), transient=True) as bar:

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield update
