"""What the eval programs print."""

import sys


def say(text: str) -> None:
    """Print a result to stdout, at once."""
    print(text, flush=True)  # noqa: T201 - a program's output


def note(text: str) -> None:
    """Print progress to stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's output
