"""Questions checked and analysed, and the passages that fit them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from assistant import retrieve
from assistant.errors import LibraryEmptyError, QuestionError
from assistant.library.parts import Parts
from assistant.models import Array
from assistant.query import Query, analyse
from assistant.records import Passage
from assistant.store import IndexFingerprint, Store
from assistant.text import one_line, words

MAX_QUESTION = 4_000
"""Characters of a question; what is longer is a text, not a question."""

_PER_PAPER = 3
_CELL_PASSAGES = 6


class RankedPaper(NamedTuple):
    """A paper found by a batch search."""

    paper_id: str
    score: float


def checked(question: str) -> str:
    """Return a question as one line.

    Raises:
        QuestionError: if it is empty or too long.
    """
    cleaned = one_line(question)
    if not words(cleaned):
        raise QuestionError("the question is empty: ask in words")
    if len(cleaned) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(cleaned)} characters: ask in {MAX_QUESTION} at most"
        )
    return cleaned


class Search:
    """Finds passages in a library."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def analyse(self, question: str) -> Query:
        """Analyse a question.

        Raises:
            LibraryEmptyError: if there is nothing to search.
        """
        store = self._parts.store
        if not store.paper_count():
            raise LibraryEmptyError(
                "the library is empty: add papers with `assistant ingest`, or try `assistant demo`"
            )
        return analyse(question, store)

    def query(self, question: str) -> Query:
        """Check and analyse a question as it was asked.

        Raises:
            QuestionError: if it is empty or too long.
            LibraryEmptyError: if there is nothing to search.
        """
        return self.analyse(checked(question))

    def search(self, query: Query, *, limit: int, papers: Sequence[str] | None) -> list[Passage]:
        """Rank the passages that fit best, few of each paper unless papers are named."""
        per_paper = _PER_PAPER if papers is None else limit
        return self.find(query, limit=limit, per_paper=per_paper, papers=papers)

    def rank_papers(self, query: Query, *, depth: int) -> list[RankedPaper]:
        """Rank up to ``depth`` papers, each by its best passage."""
        passages = self.find(query, limit=depth, per_paper=1, papers=None)
        return [RankedPaper(passage.chunk.paper_id, passage.score) for passage in passages]

    def find(
        self, query: Query, *, limit: int, per_paper: int, papers: Sequence[str] | None
    ) -> list[Passage]:
        """Rank passages for a query."""

        def embed() -> Array:
            vector: Array = self._parts.embedder.embed([query.text])[0]
            return vector

        return retrieve.retrieve(
            query, embed, self._index(), limit=limit, per_paper=per_paper, papers=papers
        )

    def find_for_cell(self, query: Query, vector: Array, paper_id: str) -> list[Passage]:
        """Rank passages of one paper for a cell's query, which ``vector`` embeds."""
        return retrieve.retrieve(
            query,
            lambda: vector,
            self._index(),
            limit=_CELL_PASSAGES,
            per_paper=_CELL_PASSAGES,
            papers=[paper_id],
        )

    def _index(self) -> "_Index":
        return _Index(self._parts.store, self._parts.fingerprint())


class _Index:
    """The store as retrieval searches it: with vectors of one embedder."""

    def __init__(self, store: Store, fingerprint: IndexFingerprint) -> None:
        self._fingerprint = fingerprint
        self._store = store
        self.chunk_count = store.chunk_count
        self.document_frequency = store.document_frequency
        self.words_with_prefix = store.words_with_prefix
        self.lexical = store.lexical
        self.chunks = store.chunks
        self.vectors = store.vectors
        self.title = store.title
        self.paper = store.paper

    def dense(
        self, vector: Array, *, depth: int, papers: Collection[str] | None
    ) -> Sequence[retrieve.Hit]:
        """Find the chunks nearest to a unit vector, by cosine."""
        return self._store.dense(vector, fingerprint=self._fingerprint, depth=depth, papers=papers)
