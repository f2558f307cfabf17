"""Writing to the store: each call is one commit."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from assistant.errors import IndexMismatchError
from assistant.store import sync
from assistant.store.catalog import Catalog
from assistant.store.lexical import Lexical
from assistant.store.model import DOCTOR, WRITING, Entry, IndexedPaper, IndexFingerprint, State
from assistant.store.vectors import Vectors


class Writer:
    """The only writer of a library, as :meth:`Store.writer` hands it out."""

    def __init__(self, catalog: Catalog, vectors: Vectors, lexical: Lexical) -> None:
        self._catalog = catalog
        self._vectors = vectors
        self._lexical = lexical

    def put(
        self,
        batch: Sequence[IndexedPaper],
        *,
        fingerprint: IndexFingerprint,
        replaces: Collection[str] = (),
    ) -> None:
        """Store papers, each in place of what was stored of it. All become visible together.

        Args:
            batch: the papers, none twice.
            fingerprint: of what cut and embedded them.
            replaces: ids of papers to remove in the same commit.

        Raises:
            IndexMismatchError: if what is stored was made otherwise.
            StorageError: if the disk is full; the papers are stored wholly or not at all.
        """
        _validate(batch, fingerprint)
        ids = {item.paper.id for item in batch}
        state = self._catalog.state()
        if self._catalog.is_empty():
            state = self._begin(state, fingerprint)
        ensure_match(state.fingerprint, fingerprint)
        old = self._catalog.chunk_ids_of(ids | set(replaces))
        entries = list(_entries(batch))
        added = [entry for entry in entries if entry.chunk.id not in old]
        kept = [entry for entry in entries if entry.chunk.id in old]
        self._mark(state, WRITING)
        self._vectors.add(added)
        self._vectors.describe(kept)
        self._lexical.update(add=added)
        state = self._catalog.put(batch, fingerprint=fingerprint, replaces=replaces)
        self._drop(old - {entry.chunk.id for entry in entries})
        self._mark(state, state.generation)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove papers and all that is stored of them; unknown ids are passed over."""
        state = self._catalog.state()
        old = self._catalog.chunk_ids_of(paper_ids)
        self._mark(state, WRITING)
        state = self._catalog.remove(paper_ids)
        self._drop(old)
        self._mark(state, state.generation)

    def _begin(self, state: State, fingerprint: IndexFingerprint) -> State:
        """Make room for a library that is empty, so that any embedder will do."""
        state = state._replace(fingerprint=fingerprint)
        if not self._vectors.is_made_for(state):
            self._vectors.create(state)
            self._vectors.mark(state, state.generation)
        return state

    def _drop(self, ids: set[str]) -> None:
        self._vectors.delete(sorted(ids))
        sync.drop_from_lexical(self._lexical, self._catalog, ids)

    def _mark(self, state: State, generation: int) -> None:
        self._vectors.mark(state, generation)
        self._lexical.mark(state, generation)


def ensure_match(stored: IndexFingerprint | None, given: IndexFingerprint) -> None:
    """Refuse to compare vectors of two kinds.

    Raises:
        IndexMismatchError: naming both and what to do.
    """
    if stored is None or stored == given:
        return
    other = f", or set ASSISTANT_EMBEDDINGS={stored.embedder}"
    raise IndexMismatchError(
        f"the index was made with {stored}, the settings say {given}: {DOCTOR} to re-index"
        f"{other if stored.embedder != given.embedder else ''}"
    )


def _validate(batch: Sequence[IndexedPaper], fingerprint: IndexFingerprint) -> None:
    """Catch a caller's mistakes before anything is written."""
    chunk_ids = [chunk.id for item in batch for chunk in item.chunks]
    if len(set(chunk_ids)) != len(chunk_ids) or len({item.paper.id for item in batch}) != len(
        batch
    ):
        raise ValueError("a paper or a chunk is there twice")
    for paper, chunks, vectors in batch:
        if vectors.shape != (len(chunks), fingerprint.dimension) or not np.isfinite(vectors).all():
            raise ValueError(f"{paper.id}: not one finite vector per chunk")
        if any(chunk.paper_id != paper.id for chunk in chunks):
            raise ValueError(f"{paper.id}: a chunk of another paper")


def _entries(batch: Sequence[IndexedPaper]) -> Iterable[Entry]:
    for paper, chunks, vectors in batch:
        for position, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True)):
            yield Entry(paper, position, chunk, vector)
