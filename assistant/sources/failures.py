"""What a reader yields, and the one-line failures among it."""

import re
from pathlib import Path

from assistant.records import SourcedPaper, SourceFailure
from assistant.text import clean, one_line

Item = SourcedPaper | SourceFailure

_CONTROL_SPACE = re.compile(r"[^\S ]")  # any white space but the space, which names may hold twice
_MAX_SOURCE = 1_000  # characters
_MAX_ERROR = 500
_MAX_EXCERPT = 60


def excerpt(text: str) -> str:
    """Quote the beginning of a text, to name it in a message."""
    return f'"{one_line(text, _MAX_EXCERPT)}"'


def location(path: Path | str, line: int | None = None) -> str:
    """Name a file, or a line in it, in a form that is safe to print."""
    name = clean(_CONTROL_SPACE.sub(" ", str(path)))
    return name if line is None else f"{name}:{line}"


def failure(source: str, reason: str) -> SourceFailure:
    """Report what could not be read and why, in one printable line."""
    return SourceFailure(source=location(source)[:_MAX_SOURCE], error=one_line(reason)[:_MAX_ERROR])
