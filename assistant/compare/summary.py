"""A summary of a table without a language model: what is shared, ranges of numbers, what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from assistant.answer.citations import escape_markdown, markers
from assistant.answer.marking import DOUBTS
from assistant.compare import cues
from assistant.names import short_title
from assistant.records import Cell, Paper
from assistant.text import fold
from assistant.verify.quantities import Quantity, quantities

LABEL = "Summary from the table, without a language model."
_SHOWN_SHARED = 3
_KINDS = {
    "percent": "percentages",
    "times": "factors",
    "time": "times",
    "dollar": "amounts in dollars",
    "euro": "amounts in euros",
    "byte": "sizes in bytes",
}


class Summary(NamedTuple):
    """A summary in Markdown; whether it was paid for; and notes for the user, a line each."""

    text: str
    paid: bool = False
    notes: tuple[str, ...] = ()


class _Number(NamedTuple):
    """A quantity as its cell writes it."""

    quantity: Quantity
    written: str
    cell: Cell


def summarise(papers: Sequence[Paper], aspects: Sequence[str], cells: Sequence[Cell]) -> Summary:
    """Write the summary from the cells, with the numbers of the cells' citations.

    Args:
        papers: the rows of the table.
        aspects: its columns.
        cells: its cells, numbered.
    """
    titles = {paper.id: short_title(paper.title) for paper in papers}
    lines = []
    for aspect in aspects:
        column = [cell for cell in cells if cell.aspect == aspect]
        said = [
            *_shared(column, titles),
            *_ranges(column, titles),
            *_silent(column, titles),
            *_failed(column, titles),
        ]
        if said:
            lines.append(f"- **{escape_markdown(aspect)}**: {' '.join(said)}")
    lines = lines or ["- Every paper states every aspect; no value is shared."]
    return Summary("\n".join([LABEL, "", *lines]))


def failed(papers: Sequence[Paper], cells: Sequence[Cell]) -> list[str]:
    """Say, a line per aspect, which papers' cells could not be filled."""
    titles = {paper.id: short_title(paper.title) for paper in papers}
    return [
        f"**{escape_markdown(aspect)}**: {said}"
        for aspect in dict.fromkeys(cell.aspect for cell in cells)
        for said in _failed([cell for cell in cells if cell.aspect == aspect], titles)
    ]


def _shared(column: Sequence[Cell], titles: Mapping[str, str]) -> Iterator[str]:
    """Say which names several papers' cells hold."""
    holders: dict[str, list[Cell]] = {}
    written: dict[str, str] = {}
    for cell in column:
        if is_sure(cell):
            for name in cues.names(cell.text):
                key = fold(name)
                written.setdefault(key, name)
                holders.setdefault(key, []).append(cell)
    several = [(key, held) for key, held in holders.items() if len(held) > 1]
    several.sort(key=lambda pair: -len(pair[1]))
    for key, held in several[:_SHOWN_SHARED]:
        yield f"{_listed(held, titles)} name {escape_markdown(written[key])}."


def _ranges(column: Sequence[Cell], titles: Mapping[str, str]) -> Iterator[str]:
    """Give the range of the numbers that share a unit, where several papers give one."""
    by_kind: dict[str, list[_Number]] = {}
    for cell in column:
        for quantity in quantities(cell.text) if is_sure(cell) else ():
            if quantity.kind in _KINDS:
                by_kind.setdefault(quantity.kind, []).append(
                    _Number(quantity, cell.text[quantity.span.start : quantity.span.end], cell)
                )
    for kind, numbers in by_kind.items():
        if len({number.cell.paper_id for number in numbers}) > 1:
            low = min(numbers, key=lambda number: number.quantity.value)
            high = max(numbers, key=lambda number: number.quantity.value)
            yield (
                f"The {_KINDS[kind]} given lie between {_number(low, titles)} and {_number(high, titles)}; "
                "whether they measure the same is for the reader to judge."
            )


def _silent(column: Sequence[Cell], titles: Mapping[str, str]) -> Iterator[str]:
    """Say which papers do not state the aspect."""
    silent = [cell for cell in column if not cell.found and cell.error is None]
    if silent and len(silent) == len(column):
        yield "Not stated by any of the papers."
    elif silent:
        yield f"Not stated by {_listed(silent, titles)}."


def _failed(column: Sequence[Cell], titles: Mapping[str, str]) -> Iterator[str]:
    unfilled = [cell for cell in column if cell.error is not None]
    if unfilled:
        yield f"Could not be filled for {_listed(unfilled, titles)}."


def is_sure(cell: Cell) -> bool:
    """Tell whether a cell says something that is not doubted."""
    return cell.found and cell.verdict not in DOUBTS


def _number(number: _Number, titles: Mapping[str, str]) -> str:
    return f"{escape_markdown(number.written)} ({_name(number.cell, titles)})"


def _listed(cells: Sequence[Cell], titles: Mapping[str, str]) -> str:
    names = [_name(cell, titles) for cell in cells]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _name(cell: Cell, titles: Mapping[str, str]) -> str:
    cited = markers([citation.number for citation in cell.citations])
    return f"{escape_markdown(titles[cell.paper_id])}{' ' if cited else ''}{cited}"
