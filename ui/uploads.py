"""Uploaded files, checked and laid into the home, from where they are ingested."""

import hashlib
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from assistant.conversations import new_id
from assistant.errors import StorageError
from assistant.records import SourceFailure
from assistant.text import clean

FOLDER = "uploads"
"""Of the home."""

SUFFIXES = ("pdf", "txt", "md", "jsonl", "bib")
"""Kinds of files taken."""

MAX_MEGABYTES = 100
"""Of one file."""

_MAX_NAME = 80
_LEFT_OVER = 24 * 60 * 60  # seconds after which no ingest still needs an upload


class Upload(Protocol):
    """What the page hands over."""

    @property
    def name(self) -> str:
        """The file's name as the browser gives it."""

    def getvalue(self) -> bytes:
        """Its content."""


class Kept(NamedTuple):
    """The files laid down, the folder made for them, and those that were not taken."""

    folder: Path
    paths: tuple[str, ...]
    refused: tuple[SourceFailure, ...]


def keep(uploads: Iterable[Upload], folder: Path) -> Kept:
    """Write uploads into a new folder under ``folder``: nobody's name leads out of it.

    Raises:
        StorageError: if the folder cannot be written to.
    """
    batch = folder / new_id()
    paths: list[str] = []
    refused: list[SourceFailure] = []
    for upload in uploads:
        content, name = upload.getvalue(), file_name(upload.name)
        if (problem := _problem(name, content)) is not None:
            refused.append(SourceFailure(source=name, error=problem))
            continue
        place = batch / hashlib.sha256(content).hexdigest()[:16]
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        except OSError as error:
            raise StorageError(
                f"cannot write to {place} ({error.strerror or error}): check disk and permissions"
            ) from error
        paths.append(str(place / name))
    return Kept(batch, tuple(paths), tuple(refused))


def discard(folder: Path) -> None:
    """Delete uploads that are in the library now, or not wanted any more."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Delete what an app that ended in the middle of an ingest left behind."""
    for batch in folder.glob("*"):
        with suppress(OSError):  # gone meanwhile
            if batch.stat().st_mtime < time.time() - _LEFT_OVER:
                discard(batch)


def file_name(name: str) -> str:
    """Make a file name of a browser's: no folders, no odd characters, not too long."""
    last = re.split(r"[/\\]", clean(name))[-1]
    stem, _, suffix = last.rpartition(".")
    stem = re.sub(r"[^\w\- ]+", "-", stem).strip("-. ")[:_MAX_NAME] or "upload"
    return f"{stem}.{re.sub(r'[^a-z0-9]', '', suffix.lower())[:10]}"


def _problem(name: str, content: bytes) -> str | None:
    suffix = name.rpartition(".")[2]
    if suffix not in SUFFIXES:
        return f"is not one of {', '.join(SUFFIXES)}"
    if not content:
        return "is empty"
    if len(content) > MAX_MEGABYTES * 1_000_000:
        return f"is over {MAX_MEGABYTES} MB"
    if suffix == "pdf" and b"%PDF-" not in content[:1024]:
        return "is no PDF, whatever its name says"
    return None
