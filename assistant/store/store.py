"""The store: one façade over catalog, vectors and lexical index, which it keeps in agreement.

The catalog is the record; the other two are derived from it and can be rebuilt. A commit goes

1. vectors and lexical entries of new chunks are added: nobody sees them, as the catalog lacks them;
2. one transaction of the catalog makes the papers visible, old chunks vanish, the generation grows;
3. vectors and lexical entries of old chunks are deleted.

So both indexes always hold at least what the catalog shows; what they hold besides is filtered from every
result. They carry a stamp, the generation they hold or that a commit is under way; whoever next finds a
stamp left by a killed process while nobody writes compares ids and mends the difference.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from os import W_OK, access
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from assistant.errors import CatalogError, LibraryBusyError, StorageError
from assistant.records import Chunk, Paper
from assistant.store import health, sync
from assistant.store.catalog import Catalog, Matrix, Rows, Shelf, Visible
from assistant.store.database import Database
from assistant.store.folder import Folder
from assistant.store.lexical import Lexical
from assistant.store.model import Array, Hit, IndexFingerprint, Problem, State, best_first
from assistant.store.vectors import Vectors
from assistant.store.writer import Writer, ensure_match

_FRESH_SECONDS = 0.02
"""How long the generation is taken to be what it was; one question asks for it a hundred times."""

_SMALL_LIBRARY = 2_000
"""Chunks up to which a local library is searched without Chroma, whose import alone takes a second."""


class Store:
    """Papers, their chunks and the indexes over them; threads and processes may share a home.

    Every reading call sees one committed generation. Engines are imported and opened when first needed.
    """

    def __init__(self, home: Path, database: str | None, chroma: str) -> None:
        self._home = home
        self._chroma = chroma
        remains = Folder(home).database if chroma == "local" else None
        self._database = Database(home, database, remains=remains)
        self._catalog = Catalog(self._database)
        self._vectors, self._lexical = self._indexes()
        self._mutex = threading.RLock()
        self._state: State | None = None
        self._read_from = self._read_until = 0.0
        self._shelf = Shelf(-1, {}, {})
        self._visible = Visible(-1, frozenset())
        self._matrix = Matrix(-1, [], np.empty((0, 0), np.float32))

    @classmethod
    def open(cls, *, home: Path, database: str | None = None, chroma: str = "local") -> Self:
        """Open the store of a home, which is created if need be.

        Args:
            home: the folder of all state.
            database: SQLAlchemy URL of the catalog; None for SQLite in the home.
            chroma: ``local``, or the URL of a Chroma server.

        Raises:
            StorageError: if the home is not a folder or cannot be created.
            SettingsError: if ``database`` is no URL, or needs a driver that is not installed.
        """
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot use {home} as the home: {error.strerror}") from error
        return cls(home, database, chroma)

    def close(self) -> None:
        """Let go of all files and connections; the next call opens them again."""
        with self._mutex:
            self._vectors.close()
            self._lexical.close()
            self._database.close()
            self._state = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def generation(self) -> int:
        """Return the number of commits so far."""
        return self._now().generation

    def fingerprint(self) -> IndexFingerprint | None:
        """Return what made the index, or None while nothing was ever stored."""
        return self._now().fingerprint

    def papers(self) -> list[Paper]:
        """Return all papers, in the order they came in."""
        return list(self._papers().papers())

    def paper(self, paper_id: str) -> Paper | None:
        """Return the paper with an id or alias."""
        return self._papers().paper(paper_id)

    def title(self, paper_id: str) -> str | None:
        """Return the title of the paper with an id or alias."""
        return self._papers().title(paper_id)

    def paper_count(self) -> int:
        """Count the papers."""
        return len(self._papers().records)

    def chunk_count(self, *, papers: Collection[str] | None = None) -> int:
        """Count the chunks, of these papers or of all."""
        if papers is None:
            return len(self._chunk_ids().chunk_ids)
        return self._catalog.chunk_count(papers)

    def chunk_ids(self) -> frozenset[str]:
        """Return the ids of all chunks; together they stand for all that can be found."""
        return self._chunk_ids().chunk_ids

    def chunk_counts(self) -> dict[str, int]:
        """Count the chunks of each paper that has some."""
        return self._catalog.chunk_counts()

    def paper_chunks(self, paper_id: str) -> list[Chunk]:
        """Return a paper's chunks, in text order."""
        return self._catalog.paper_chunks(paper_id)

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """Return chunks by id, without those that are gone."""
        return self._catalog.chunks(ids)

    def vectors(self, ids: Collection[str]) -> Rows:
        """Return the stored vectors of chunks, in any order, without those that are gone."""
        return self._catalog.vectors(ids)

    def dense(
        self,
        vector: Array,
        *,
        fingerprint: IndexFingerprint,
        depth: int,
        papers: Collection[str] | None = None,
    ) -> list[Hit]:
        """Find the chunks whose vectors have the highest cosine similarity.

        Args:
            vector: the query's, of shape (dimension,).
            fingerprint: of what made ``vector``.
            depth: chunks to return at most.
            papers: ids of the only papers to search, or None for all.

        Raises:
            IndexMismatchError: if the stored vectors were made otherwise.
            VectorStoreError: if Chroma does not answer, or lacks the vectors.
        """

        def search(visible: Collection[str]) -> list[Hit]:
            made = self._now().fingerprint
            if made is not None:  # how texts were cut makes no vectors of another kind
                ensure_match(made, fingerprint.model_copy(update={"chunking": made.chunking}))
            if papers is None and not self._goes_without_chroma(visible):
                self._open_vectors()
                found = _visible(lambda count: self._vectors.nearest(vector, count), depth, visible)
                if len(found) == min(depth, len(visible)):
                    return found
            # Chroma's graph is no help where a filter passes few chunks, or where it does not reach all.
            stored = self._all_vectors() if papers is None else self._catalog.matrix(papers)
            return _nearest(vector, stored, visible, depth)

        return self._consistently(search)

    def lexical(
        self, weights: Mapping[str, float], *, depth: int, papers: Collection[str] | None = None
    ) -> list[Hit]:
        """Find the chunks that score best by BM25 over text and title, k1 = 1.2, b = 0.75.

        Args:
            weights: by what each analysed term counts; see :func:`assistant.text.terms`.
            depth: chunks to return at most.
            papers: ids of the only papers to search, or None for all.
        """

        def search(visible: Collection[str]) -> list[Hit]:
            index = self._open_lexical()
            return _visible(
                lambda count: index.search(weights, count, papers=papers), depth, visible
            )

        return self._consistently(search)

    def document_frequency(self, term: str, *, papers: Collection[str] | None = None) -> int:
        """Count the chunks that hold an analysed term, in their text or what it stands under.

        Args:
            term: see :func:`assistant.text.terms`.
            papers: ids of the only papers to count in, or None for all.
        """
        if not self.chunk_count():
            return 0
        return self._open_lexical().document_frequency(term, papers=papers)

    def words_with_prefix(self, prefix: str) -> list[str]:
        """List the folded words of texts and titles that begin with ``prefix``, sorted."""
        return self._open_lexical().words_with_prefix(prefix) if self.chunk_count() else []

    @contextmanager
    def writer(
        self, *, timeout: float = 60.0, on_wait: Callable[[], None] = lambda: None
    ) -> Iterator[Writer]:
        """Be the library's only writer; what a killed one left is mended first.

        Args:
            timeout: seconds to wait for another writer.
            on_wait: called once if there is one.

        Raises:
            LibraryBusyError: if another writer is not done in time.
            StorageError: if the home is read-only or full.
        """
        with self._database.lock(timeout=timeout, on_wait=on_wait), ExitStack() as opened:
            # Its own clients: within a process, too, who reads sees nothing but commits.
            vectors, lexical = self._indexes()
            opened.callback(self._expire)
            opened.callback(vectors.close)
            opened.callback(lexical.close)
            sync.refresh_vectors(vectors, self._catalog, _alone)
            sync.refresh_lexical(lexical, self._catalog, _alone)
            yield Writer(self._catalog, vectors, lexical)

    def check(self) -> list[Problem]:
        """Compare the parts, chunk by chunk, and report what is missing, damaged or at odds.

        Raises:
            LibraryBusyError: if another process writes for longer than a check can wait.
        """
        with ExitStack() as opened:
            vectors, lexical = self._indexes()
            opened.callback(vectors.close)
            opened.callback(lexical.close)
            if self._is_read_only():  # nobody writes, and what the indexes are opened with cannot
                vectors_seen = None if self._chroma == "local" else vectors
                return health.check(self._catalog, vectors_seen, None)
            try:
                opened.enter_context(self._database.lock(timeout=health.PATIENCE_SECONDS))
            except CatalogError as error:  # of a database server that does not answer
                return [Problem(part="catalog", detail=str(error), repairable=False)]
            return health.check(self._catalog, vectors, lexical)

    def repair(
        self,
        embed: Callable[[Sequence[str]], Array],
        *,
        embedding_text: Callable[[Paper, Chunk], str],
        fingerprint: IndexFingerprint,
        chunk: Callable[[Paper], Sequence[Chunk]] | None = None,
    ) -> list[str]:
        """Mend what :meth:`check` reports, and index anew what another embedder or chunker made.

        Args:
            embed: turns texts into an array of shape (texts, dimension).
            embedding_text: what is embedded for a chunk.
            fingerprint: of ``embed`` and ``chunk``.
            chunk: cuts a paper; without it, the stored chunks are kept.

        Returns:
            What was done, a line each.
        """
        with self._database.lock(timeout=health.PATIENCE_SECONDS), ExitStack() as opened:
            vectors, lexical = self._indexes()
            opened.callback(self.close)
            opened.callback(vectors.close)
            opened.callback(lexical.close)
            maker = health.Maker(embed, embedding_text, fingerprint, chunk)
            return health.repair(self._database, self._catalog, vectors, lexical, maker)

    def _indexes(self) -> tuple[Vectors, Lexical]:
        folder = Folder(self._home) if self._chroma == "local" else None
        return Vectors(folder, self._chroma), Lexical(self._home / "lexical")

    def _is_read_only(self) -> bool:
        return not access(self._home, W_OK)

    def _goes_without_chroma(self, visible: Collection[str]) -> bool:
        """Tell whether to compare all: the library is small, or Chroma's folder cannot be written."""
        is_small = len(visible) <= _SMALL_LIBRARY
        return self._chroma == "local" and (is_small or self._is_read_only())

    def _now(self, *, since: float | None = None) -> State:
        """Return the state, read since a time of the monotonic clock or a moment ago."""
        with self._mutex:
            now = time.monotonic()
            is_old = (
                now - self._read_until > _FRESH_SECONDS
                if since is None
                else self._read_from < since
            )
            if self._state is None or is_old:
                self._state = self._catalog.state()
                self._read_from, self._read_until = now, time.monotonic()
            return self._state

    def _expire(self) -> None:
        with self._mutex:
            self._state = None

    def _papers(self) -> Shelf:
        with self._mutex:
            if self._shelf.generation != self._now().generation:
                self._shelf = self._catalog.shelf()
            return self._shelf

    def _chunk_ids(self) -> Visible:
        with self._mutex:
            if self._visible.generation != self._now().generation:
                self._visible = self._catalog.visible()
            return self._visible

    def _all_vectors(self) -> Matrix:
        with self._mutex:
            if self._matrix.generation != self._now().generation:
                self._matrix = self._catalog.matrix()
            return self._matrix

    def _open_vectors(self) -> None:
        with self._mutex:
            if self._vectors.generation != self._now().generation:
                sync.refresh_vectors(self._vectors, self._catalog, self._attempt)

    def _open_lexical(self) -> Lexical:
        with self._mutex:
            if self._lexical.generation != self._now().generation:
                # A new one, since other threads may be searching the old one.
                _, fresh = self._indexes()
                sync.refresh_lexical(fresh, self._catalog, self._attempt)
                self._lexical = fresh
            return self._lexical

    @contextmanager
    def _attempt(self) -> Iterator[bool]:
        """Try to become the only writer, without waiting."""
        with ExitStack() as held:
            try:
                held.enter_context(self._database.lock(timeout=0))
            except (LibraryBusyError, StorageError):
                yield False
            else:
                yield True

    def _consistently(self, search: Callable[[Collection[str]], list[Hit]]) -> list[Hit]:
        """Search as of one generation; again, if there was a commit meanwhile."""
        while True:
            generation, visible = self._chunk_ids()
            if not visible:
                return []
            found = search(visible)
            if self._now(since=time.monotonic()).generation == generation:
                return found


