"""The table: cells filled, one after the other or several at a time, put in order and numbered."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from assistant.compare.aspects import Aspect
from assistant.errors import AssistantError, InputError
from assistant.models.parallel import as_completed
from assistant.records import Cell, Citation, Paper

NOT_STATED = "not stated"
_GIVE_UP = 10
"""A backend that has failed so often in a row is not asked for the cells that are left."""


class Key(NamedTuple):
    """Which cell."""

    paper_id: str
    aspect: str


class Wanted(NamedTuple):
    """A cell to fill."""

    paper: Paper
    aspect: Aspect

    @property
    def key(self) -> Key:
        """Which cell it is."""
        return Key(self.paper.id, self.aspect.name)


class Filler(Protocol):
    """Finds what papers state: from their sentences, or with a language model."""

    @property
    def workers(self) -> int:
        """How many cells may be filled at a time."""

    @property
    def paid(self) -> bool:
        """Whether a cell may cost money: each is kept as soon as it is filled then."""

    def fill(self, paper: Paper, aspect: Aspect) -> Cell:
        """Find what a paper states on an aspect; the cell's citations are numbered from 1.

        Raises:
            AssistantError: if this cell cannot be filled; the others are not touched by that.
        """

    def stop(self) -> None:
        """Give up what is being filled: nobody waits for it any more."""


class Filling:
    """Fills cells and remembers what failed.

    A failure is its own cell's alone. But what would fail for every cell, such as a refused key, a budget
    that is used up or a backend that has not answered for a while, is not tried for the cells left.
    """

    def __init__(self, filler: Filler) -> None:
        """Fill cells with ``filler``."""
        self._filler = filler
        self._in_a_row = 0
        self._hopeless: AssistantError | None = None
        self.failures: list[AssistantError] = []

    def fill(self, wanted: Sequence[Wanted]) -> Iterator[Cell]:
        """Give each cell when it is done, filled or not."""
        try:
            yield from as_completed(self._fill, wanted, workers=self._filler.workers)
        finally:
            self._filler.stop()

    def _fill(self, wanted: Wanted) -> Cell:
        try:
            if self._hopeless is not None:
                raise self._hopeless
            cell = self._filler.fill(wanted.paper, wanted.aspect)
        except AssistantError as error:
            return self._failed(wanted, error)
        self._in_a_row = 0
        return cell

    def _failed(self, wanted: Wanted, error: AssistantError) -> Cell:
        self.failures.append(error)
        self._in_a_row += 1
        if isinstance(error, InputError) or self._in_a_row >= _GIVE_UP:
            self._hopeless = error
        return unfilled(wanted.paper.id, wanted.aspect.name, str(error))


def unfilled(paper_id: str, aspect: str, reason: str) -> Cell:
    """Make a cell that could not be filled."""
    return Cell(
        paper_id=paper_id,
        aspect=aspect,
        text=f"not filled: {reason}",
        found=False,
        citations=(),
        error=reason,
    )


def silent(paper: Paper, aspect: Aspect, *, nearest: Citation | None) -> Cell:
    """Make the cell of a paper that does not state an aspect."""
    return Cell(
        paper_id=paper.id,
        aspect=aspect.name,
        text=NOT_STATED,
        found=False,
        citations=(),
        nearest=nearest,
    )


def in_order(
    papers: Sequence[Paper], aspects: Sequence[str], cells: Mapping[Key, Cell]
) -> list[Cell]:
    """Put cells in the table's order, paper by paper, and number their citations through."""
    found: list[Cell] = []
    number = 0
    for paper in papers:
        for aspect in aspects:
            cell = cells.get(Key(paper.id, aspect)) or unfilled(
                paper.id, aspect, "compare again to fill it"
            )
            found.append(_numbered(cell, first=number + 1))
            number += len(cell.citations)
    return found


def _numbered(cell: Cell, *, first: int) -> Cell:
    """Number a cell's citations from ``first`` on."""
    renumbered = tuple(
        citation.model_copy(update={"number": first + offset})
        for offset, citation in enumerate(cell.citations)
    )
    return cell.model_copy(update={"citations": renumbered})
