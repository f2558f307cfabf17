"""The library of papers: the one façade that command line, pages, eval and servers call."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assistant import chunk, parse, retrieve
from assistant.answer import evidence, extractive, rewrite
from assistant.answer.generative import Generative
from assistant.asking import Asker, Backend
from assistant.compare import (
    MAX_PAPERS,
    Comparer,
    ExtractiveFiller,
    GenerativeFiller,
    Key,
    Listed,
    Manner,
    Models,
    Opened,
    PassageFinder,
    Shelf,
    Wanted,
    Writer,
    WrittenSummary,
    expect,
    expect_checks,
    matching,
    opened,
    proposal,
)
from assistant.config import Settings, redact
from assistant.errors import (
    AssistantError,
    LibraryEmptyError,
    ModelUnavailableError,
    PaperNotFoundError,
    PdfError,
    QuestionError,
    SettingsError,
)
from assistant.export import Format, render
from assistant.ingest import Ingest, Progress
from assistant.ingest.full_text import FullTexts
from assistant.ingest.index import Cut, cut, embed
from assistant.keys import read_secret
from assistant.models import Array, Embedder, ProviderEmbedder
from assistant.models.chat import RETRIES, ChatModel, add, open_chat
from assistant.models.ledger import Budget, Ledger, Total, spent
from assistant.models.meter import Meter
from assistant.models.minilm import MiniLM
from assistant.models.prices import Prices, read_prices
from assistant.models.remembering import Remembering
from assistant.models.request import request
from assistant.models.stop import Stop
from assistant.models.structured import Schema
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
    SourceFailure,
    Turn,
    Usage,
)
from assistant.sources import parse_arxiv_id
from assistant.sources.identity import has_placeholder_title
from assistant.store import IndexFingerprint, Store
from assistant.text import clean, words
from assistant.verify import Check, Checker, Judgement, ModelChecker

if TYPE_CHECKING:
    from assistant.fetch import Fetcher
    from assistant.models.check import Checked
    from assistant.parse.pool import ParserPool
    from assistant.parse.render import PageDrawer

MAX_QUESTION = 4_000
"""Characters of a question; what is longer is a text, not a question."""

_PROMPT_TOKENS = 1_500
"""What a question takes at most beside its passages, to check budgets with."""

_CHECK_SECONDS = 10.0
"""What a model has to answer a check in."""

_PER_PAPER_SEARCH = 3
_TOPIC_PASSAGES = 4
_CELL_PASSAGES = 6


class RankedPaper(NamedTuple):
    """A paper found by a batch search."""

    paper_id: str
    score: float


class Holdings(NamedTuple):
    """What a library holds: papers, chunks, and a fingerprint that changes with what can be found."""

    papers: int
    chunks: int
    fingerprint: str


class Diagnosis(NamedTuple):
    """What a check found: facts that are as they should be, and problems, a line each.

    ``mendable`` says that repairing may help.
    """

    facts: tuple[str, ...]
    problems: tuple[str, ...]
    mendable: bool


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

    def chunks(self, paper_id: str) -> list[Chunk]:
        """Return what is indexed of a paper, in text order.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        return self._store.paper_chunks(self.paper(paper_id).id)

    def chunk(self, chunk_id: str) -> Chunk | None:
        """Return a chunk by its id; None if it is gone."""
        return self._store.chunks([chunk_id]).get(chunk_id)

    def chunk_counts(self) -> dict[str, int]:
        """Count the chunks of each paper that has some."""
        return self._store.chunk_counts()

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
                self._forget(paper.full_text.sha256, ("pdfs", "documents", "pages"))
        return len(found)

    def _forget(self, sha256: str, folders: Sequence[str]) -> None:
        """Delete a PDF, or what was read and drawn of it."""
        for folder in folders:
            for path in (self.settings.home / folder).glob(f"{sha256}*"):
                path.unlink(missing_ok=True)

    def reindex(
        self,
        paper_ids: Sequence[str],
        *,
        progress: Progress = lambda _stage, _done, _total: None,
    ) -> IngestReport:
        """Read the PDFs of papers anew, cut and embed them anew; what fails stays as it was.

        Raises:
            PaperNotFoundError: if one of them is not there; none is touched then.
        """
        began = time.perf_counter()
        papers = list({paper.id: paper for paper in map(self.paper, paper_ids)}.values())
        failed: list[SourceFailure] = []
        chunks = 0
        for done, paper in enumerate(papers):
            progress("Indexing", done, len(papers))
            try:
                chunks += self._reindex(paper)
            except PdfError as error:
                failed.append(SourceFailure(source=paper.id, error=str(error)))
        return IngestReport(
            added=0,
            updated=len(papers) - len(failed),
            unchanged=0,
            failed=tuple(failed),
            chunks=chunks,
            seconds=round(time.perf_counter() - began, 3),
        )

    def _reindex(self, paper: Paper) -> int:
        """Index one paper anew; return how many chunks that makes."""
        if paper.full_text and self._pdf_of(paper):
            self._forget(paper.full_text.sha256, ("documents", "pages"))
        indexed = embed([Cut(paper, tuple(self._cut_anew(paper)))], self._embedder)
        with self._store.writer() as writer:
            # What another process has changed meanwhile, it has indexed as well.
            if self._store.paper(paper.id) == paper:
                writer.put(indexed, fingerprint=self._fingerprint())
        return len(indexed[0].chunks)

    def export(self, file_format: Format, *, papers: Sequence[str] | None = None) -> str:
        """Write papers as BibTeX, CSV or JSON: those named, or all.

        Raises:
            PaperNotFoundError: if ``papers`` names one that is not there.
        """
        chosen = self.papers() if papers is None else list(map(self.paper, papers))
        return render(chosen, file_format)

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

    def with_llm(self, llm: str) -> "Library":
        """Return this library with another backend for answers, named as the setting ``llm`` names it.

        Both share what they have open: closing one closes both.
        """
        settings = self.settings.model_copy(update={"llm": llm})
        other = Library(settings, announce=self._announce)
        other.__dict__.update(
            _store=self._store, _reader=self._reader, _embedder=self._embedder, _ledger=self._ledger
        )
        return other

    def warm_up(self) -> None:
        """Load what a question takes, so that the first need not wait; what fails, its asker is told."""
        with suppress(AssistantError):
            self._reader.load()
            self.search("papers", limit=1)

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
        # The models load, mostly outside Python, while the store opens.
        _in_background(self._reader.load)
        if self.settings.llm != extractive.NAME:
            _in_background(self._chat.load)
        ids = self._ids(papers)
        meter = self._meter()
        asker = Asker(
            analyse=self._analyse,
            find=partial(self._retrieve, papers=ids),
            backend=self._backend(ids, meter),
            checker=self._checker(meter.watch),
            verify=self.settings.verify,
            one_paper=ids is not None and len(ids) == 1,
            meter=meter,
        )
        return self._asked(asker, question, history)

    def _asked(self, asker: Asker, question: str, history: Sequence[Turn]) -> Iterator[Event]:
        try:
            yield from asker.ask(question, history)
        finally:  # what was taken until it was stopped is taken
            for model, usage in asker.meter.totals.items():
                self._account(model, usage)

    def reply(
        self,
        prompt: str,
        schema: type[Schema],
        *,
        data: Mapping[str, str],
        stop: Stop | None = None,
    ) -> Schema:
        """Ask the language model about texts, each marked off as data, for a reply in a form.

        Args:
            prompt: what the prompts ``{prompt}.system`` and ``{prompt}.user`` are called.
            schema: the form.
            data: the texts, by the name of the user prompt's variable that each takes the place of.
            stop: ends the call, from another thread too.

        Raises:
            SettingsError: if the settings name no language model, or one that cannot be used.
            BudgetError: if the call could cost more than may be spent.
            ModelUnavailableError: if the model does not answer.
            ReplyFormError: if it does, but not in this form.
        """
        if self.settings.llm == extractive.NAME:
            raise SettingsError(
                "this takes a language model: name one with --llm provider:model or ASSISTANT_LLM"
            )
        meter = self._meter()
        reply = meter.watch(self._chat).structured(
            request(prompt, data, secret=self._secret), schema, stop=stop
        )
        self._account(self._chat.name, reply.usage)
        return reply.value

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed texts as the index does: unit vectors, of shape ``(len(texts), dimension)``."""
        return self._embedder.embed(texts)

    def check(self, claims: Sequence[Check]) -> list[Judgement]:
        """Judge each claim by the texts it is to rest on, with the local checker."""
        return Checker(self._reader).check(claims)

    def usage(self, *, since: date) -> list[Total]:
        """Return what models have taken, by day and model, from ``since`` on."""
        return self._ledger.totals(since=since)

    def _backend(self, papers: Sequence[str] | None, meter: Meter) -> Backend:
        if self.settings.llm == extractive.NAME:
            return extractive.Extractive(
                reader=self._remembering_reader,
                vocabulary=self._store,
                find_topic=lambda text: self._find_topic(text, papers),
            )
        meter.keep_for_answer(
            self.settings.llm, input_tokens=self.settings.passage_tokens + _PROMPT_TOKENS
        )
        return Generative(
            meter.watch(self._chat),
            meter.watch(self._small_chat),
            reader=self._remembering_reader,
            embed=self._reader.embed,
            vocabulary=self._store,
            secret=self._secret,
            passage_tokens=self.settings.passage_tokens,
            length=self.settings.answer_length,
            language=self.settings.answer_language,
            evidence=self.settings.evidence,
            workers=self.settings.llm_concurrency,
        )

    def _checker(
        self, watch: Callable[[ChatModel], ChatModel], stop: Stop | None = None
    ) -> Checker | ModelChecker:
        rules = Checker(self._reader)
        if self.settings.verify_with == "rules" or self.settings.llm == extractive.NAME:
            return rules
        return ModelChecker(
            rules,
            watch(self._small_chat),
            workers=self.settings.llm_concurrency,
            secret=self._secret,
            within=stop,
        )

    def _meter(self) -> Meter:
        """Begin to reckon what a question takes."""
        budget = Budget(self.settings.budget_question, self.settings.budget_day)
        limited = budget != Budget()
        return Meter(
            budget,
            prices=self._prices,
            spent=self._spent_today() if limited else 0.0,
        )

    @property
    def _secret(self) -> bytes:
        return read_secret(self.settings.home / "secret")

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

        The first event is the plan, with what a model is likely to take; nothing is paid for before the next.

        Raises:
            InputError: if there are too few or too many papers or aspects.
            QuestionError: if the question is empty or too long.
            LibraryEmptyError: if there is nothing to compare.
            PaperNotFoundError: if ``papers`` names one that is not there.
            StorageError: if the table cannot be kept.
            BudgetError: on reading, if filling the cells could cost more than may be spent today.
        """
        chosen = self._chosen(papers, question)
        comparer = self._comparer()
        return comparer.compare(chosen, aspects, held=self.papers(), save=save)

    def propose_aspects(
        self, papers: Sequence[str] = (), *, question: str | None = None
    ) -> proposal.Proposal:
        """Propose aspects to compare papers by, from what these have in common.

        Without a language model, or where it has nothing usable to say, these are the default ones.

        Args:
            papers: ids of the papers.
            question: adds the papers that match it.

        Raises:
            QuestionError: if the question is empty or too long.
            PaperNotFoundError: if ``papers`` names one that is not there.
            SettingsError: if the model cannot be used.
            BudgetError: if asking it could cost more than may be spent.
        """
        chosen = self._chosen(papers, question)
        if self.settings.llm == extractive.NAME:
            return proposal.default("proposing aspects takes a language model")
        told = proposal.describe(chosen, budget=self.settings.passage_tokens)
        try:
            reply = self.reply(proposal.PROMPT, proposal.Proposed, data={"papers": told})
        except ModelUnavailableError as error:
            return proposal.default(str(error))
        return proposal.choose(reply.aspects)

    def _chosen(self, papers: Sequence[str], question: str | None) -> list[Paper]:
        """Return the papers named, and those that match a question."""
        chosen = [self.paper(paper_id) for paper_id in papers]
        if question is not None:
            query = self._analyse(_checked(question))
            passages = self._retrieve(query, limit=MAX_PAPERS, per_paper=1, papers=None)
            chosen += map(self.paper, matching(evidence.weigh(query, passages, self._reader)))
        return chosen

    def _comparer(self) -> Comparer:
        """Make what fills tables: from the papers' sentences, or with a language model."""
        passages = PassageFinder(
            analyse=self._analyse,
            embed=self._embedder.embed,
            retrieve=self._retrieve_for_cell,
            chunks_of=self._store.paper_chunks,
            reader=self._reader,
        )
        llm = self.settings.llm
        if llm == extractive.NAME:
            return Comparer(ExtractiveFiller(passages), shelf=self._shelf, backend=llm)
        manner = self._manner()
        workers = self.settings.llm_concurrency
        return Comparer(
            GenerativeFiller(passages, Writer(manner), workers=workers),
            shelf=self._shelf,
            backend=llm,
            summarise=WrittenSummary(Writer(manner)),
            expect=self._expect,
        )

    def _manner(self) -> Manner:
        """Say how a model fills a table: each call within the budget of a question, all within the day's."""
        settings = self.settings
        day = Meter(
            Budget(per_day=settings.budget_day), prices=self._prices, spent=self._spent_today()
        )

        @contextmanager
        def asking(stop: Stop) -> Iterator[Models]:
            meter = Meter(Budget(settings.budget_question), prices=self._prices)

            def watch(chat: ChatModel) -> ChatModel:
                return meter.watch(day.watch(chat))

            try:
                checker = None if settings.verify == "off" else self._checker(watch, stop)
                yield Models(watch(self._chat), checker)
            finally:
                for model, usage in meter.totals.items():
                    self._account(model, usage)

        return Manner(
            asking=asking,
            drop=settings.verify == "drop",
            passage_tokens=settings.passage_tokens,
            language=settings.answer_language,
            embed=self._reader.embed,
            secret=self._secret,
        )

    def _expect(self, missing: Sequence[Wanted]) -> Usage:
        """Estimate what cells take, and refuse what could pass the day's budget."""
        settings = self.settings
        expected = expect(
            missing,
            chunks_of=self._store.paper_chunks,
            passage_tokens=settings.passage_tokens,
            price=partial(self._prices.cost, self._chat.name),
        )
        if settings.verify != "off" and settings.verify_with == "model":
            price = partial(self._prices.cost, self._small_chat.name)
            expected = add(expected, expect_checks(len(missing), price=price))
        Budget(per_day=settings.budget_day).check(
            settings.llm,
            input_tokens=0,
            output_tokens=0,
            prices=self._prices,
            spent=self._spent_today(),
            taken=expected.cost_usd or 0.0,
        )
        return expected

    def _spent_today(self) -> float:
        """Return the known US dollars that models took since midnight, UTC."""
        return spent(self._ledger.totals(since=datetime.now(UTC).date()))

    def comparisons(self) -> list[Listed]:
        """List the comparisons that are kept, newest first."""
        return self._shelf.listed()

    def comparison(self, name: str) -> Opened:
        """Return a comparison as it is kept, with the papers that have changed since; nothing is filled.

        Raises:
            InputError: if the name cannot be one.
            NotFoundError: if none is kept under that name.
            StorageError: if it cannot be read.
        """
        return opened(self._shelf.get(name), self.papers())

    def remove_comparison(self, name: str) -> None:
        """Delete a comparison that is kept; one that is gone already is no error.

        Raises:
            InputError: if the name cannot be one.
            StorageError: if it cannot be deleted.
        """
        self._shelf.remove(name)

    def edit_cell(self, name: str, paper_id: str, aspect: str, text: str) -> Opened:
        """Write a cell of a kept comparison by hand; it stays so until an empty text brings it back.

        Raises:
            InputError: if the text is too long.
            NotFoundError: if there is no such comparison or cell.
            StorageError: if it cannot be kept.
        """
        return opened(self._shelf.edit(name, Key(paper_id, aspect), text), self.papers())

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

    def holdings(self) -> Holdings:
        """Count what the library holds, and fingerprint it."""
        ids = sorted(self._store.chunk_ids())
        content = "\n".join([str(self._store.fingerprint()), *ids])
        return Holdings(
            papers=self._store.paper_count(),
            chunks=len(ids),
            fingerprint=hashlib.sha256(content.encode()).hexdigest()[:16],
        )

    def diagnose(self) -> Diagnosis:
        """Check that models, embedder, catalog, Chroma and lexical index are there and agree."""
        facts = [f"home {self.settings.home}"]
        if self.settings.llm == extractive.NAME:
            facts.append("language model extractive: answers are quotes")
        problems: list[str] = []
        mendable = False
        mendable = False
        for role, checked in self._check_models():
            if checked.problem is None:
                facts.append(f"{role} {checked.name} answered in {checked.seconds:.1f} s")
            else:
                problems.append(f"{role}: {checked.problem}")
        try:
            dimension = self._embedder.embed(["test"]).shape[1]
            facts.append(f"embedder {self._embedder.name}, {dimension} dimensions")
        except AssistantError as error:
            problems.append(str(error))
        try:
            found = self._store.check()
            problems += [f"{problem.part}: {problem.detail}" for problem in found]
            mendable = bool(found)
            if not found:
                database = redact(self.settings.database or "SQLite in the home")
                facts.append(
                    f"{self._store.paper_count()} papers, {self._store.chunk_count()} chunks: "
                    f"catalog ({database}), Chroma ({redact(self.settings.chroma)}) and lexical index agree"
                )
        except AssistantError as error:
            problems.append(str(error))
        return Diagnosis(tuple(facts), tuple(problems), mendable)

    def check_models(self, llms: Sequence[str]) -> list["Checked"]:
        """Ask language models for a word, all at a time; say how each did.

        Raises:
            SettingsError: if one cannot be used.
        """
        from assistant.models.check import check_models

        done = check_models([self._open_chat(each, patient=False) for each in llms])
        for checked in done:
            self._account(checked.name, checked.usage)
        return done

    def _check_models(self) -> Iterator[tuple[str, "Checked"]]:
        """Ask each language model that the settings name for a word; tell its role and how it did."""
        settings = self.settings
        if settings.llm == extractive.NAME:
            return
        roles = {settings.llm: "language model"}
        if settings.llm_small not in {None, extractive.NAME}:
            roles.setdefault(str(settings.llm_small), "small model")
        if settings.llm_fallback is not None:
            roles.setdefault(settings.llm_fallback, "fallback model")
        yield from zip(roles.values(), self.check_models(list(roles)), strict=True)

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
        return self._open_chat(self.settings.llm, fallback=self.settings.llm_fallback)

    @cached_property
    def _small_chat(self) -> ChatModel:
        small = self.settings.llm_small
        if small in (None, self.settings.llm, extractive.NAME):
            return self._chat
        return self._open_chat(small)

    def _open_chat(
        self, spec: str, *, fallback: str | None = None, patient: bool = True
    ) -> ChatModel:
        """Name a model; without patience it is asked once, shortly, and past the cache."""
        settings = self.settings
        return open_chat(
            spec,
            base_url=settings.llm_base_url,
            fallback=fallback,
            timeout=settings.llm_timeout if patient else min(settings.llm_timeout, _CHECK_SECONDS),
            max_retries=RETRIES if patient else 0,
            concurrency=settings.llm_concurrency,
            rate=settings.llm_rate,
            cache=settings.home / "replies.db" if settings.cache and patient else None,
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

    @cached_property
    def _remembering_reader(self) -> Remembering:
        """The reader of passages, which many questions have in common."""
        return Remembering(self._reader)

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


def _in_background(load: Callable[[], None]) -> None:
    """Load a model; who needs it next will be told what failed."""

    def run() -> None:
        with suppress(AssistantError):
            load()

    threading.Thread(target=run, daemon=True).start()


def _checked(question: str) -> str:
    cleaned = " ".join(clean(question).split())
    if not words(cleaned):
        raise QuestionError("the question is empty: ask in words")
    if len(cleaned) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(cleaned)} characters: ask in {MAX_QUESTION} at most"
        )
    return cleaned
