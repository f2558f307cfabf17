"""The library of papers: the one façade that command line, pages, eval and servers call."""

import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant import chunk, parse, retrieve
from assistant.answer import evidence, extractive, rewrite
from assistant.answer.generative import Generative
from assistant.answer.keys import read_secret
from assistant.asking import Asker, Backend
from assistant.compare import (
    MAX_PAPERS,
    Comparer,
    ExtractiveFiller,
    SavedComparison,
    Shelf,
    matching,
)
from assistant.config import Settings, redact
from assistant.errors import (
    AssistantError,
    LibraryEmptyError,
    PaperNotFoundError,
    QuestionError,
)
from assistant.export import Format, render
from assistant.ingest import Ingest, Progress
from assistant.ingest.full_text import FullTexts
from assistant.ingest.index import cut
from assistant.models import Array, Embedder, ProviderEmbedder
from assistant.models.chat import ChatModel, open_chat
from assistant.models.ledger import Budget, Ledger, Total, spent
from assistant.models.minilm import MiniLM
from assistant.models.prices import Prices, read_prices
from assistant.names import NameMatcher, short_title
from assistant.query import Query, analyse
from assistant.records import (
    Box,
    Chunk,
    ComparisonEvent,
    Document,
    Event,
    IngestReport,
    Paper,
    Passage,
    Turn,
    Usage,
)
from assistant.sources import parse_arxiv_id
from assistant.sources.identity import has_placeholder_title
from assistant.store import IndexFingerprint, Store
from assistant.text import clean, words
from assistant.verify import Checker

if TYPE_CHECKING:
    from assistant.fetch import Fetcher
    from assistant.parse.pool import ParserPool
    from assistant.parse.render import PageDrawer

MAX_QUESTION = 4_000
"""Characters of a question; what is longer is a text, not a question."""

_PROMPT_TOKENS, _ANSWER_TOKENS = 1_500, 1_500
"""What a question takes at most beside its passages, to check budgets with."""

_PER_PAPER_SEARCH = 3
_TOPIC_PASSAGES = 4
_CELL_PASSAGES = 6


class RankedPaper(NamedTuple):
    """A paper found by a batch search."""

    paper_id: str
    score: float


class Diagnosis(NamedTuple):
    """What a check found: facts that are as they should be, and problems, a line each."""

    facts: tuple[str, ...]
    problems: tuple[str, ...]


