"""A whole comparison: what is asked for checked, what is kept taken over, the rest filled and kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from assistant.compare.aspects import read_aspects
from assistant.compare.choice import check_papers
from assistant.compare.saved import (
    SavedComparison,
    SavedSummary,
    Shelf,
    fingerprint_cells,
    saved,
)
from assistant.compare.summary import Summary, summarise
from assistant.compare.table import Filler, Filling, Key, Wanted, in_order
from assistant.errors import InputError
from assistant.records import (
    Cell,
    CellFilled,
    Comparison,
    ComparisonDone,
    ComparisonEvent,
    ComparisonPlanned,
    Paper,
    Usage,
)

Summarise = Callable[[Sequence[Paper], Sequence[str], Sequence[Cell]], Summary]
Expect = Callable[[Sequence[Wanted]], Usage | None]
"""Says what filling cells is likely to take at most; None where no model is asked."""


class Opened(NamedTuple):
    """A comparison as it is kept: its table, the papers that have changed since, and what filled it."""

    table: Comparison
    stale: frozenset[str]
    backend: str


class _Table(NamedTuple):
    """What is compared, the name to keep it under, and what fills it."""

    papers: Sequence[Paper]
    aspects: Sequence[str]
    held: Mapping[str, Paper]
    name: str | None
    backend: str

    @property
    def size(self) -> int:
        return len(self.papers) * len(self.aspects)


class Comparer:
    """Compares papers, and keeps the tables that are given a name."""

    def __init__(
        self,
        filler: Filler,
        *,
        shelf: Shelf,
        backend: str,
        summarise: Summarise = summarise,
        expect: Expect = lambda _wanted: None,
    ) -> None:
        """Take what fills cells, sums up the table and says what that takes; and the shelf to keep it on.

        Args:
            filler: fills cells.
            shelf: keeps tables.
            backend: the name of what fills cells: those of another one are not taken over.
            summarise: sums up the finished table.
            expect: says what filling cells, and summing up, is likely to take.
        """
        self._filler = filler
        self._shelf = shelf
        self._backend = backend
        self._summarise = summarise
        self._expect = expect

    def compare(
        self,
        chosen: Sequence[Paper],
        aspects: Sequence[str],
        *,
        held: Sequence[Paper],
        save: str | None,
    ) -> Iterator[ComparisonEvent]:
        """Check what is asked for, then give the plan, the cells as they come, and the table.

        Args:
            chosen: the papers.
            aspects: names of the aspects; those kept, else the default ones, if there are none.
            held: all papers of the library.
            save: the name to keep the table under.

        Raises:
            InputError: if there are too few or too many papers or aspects; or cells are missing in what
                another model filled, for that is not to be paid for anew unasked.
            StorageError: if what is kept cannot be read.
        """
        before = self._shelf.load(save) if save is not None else None
        there = {paper.id: paper for paper in held}
        known: dict[Key, Cell] = {}
        backend = before.backend if before is not None and before.paid else self._backend
        if before is not None:
            chosen = [*(there[each.id] for each in before.papers if each.id in there), *chosen]
            aspects = [*before.aspects, *aspects]
            known = before.edited(before.usable(there, backend=backend))
        papers, columns = check_papers(chosen), read_aspects(aspects)
        names = [aspect.name for aspect in columns]
        wanted = [Wanted(paper, aspect) for paper in papers for aspect in columns]
        if backend != self._backend and any(each.key not in known for each in wanted):
            raise InputError(
                f"'{save}' was filled by {backend}: choose that model to go on, such as with --llm "
                f"{backend}, or keep the table under another name"
            )
        return self._run(_Table(papers, names, there, save, backend), wanted, known, before)

    def _run(
        self,
        table: _Table,
        cells: Sequence[Wanted],
        known: Mapping[Key, Cell],
        before: SavedComparison | None,
    ) -> Iterator[ComparisonEvent]:
        """Fill what is missing and sum up."""
        done = {key: known[key] for each in cells if (key := each.key) in known}
        missing = [each for each in cells if each.key not in done]
        yield ComparisonPlanned(
            total=table.size, missing=len(missing), expected=self._expect(missing)
        )
        for cell in done.values():
            yield CellFilled(cell=cell, total=table.size)
        filling = Filling(self._filler)
        for cell in filling.fill(missing):
            done[Key(cell.paper_id, cell.aspect)] = cell
            if self._filler.paid or len(done) % len(table.aspects) == 0:
                self._keep(table, done)
            yield CellFilled(cell=cell, total=table.size)
        if len(filling.failures) == table.size:
            raise filling.failures[0]
        yield self._finish(table, done, before)

    def _finish(
        self, table: _Table, done: Mapping[Key, Cell], before: SavedComparison | None
    ) -> ComparisonDone:
        """Sum up, unless that was done before, and keep the whole."""
        cells = in_order(table.papers, table.aspects, done)
        summary = _kept_summary(before, cells) or self._summarise(
            table.papers, table.aspects, cells
        )
        self._keep(table, done, summary=summary, cells=cells)
        return ComparisonDone(
            comparison=_comparison(table.papers, table.aspects, cells, summary),
            notes=summary.notes,
        )

    def _keep(
        self,
        table: _Table,
        done: Mapping[Key, Cell],
        *,
        summary: Summary | None = None,
        cells: Sequence[Cell] = (),
    ) -> None:
        """Keep what is done so far, so that a run cut short has not been for nothing."""
        if table.name is None:
            return

        def change(before: SavedComparison | None) -> SavedComparison:
            there = before.usable(table.held, backend=table.backend) if before is not None else {}
            kept = saved(
                table.papers,
                table.aspects,
                {**there, **done},
                backend=table.backend,
                before=before,
            )
            if summary is None or not summary.paid:
                return kept
            made = SavedSummary(text=summary.text, cells=fingerprint_cells(cells))
            return kept.model_copy(update={"summary": made})

        self._shelf.update(table.name, change)


def opened(kept: SavedComparison, held: Sequence[Paper]) -> Opened:
    """Lay out a comparison as it is kept; nothing is filled.

    Args:
        kept: the comparison.
        held: all papers of the library; those that are gone are left out.
    """
    there = {paper.id: paper for paper in held}
    papers = [there[each.id] for each in kept.papers if each.id in there]
    cells = in_order(papers, kept.aspects, kept.edited(kept.filled()))
    summary = _kept_summary(kept, cells) or summarise(papers, kept.aspects, cells)
    table = _comparison(papers, kept.aspects, cells, summary)
    return Opened(table, frozenset(kept.stale(there)), kept.backend)


def _kept_summary(kept: SavedComparison | None, cells: Sequence[Cell]) -> Summary | None:
    """Return the summary that a model wrote of these very cells, if there is one."""
    if kept is None or kept.summary is None or kept.summary.cells != fingerprint_cells(cells):
        return None
    return Summary(kept.summary.text)


def _comparison(
    papers: Sequence[Paper], aspects: Sequence[str], cells: Sequence[Cell], summary: Summary
) -> Comparison:
    return Comparison(
        papers=tuple(paper.id for paper in papers),
        aspects=tuple(aspects),
        cells=tuple(cells),
        summary=summary.text,
        citations=tuple(citation for cell in cells for citation in cell.citations),
    )
