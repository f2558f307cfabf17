"""Sources into the library: read, merge, chunk, embed, store. Unchanged papers cost nothing."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from assistant.chunk import chunk_abstract, embedding_text
from assistant.models import Embedder
from assistant.records import IngestReport, Paper, SourceFailure
from assistant.sources import read_source
from assistant.sources.identity import content_key
from assistant.sources.merge import merge, merge_papers
from assistant.store import IndexedPaper, IndexFingerprint, Store

BATCH = 64
"""Papers per commit; they become visible together."""


def ingest(
    sources: Sequence[str],
    *,
    store: Store,
    embedder: Embedder,
    fingerprint: Callable[[], IndexFingerprint],
    progress: Callable[[int, int], None],
) -> IngestReport:
    """Add or update the papers of ``sources``.

    Args:
        sources: what a user typed: files, folders, arXiv ids.
        store: where the papers go.
        embedder: embeds their chunks.
        fingerprint: says what index they make; asked only when there is work.
        progress: is told of the papers done and of those to do.
    """
    started = time.perf_counter()
    incoming, failed = _read(sources)
    plan = _Plan(stored=store.papers(), incoming=incoming)
    chunks = 0
    for first in range(0, len(plan.changed), BATCH):
        batch = plan.changed[first : first + BATCH]
        indexed = index_papers(batch, embedder)
        with store.writer() as writer:
            writer.put(indexed, replaces=plan.replaced(batch), fingerprint=fingerprint())
        chunks += sum(len(paper.chunks) for paper in indexed)
        progress(first + len(batch), len(plan.changed))
    return IngestReport(
        added=plan.added,
        updated=len(plan.changed) - plan.added,
        unchanged=len(incoming) - len(plan.changed),
        failed=tuple(failed),
        chunks=chunks,
        seconds=round(time.perf_counter() - started, 3),
    )


def index_papers(papers: Iterable[Paper], embedder: Embedder) -> list[IndexedPaper]:
    """Chunk and embed papers, all their chunks in one go."""
    cut = [(paper, chunk_abstract(paper, count_tokens=embedder.count_tokens)) for paper in papers]
    vectors = embedder.embed(
        [embedding_text(paper, chunk) for paper, chunks in cut for chunk in chunks]
    )
    indexed: list[IndexedPaper] = []
    row = 0
    for paper, chunks in cut:
        indexed.append(IndexedPaper(paper, chunks, vectors[row : row + len(chunks)]))
        row += len(chunks)
    return indexed


def _read(sources: Sequence[str]) -> tuple[list[Paper], list[SourceFailure]]:
    papers: list[Paper] = []
    failed: list[SourceFailure] = []
    for item in merge_papers(chain.from_iterable(map(read_source, sources))):
        if isinstance(item, SourceFailure):
            failed.append(item)
        else:
            papers.append(item.paper)
    return papers, failed


class _Plan:
    """What is to be written: each incoming paper merged with the one the library holds of it."""

    def __init__(self, *, stored: Sequence[Paper], incoming: Sequence[Paper]) -> None:
        self._by_id = {name: paper for paper in stored for name in (*paper.aliases, paper.id)}
        self._by_content = {
            content_key(paper.title, paper.abstract): paper for paper in stored if paper.abstract
        }
        self._replaced: dict[str, str] = {}
        self.changed: list[Paper] = []
        self.added = 0
        for paper in incoming:
            self._add(paper)

    def replaced(self, batch: Sequence[Paper]) -> list[str]:
        """Return the stored ids that papers of ``batch`` take the place of."""
        return [self._replaced[paper.id] for paper in batch if paper.id in self._replaced]

    def _add(self, paper: Paper) -> None:
        known = self._by_id.get(paper.id) or self._by_content.get(
            content_key(paper.title, paper.abstract)
        )
        if known is None:
            self.added += 1
            self.changed.append(paper)
            return
        merged = merge(known, paper)
        if merged == known:
            return
        self.changed.append(merged)
        if merged.id != known.id:  # it came without an arXiv id once, and has one now
            self._replaced[merged.id] = known.id
