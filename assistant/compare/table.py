"""The table: cells filled one after the other, numbered, and joined with their summary."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from assistant.answer.citations import cite
from assistant.compare.aspects import Aspect
from assistant.compare.cells import Finding
from assistant.compare.summary import summarise
from assistant.errors import AssistantError
from assistant.records import (
    Cell,
    CellFilled,
    Citation,
    Comparison,
    ComparisonDone,
    ComparisonEvent,
    Paper,
)

NOT_STATED = "not stated"


class Key(NamedTuple):
    """Which cell."""

    paper_id: str
    aspect: str


class Filler(Protocol):
    """Finds what papers state: from their sentences, or with a language model."""

    def fill(self, paper: Paper, aspect: Aspect) -> Finding | None:
        """Find what a paper states on an aspect; None if it is silent.

        Raises:
            AssistantError: if this cell cannot be filled; the others are not touched by that.
        """


def compare(
    papers: Sequence[Paper],
    aspects: Sequence[Aspect],
    filler: Filler,
    *,
    known: Mapping[Key, Cell],
) -> Iterator[ComparisonEvent]:
    """Fill the table paper by paper; the last event is the whole of it.

    Args:
        papers: the rows.
        aspects: the columns.
        filler: fills the cells.
        known: cells filled before, which are taken over.

    Raises:
        AssistantError: if no cell at all could be filled; else a failure is its own cell's alone.
    """
    cells: list[Cell] = []
    failures: list[AssistantError] = []
    citations: list[Citation] = []
    for paper in papers:
        for aspect in aspects:
            done = known.get(Key(paper.id, aspect.name))
            cell = done or _fill(paper, aspect, filler, failures)
            cell = _numbered(cell, first=len(citations) + 1)
            citations += cell.citations
            cells.append(cell)
            yield CellFilled(cell=cell, total=len(papers) * len(aspects))
    if failures and len(failures) == len(cells):
        raise failures[0]
    names = tuple(aspect.name for aspect in aspects)
    yield ComparisonDone(
        comparison=Comparison(
            papers=tuple(paper.id for paper in papers),
            aspects=names,
            cells=tuple(cells),
            summary=summarise(papers, names, cells),
            citations=tuple(citations),
        )
    )


def _fill(paper: Paper, aspect: Aspect, filler: Filler, failures: list[AssistantError]) -> Cell:
    """Fill one cell; what keeps it from being filled is added to ``failures``."""
    try:
        finding = filler.fill(paper, aspect)
    except AssistantError as error:
        failures.append(error)
        return Cell(
            paper_id=paper.id,
            aspect=aspect.name,
            text=f"not filled: {error}",
            found=False,
            citations=(),
            error=str(error),
        )
    if finding is None:
        return Cell(
            paper_id=paper.id, aspect=aspect.name, text=NOT_STATED, found=False, citations=()
        )
    citation = cite(finding.passage, finding.span, number=1)
    return Cell(
        paper_id=paper.id,
        aspect=aspect.name,
        text=" ".join(citation.quote.split()),
        found=True,
        citations=(citation,),
    )


def _numbered(cell: Cell, *, first: int) -> Cell:
    """Number a cell's citations on from those of the cells before it."""
    renumbered = tuple(
        citation.model_copy(update={"number": first + offset})
        for offset, citation in enumerate(cell.citations)
    )
    return cell.model_copy(update={"citations": renumbered})
