"""The vector index: nearest neighbours in Chroma. The only module that knows chromadb."""

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import numpy as np

from assistant.errors import AssistantError, StorageError, VectorStoreError
from assistant.records import Chunk, Paper
from assistant.store.folder import Folder
from assistant.store.model import (
    DOCTOR,
    NOTHING,
    Array,
    Entry,
    Hit,
    IndexFingerprint,
    State,
    best_first,
    best_with_ties,
    in_batches,
)
from assistant.text import one_line

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import GetResult, Include

_BATCH = 256
"""Vectors per operation; a local folder is free between two, so that who asks need not wait long."""

_PAGE = 5_000

_SPARE = 10
"""Neighbours fetched beyond those wanted, to see whether others are as near as the last."""

_PREFIX = "paper-assistant-"


class Vectors:
    """The vectors of one library in Chroma.

    Args:
        folder: where a local Chroma lies, or None.
        url: of a Chroma server, where there is no folder.
    """

    def __init__(self, folder: Folder | None, url: str) -> None:
        self.generation: int | None = None
        self.folder = folder
        self._url = url
        self._mutex = threading.RLock()
        self._client: Client | None = None
        self._collection: Collection | None = None

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other threads out and, from a local folder, other processes."""
        with self._mutex:
            if self.folder is None:
                yield
                return
            with self.folder.exclusively():
                yield

    def open(self, state: State, *, expected: bool) -> None:
        """Open the library's collection as it is now; call it :meth:`exclusively`.

        Args:
            state: the library's.
            expected: whether the library holds chunks, so that there must be a collection.

        Raises:
            VectorStoreError: if Chroma does not answer, or lacks the collection.
        """
        self.close()
        if self.folder is not None:
            if self.folder.is_interrupted():
                self.create(state)
                return
            if expected and self.folder.database.exists() and not self.folder.is_sound():
                raise self._damaged("index files were lost or cut")
        with self._writing():
            self._collection = self._find(state)
            if self._collection is not None:
                self._collection.count()  # a local Chroma replays its log here
        if self.folder is not None:
            self.folder.complete()
        if expected and self._collection is None:
            raise self._missing()

    def create(self, state: State) -> None:
        """Begin an empty collection in place of all this library has; :meth:`mark` completes it."""
        with self.exclusively(), self._translated():
            self.close()
            if self.folder is not None:
                self.folder.empty()
            client = self._connect()
            for name in _names(client, state.library):
                client.delete_collection(name)
            if state.fingerprint is not None:
                self._collection = client.create_collection(
                    _name(state),
                    configuration=_configuration(),
                    metadata=_described(state, NOTHING),
                    embedding_function=None,
                )

    def is_made_for(self, state: State) -> bool:
        """Tell whether there is a collection for the state's fingerprint."""
        return self._collection is not None and self._collection.name == _name(state)

    def stamp(self, library: str) -> int:
        """Return the generation the collection holds, or WRITING, or NOTHING that could be used."""
        found: Mapping[str, Any] = (self._collection and self._collection.metadata) or {}
        return int(found["generation"]) if found.get("library") == library else NOTHING

    def mark(self, state: State, generation: int) -> None:
        """Write down the generation the collection holds from now on."""
        with self._writing():
            if self._collection is not None:
                self._collection.modify(metadata=_described(state, generation))
            if self.folder is not None:
                self.folder.complete()

    def close(self) -> None:
        """Let go of the client; the next one reads everything anew."""
        with self._mutex:
            client, self._client, self._collection = self._client, None, None
            self.generation = None
            if client is not None and self.folder is not None:
                client.close()
                self.folder.give_name_back()

    def ids(self) -> set[str]:
        """List the chunks held."""
        with self._mutex, self._translated():
            return {chunk_id for page in self._pages() for chunk_id in page["ids"]}

    def unreadable(self, ids: Iterable[str]) -> set[str]:
        """List those of the chunks whose vectors Chroma has lost."""
        with self._mutex:
            return {
                chunk_id
                for page in in_batches(sorted(ids), _PAGE)
                if not _is_readable(self._held(), page)
                for chunk_id in page
                if not _is_readable(self._held(), [chunk_id])
            }

    def add(self, entries: Iterable[Entry]) -> None:
        """Add chunks that are not there yet."""
        for batch in in_batches(entries, _BATCH):
            with self._writing():
                self._held().upsert(
                    ids=[entry.chunk.id for entry in batch],
                    embeddings=np.stack([entry.vector for entry in batch]),
                    documents=[entry.chunk.text for entry in batch],
                    metadatas=[_metadata(entry) for entry in batch],
                )

    def describe(self, entries: Iterable[Entry]) -> None:
        """Replace what is written beside the vectors of chunks that are there."""
        for batch in in_batches(entries, _BATCH):
            with self._writing():
                self._held().update(
                    ids=[entry.chunk.id for entry in batch],
                    metadatas=[_metadata(entry) for entry in batch],
                )

    def delete(self, ids: Iterable[str]) -> None:
        """Delete chunks."""
        for batch in in_batches(ids, _BATCH):
            with self._writing():
                self._held().delete(ids=batch)

    def nearest(self, vector: Array, count: int) -> list[Hit]:
        """Find the ``count`` chunks of highest cosine similarity, or fewer.

        Others that share the last one's score come with them.
        """

        def find(size: int) -> list[tuple[float, str]]:
            found = self._held().query(
                query_embeddings=vector[np.newaxis], n_results=size, include=["distances"]
            )
            assert found["distances"] is not None
            pairs = zip(found["distances"][0], found["ids"][0], strict=True)
            return [(1.0 - float(distance), chunk_id) for distance, chunk_id in pairs]

        with self._mutex, self._translated():
            found = best_with_ties(find, count, first=count + _SPARE)
        return best_first([Hit(chunk_id, score) for score, chunk_id in found])

    def rescue(self, library: str | None) -> tuple[State, list[Entry]] | None:
        """Read all that Chroma holds of a library, to rebuild a lost catalog from.

        Args:
            library: its id, or None for the only one there is.

        Returns:
            Nothing if there is no such library. Chunks of a paper whose own record is not among them
            are left out.
        """
        with self.exclusively():
            self.close()
            if self.folder is not None and not self.folder.is_sound():
                return None
            with self._writing():
                client = self._connect()
                names = _names(client, library or "")
                if len(names) != 1:
                    return None
                self._collection = client.get_collection(names[0], embedding_function=None)
                return _rescued_state(self._collection), list(
                    _rescued(self._pages(everything=True))
                )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Run one operation that may write; if it fails, the next one opens Chroma anew."""
        with self.exclusively(), self._translated():
            try:
                if self.folder is None:
                    yield
                    return
                with self.folder.writing():
                    yield
            except BaseException:
                self.close()
                raise

    def _find(self, state: State) -> "Collection | None":
        if state.fingerprint is None or (self.folder and not self.folder.database.exists()):
            return None
        from chromadb.errors import NotFoundError

        try:
            return self._connect().get_collection(_name(state), embedding_function=None)
        except NotFoundError:
            return None

    def _connect(self) -> "Client":
        if self._client is None:
            if self.folder is None:
                self._client = _server_client(self._url)
            else:
                self._client = _folder_client(self.folder.take_name())
        return self._client

    def _held(self) -> "Collection":
        if self._collection is None:
            raise self._missing()
        return self._collection

    def _pages(self, *, everything: bool = False) -> Iterator["GetResult"]:
        include: Include = ["metadatas", "documents", "embeddings"] if everything else []
        offset = 0
        while self._collection is not None:
            page = self._collection.get(limit=_PAGE, offset=offset, include=include)
            yield page
            if len(page["ids"]) < _PAGE:
                return
            offset += _PAGE

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AssistantError:
            raise
        except Exception as error:  # Chroma raises anything, bare Exceptions included
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> AssistantError:
        said = one_line(str(error), 200)
        if self.folder is None:
            return VectorStoreError(
                f"Chroma at {self._server()} cannot be used ({said}): start it with `chroma run`, or "
                "change ASSISTANT_CHROMA"
            )
        if self.folder.is_full() or "disk is full" in said or "No space left" in said:
            return StorageError(
                f"no space left for {self.folder.path}: free some and run the command again; "
                "nothing is lost"
            )
        if isinstance(error, OSError) or "readonly database" in said:
            return StorageError(f"cannot write to {self.folder.path}: {said}")
        return self._damaged(said)

    def _damaged(self, said: str) -> VectorStoreError:
        assert self.folder is not None
        return VectorStoreError(f"the vectors in {self.folder.path} are damaged ({said}): {DOCTOR}")

    def _missing(self) -> VectorStoreError:
        if self.folder is None:
            return VectorStoreError(
                f"Chroma at {self._server()} does not hold this library's vectors: check "
                f"ASSISTANT_CHROMA, or {DOCTOR} to store them there"
            )
        return VectorStoreError(
            f"the library's vectors are gone from {self.folder.path}: {DOCTOR} to restore them"
        )

    def _server(self) -> str:
        place = urlsplit(self._url)  # without a user's name and password
        return f"{place.scheme}://{place.hostname}{f':{place.port}' if place.port else ''}"


def _folder_client(path: str) -> "Client":
    from chromadb import PersistentClient
    from chromadb.config import Settings

    return cast("Client", PersistentClient(path, settings=Settings(anonymized_telemetry=False)))


@cache
def _server_client(url: str) -> "Client":
    """Connect once to each server: a client cannot let go of its connections."""
    from chromadb import HttpClient
    from chromadb.config import Settings

    place = urlsplit(url)
    client = HttpClient(
        host=place.hostname or "localhost",
        port=place.port or (443 if place.scheme == "https" else 80),
        ssl=place.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
    )
    return cast("Client", client)


def _name(state: State) -> str:
    """Name the library's collection; vectors of another embedder get another one."""
    assert state.fingerprint is not None
    kind = hashlib.sha256(state.fingerprint.model_dump_json().encode()).hexdigest()[:8]
    return f"{_PREFIX}{state.library}-{kind}"


