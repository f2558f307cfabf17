"""Replies of models on disk: LangChain's cache over a SQLite file. The questions are kept as hashes only."""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.caches import BaseCache
from langchain_core.messages import message_to_dict, messages_from_dict
from langchain_core.outputs import ChatGeneration, Generation

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS replies"
    " (key TEXT PRIMARY KEY, used INTEGER NOT NULL, reply TEXT NOT NULL)"
)
_NEXT = "(SELECT 1 + coalesce(max(used), 0) FROM replies)"
_BUSY_SECONDS = 5.0
_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class ReplyCache(BaseCache):
    """Keeps the ``limit`` replies used last. One that cannot be read or written is as good as empty.

    Thread-safe, and safe for several processes: each access is a transaction of its own.
    """

    def __init__(self, path: Path, *, limit: int = 5_000) -> None:
        """Keep the replies in the file ``path``, which is made when first written to."""
        self._path = path
        self._limit = limit

    def lookup(self, prompt: str, llm_string: str) -> Sequence[Generation] | None:
        """Return what was kept for a prompt and a model with its parameters."""
        key = _key(prompt, llm_string)

        def read(connection: sqlite3.Connection) -> str | None:
            connection.execute(f"UPDATE replies SET used = {_NEXT} WHERE key = ?", (key,))  # noqa: S608
            row = connection.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

        text = self._run(read) if self._path.is_file() else None
        try:
            return None if text is None else [_load(each) for each in json.loads(text)]
        except (ValueError, TypeError, KeyError):
            return None

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        """Keep a reply; those used longest ago make room."""
        reply = json.dumps([_dump(each) for each in return_val])
        key = _key(prompt, llm_string)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT OR REPLACE INTO replies VALUES (?, {_NEXT}, ?)",  # noqa: S608 - constant
                (key, reply),
            )
            connection.execute(
                "DELETE FROM replies WHERE key IN"
                " (SELECT key FROM replies ORDER BY used DESC LIMIT -1 OFFSET ?)",
                (self._limit,),
            )

        self._run(write)

    def clear(self, **_kwargs: Any) -> None:  # noqa: ANN401 - as LangChain declares it
        """Forget all replies."""

        def forget(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM replies")

        if self._path.is_file():
            self._run(forget)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            with self._transaction() as connection:
                return work(connection)
        except (sqlite3.Error, OSError) as error:
            _LOG.debug("the cache of replies cannot be used: %s", error)
            return None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_SCHEMA)
            yield connection


def _key(prompt: str, llm_string: str) -> str:
    # Each is hashed before they are joined, so that no two pairs can meet in one text.
    parts = (
        hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest()
        for part in (prompt, llm_string)
    )
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _dump(generation: Generation) -> dict[str, Any]:
    kept: dict[str, Any] = {"text": generation.text, "generation_info": generation.generation_info}
    if isinstance(generation, ChatGeneration):
        kept["message"] = message_to_dict(generation.message)
    return kept


def _load(kept: dict[str, Any]) -> Generation:
    if "message" not in kept:
        return Generation(text=kept["text"], generation_info=kept["generation_info"])
    (message,) = messages_from_dict([kept["message"]])
    return ChatGeneration(message=message, generation_info=kept["generation_info"])
