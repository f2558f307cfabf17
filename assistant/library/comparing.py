"""Papers compared: which of them, by what they are compared, what fills the table and keeps it."""

from collections.abc import Iterator, Sequence
from functools import partial

from assistant.answer import evidence
from assistant.compare import (
    MAX_PAPERS,
    Comparer,
    ExtractiveFiller,
    GenerativeFiller,
    Key,
    Manner,
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
from assistant.errors import ModelUnavailableError
from assistant.library.language_models import LanguageModels
from assistant.library.papers import Papers
from assistant.library.parts import Parts
from assistant.library.search import Search
from assistant.models.chat import add
from assistant.models.ledger import Budget
from assistant.records import ComparisonEvent, Paper, Usage


class Comparing:
    """Compares the papers of a library."""

    def __init__(
        self, parts: Parts, models: LanguageModels, search: Search, papers: Papers
    ) -> None:
        self._parts = parts
        self._models = models
        self._search = search
        self._papers = papers

    @property
    def shelf(self) -> Shelf:
        """Where comparisons are kept."""
        return Shelf(self._parts.settings.home / "comparisons")

    def compare(
        self,
        papers: Sequence[str],
        aspects: Sequence[str],
        *,
        question: str | None,
        save: str | None,
    ) -> Iterator[ComparisonEvent]:
        """Compare papers as a stream; see :meth:`Library.compare`."""
        chosen = self._chosen(papers, question)
        comparer = self._comparer()
        return comparer.compare(chosen, aspects, held=self._parts.store.papers(), save=save)

    def propose(self, papers: Sequence[str], *, question: str | None) -> proposal.Proposal:
        """Propose aspects to compare papers by; see :meth:`Library.propose_aspects`."""
        chosen = self._chosen(papers, question)
        if not self._models.wanted:
            return proposal.default("proposing aspects takes a language model")
        told = proposal.describe(chosen, budget=self._parts.settings.passage_tokens)
        try:
            reply = self._models.reply(proposal.PROMPT, proposal.Proposed, data={"papers": told})
        except ModelUnavailableError as error:
            return proposal.default(str(error))
        return proposal.choose(reply.aspects)

    def open(self, name: str) -> Opened:
        """Lay out a comparison as it is kept; see :meth:`Library.comparison`."""
        return opened(self.shelf.get(name), self._parts.store.papers())

    def edit_cell(self, name: str, key: Key, text: str) -> Opened:
        """Write a cell of a kept comparison by hand; see :meth:`Library.edit_cell`."""
        return opened(self.shelf.edit(name, key, text), self._parts.store.papers())

    def _chosen(self, papers: Sequence[str], question: str | None) -> list[Paper]:
        """Return the papers named, and those that match a question."""
        chosen = [self._papers.get(paper_id) for paper_id in papers]
        if question is not None:
            query = self._search.query(question)
            passages = self._search.find(query, limit=MAX_PAPERS, per_paper=1, papers=None)
            found = matching(evidence.weigh(query, passages, self._parts.remembering_reader))
            chosen += map(self._papers.get, found)
        return chosen

    def _comparer(self) -> Comparer:
        """Make what fills tables: from the papers' sentences, or with a language model."""
        parts, settings = self._parts, self._parts.settings
        passages = PassageFinder(
            analyse=self._search.analyse,
            embed=parts.embedder.embed,
            retrieve=self._search.find_for_cell,
            chunks_of=parts.store.paper_chunks,
            reader=parts.remembering_reader,
        )
        if not self._models.wanted:
            return Comparer(ExtractiveFiller(passages), shelf=self.shelf, backend=settings.llm)
        manner = self._manner()
        return Comparer(
            GenerativeFiller(passages, Writer(manner), workers=settings.llm_concurrency),
            shelf=self.shelf,
            backend=settings.llm,
            summarise=WrittenSummary(Writer(manner)),
            expect=self._expect,
        )

    def _manner(self) -> Manner:
        """Say how a model fills a table: each call within the budget of a question, all within the day's."""
        settings = self._parts.settings
        return Manner(
            asking=partial(self._models.within, self._models.meter_day()),
            drop=settings.verify == "drop",
            passage_tokens=settings.passage_tokens,
            language=settings.answer_language,
            embed=self._parts.reader.embed,
            secret=self._parts.secret,
        )

    def _expect(self, missing: Sequence[Wanted]) -> Usage:
        """Estimate what cells take, and refuse what could pass the day's budget."""
        settings, models = self._parts.settings, self._models
        expected = expect(
            missing,
            chunks_of=self._parts.store.paper_chunks,
            passage_tokens=settings.passage_tokens,
            price=partial(models.prices.cost, models.chat.name),
        )
        if settings.verify != "off" and settings.verify_with == "model":
            price = partial(models.prices.cost, models.small_chat.name)
            expected = add(expected, expect_checks(len(missing), price=price))
        Budget(per_day=settings.budget_day).check(
            settings.llm,
            input_tokens=0,
            output_tokens=0,
            prices=models.prices,
            spent=models.spent_today(),
            taken=expected.cost_usd or 0.0,
        )
        return expected
