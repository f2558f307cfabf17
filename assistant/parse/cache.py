"""Documents already read, by the content of their PDF and the version of the reader."""

import gzip
import json
import zlib
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from assistant.errors import PdfError, StorageError
from assistant.files import write_whole
from assistant.records import Document

_LEVEL = 6  # of compression; 1 takes a third more space, 9 saves 3 % and takes a third more time
_MAX_NOTE = 10_000  # bytes


class DocumentCache:
    """A folder of documents; a damaged entry counts as none.

    Args:
        folder: made when the first document is stored.
        version: of the reader; documents of another version are not found.
        max_bytes: the largest document, as JSON.
    """

    def __init__(self, folder: Path, *, version: str, max_bytes: int) -> None:
        self._folder = folder
        self._version = version
        self._max_bytes = max_bytes

    def get(self, digest: str) -> Document | None:
        """Find the document of the PDF with this SHA-256.

        Raises:
            PdfError: if that PDF could not be read, as :meth:`note_failure` was told.
        """
        with (
            suppress(OSError, EOFError, zlib.error, ValueError),
            gzip.open(self._path(digest), "rb") as file,
        ):
            return self.check(file.read(self._max_bytes + 1))
        with (
            suppress(OSError, ValueError, TypeError, KeyError),
            self._note(digest).open("rb") as file,
        ):
            raise PdfError(str(json.loads(file.read(_MAX_NOTE))["error"]))
        return None

    def check(self, content: bytes) -> Document:
        """Build a document from JSON. Raises ``ValueError`` for one that contradicts itself."""
        if len(content) > self._max_bytes:
            raise ValueError(f"is over {self._max_bytes} bytes")
        try:
            document = Document.model_validate_json(content)
        except ValidationError as error:
            raise ValueError(f"is no document: {error.errors()[0]['msg']}") from error
        _check_offsets(document)
        return document

    def put(self, digest: str, content: bytes) -> None:
        """Keep a document's JSON. Raises ``StorageError`` if there is no room."""
        self._write(self._path(digest), gzip.compress(content, _LEVEL, mtime=0))
        self._note(digest).unlink(missing_ok=True)

    def note_failure(self, digest: str, message: str) -> None:
        """Remember that this version of the reader cannot read that PDF."""
        self._write(self._note(digest), json.dumps({"error": message}).encode())

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}-{self._version}.json.gz"

    def _note(self, digest: str) -> Path:
        return self._folder / f"{digest}-{self._version}.failed"

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_whole(path, content)
        except OSError as error:
            raise StorageError(
                f"cannot write to {self._folder}: {error.strerror or error}"
            ) from error


def _check_offsets(document: Document) -> None:
    """Refuse spans outside the text or out of order, and places outside the pages."""
    length, pages, end = len(document.text), len(document.pages), 0
    for block in document.blocks:
        if not end <= block.start <= block.end <= length:
            raise ValueError("has blocks out of order")
        end = block.end
    for line in document.lines:
        if not (0 <= line.start <= line.end <= length and 0 <= line.page <= pages):
            raise ValueError("has lines outside its text or pages")
    if document.abstract and not 0 <= document.abstract[0] <= document.abstract[1] <= length:
        raise ValueError("has an abstract outside its text")
