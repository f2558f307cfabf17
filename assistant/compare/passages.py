"""What is read of a paper for an aspect: passages that fit, and places where papers say such things."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from assistant.answer.evidence import Evidence, weigh
from assistant.compare.aspects import Aspect
from assistant.compare.cues import Cues
from assistant.models import Array, TokenEmbedder
from assistant.query import Query
from assistant.records import Chunk, Paper, Passage
from assistant.retrieve import passage_of

Analyse = Callable[[str], Query]
Embed = Callable[[Sequence[str]], Array]
Retrieve = Callable[[Query, Array, str], Sequence[Passage]]
"""Finds a paper's passages for a question and its vector; filters by paper inside both engines."""


ChunksOf = Callable[[str], Sequence[Chunk]]
"""Lists a paper's chunks."""

_OPENING = 3
_IN_SECTION = 2
"""Chunks read besides those found: the paper's first, and of sections in which such things are said."""


class _Asked(NamedTuple):
    """An aspect's question, which is the same for each paper."""

    query: Query
    vector: Array


class PassageFinder:
    """Finds what to read for a cell; a question is analysed once. Thread-safe."""

    def __init__(
        self,
        *,
        analyse: Analyse,
        embed: Embed,
        retrieve: Retrieve,
        chunks_of: ChunksOf,
        reader: TokenEmbedder,
    ) -> None:
        """Take what analyses and embeds questions, finds passages, lists chunks, and reads them."""
        self._analyse = analyse
        self._embed = embed
        self._retrieve = retrieve
        self._chunks_of = chunks_of
        self._reader = reader
        self._asked: dict[str, _Asked] = {}

    def query(self, aspect: Aspect) -> Query:
        """Return an aspect's question, analysed."""
        return self._ask(aspect.question).query

    def find(self, paper: Paper, aspect: Aspect) -> list[Passage]:
        """Find passages of the paper itself, best first."""
        query, vector = self._ask(aspect.question)
        passages = self._retrieve(query, vector, paper.id)
        # A passage of another paper must never reach a cell, whatever the store gives.
        own = [passage for passage in passages if passage.chunk.paper_id == paper.id]
        return own if aspect.cues is None else own + self._likely(paper, aspect.cues, own)

    def weigh(self, aspect: Aspect, passages: Sequence[Passage]) -> list[Evidence]:
        """Match an aspect's question with every sentence of the passages."""
        return weigh(self.query(aspect), passages, self._reader) if passages else []

    def _likely(self, paper: Paper, cues: Cues, found: Sequence[Passage]) -> list[Passage]:
        """Add where papers say such things: their opening, and sections with a fitting heading."""
        chunks = sorted(self._chunks_of(paper.id), key=lambda each: (each.source, each.start))
        fitting = [
            chunk
            for chunk in chunks[_OPENING:]
            if cues.sections is not None
            and cues.sections.search(chunk.section or "")
            and cues.wanted.search(chunk.text)
        ]
        there = {passage.chunk.id for passage in found}
        return [
            passage_of(chunk, paper, rank=len(found) + place, score=0.0)
            for place, chunk in enumerate([*chunks[:_OPENING], *fitting[:_IN_SECTION]], start=1)
            if chunk.id not in there
        ]

    def _ask(self, question: str) -> _Asked:
        if question not in self._asked:
            query = self._analyse(question)
            (vector,) = self._embed([query.text])
            self._asked[question] = _Asked(query, vector)
        return self._asked[question]
