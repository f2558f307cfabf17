"""A whole comparison: what is asked for checked, what is kept taken over, the rest filled and kept."""

from collections.abc import Iterator, Sequence

from assistant.compare.aspects import Aspect, read_aspects
from assistant.compare.choice import check_papers
from assistant.compare.saved import SavedComparison, Shelf, saved
from assistant.compare.table import Filler, Key, compare
from assistant.records import Cell, CellFilled, ComparisonEvent, Paper


class Comparer:
    """Compares papers, and keeps the tables that are given a name."""

    def __init__(
        self,
        filler: Filler,
        *,
        shelf: Shelf,
        backend: str,
    ) -> None:
        """Take what fills cells, the shelf on which tables are kept, and the name of what fills them."""
        self._filler = filler
        self._shelf = shelf
        self._backend = backend

    def compare(
        self,
        chosen: Sequence[Paper],
        aspects: Sequence[str],
        *,
        held: Sequence[Paper],
        save: str | None,
    ) -> Iterator[ComparisonEvent]:
        """Check what is asked for, then give the cells as they come, and the table.

        Args:
            chosen: the papers.
            aspects: names of the aspects; those kept, else the default ones, if there are none.
            held: all papers of the library.
            save: the name to keep the table under.

        Raises:
            InputError: if there are too few or too many papers or aspects.
            StorageError: if what is kept cannot be read.
        """
        before = self._shelf.load(save) if save is not None else None
        there = {paper.id: paper for paper in held}
        known: dict[Key, Cell] = {}
        if before is not None:
            chosen = [*(there[each.id] for each in before.papers if each.id in there), *chosen]
            aspects = [*before.aspects, *aspects]
            known = before.usable(there, backend=self._backend)
        papers, columns = check_papers(chosen), read_aspects(aspects)
        events = compare(papers, columns, self._filler, known=known)
        return events if save is None else self._kept(events, papers, columns, known, save)

    def _kept(
        self,
        events: Iterator[ComparisonEvent],
        papers: Sequence[Paper],
        aspects: Sequence[Aspect],
        known: dict[Key, Cell],
        name: str,
    ) -> Iterator[ComparisonEvent]:
        """Keep the table after each row, so that a run cut short has not been for nothing."""
        names = [aspect.name for aspect in aspects]
        done = dict(known)
        filled = 0
        for event in events:
            if isinstance(event, CellFilled):
                done[Key(event.cell.paper_id, event.cell.aspect)] = event.cell
                filled += 1
                if filled % len(names) == 0:
                    kept: SavedComparison = saved(
                        papers, names, list(done.values()), backend=self._backend
                    )
                    self._shelf.save(name, kept)
            yield event