class Library:
    """A library in one home. Thread-safe; nothing heavy is loaded before it is needed."""

    def __init__(
        self, settings: Settings, *, announce: Callable[[str], None] = lambda _: None
    ) -> None:
        """Name the settings to use; ``announce`` is told of a long wait."""
        self.settings = settings
        self._announce = announce

    # Filling and looking after it

    def ingest(
        self,
        sources: Sequence[str],
        *,
        pdfs: bool | None = None,
        progress: Progress = lambda _stage, _done, _total: None,
    ) -> IngestReport:
        """Add or update papers; PDFs among the sources are read in full.

        Args:
            sources: files, folders, arXiv ids and links.
            pdfs: whether to fetch and read the PDFs of papers that come as records; by default
                only of those of which nothing but an arXiv id is known.
            progress: is told the stage, the papers done and those to do.
        """
        with self._reader_of_pdfs() as reader:
            fetcher = None if pdfs is False else self._fetcher
            return Ingest(
                store=self._store,
                embedder=self._embedder,
                fingerprint=self._fingerprint,
                full_texts=FullTexts(self._pdf_folder, reader, fetcher, version=parse.VERSION),
                fetcher=fetcher,
                wants_pdf=(lambda paper: bool(paper.pdf_url)) if pdfs else has_placeholder_title,
                progress=progress,
            ).run(sources)

    def papers(self) -> list[Paper]:
        """List the papers in the order they came in."""
        return self._store.papers()

    def paper(self, paper_id: str) -> Paper:
        """Return a paper by its id, an alias, or any usual form of an arXiv id.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        arxiv_id = parse_arxiv_id(paper_id)
        found = self._store.paper(paper_id) or (
            self._store.paper(arxiv_id.base) if arxiv_id is not None else None
        )
        if found is None:
            raise PaperNotFoundError(
                f"no paper '{paper_id}' in the library: `assistant papers list` shows its ids"
            )
        return found

    def pdf(self, paper_id: str) -> Path | None:
        """Return the PDF that a paper's full text was read from; None if there is none.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        return self._pdf_of(self.paper(paper_id))

    def document(self, paper_id: str) -> Document | None:
        """Return a paper's full text as read from its PDF; None if there is none.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
            PdfError: if the PDF was damaged since it was read.
        """
        return self._document_of(self.paper(paper_id))

    def page_image(self, paper_id: str, page: int, *, boxes: Sequence[Box] = ()) -> bytes | None:
        """Draw a page of a paper's PDF as PNG with the boxes on it marked; None if there is no PDF.

        Args:
            paper_id: the paper.
            page: counted from 1.
            boxes: places to mark, in PDF points; those of other pages are ignored.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
            PdfError: if the page cannot be drawn.
        """
        full_text, path = self.paper(paper_id).full_text, self.pdf(paper_id)
        if full_text is None or path is None:
            return None
        return self._page_drawer.draw(path, sha256=full_text.sha256, page=page, boxes=boxes)

    def remove(self, paper_ids: Sequence[str]) -> int:
        """Remove papers and all that was indexed of them; return how many.

        Raises:
            PaperNotFoundError: if one of them is not there; none is removed then.
        """
        found = {paper.id: paper for paper in map(self.paper, paper_ids)}
        with self._store.writer() as writer:
            writer.remove(sorted(found))
        kept = {paper.full_text.sha256 for paper in self.papers() if paper.full_text}
        for paper in found.values():
            if paper.full_text and paper.full_text.sha256 not in kept:
                self._forget_pdf(paper.full_text.sha256)
        return len(found)

    def _forget_pdf(self, sha256: str) -> None:
        """Delete a PDF and what was read and drawn of it."""
        home = self.settings.home
        for folder in (self._pdf_folder, home / "documents", home / "pages"):
            for path in folder.glob(f"{sha256}*"):
                path.unlink(missing_ok=True)

    def export(self, file_format: Format) -> str:
        """Write the library's papers as BibTeX, CSV or JSON."""
        return render(self.papers(), file_format)

    # Asking

    def search(
        self, question: str, *, limit: int = 8, papers: Sequence[str] | None = None
    ) -> list[Passage]:
        """Rank the passages that fit a question best, ``limit`` at most.

        Raises:
            QuestionError: if the question is empty or too long.
            LibraryEmptyError: if there is nothing to search.
            PaperNotFoundError: if ``papers`` names one that is not there.
        """
        query = self._analyse(_checked(question))
        per_paper = limit if papers else _PER_PAPER_SEARCH
        return self._retrieve(query, limit=limit, per_paper=per_paper, papers=self._ids(papers))

    def rank_papers(self, question: str, *, depth: int) -> list[RankedPaper]:
        """Rank up to ``depth`` papers for a question, each by its best passage."""
        query = self._analyse(_checked(question))
        passages = self._retrieve(query, limit=depth, per_paper=1, papers=None)
        return [RankedPaper(passage.chunk.paper_id, passage.score) for passage in passages]

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        papers: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """Answer a question as a stream of events that ends with the whole answer.

        Args:
            question: the question.
            history: earlier turns of the conversation, oldest first.
            papers: ids of the only papers to answer from, or None for all.

        Raises:
            QuestionError: if the question is empty or too long.
            LibraryEmptyError: if there is nothing to answer from.
            PaperNotFoundError: if ``papers`` names one that is not there.
        """
        question = _checked(question)
        # The model loads, mostly outside Python, while the store opens.
        threading.Thread(target=_warm_up, args=(self._reader,), daemon=True).start()
        ids = self._ids(papers)
        return Asker(
            analyse=self._analyse,
            find=partial(self._retrieve, papers=ids),
            backend=self._backend(ids),
            checker=Checker(self._reader),
            verify=self.settings.verify,
            one_paper=ids is not None and len(ids) == 1,
            account=self._account,
        ).ask(question, history)

    def usage(self, *, since: date) -> list[Total]:
        """Return what models have taken, by day and model, from ``since`` on."""
        return self._ledger.totals(since=since)

    def _backend(self, papers: Sequence[str] | None) -> Backend:
        if self.settings.llm == extractive.NAME:
            return extractive.Extractive(
                reader=self._reader,
                vocabulary=self._store,
                find_topic=lambda text: self._find_topic(text, papers),
            )
        self._check_budget()
        return Generative(
            self._chat,
            self._small_chat,
            reader=self._reader,
            vocabulary=self._store,
            secret=read_secret(self.settings.home / "secret"),
            passage_tokens=self.settings.passage_tokens,
            length=self.settings.answer_length,
            language=self.settings.answer_language,
        )

    def _check_budget(self) -> None:
        """Refuse a question that could cost more than may be spent."""
        settings = self.settings
        if settings.budget_question is None and settings.budget_day is None:
            return
        today = datetime.now(UTC).date()
        Budget(settings.budget_question, settings.budget_day).check(
            settings.llm,
            input_tokens=settings.passage_tokens + _PROMPT_TOKENS,
            output_tokens=_ANSWER_TOKENS,
            prices=self._prices,
            spent=spent(self._ledger.totals(since=today)),
        )

    def _account(self, model: str, usage: Usage) -> None:
        if usage.input_tokens or usage.output_tokens:
            self._ledger.add(model, usage, day=datetime.now(UTC).date())

    def _find_topic(self, text: str, papers: Sequence[str] | None) -> rewrite.Topic | None:
        """Find the papers a text names, or the one it fits best."""
        query = self._analyse(text[:MAX_QUESTION])
        passages = self._retrieve(query, limit=_TOPIC_PASSAGES, per_paper=1, papers=papers)
        if not passages:
            return None
        names = NameMatcher(query, self._store)
        found = [(each, names.names_of(each.title, each.chunk.text)) for each in passages]
        named = [each for each, mentions in found if mentions] or passages[:1]
        return rewrite.Topic(
            names=tuple(short_title(passage.title) for passage in named),
            mentions=tuple({word.surface for _, mentions in found for word in mentions}),
            score=passages[0].score,
        )

    # Comparing

    def compare(
        self,
        papers: Sequence[str] = (),
        *,
        aspects: Sequence[str] = (),
        question: str | None = None,
        save: str | None = None,
    ) -> Iterator[ComparisonEvent]:
        """Compare papers as a stream of cited cells that ends with the whole table and its summary.

        Args:
            papers: ids of the papers, 2 to 50.
            aspects: what to compare; by default problem, method, data, base model, benchmarks,
                headline result, limitations and code.
            question: adds the papers that match it.
            save: a name to keep the table under. What is kept under it already is taken over, and
                only cells that are new, or whose paper has changed, are filled.

        Raises:
            InputError: if there are too few or too many papers or aspects.
            QuestionError: if the question is empty or too long.
            LibraryEmptyError: if there is nothing to compare.
            PaperNotFoundError: if ``papers`` names one that is not there.
            StorageError: if the table cannot be kept.
        """
        chosen = [self.paper(paper_id) for paper_id in papers]
        if question is not None:
            query = self._analyse(_checked(question))
            passages = self._retrieve(query, limit=MAX_PAPERS, per_paper=1, papers=None)
            chosen += map(self.paper, matching(evidence.weigh(query, passages, self._reader)))
        filler = ExtractiveFiller(
            analyse=self._analyse,
            embed=self._embedder.embed,
            retrieve=self._retrieve_for_cell,
            chunks_of=self._store.paper_chunks,
            reader=self._reader,
        )
        comparer = Comparer(filler, shelf=self._shelf, backend=extractive.NAME)
        return comparer.compare(chosen, aspects, held=self.papers(), save=save)

    def comparison(self, name: str) -> SavedComparison:
        """Return what is kept of a comparison, its stale papers included.

        Raises:
            NotFoundError: if none is kept under that name.
        """
        return self._shelf.get(name)

    def _retrieve_for_cell(self, query: Query, vector: Array, paper_id: str) -> list[Passage]:
        index = _Index(self._store, self._fingerprint())
        return retrieve.retrieve(
            query,
            vector,
            index,
            limit=_CELL_PASSAGES,
            per_paper=_CELL_PASSAGES,
            papers=[paper_id],
        )

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.settings.home / "comparisons")

    # Health

    def diagnose(self) -> Diagnosis:
        """Check that settings, embedder, catalog, Chroma and lexical index are there and agree."""
        facts = [f"home {self.settings.home}", f"language model {self.settings.llm}"]
        problems: list[str] = []
        try:
            dimension = self._embedder.embed(["test"]).shape[1]
            facts.append(f"embedder {self._embedder.name}, {dimension} dimensions")
            found = self._store.check()
            problems += [f"{problem.part}: {problem.detail}" for problem in found]
            if not found:
                database = redact(self.settings.database or "SQLite in the home")
                facts.append(
                    f"{self._store.paper_count()} papers, {self._store.chunk_count()} chunks: "
                    f"catalog ({database}), Chroma ({redact(self.settings.chroma)}) and lexical index agree"
                )
        except AssistantError as error:
            problems.append(str(error))
        return Diagnosis(tuple(facts), tuple(problems))

    def repair(self) -> list[str]:
        """Mend what can be mended: rebuild indexes, embed anew; return what was done."""
        return self._store.repair(
            self._embedder.embed,
            embedding_text=chunk.embedding_text,
            fingerprint=self._fingerprint(),
            chunk=self._cut_anew,
        )

    def _cut_anew(self, paper: Paper) -> Sequence[Chunk]:
        """Cut a paper; where its PDF is gone, the chunks of its full text stay as they are."""
        document = self._document_of(paper)
        kept: list[Chunk] = []
        if paper.full_text and document is None:
            kept = [each for each in self._store.paper_chunks(paper.id) if each.source == "pdf"]
        return cut(paper, self._embedder, document=document, kept=kept).chunks

    def close(self) -> None:
        """Let go of files and connections."""
        if "_store" in self.__dict__:
            self._store.close()
        if "_page_drawer" in self.__dict__:
            self._page_drawer.close()

    def _pdf_of(self, paper: Paper) -> Path | None:
        path = self._pdf_folder / f"{paper.full_text.sha256}.pdf" if paper.full_text else None
        return path if path and path.is_file() else None

    def _document_of(self, paper: Paper) -> Document | None:
        path = self._pdf_of(paper)
        if path is None:
            return None
        with self._reader_of_pdfs() as reader:
            return reader.parse(path)

    # Parts, each made when first needed

    @cached_property
    def _store(self) -> Store:
        return Store.open(
            home=self.settings.home, database=self.settings.database, chroma=self.settings.chroma
        )

    @cached_property
    def _chat(self) -> ChatModel:
        return self._open_chat(self.settings.llm, self.settings.llm_fallback)

    @cached_property
    def _small_chat(self) -> ChatModel:
        small = self.settings.llm_small
        if small in (None, self.settings.llm, extractive.NAME):
            return self._chat
        return self._open_chat(small, None)

    def _open_chat(self, spec: str, fallback: str | None) -> ChatModel:
        return open_chat(
            spec,
            base_url=self.settings.llm_base_url,
            fallback=fallback,
            timeout=self.settings.llm_timeout,
            concurrency=self.settings.llm_concurrency,
            cache=self.settings.home / "replies.db" if self.settings.cache else None,
            prices=self._prices,
        )

    @cached_property
    def _prices(self) -> Prices:
        return read_prices(self.settings.home / "prices.toml")

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self.settings.home / "usage.db")

    @property
    def _pdf_folder(self) -> Path:
        return self.settings.home / "pdfs"

    @cached_property
    def _fetcher(self) -> "Fetcher":
        from assistant.fetch import Fetcher

        return Fetcher(
            self._pdf_folder,
            arxiv_url=self.settings.arxiv_url,
            contact=self.settings.contact,
            allow_hosts=self.settings.fetch_hosts.split(),
        )

    def _reader_of_pdfs(self) -> "ParserPool":
        from assistant.parse.pool import ParserPool

        return ParserPool(self.settings.home / "documents", workers=os.cpu_count() or 1)

    @cached_property
    def _page_drawer(self) -> "PageDrawer":
        from assistant.parse.render import PageDrawer

        return PageDrawer(self.settings.home / "pages")

    @cached_property
    def _embedder(self) -> Embedder:
        if self.settings.embeddings == self._reader.name:
            return self._reader
        return ProviderEmbedder(self.settings.embeddings)

    @cached_property
    def _reader(self) -> MiniLM:
        """The local embedder, which weighs evidence whatever embedder the index is made with."""
        return MiniLM(self.settings.home / "models", announce=self._announce)

    def _fingerprint(self) -> IndexFingerprint:
        return IndexFingerprint(
            embedder=self._embedder.name,
            dimension=self._embedder.dimension,
            chunking=chunk.VERSION,
        )

    def _analyse(self, question: str) -> Query:
        if not self._store.paper_count():
            raise LibraryEmptyError(
                "the library is empty: add papers with `assistant ingest`, or try `assistant demo`"
            )
        return analyse(question, self._store)

    def _retrieve(
        self, query: Query, *, limit: int, per_paper: int, papers: Sequence[str] | None
    ) -> list[Passage]:
        (vector,) = self._embedder.embed([query.text])
        index = _Index(self._store, self._fingerprint())
        return retrieve.retrieve(
            query, vector, index, limit=limit, per_paper=per_paper, papers=papers
        )

    def _ids(self, papers: Sequence[str] | None) -> list[str] | None:
        return [self.paper(paper_id).id for paper_id in papers] if papers else None


class _Index:
    """The store as retrieval searches it: with vectors of one embedder."""

    def __init__(self, store: Store, fingerprint: IndexFingerprint) -> None:
        self._fingerprint = fingerprint
        self._store = store
        self.chunk_count = store.chunk_count
        self.document_frequency = store.document_frequency
        self.words_with_prefix = store.words_with_prefix
        self.lexical = store.lexical
        self.chunks = store.chunks
        self.vectors = store.vectors
        self.paper = store.paper

    def dense(
        self, vector: Array, *, depth: int, papers: Collection[str] | None
    ) -> Sequence[retrieve.Hit]:
        """Find the chunks nearest to a unit vector, by cosine."""
        return self._store.dense(vector, fingerprint=self._fingerprint, depth=depth, papers=papers)


def _warm_up(reader: MiniLM) -> None:
    with suppress(AssistantError):  # who needs the model next will be told
        reader.load()


def _checked(question: str) -> str:
    cleaned = " ".join(clean(question).split())
    if not words(cleaned):
        raise QuestionError("the question is empty: ask in words")
    if len(cleaned) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(cleaned)} characters: ask in {MAX_QUESTION} at most"
        )
    return cleaned
