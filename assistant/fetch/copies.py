"""The PDFs fetched so far: by content, with a note per link, and the beginnings of unfinished ones."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from assistant.errors import StorageError
from assistant.files import write_whole
from assistant.records import Record

_MAX_NOTE = 65_536  # bytes

Note = TypeVar("Note", bound=Record)


class FetchedPdf(Record):
    """A PDF on disk. ``fetched`` is when the server last confirmed that it is the current one."""

    path: Path
    sha256: str
    version: int | None
    etag: str | None
    fetched: datetime


class Copy(Record):
    """What is known of the PDF behind a link; ``final_url`` is where redirects ended."""

    url: str
    final_url: str
    sha256: str
    version: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    fetched: datetime


class Part(Record):
    """What an unfinished download is the beginning of: its entity tag, or its date."""

    validator: str


class Copies:
    """A folder of PDFs; what is damaged counts as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, url: str) -> Copy | None:
        """Find the note of a link whose PDF is there, whole."""
        copy = _read(self._note(url), Copy)
        if copy is None or copy.url != url:
            return None
        try:
            with self.path(copy.sha256).open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == copy.sha256
        except OSError:
            return None
        return copy if whole else None

    def keep(self, copy: Copy) -> FetchedPdf:
        """Write the note of a link whose PDF is there."""
        self._write(self._note(copy.url), copy)
        return self.as_fetched(copy)

    def as_fetched(self, copy: Copy) -> FetchedPdf:
        """Describe a copy to those who only want to read it."""
        return FetchedPdf(
            path=self.path(copy.sha256),
            sha256=copy.sha256,
            version=copy.version,
            etag=copy.etag,
            fetched=copy.fetched,
        )

    def path(self, digest: str) -> Path:
        """Where the PDF with this SHA-256 lies."""
        return self._folder / f"{digest}.pdf"

    def part(self, url: str) -> Path:
        """Where the beginning of an unfinished download lies. One process at a time may use it."""
        return self._folder / "parts" / f"{_key(url)}.part"

    def resumable(self, url: str) -> Part | None:
        """Find the beginning of a download that a server may be asked to continue."""
        part = self.part(url)
        with suppress(OSError):
            if part.stat().st_size:
                return _read(part.with_suffix(".json"), Part)
        return None

    def begin(self, url: str, validator: str | None) -> None:
        """Start a download afresh; without a validator it cannot be continued."""
        self.discard(url)
        if validator is not None:
            self._write(self.part(url).with_suffix(".json"), Part(validator=validator))

    def discard(self, url: str) -> None:
        """Forget an unfinished download."""
        with _storage(self._folder):
            self.part(url).unlink(missing_ok=True)
            self.part(url).with_suffix(".json").unlink(missing_ok=True)

    @contextmanager
    def appending(self, url: str) -> Iterator[int]:
        """Open the part for writing; gives its descriptor. What was written is kept in any case."""
        part = self.part(url)
        with _storage(self._folder):
            part.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def complete(self, url: str) -> str:
        """Move a finished download to its final name. Returns its SHA-256 in hex."""
        part = self.part(url)
        with _storage(self._folder):
            with part.open("rb+") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            part.replace(self.path(digest))
        self.discard(url)
        return digest

    def _note(self, url: str) -> Path:
        return self._folder / "links" / f"{_key(url)}.json"

    def _write(self, path: Path, note: Record) -> None:
        with _storage(self._folder):
            write_whole(path, note.model_dump_json().encode())


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]


def _read(path: Path, kind: type[Note]) -> Note | None:
    try:
        with path.open("rb") as file:
            return kind.model_validate_json(file.read(_MAX_NOTE))
    except (OSError, ValidationError):
        return None


@contextmanager
def _storage(folder: Path) -> Iterator[None]:
    """Translate failures to write."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write to {folder}: {error.strerror or error}") from error
