"""Fills cells from the sentences of each paper's own passages."""

from collections.abc import Callable, Sequence

from assistant.answer.evidence import TokenEmbedder, TokenVectors, weigh
from assistant.compare.aspects import Aspect
from assistant.compare.cells import Finding, find
from assistant.query import Query
from assistant.records import Paper, Passage

Retrieve = Callable[[Query, str], Sequence[Passage]]
"""Finds a paper's passages for a question; filters by paper inside both engines."""


class ExtractiveFiller:
    """Finds cells without a language model. What was read for one cell is kept for the paper's others."""

    def __init__(
        self, *, analyse: Callable[[str], Query], retrieve: Retrieve, reader: TokenEmbedder
    ) -> None:
        """Take what analyses questions, finds passages, and reads them."""
        self._analyse = analyse
        self._retrieve = retrieve
        self._reader = _Remembering(reader)
        self._queries: dict[str, Query] = {}

    def fill(self, paper: Paper, aspect: Aspect) -> Finding | None:
        """Find what a paper states on an aspect; None if it is silent."""
        query = self._queries.get(aspect.question)
        if query is None:
            query = self._queries[aspect.question] = self._analyse(aspect.question)
        passages = self._retrieve(query, paper.id)
        if not passages:
            return None
        # A passage of another paper must never reach a cell, whatever the store gives.
        own = [passage for passage in passages if passage.chunk.paper_id == paper.id]
        return find(aspect, query, weigh(query, own, self._reader))


class _Remembering:
    """Reads each text once."""

    def __init__(self, reader: TokenEmbedder) -> None:
        self._reader = reader
        self._read: dict[str, TokenVectors] = {}

    def embed_tokens(self, texts: Sequence[str]) -> Sequence[TokenVectors]:
        """Embed each text's word pieces."""
        new = [text for text in dict.fromkeys(texts) if text not in self._read]
        if new:
            self._read.update(zip(new, self._reader.embed_tokens(new), strict=True))
        return [self._read[text] for text in texts]
