"""The ingest itself: papers as records first, then full texts, each as soon as it is read."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Literal

from assistant.chunk import rename
from assistant.errors import FetchError
from assistant.ingest.full_text import FullTexts, Read, Wanted
from assistant.ingest.index import Cut, cut, embed
from assistant.ingest.shelf import Change, Shelf
from assistant.models import Embedder
from assistant.records import IngestReport, Paper, SourcedPaper, SourceFailure
from assistant.sources import parse_arxiv_id, read_source
from assistant.sources.merge import merge, merge_papers
from assistant.store import IndexFingerprint, Store

if TYPE_CHECKING:
    from assistant.fetch import Fetcher, Metadata

BATCH = 64
"""Papers per commit; they become visible together."""

BATCH_CHUNKS = 512
"""Chunks of full texts per commit, but for the last paper of each."""

Outcome = Literal["added", "updated", "unchanged"]


Progress = Callable[[str, int, int], None]
"""Is told the stage, the papers through it, and how many there are."""


class Ingest:
    """Adds or updates papers; unchanged ones cost nothing.

    Args:
        store: where the papers go.
        embedder: embeds their chunks.
        fingerprint: says what index they make; asked only when there is work.
        full_texts: reads the PDFs among the sources, and fetches them if it can.
        fetcher: fetches metadata, and makes that PDFs are fetched; without it nothing is.
        wants_pdf: which papers' PDFs are to be fetched.
        progress: is told how far it is.
    """

    def __init__(
        self,
        *,
        store: Store,
        embedder: Embedder,
        fingerprint: Callable[[], IndexFingerprint],
        full_texts: FullTexts,
        fetcher: "Fetcher | None",
        wants_pdf: Callable[[Paper], bool],
        progress: Progress,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._fingerprint = fingerprint
        self._full_texts = full_texts
        self._fetcher = fetcher
        self._wants_pdf = wants_pdf
        self._progress = progress
        self._shelf = Shelf(store.papers())
        self._outcomes: dict[str, Outcome] = {}
        self._failed: list[SourceFailure] = []
        self._chunks = 0

    def run(self, sources: Sequence[str]) -> IngestReport:
        """Ingest what a user typed: files, folders, arXiv ids and links."""
        started = time.perf_counter()
        incoming = self._read(sources)
        fetched = {item.paper.id for item in incoming if self._is_fetched(item.paper)}
        wanted = self._index_records(self._with_metadata(incoming, fetched), fetched)
        self._index_full_texts(wanted)
        counts = list(self._outcomes.values())
        return IngestReport(
            added=counts.count("added"),
            updated=counts.count("updated"),
            unchanged=counts.count("unchanged"),
            failed=tuple(self._failed),
            chunks=self._chunks,
            seconds=round(time.perf_counter() - started, 3),
        )

    def _read(self, sources: Sequence[str]) -> list[SourcedPaper]:
        papers: list[SourcedPaper] = []
        for item in merge_papers(chain.from_iterable(map(read_source, sources))):
            if isinstance(item, SourceFailure):
                self._failed.append(item)
            else:
                papers.append(item)
        return papers

    def _is_fetched(self, paper: Paper) -> bool:
        return self._fetcher is not None and self._wants_pdf(paper)

    def _with_metadata(
        self, incoming: list[SourcedPaper], fetched: Collection[str]
    ) -> list[SourcedPaper]:
        """Ask arXiv about papers of which no authors are known; that it does not answer is no harm."""
        asked = [
            item.paper.id
            for item in incoming
            if item.paper.id in fetched
            and parse_arxiv_id(item.paper.id)
            and not self._shelf.change(item.paper).paper.authors
        ]
        found: Mapping[str, Metadata] = {}
        if self._fetcher is not None and asked:
            with suppress(FetchError):  # fetching the PDF will say so
                found = self._fetcher.metadata(asked)
        return [
            item.model_copy(update={"paper": _described(item.paper, found[item.paper.id])})
            if item.paper.id in found
            else item
            for item in incoming
        ]

    # Records

    def _index_records(
        self, incoming: Sequence[SourcedPaper], fetched: Collection[str]
    ) -> list[Wanted]:
        """Index what the records say; return the papers whose full text is to be read."""
        changed: list[Change] = []
        wanted: list[Wanted] = []
        for item in incoming:
            change = self._shelf.change(item.paper, item.pdf)
            is_read = item.pdf and self._full_texts.is_current(change.paper, item.pdf.sha256)
            if (item.pdf or item.paper.id in fetched) and not is_read:
                wanted.append(Wanted(change.paper, item.location, item.pdf))
            if item.pdf and not item.paper.abstract:
                if is_read:
                    self._note(change, changed=False)
                continue  # until it is read, there is nothing to index
            self._note(change, changed=change.paper != change.known)
            if change.paper != change.known:
                changed.append(change)
                self._shelf.put(change.paper)
        for first in range(0, len(changed), BATCH):
            batch = changed[first : first + BATCH]
            self._store_changes(batch, [self._cut_record(change) for change in batch])
            self._progress("Indexing", first + len(batch), len(changed))
        return wanted

    def _cut_record(self, change: Change) -> Cut:
        """Cut the abstract; of a full text that is stored, the chunks stay."""
        kept = []
        if change.known is not None and change.known.full_text is not None:
            stored = self._store.paper_chunks(change.known.id)
            kept = [rename(change.paper, chunk) for chunk in stored if chunk.source == "pdf"]
        return cut(change.paper, self._embedder, kept=kept)

    # Full texts

    def _index_full_texts(self, wanted: Sequence[Wanted]) -> None:
        for batch in self._batches(self._full_texts.read(wanted), total=len(wanted)):
            self._store_changes([change for change, _ in batch], [made for _, made in batch])

    def _batches(
        self, items: Iterable[Read | SourceFailure], *, total: int
    ) -> Iterator[list[tuple[Change, Cut]]]:
        """Cut documents as they come, and gather them into commits."""
        batch: list[tuple[Change, Cut]] = []
        for done, item in enumerate(items, 1):
            self._progress("Reading PDFs", done, total)
            if isinstance(item, SourceFailure):
                self._failed.append(item)
                continue
            change = self._take(item)
            batch.append((change, cut(change.paper, self._embedder, document=item.document)))
            if sum(len(made.chunks) for _, made in batch) >= BATCH_CHUNKS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _take(self, item: Read) -> Change:
        """Lay a paper as its PDF describes it over what the library holds of it by now."""
        change = self._shelf.change(item.paper, item.wanted.pdf)
        paper = change.paper.model_copy(update={"full_text": item.paper.full_text})
        if change.known is not None and change.known.abstract:
            gave = change.known.full_text is not None and change.known.full_text.gave_abstract
            full_text = item.paper.full_text
            assert full_text is not None
            paper = paper.model_copy(
                update={"full_text": full_text.model_copy(update={"gave_abstract": gave})}
            )
        taken = Change(paper, change.known)
        self._note(taken, changed=True)
        self._shelf.put(paper)
        return taken

    # Both

    def _note(self, change: Change, *, changed: bool) -> None:
        before = self._outcomes.get(change.paper.id)
        if before is None and change.known is None:
            self._outcomes[change.paper.id] = "added"
        elif before is None or before == "unchanged":
            self._outcomes[change.paper.id] = "updated" if changed else "unchanged"

    def _store_changes(self, changes: Sequence[Change], cuts: Sequence[Cut]) -> None:
        indexed = embed(cuts, self._embedder)
        replaced = [change.replaces for change in changes if change.replaces is not None]
        with self._store.writer() as writer:
            writer.put(indexed, replaces=replaced, fingerprint=self._fingerprint())
        for paper_id in replaced:
            self._shelf.drop(paper_id)
        self._chunks += sum(len(paper.chunks) for paper in indexed)


def _described(paper: Paper, metadata: "Metadata") -> Paper:
    """Fill in what arXiv knows of a paper and its record does not say."""
    known = paper.model_copy(
        update={
            "title": metadata.title,
            "abstract": metadata.abstract,
            "authors": metadata.authors,
            "year": metadata.year,
            "categories": metadata.categories,
        }
    )
    return merge(known, paper)
