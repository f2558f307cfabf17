"""The ingest itself: papers as records first, then full texts, each as soon as it is read."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

from assistant.chunk import rename
from assistant.errors import FetchError
from assistant.ingest.full_text import FullTexts, Read, Wanted
from assistant.ingest.index import Cut, cut, embed
from assistant.ingest.shelf import OPENING, Change, Shelf, has_own_abstract
from assistant.ingest.stamps import disowned, identified, newer_version
from assistant.models import Embedder
from assistant.records import Chunk, IngestReport, Paper, PdfFile, SourcedPaper, SourceFailure
from assistant.sources import parse_arxiv_id, read_source
from assistant.sources.failures import failure
from assistant.sources.identity import has_placeholder_title
from assistant.sources.merge import merge, merge_papers
from assistant.store import IndexedPaper, IndexFingerprint, Store

if TYPE_CHECKING:
    from assistant.fetch import Fetcher, Metadata

BATCH = 64
"""Papers per commit; they become visible together."""

BATCH_CHARACTERS = 200_000
"""Characters of full texts per commit, but for the last paper of each."""

Outcome = Literal["added", "updated", "unchanged"]


Progress = Callable[[str, int, int], None]
"""Is told the stage, the papers through it, and how many there are."""


class Made(NamedTuple):
    """A paper as it is to be stored, with its chunks; without them it stays as it is stored."""

    change: Change
    cut: Cut | None


class Batch(NamedTuple):
    """Papers that are stored together, those that stay as they are, and what was no paper after all."""

    made: list[Made]
    indexed: list[IndexedPaper]
    failed: list[SourceFailure]


class Ingest:
    """Adds or updates papers; unchanged ones cost nothing.

    Args:
        store: where the papers go.
        embedder: embeds their chunks.
        abstract_embedder: embeds those of abstracts; the same, or one that does more on the way.
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
        abstract_embedder: Embedder,
        fingerprint: Callable[[], IndexFingerprint],
        full_texts: FullTexts,
        fetcher: "Fetcher | None",
        wants_pdf: Callable[[Paper], bool],
        progress: Progress,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._abstract_embedder = abstract_embedder
        self._fingerprint = fingerprint
        self._full_texts = full_texts
        self._fetcher = fetcher
        self._wants_pdf = wants_pdf
        self._progress = progress
        self._generation = store.generation()
        self._shelf = Shelf(store.papers(), self._opening)
        self._outcomes: dict[str, Outcome] = {}
        self._failed: list[SourceFailure] = []
        self._incomplete: list[SourceFailure] = []
        self._newest: dict[str, int | None] = {}
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
            incomplete=tuple(self._incomplete),
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
        self._newest = {paper_id: known.version for paper_id, known in found.items()}
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
        changed: list[SourcedPaper] = []
        wanted: list[Wanted] = []
        for item in incoming:
            change = self._shelf.change(item.paper, item.pdf)
            problem = None if item.pdf else disowned(item.paper, change.known, item.location)
            if problem is not None:
                self._failed.append(problem)
                continue
            is_read = item.pdf and self._full_texts.is_current(change.paper, item.pdf.sha256)
            if (item.pdf or item.paper.id in fetched) and not is_read:
                newest = self._newest.get(item.paper.id)
                wanted.append(Wanted(change.paper, item.location, item.pdf, newest))
            if wanted and wanted[-1].location == item.location and _is_bare(item.paper):
                if change.known is not None:
                    self._note(Change(change.known, change.known))
                continue  # until it is read, there is nothing to index
            if change.paper != change.known:
                changed.append(item)
                self._shelf.put(change.paper)
            else:
                self._note(change)
        self._refresh()
        for first in range(0, len(changed), BATCH):
            batch = changed[first : first + BATCH]
            self._commit([partial(self._make_record, item) for item in batch])
            self._progress("Indexing", first + len(batch), len(changed))
        return wanted

    def _make_record(self, item: SourcedPaper) -> Made:
        """Cut the abstract; of a full text that is stored, the chunks stay."""
        change = self._shelf.change(item.paper, item.pdf)
        kept = []
        if change.known is not None and change.known.full_text is not None:
            stored = self._store.paper_chunks(change.known.id)
            kept = [rename(change.paper, chunk) for chunk in stored if chunk.source == "pdf"]
        return Made(change, cut(change.paper, self._embedder, kept=kept))

    # Full texts

    def _index_full_texts(self, wanted: Sequence[Wanted]) -> None:
        batch: list[Read] = []
        size = 0
        for done, item in enumerate(self._full_texts.read(wanted), 1):
            self._progress("Reading PDFs", done, len(wanted))
            if isinstance(item, SourceFailure):
                self._failed.append(item)
                continue
            if item.document.unread:
                self._incomplete.append(failure(item.wanted.location, item.document.unread))
            batch.append(item)
            size += len(item.document.text)
            if size >= BATCH_CHARACTERS:
                self._commit([partial(self._make_full_text, each) for each in batch])
                batch, size = [], 0
        if batch:
            self._commit([partial(self._make_full_text, each) for each in batch])

    def _make_full_text(self, item: Read) -> Made | SourceFailure:
        paper = identified(item, self._shelf)
        if isinstance(paper, SourceFailure):
            return paper
        if held := newer_version(item, paper, self._shelf):
            return Made(Change(held, held), None)
        change = self._take(item, paper)
        return Made(change, cut(change.paper, self._embedder, document=item.document))

    def _take(self, item: Read, paper: Paper) -> Change:
        """Lay a paper as its PDF describes it over what the library holds of it by now."""
        full_text = paper.full_text
        assert full_text is not None
        file = item.wanted.pdf or PdfFile(path="", sha256=full_text.sha256)
        change = self._shelf.change(paper, file, opening=item.document.text)
        if change.known is not None and has_own_abstract(change.known):
            full_text = full_text.model_copy(update={"gave_abstract": False})
        return change._replace(paper=change.paper.model_copy(update={"full_text": full_text}))

    # Both

    def _note(self, change: Change) -> None:
        for replaced in change.replaces:
            if self._outcomes.pop(replaced, None) == "added":
                self._outcomes[change.paper.id] = "added"
        before = self._outcomes.get(change.paper.id)
        if before is None and change.known is None:
            self._outcomes[change.paper.id] = "added"
        elif before is None or before == "unchanged":
            is_same = change.paper == change.known
            self._outcomes[change.paper.id] = "unchanged" if is_same else "updated"

    def _commit(self, makers: Sequence[Callable[[], Made | SourceFailure]]) -> None:
        """Make papers and store them together; anew if another process wrote in the meantime."""
        batch = self._make(makers)
        with self._store.writer() as writer:
            if self._store.generation() != self._generation:
                self._refresh()
                batch = self._make(makers)
            replaced = [each for paper in batch.made for each in paper.change.replaces]
            if batch.indexed:
                writer.put(batch.indexed, replaces=replaced, fingerprint=self._fingerprint())
            self._generation = self._store.generation()
        self._failed.extend(batch.failed)
        for each in batch.made:
            self._note(each.change)
        for paper_id in replaced:
            self._shelf.drop(paper_id)
        self._chunks += sum(len(paper.chunks) for paper in batch.indexed)

    def _refresh(self) -> None:
        """Look at what the library holds, and remember at which moment."""
        self._generation = self._store.generation()
        self._shelf = Shelf(self._store.papers(), self._opening)

    def _opening(self, paper_id: str) -> str:
        """Find what a stored paper's PDF begins with."""
        return _opening_of(self._store.paper_chunks(paper_id))

    def _make(self, makers: Sequence[Callable[[], Made | SourceFailure]]) -> Batch:
        """Make each paper on top of those before it; of two that are one paper, the last is stored."""
        made: dict[str, Made] = {}
        failed: list[SourceFailure] = []
        for make in makers:
            each = make()
            if isinstance(each, SourceFailure):
                failed.append(each)
                continue
            paper, ids = each.change.paper, (*each.change.replaces, each.change.paper.id)
            earlier = [made.pop(paper_id) for paper_id in ids if paper_id in made]
            if earlier and each.cut is None:
                each = earlier[0]
            elif earlier:
                each = each._replace(change=each.change._replace(known=earlier[0].change.known))
            made[paper.id] = each
            self._shelf.put(paper, _opening_of(each.cut.chunks) if each.cut else "")
        cuts = [each.cut for each in made.values() if each.cut is not None]
        indexed = embed(cuts, self._embedder, abstracts=self._abstract_embedder)
        return Batch(list(made.values()), indexed, failed)


def _opening_of(chunks: Sequence[Chunk]) -> str:
    """Put together what a PDF begins with from the chunks of its paper, which may overlap."""
    text, end = "", 0
    for start, piece in sorted((each.start, each.text) for each in chunks if each.source == "pdf"):
        text += piece[max(0, end - start) :] + " "
        end = max(end, start + len(piece))
        if len(text) >= OPENING:
            break
    return text


def _is_bare(paper: Paper) -> bool:
    """Tell a paper of which nothing is known but an id or a file."""
    return has_placeholder_title(paper) and not paper.abstract


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
