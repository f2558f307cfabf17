"""What reaches the terminal: results on stdout, all else on stderr, nothing raw from a paper."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from assistant.text import clean


def complain(message: str) -> None:
    """Print one line to stderr."""
    print(one_line(message), file=sys.stderr)


def one_line(text: str) -> str:
    """Return text safe for a terminal, on one line."""
    return " ".join(clean(text).split())


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
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr while the block runs; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
