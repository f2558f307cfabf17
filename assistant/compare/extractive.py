"""Fills cells from the sentences of each paper's own passages."""

from assistant.answer.citations import cite
from assistant.compare.aspects import Aspect
from assistant.compare.cells import find, nearest
from assistant.compare.passages import PassageFinder
from assistant.compare.table import silent
from assistant.records import Cell, Paper


class ExtractiveFiller:
    """Finds cells without a language model, one after the other."""

    workers = 1
    paid = False

    def __init__(self, passages: PassageFinder) -> None:
        """Read what ``passages`` finds."""
        self._passages = passages

    def fill(self, paper: Paper, aspect: Aspect) -> Cell:
        """Quote what the paper states on the aspect."""
        evidence = self._passages.weigh(aspect, self._passages.find(paper, aspect))
        found = find(aspect, self._passages.query(aspect), evidence)
        if found is None:
            return silent(paper, aspect, nearest=nearest(evidence))
        citation = cite(found.passage, found.span, number=1)
        return Cell(
            paper_id=paper.id,
            aspect=aspect.name,
            text=" ".join(citation.quote.split()),
            found=True,
            citations=(citation,),
        )

    def stop(self) -> None:
        """Do nothing: between two cells nothing is under way."""