def _visible(search: Callable[[int], list[Hit]], depth: int, visible: Collection[str]) -> list[Hit]:
    """Search for the best ``depth`` visible chunks, where the search finds others besides.

    A search gives with its last hit all that share its score, so ids alone decide between those.
    """
    count = wanted = min(depth, len(visible))
    while True:
        found = search(count)
        hits = [hit for hit in found if hit.chunk_id in visible]
        if len(hits) >= wanted or len(found) < count:
            return hits[:wanted]
        count *= 2


def _nearest(vector: Array, stored: Matrix, visible: Collection[str], depth: int) -> list[Hit]:
    """Compare ``vector`` with every visible stored one."""
    if not stored.chunk_ids:
        return []
    lengths = np.linalg.norm(stored.rows, axis=1) * np.linalg.norm(vector)
    scores = stored.rows @ vector / np.where(lengths > 0, lengths, 1.0)
    # The last score that counts; all that share it are sorted by id with the rest.
    last = -np.partition(-scores, depth - 1)[depth - 1] if depth < len(scores) else -np.inf
    hits = [
        Hit(stored.chunk_ids[row], float(scores[row])) for row in np.flatnonzero(scores >= last)
    ]
    return best_first([hit for hit in hits if hit.chunk_id in visible])[:depth]


@contextmanager
def _alone() -> Iterator[bool]:
    yield True
