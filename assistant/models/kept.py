"""Passages as they were read, kept on disk: the next process that asks about them reads nothing anew."""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import numpy as np

from assistant.models.minilm import Array, MiniLM, TokenVectors

_SCHEMA = """
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
    vectors BLOB NOT NULL, spans BLOB NOT NULL, pieces TEXT NOT NULL)
"""
_FEWEST_PIECES = 40
"""A shorter text, such as a question, is read faster than it is looked up and is seldom met again."""

_MOST_BYTES = 250_000_000
_BUSY_SECONDS = 1.0
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
        self, reader: MiniLM, path: Path, *, version: str, most_bytes: int = _MOST_BYTES
    ) -> None:
        """Keep what ``reader`` reads in the file ``path``, which is made when first written to.

        Args:
            reader: what embeds.
            path: the file.
            version: names the reader; what another one read is not used.
            most_bytes: what the file may hold; passages kept longest ago make room.
        """
        self._reader = reader
        self._path = path
        self._version = version
        self._most_bytes = most_bytes
        self.name = reader.name
        self.dimension = reader.dimension
        self.count_tokens = reader.count_tokens

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed texts, and keep their word pieces for the questions to come.

        Raises:
            EmbedderUnavailableError: if the reader cannot.
        """
        vectors, read = self._reader.embed_both(texts)
        self._keep(dict(zip(map(self._key, texts), read, strict=True)))
        return vectors

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed each text's word pieces.

        Raises:
            EmbedderUnavailableError: if the reader cannot.
        """
        keys = {text: self._key(text) for text in texts}
        found = self._read(list(keys.values())) if self._path.is_file() else {}
        new = [text for text, key in keys.items() if key not in found]
        read = {
            keys[text]: _rounded(tokens)
            for text, tokens in zip(new, self._reader.embed_tokens(new) if new else (), strict=True)
        }
        self._keep(read)
        known = found | read
        return [known[keys[text]] for text in texts]

    def forget(self) -> None:
        """Forget all passages."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _key(self, text: str) -> bytes:
        parts = (self._version, text)
        digests = (hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in parts)
        return hashlib.sha256(b"".join(digests)).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, TokenVectors]:
        def look_up(connection: sqlite3.Connection) -> Iterable[tuple[bytes, bytes, bytes, str]]:
            marks = ", ".join("?" * len(keys))
            statement = f"SELECT key, vectors, spans, pieces FROM passages WHERE key IN ({marks})"  # noqa: S608
            return connection.execute(statement, keys).fetchall()

        rows = self._run(look_up) or ()
        loaded = ((key, _load(vectors, spans, pieces)) for key, vectors, spans, pieces in rows)
        return {key: tokens for key, tokens in loaded if tokens is not None}

    def _keep(self, read: Mapping[bytes, TokenVectors]) -> None:
        new = [
            (key, *_dump(tokens))
            for key, tokens in read.items()
            if len(tokens.pieces) >= _FEWEST_PIECES
        ]
        if new:
            self._run(lambda connection: self._write(connection, new))

    def _write(
        self, connection: sqlite3.Connection, new: Sequence[tuple[bytes, bytes, bytes, str]]
    ) -> None:
        connection.execute(_SCHEMA)
        connection.executemany(
            "INSERT OR REPLACE INTO passages (key, vectors, spans, pieces) VALUES (?, ?, ?, ?)",
            new,
        )
        pages, free, page_bytes = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * page_bytes > self._most_bytes:
            connection.execute(
                "DELETE FROM passages WHERE number IN (SELECT number FROM passages ORDER BY number"
                " LIMIT (SELECT 1 + count(*) / 4 FROM passages))"
            )

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            with self._transaction() as connection:
                return work(connection)
        except (sqlite3.OperationalError, OSError) as error:
            _LOG.debug("what was read cannot be kept now: %s", error)
        except sqlite3.Error as error:
            _LOG.debug("what was kept is damaged: %s", error)
            self.forget()
        return None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection, connection:
            yield connection


def _rounded(tokens: TokenVectors) -> TokenVectors:
    return tokens._replace(vectors=tokens.vectors.astype(_VECTOR).astype(np.float32))


def _dump(tokens: TokenVectors) -> tuple[bytes, bytes, str]:
    return (
        tokens.vectors.astype(_VECTOR).tobytes(),
        np.asarray(tokens.spans, _SPAN).tobytes(),
        json.dumps(tokens.pieces),
    )


def _load(vectors: bytes, spans: bytes, pieces: str) -> TokenVectors | None:
    """Read what was kept, or None if it is damaged."""
    try:
        written = tuple(map(str, json.loads(pieces)))
        rows = np.frombuffer(vectors, _VECTOR).reshape(len(written), -1).astype(np.float32)
        places = np.frombuffer(spans, _SPAN).reshape(len(written), 2).tolist()
    except (ValueError, TypeError):
        return None
    return TokenVectors(rows, tuple((begin, end) for begin, end in places), written)
