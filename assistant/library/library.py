"""The library of papers: the one façade that command line, pages, eval and servers call."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.compare import Key, Listed, Opened, proposal
from assistant.config import Settings
from assistant.errors import AssistantError
from assistant.export import Format, render
from assistant.ingest import Progress
from assistant.library.answering import Answering
from assistant.library.comparing import Comparing
from assistant.library.health import Diagnosis, Health, Holdings
from assistant.library.language_models import LanguageModels
from assistant.library.papers import Papers
from assistant.library.parts import Parts
from assistant.library.search import RankedPaper, Search, checked
from assistant.models import Array
from assistant.models.ledger import Total
from assistant.models.stop import Stop, StoppedError
from assistant.models.structured import Schema
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
)
from assistant.verify import Check, Checker, Judgement

if TYPE_CHECKING:
    from assistant.models.check import Checked


class Library:
    """A library in one home. Thread-safe; nothing heavy is loaded before it is needed."""

    def __init__(
        self, settings: Settings, *, announce: Callable[[str], None] = lambda _: None
    ) -> None:
        """Name the settings to use; ``announce`` is told of a long wait."""
        self.settings = settings
        self._parts = parts = Parts(settings, announce=announce)
        self._models = models = LanguageModels(parts)
        self._papers = papers = Papers(parts)
        self._search = search = Search(parts)
        self._answering = Answering(parts, models, search)
        self._comparing = Comparing(parts, models, search, papers)
        self._health = Health(parts, models, papers)

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
        return self._papers.ingest(sources, pdfs=pdfs, progress=progress)

    def papers(self) -> list[Paper]:
        """List the papers in the order they came in."""
        return self._parts.store.papers()

    def paper(self, paper_id: str) -> Paper:
        """Return a paper by its id, an alias, or any usual form of an arXiv id.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        return self._papers.get(paper_id)

    def pdf(self, paper_id: str) -> Path | None:
        """Return the PDF that a paper's full text was read from; None if there is none.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        return self._papers.pdf(self.paper(paper_id))

    def document(self, paper_id: str) -> Document | None:
        """Return a paper's full text as read from its PDF; None if there is none.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
            PdfError: if the PDF was damaged since it was read.
        """
        return self._papers.document(self.paper(paper_id))

    def chunks(self, paper_id: str) -> list[Chunk]:
        """Return what is indexed of a paper, in text order.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        return self._parts.store.paper_chunks(self.paper(paper_id).id)

    def chunk(self, chunk_id: str) -> Chunk | None:
        """Return a chunk by its id; None if it is gone."""
        return self._parts.store.chunks([chunk_id]).get(chunk_id)

    def chunk_counts(self) -> dict[str, int]:
        """Count the chunks of each paper that has some."""
        return self._parts.store.chunk_counts()

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
        return self._papers.page_image(self.paper(paper_id), page, boxes=boxes)

    def remove(self, paper_ids: Sequence[str]) -> int:
        """Remove papers and all that was indexed of them; return how many.

        Raises:
            PaperNotFoundError: if one of them is not there; none is removed then.
        """
        return self._papers.remove([self.paper(each) for each in paper_ids])

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
        return self._papers.reindex([self.paper(each) for each in paper_ids], progress=progress)

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
        query = self._search.query(question)
        return self._search.search(query, limit=limit, papers=self._papers.ids(papers))

    def rank_papers(self, question: str, *, depth: int) -> list[RankedPaper]:
        """Rank up to ``depth`` papers for a question, each by its best passage."""
        return self._search.rank_papers(self._search.query(question), depth=depth)

    def with_llm(self, llm: str) -> "Library":
        """Return this library with another backend for answers, named as the setting ``llm`` names it.

        Both share what they have open: closing one closes both.
        """
        settings = self.settings.model_copy(update={"llm": llm})
        other = Library(settings, announce=self._parts.announce)
        self._parts.lend(other._parts)
        self._models.lend(other._models)
        return other

    def warm_up(self, stop: Stop) -> None:
        """Load what a question takes, so that the first need not wait; what fails, its asker is told."""
        with suppress(AssistantError, StoppedError):
            self._parts.reader.load()
            self.search("papers", limit=1)
            self._answering.read_ahead(stop)

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        papers: Sequence[str] | None = None,
        stop: Stop | None = None,
    ) -> Iterator[Event]:
        """Answer a question as a stream of events that ends with the whole answer.

        Args:
            question: the question.
            history: earlier turns of the conversation, oldest first.
            papers: ids of the only papers to answer from, or None for all.
            stop: ends what models are asked, from another thread too; the events end with a
                ``StoppedError`` then.

        Raises:
            QuestionError: if the question is empty or too long.
            LibraryEmptyError: if there is nothing to answer from.
            PaperNotFoundError: if ``papers`` names one that is not there.
        """
        question = checked(question)
        self._answering.begin_loading()
        return self._answering.ask(question, history, papers=self._papers.ids(papers), stop=stop)

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
        return self._models.reply(prompt, schema, data=data, stop=stop)

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed texts as the index does: unit vectors, of shape ``(len(texts), dimension)``."""
        return self._parts.embedder.embed(texts)

    def check(self, claims: Sequence[Check]) -> list[Judgement]:
        """Judge each claim by the texts it is to rest on, with the local checker."""
        return Checker(self._parts.reader).check(claims)

    def usage(self, *, since: date) -> list[Total]:
        """Return what models have taken, by day and model, from ``since`` on."""
        return self._models.ledger.totals(since=since)

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
        return self._comparing.compare(papers, aspects, question=question, save=save)

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
        return self._comparing.propose(papers, question=question)

    def comparisons(self) -> list[Listed]:
        """List the comparisons that are kept, newest first."""
        return self._comparing.shelf.listed()

    def comparison(self, name: str) -> Opened:
        """Return a comparison as it is kept, with the papers that have changed since; nothing is filled.

        Raises:
            InputError: if the name cannot be one.
            NotFoundError: if none is kept under that name.
            StorageError: if it cannot be read.
        """
        return self._comparing.open(name)

    def remove_comparison(self, name: str) -> None:
        """Delete a comparison that is kept; one that is gone already is no error.

        Raises:
            InputError: if the name cannot be one.
            StorageError: if it cannot be deleted.
        """
        self._comparing.shelf.remove(name)

    def edit_cell(self, name: str, paper_id: str, aspect: str, text: str) -> Opened:
        """Write a cell of a kept comparison by hand; it stays so until an empty text brings it back.

        Raises:
            InputError: if the text is too long.
            NotFoundError: if there is no such comparison or cell.
            StorageError: if it cannot be kept.
        """
        return self._comparing.edit_cell(name, Key(paper_id, aspect), text)

    # Health

    def holdings(self) -> Holdings:
        """Count what the library holds, and fingerprint it."""
        return self._health.holdings()

    def diagnose(self) -> Diagnosis:
        """Check that models, embedder, catalog, Chroma and lexical index are there and agree."""
        return self._health.diagnose()

    def check_models(self, llms: Sequence[str]) -> list["Checked"]:
        """Ask language models for a word, all at a time; say how each did.

        Raises:
            SettingsError: if one cannot be used.
        """
        return self._models.check(llms)

    def repair(self) -> list[str]:
        """Mend what can be mended: rebuild indexes, embed anew; return what was done."""
        return self._health.repair()

    def close(self) -> None:
        """Let go of files and connections."""
        self._parts.close()