def _names(client: "Client", library: str) -> list[str]:
    names = [collection.name for collection in client.list_collections()]
    return [name for name in names if name.startswith(f"{_PREFIX}{library}")]


def _configuration() -> Any:  # noqa: ANN401 - Chroma's own type is a TypedDict of TypedDicts
    # Recall@100 over 50,000 chunks is 0.999: docs/decisions/0002-catalog-is-the-record.md.
    return {
        "hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 16}
    }


def _described(state: State, generation: int) -> dict[str, str | int]:
    assert state.fingerprint is not None
    return {
        "library": state.library,
        "generation": generation,
        "fingerprint": state.fingerprint.model_dump_json(),
    }


def _metadata(entry: Entry) -> dict[str, str | int]:
    """Describe a chunk so fully that a catalog can be rebuilt from it."""
    described: dict[str, str | int] = {
        "paper_id": entry.paper.id,
        "position": entry.position,
        "chunk": entry.chunk.model_dump_json(exclude={"text", "lines"}, exclude_defaults=True),
    }
    if entry.position == 0:
        described["paper"] = entry.paper.model_dump_json(exclude_defaults=True)
    return described


def _is_readable(collection: "Collection", ids: Sequence[str]) -> bool:
    try:
        return len(collection.get(ids=list(ids), include=["embeddings"])["ids"]) == len(ids)
    except Exception:  # noqa: BLE001 - a lost vector fails the whole request, in some way or other
        return False


def _rescued_state(collection: "Collection") -> State:
    found = collection.metadata or {}
    fingerprint = IndexFingerprint.model_validate_json(str(found["fingerprint"]))
    return State(str(found["library"]), int(found["generation"]), fingerprint)


def _rescued(pages: Iterable["GetResult"]) -> Iterator[Entry]:
    rows: list[tuple[Mapping[str, Any], str, Any]] = []
    for page in pages:
        columns = cast("Mapping[str, Any]", page)
        rows += zip(columns["metadatas"], columns["documents"], columns["embeddings"], strict=True)
    papers = {
        found["paper_id"]: Paper.model_validate_json(found["paper"])
        for found, _, _ in rows
        if "paper" in found
    }
    for found, text, vector in rows:
        if found["paper_id"] in papers:
            yield Entry(
                paper=papers[found["paper_id"]],
                position=int(found["position"]),
                chunk=Chunk.model_validate({**json.loads(found["chunk"]), "text": text}),
                vector=np.asarray(vector, np.float32),
            )
