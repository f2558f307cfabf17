"""A summary of a table in a language model's words, each sentence checked against the cells it cites."""

import re
from collections.abc import Mapping, Sequence

from assistant import prompts
from assistant.answer import marking
from assistant.answer.citations import escape_markdown, markers
from assistant.compare.summary import Summary, failed, is_sure, summarise
from assistant.compare.writing import Writer, is_doubted
from assistant.errors import AssistantError, ModelUnavailableError
from assistant.names import short_title
from assistant.records import Cell, Chunk, Paper, Passage

_FEWEST_CELLS = 2
_MARKER = re.compile(r"\\.|(?P<space>[ ]?)\[(?P<number>\d{1,3})\]", re.DOTALL)


class WrittenSummary:
    """Sums tables up with a model; without it where that fails, and says so."""

    def __init__(self, writer: Writer) -> None:
        """Let ``writer`` write."""
        self._writer = writer

    def __call__(
        self, papers: Sequence[Paper], aspects: Sequence[str], cells: Sequence[Cell]
    ) -> Summary:
        """Write the summary of a table, with the numbers of its cells' citations.

        Args:
            papers: the rows of the table.
            aspects: its columns.
            cells: its cells, in order and numbered.
        """
        plain = summarise(papers, aspects, cells)
        told = _Told(papers, cells)
        if told.cells < _FEWEST_CELLS:
            return plain
        try:
            return self._write(papers, aspects, cells, told)
        except AssistantError as error:  # the cells are there, and worth showing
            return plain._replace(notes=(f"the summary is made without the model: {error}",))

    def _write(
        self,
        papers: Sequence[Paper],
        aspects: Sequence[str],
        cells: Sequence[Cell],
        told: "_Told",
    ) -> Summary:
        """Let the model write the summary.

        Raises:
            ModelUnavailableError: if the model fails, or nothing of what it wrote is carried by the cells.
        """
        question = prompts.render("compare.summary", aspects=", ".join(aspects))
        with self._writer.asking() as asking:
            written = asking.write(question, told.shown, length="long")
            claims = asking.check(written.claims, written.citations, told.evidence)
        if written.refusal is not None or all(map(is_doubted, claims)):
            raise ModelUnavailableError("nothing it wrote is carried by the cells")
        text = (marking.drop if self._writer.drops else marking.mark)(written.text, claims)
        cited = {each.number: told.numbers[each.chunk_id] for each in written.citations}
        how = "checked against its cells" if asking.checks else "not checked"
        label = f"Summary from the table, written by {escape_markdown(written.model)}, {how}."
        return Summary(
            "\n\n".join([label, _renumbered(text, cited), *failed(papers, cells)]),
            paid=True,
            notes=written.notes,
        )


class _Told:
    """A table as passages: each cell that says something, and per aspect who is silent."""

    def __init__(self, papers: Sequence[Paper], cells: Sequence[Cell]) -> None:
        self._titles = {paper.id: paper.title for paper in papers}
        self.shown: list[Passage] = []
        """What the model sees."""
        self.evidence: list[Passage] = []
        """The same, with what the cells quote."""
        self.numbers: dict[str, tuple[int, ...]] = {}
        """The citations of the cell that a passage shows, by the passage's chunk."""
        by_aspect: dict[str, list[Cell]] = {}
        for cell in cells:
            by_aspect.setdefault(cell.aspect, []).append(cell)
        for column in by_aspect.values():
            for cell in filter(is_sure, column):
                self._add_cell(cell)
        self.cells = len(self.shown)
        for aspect, column in by_aspect.items():
            self._add_silent(aspect, [each for each in column if _is_silent(each)])

    def _add_cell(self, cell: Cell) -> None:
        text = f"{cell.aspect}: {cell.text}"
        quotes = [f"{cell.aspect}: {each.quote}" for each in cell.citations]
        numbers = tuple(citation.number for citation in cell.citations)
        self._add(self._titles[cell.paper_id], text, "\n".join([text, *quotes]), numbers)

    def _add_silent(self, aspect: str, column: Sequence[Cell]) -> None:
        if column:
            names = ", ".join(short_title(self._titles[each.paper_id]) for each in column)
            text = f"{aspect}: not stated by {names}."
            self._add("Papers that do not state it", text, text, ())

    def _add(self, title: str, shown: str, evidence: str, numbers: tuple[int, ...]) -> None:
        chunk_id = f"cell-{len(self.shown)}"
        self.numbers[chunk_id] = numbers
        for passages, text in ((self.shown, shown), (self.evidence, evidence)):
            chunk = Chunk(
                id=chunk_id, paper_id=chunk_id, source="abstract", text=text, start=0, end=len(text)
            )
            rank = len(passages) + 1
            passages.append(Passage(rank=rank, chunk=chunk, title=title, url=None, score=0.0))


def _is_silent(cell: Cell) -> bool:
    return not cell.found and cell.error is None


def _renumbered(text: str, cited: Mapping[int, tuple[int, ...]]) -> str:
    """Put the cells' own numbers where the model's reply had those of its passages."""

    def replace(found: re.Match[str]) -> str:
        if found["number"] is None:  # an escaped character
            return found.group()
        numbers = cited.get(int(found["number"]), ())
        return found["space"] + markers(numbers) if numbers else ""

    return _MARKER.sub(replace, text)
