"""Fills cells with a language model, from each paper's own passages; what it writes is checked."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from assistant import prompts
from assistant.answer.marking import doubt
from assistant.compare.aspects import Aspect
from assistant.compare.cells import nearest
from assistant.compare.passages import PassageFinder
from assistant.compare.table import silent
from assistant.compare.units import with_units
from assistant.compare.writing import Writer, is_doubted
from assistant.records import Cell, Citation, Claim, Paper, Passage, Verdict

_LONGEST = 400
"""Characters of a cell; what goes beyond is left out."""
_WORST_FIRST: tuple[Verdict, ...] = (
    "contradicted", "unsupported", "unchecked", "partial", "supported",
)  # fmt: skip


class GenerativeFiller:
    """Lets a model write cells, several at a time."""

    paid = True

    def __init__(self, passages: PassageFinder, writer: Writer, *, workers: int) -> None:
        """Write with ``writer`` from what ``passages`` finds, ``workers`` cells at a time."""
        self.workers = workers
        self._passages = passages
        self._writer = writer

    def fill(self, paper: Paper, aspect: Aspect) -> Cell:
        """Let the model say what the paper states on the aspect, and check it."""
        passages = self._passages.find(paper, aspect)
        claims: list[Claim] = []
        citations: tuple[Citation, ...] = ()
        if passages:
            with self._writer.asking() as asking:
                written = asking.write(_question(aspect), passages, length="phrase")
                citations = written.citations
                complete = _completed(written.claims, citations, passages)
                claims = asking.check(complete, citations, passages)
        if self._writer.drops:
            claims = [each for each in claims if not is_doubted(each)]
        if not claims:
            evidence = self._passages.weigh(aspect, passages)
            return silent(paper, aspect, nearest=nearest(evidence))
        return Cell(
            paper_id=paper.id,
            aspect=aspect.name,
            text=" ".join(_marked(claims)),
            found=True,
            citations=_cited(claims, citations),
            verdict=min((each.verdict for each in claims), key=_WORST_FIRST.index),
        )

    def stop(self) -> None:
        """Let go of what is being written."""
        self._writer.stop()


def _question(aspect: Aspect) -> str:
    meant = f" ({aspect.question})" if aspect.question != aspect.name else ""
    return prompts.render("compare.cell", aspect=aspect.name, meant=meant)


def _completed(
    claims: Sequence[Claim], citations: Sequence[Citation], passages: Sequence[Passage]
) -> list[Claim]:
    """Shorten what the model wrote to a cell, and give its numbers their units back."""
    texts = {each.chunk.id: each.chunk.text for each in passages}
    sources = {each.number: texts[each.chunk_id] for each in citations}
    return [
        claim.model_copy(
            update={"text": with_units(claim.text, [sources[n] for n in claim.citations])}
        )
        for claim in _shortened(claims)
    ]


def _shortened(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Keep the first sentences that fit in a cell; cut the first of all if even that does not."""
    left = _LONGEST
    for claim in claims:
        if len(claim.text) > left:
            if left == _LONGEST:
                cut = claim.text[:left].rpartition(" ")[0] or claim.text[:left]
                yield claim.model_copy(update={"text": f"{cut} …"})
            return
        yield claim
        left -= len(claim.text)


def _marked(claims: Sequence[Claim]) -> Iterator[str]:
    """Write the claims out, with one mark behind those in a row of which the same is to be doubted."""
    for said, run in groupby(claims, key=doubt):
        yield from (claim.text for claim in run)
        if said is not None:
            yield f"⚠ {said}"


def _cited(claims: Sequence[Claim], citations: Sequence[Citation]) -> tuple[Citation, ...]:
    """Return the citations of the claims that are left, numbered from 1."""
    by_number = {each.number: each for each in citations}
    used = dict.fromkeys(number for claim in claims for number in claim.citations)
    return tuple(
        by_number[number].model_copy(update={"number": place})
        for place, number in enumerate(used, start=1)
    )
