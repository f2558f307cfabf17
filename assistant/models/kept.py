"""Passages as they were read, kept on disk: the next process that asks about them reads nothing anew."""

import hashlib
import json
import logging
import shutil
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from assistant.models.minilm import Array, MiniLM, TokenVectors

_SCHEMA = """
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
    vectors BLOB NOT NULL, spans BLOB NOT NULL, pieces TEXT NOT NULL, checksum INTEGER NOT NULL)
"""
_COLUMNS = "key, vectors, spans, pieces, checksum"
_FEWEST_PIECES = 40
"""A shorter text, such as a question, is read faster than it is looked up and is seldom met again."""

_MOST_BYTES = 250_000_000
_SPARE_BYTES = 1_000_000_000
"""What stays free on the disk: the library itself may need it."""

_SLICE = 16
"""Texts that are read, and kept, in one go."""

_BUSY_SECONDS = 0.2
_PAUSE_SECONDS = 30.0
"""How long to wait for another process, and how long to do without the file after that."""

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
}
"""Failures that say nothing against the file. After any other it is begun anew."""

_VECTOR = np.dtype("<f2")
_SPAN = np.dtype("<i4")
_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class KeptReader:
    """The local embedder, which keeps the passages it reads.

    Vectors are rounded to 16 bits, kept or not, so that both give the same answers. A file that cannot be
    read or written is as good as empty. Thread-safe, and safe for several processes.
    """

    def __init__(
        self,
        reader: MiniLM,
        path: Path,
        *,
        generation: Callable[[], object] = lambda: None,
        most_bytes: int = _MOST_BYTES,
        spare_bytes: int = _SPARE_BYTES,
    ) -> None:
        """Keep what ``reader`` reads in the file ``path``, which is made when first written to.

        Args:
            reader: what embeds; what another one read is not used.
            path: the file.
            generation: names the state of the library: what is read while it changes is not kept, as it
                may be of a paper that was removed.
            most_bytes: what the file may hold; passages kept longest ago make room.
            spare_bytes: what is to stay free on the disk.
        """
        self.name = reader.name
        self.dimension = reader.dimension
        self.count_tokens = reader.count_tokens
        self._reader = reader
        self._path = path
        self._generation = generation
        self._most_bytes = most_bytes
        self._spare_bytes = spare_bytes
        self._idle_until = 0.0

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed texts, and keep their word pieces for the questions to come.

        Raises:
            EmbedderUnavailableError: if the reader cannot.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for rows in _slices(texts):
            batch = [texts[row] for row in rows]
            with self._keeping() as kept:
                vectors[rows], read = self._reader.embed_both(batch)
                kept.extend(zip(map(self._key, batch), read, strict=True))
        return vectors

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed each text's word pieces.

        Raises:
            EmbedderUnavailableError: if the reader cannot.
        """
        keys = {text: self._key(text) for text in texts}
        known = self._read(list(keys.values())) if self._path.is_file() else {}
        new = [text for text, key in keys.items() if key not in known]
        for rows in _slices(new):
            batch = [new[row] for row in rows]
            with self._keeping() as kept:
                read = map(_rounded, self._reader.embed_tokens(batch))
                kept.extend(zip(map(self._key, batch), read, strict=True))
            known |= kept
        return [known[keys[text]] for text in texts]

    def forget(self) -> None:
        """Forget all passages."""
        for path in (self._path, self._path.with_name(f"{self._path.name}-journal")):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _key(self, text: str) -> bytes:
        named = f"{self._reader.version}\n{text}"
        return hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, TokenVectors]:
        def look_up(connection: sqlite3.Connection) -> Iterable[tuple[bytes, _Row]]:
            marks = ", ".join("?" * len(keys))
            statement = f"SELECT {_COLUMNS} FROM passages WHERE key IN ({marks})"  # noqa: S608 - constant
            return [(key, _Row(*row)) for key, *row in connection.execute(statement, keys)]

        loaded = ((key, _load(row, self.dimension)) for key, row in self._run(look_up) or ())
        return {key: tokens for key, tokens in loaded if tokens is not None}

    @contextmanager
    def _keeping(self) -> Iterator[list[tuple[bytes, TokenVectors]]]:
        """Keep what is put into the list, unless the library changes meanwhile."""
        before = self._generation()
        read: list[tuple[bytes, TokenVectors]] = []
        yield read
        long = [(key, tokens) for key, tokens in read if len(tokens.pieces) >= _FEWEST_PIECES]
        if long and self._has_room() and self._generation() == before:
            self._run(lambda connection: self._write(connection, long))

    def _has_room(self) -> bool:
        with suppress(OSError):
            return shutil.disk_usage(self._path.parent).free > self._spare_bytes
        return False

    def _write(
        self, connection: sqlite3.Connection, new: Sequence[tuple[bytes, TokenVectors]]
    ) -> None:
        connection.execute(_SCHEMA)
        connection.executemany(
            f"INSERT OR REPLACE INTO passages ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - constant
            [(key, *_dump(tokens)) for key, tokens in new],
        )
        deleted = 1
        while deleted and _bytes_held(connection) > self._most_bytes:
            deleted = connection.execute(
                "DELETE FROM passages WHERE number IN (SELECT number FROM passages ORDER BY number"
                " LIMIT (SELECT 1 + count(*) / 4 FROM passages))"
            ).rowcount

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        if time.monotonic() < self._idle_until:
            return None
        try:
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
            with closing(connection), connection:
                return work(connection)
        except (sqlite3.Error, OSError) as error:
            _LOG.debug("what was read cannot be kept: %s", error)
            if isinstance(error, OSError) or _kind(error) in _PASSING:
                self._idle_until = time.monotonic() + _PAUSE_SECONDS
            else:
                self.forget()
        return None


class _Row(NamedTuple):
    vectors: bytes
    spans: bytes
    pieces: str
    checksum: int


def _slices(texts: Sequence[str]) -> list[list[int]]:
    """Cut texts into slices, those of about one length together, as the reader works fastest."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    return [order[first : first + _SLICE] for first in range(0, len(order), _SLICE)]


def _kind(error: sqlite3.Error) -> int | None:
    """Return SQLite's code without what it says of the place, or None where SQLite itself did not fail."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _bytes_held(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _rounded(tokens: TokenVectors) -> TokenVectors:
    return tokens._replace(vectors=tokens.vectors.astype(_VECTOR).astype(np.float32))


def _dump(tokens: TokenVectors) -> _Row:
    vectors = tokens.vectors.astype(_VECTOR).tobytes()
    spans = np.asarray(tokens.spans, _SPAN).tobytes()
    pieces = json.dumps(tokens.pieces)
    return _Row(vectors, spans, pieces, _checksum(vectors, spans, pieces))


def _load(row: _Row, dimension: int) -> TokenVectors | None:
    """Read what was kept, or None if it is damaged."""
    try:
        if _checksum(row.vectors, row.spans, row.pieces) != row.checksum:
            return None
        pieces = tuple(map(str, json.loads(row.pieces)))
        vectors = np.frombuffer(row.vectors, _VECTOR).reshape(len(pieces), dimension)
        spans = np.frombuffer(row.spans, _SPAN).reshape(len(pieces), 2).tolist()
    except (ValueError, TypeError, AttributeError):
        return None
    return TokenVectors(
        vectors.astype(np.float32), tuple((begin, end) for begin, end in spans), pieces
    )


def _checksum(vectors: bytes, spans: bytes, pieces: str) -> int:
    return zlib.crc32(vectors + spans + pieces.encode())
