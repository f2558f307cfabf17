"""A question into ranked passages: dense and lexical candidates, fused, names first."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from assistant.models.parallel import beside
from assistant.names import NameMatcher
from assistant.query import Query, Vocabulary
from assistant.records import Chunk, Paper, Passage

Array = npt.NDArray[np.float32]

DENSE_DEPTH = 100
LEXICAL_DEPTH = 500
"""Candidates per engine. Tuned on SciFact's training queries: docs/decisions/0004-retrieval.md."""

LEXICAL_WEIGHT = 1.2
"""Weight of BM25, as a share of what it could reach, beside the cosine."""

NAME_BONUS = 0.5
"""Added to a chunk for a name of the question: in full where the paper is named so."""

LONG = 20
"""Chunks of a paper beyond which it is a full text, whose passages have to be told apart."""

_CLOSER_LOOK = 3
"""Passages of one paper from which on that paper is searched once more by itself."""

_CALLED_DEPTH = 100
"""Chunks that hold a name most often, among which one of the paper of that name is looked for."""

_DIGITS = 6
_ALL = 100_000
_NAMED_DEPTH = 50
_BM25_SATURATION = 2.2


class Hit(Protocol):
    """A chunk an engine found."""

    @property
    def chunk_id(self) -> str:
        """Which chunk."""

    @property
    def score(self) -> float:
        """The engine's own score."""


class Index(Vocabulary, Protocol):
    """What retrieval asks of the store; filters by paper apply inside both engines."""

    def dense(self, vector: Array, *, depth: int, papers: Collection[str] | None) -> Sequence[Hit]:
        """Find the chunks nearest to a unit vector, by cosine."""

    def lexical(
        self, weights: Mapping[str, float], *, depth: int, papers: Collection[str] | None
    ) -> Sequence[Hit]:
        """Find the chunks that hold the terms, by BM25 (k1 = 1.2)."""

    def chunks(self, ids: Collection[str]) -> Mapping[str, Chunk]:
        """Fetch chunks by id."""

    def vectors(self, ids: Collection[str]) -> tuple[Sequence[str], Array]:
        """Fetch the stored vectors of chunks: ids, and for each a row."""

    def title(self, paper_id: str) -> str | None:
        """Fetch a paper's title."""

    def paper(self, paper_id: str) -> Paper | None:
        """Fetch a paper."""


Embed = Callable[[], Array]
"""Makes a question's embedding, of length 1; another thread may look up its words meanwhile."""


class Scored(NamedTuple):
    """A candidate chunk's id and fused score."""

    chunk_id: str
    score: float


class Candidates(NamedTuple):
    """Candidate chunks, best first, and the question's embedding."""

    scored: list[Scored]
    vector: Array


def retrieve(
    query: Query,
    embed: Embed,
    index: Index,
    *,
    limit: int,
    per_paper: int,
    papers: Collection[str] | None = None,
) -> list[Passage]:
    """Rank the passages for an analysed question.

    Args:
        query: the question, analysed.
        embed: makes its embedding.
        index: what to search.
        limit: passages to return at most.
        per_paper: passages of one paper at most.
        papers: ids of the only papers to search, or None for all.
    """
    # Names need the chunk's text, so they are looked for among the best candidates alone.
    count = max(_NAMED_DEPTH, 2 * limit)
    candidates, vector = score_chunks(query, embed, index, count=count, papers=papers)
    pool = _Pool(index, NameMatcher(query, index))
    ranked = pool.add(candidates)
    is_crowded = pool.is_crowded() and (papers is None or len(papers) > 1)
    called = [*pool.called(), *(pool.crowded_out(papers) if is_crowded else ())]
    share = min(per_paper, math.ceil(limit / max(len(called), 2)))
    for paper_id in called if is_crowded else ():
        if pool.count(paper_id) < share:
            inside, _ = score_chunks(query, lambda: vector, index, count=share, papers=[paper_id])
            ranked += pool.add([each for each in inside if each.chunk_id not in pool.chunks])
    ranked.sort(key=_best_first)
    reserved = [one for each in called for one in pool.of_paper(ranked, each)[:share]]
    best = _spread([*reserved, *ranked], pool.chunks, limit=limit, per_paper=per_paper)
    for paper_id, taken in Counter(pool.paper_of(each) for each in best).items():
        if taken >= _CLOSER_LOOK:
            inside = score_within(query, vector, index, paper_id)[:taken]
            if inside:
                others = [each for each in best if pool.paper_of(each) != paper_id]
                best = others + pool.add(inside)
    found = [
        (chunk, paper, score)
        for chunk_id, score in sorted(best, key=_best_first)
        if (paper := index.paper((chunk := pool.chunks[chunk_id]).paper_id)) is not None
    ]
    return [
        passage_of(chunk, paper, rank=rank, score=score)
        for rank, (chunk, paper, score) in enumerate(found, start=1)
    ]


class _Pool:
    """Candidate chunks by id, and the titles of their papers, in which the question's names are found."""

    def __init__(self, index: Index, names: NameMatcher) -> None:
        self.chunks: dict[str, Chunk] = {}
        self._titles: dict[str, str | None] = {}
        self._index = index
        self._names = names

    def add(self, found: Sequence[Scored]) -> list[Scored]:
        """Take candidates in; return those that are still there, with what names add to their scores."""
        new = self._index.chunks([each.chunk_id for each in found])
        self.chunks |= new
        # A paper that another process removes meanwhile takes its chunks along.
        for paper_id in {chunk.paper_id for chunk in new.values()} - self._titles.keys():
            self._titles[paper_id] = self._index.title(paper_id)
        return [
            Scored(chunk.id, score + NAME_BONUS * self._names.weigh(title, chunk.text))
            for chunk_id, score in found
            if (chunk := self.chunks.get(chunk_id)) is not None
            and (title := self._titles[chunk.paper_id]) is not None
        ]

    def paper_of(self, scored: Scored) -> str:
        """Return the id of a candidate's paper."""
        return self.chunks[scored.chunk_id].paper_id

    def of_paper(self, found: Sequence[Scored], paper_id: str) -> list[Scored]:
        """Return those of the candidates that are a paper's."""
        return [each for each in found if self.paper_of(each) == paper_id]

    def count(self, paper_id: str) -> int:
        """Count a paper's candidates."""
        return sum(chunk.paper_id == paper_id for chunk in self.chunks.values())

    def is_crowded(self) -> bool:
        """Tell whether one paper has so many of the candidates that others may have none."""
        counts = Counter(chunk.paper_id for chunk in self.chunks.values())
        return max(counts.values(), default=0) >= LONG

    def called(self) -> list[str]:
        """List the papers that the question calls by name."""
        return sorted(
            paper_id
            for paper_id, title in self._titles.items()
            if title and self._names.calls(title)
        )

    def crowded_out(self, papers: Collection[str] | None) -> list[str]:
        """List the papers that the question calls by name and that have no candidate.

        A long paper that is called beside another can have all of them.
        """
        found: set[str] = set()
        for term in self._names.uncalled(filter(None, self._titles.values())):
            hits = self._index.lexical({term: 1.0}, depth=_CALLED_DEPTH, papers=papers)
            chunks = self._index.chunks([hit.chunk_id for hit in hits]).values()
            for paper_id in {chunk.paper_id for chunk in chunks} - self._titles.keys():
                title = self._index.title(paper_id)
                if title and self._names.calls(title):
                    found.add(paper_id)
        return sorted(found)


def score_within(query: Query, vector: Array, index: Index, paper_id: str) -> list[Scored]:
    """Rank all chunks of a long paper by what sets them apart from one another; none of a short one.

    What the whole paper is about, which the question often says to name it, is in most of its chunks: so
    their mean is taken off the vectors before they are compared. The scores are those of
    :func:`score_chunks` all the same, which the order therefore does not follow.
    """
    within = [paper_id]
    dense = {hit.chunk_id: hit.score for hit in index.dense(vector, depth=_ALL, papers=within)}
    if len(dense) <= LONG:
        return []
    ids, rows = index.vectors(sorted(dense))
    if not ids:  # another process removed the paper meanwhile
        return []
    weights = query.weights
    found = index.lexical(weights, depth=_ALL, papers=within) if weights else []
    bound = _bm25_bound(weights, index)
    lexical = {hit.chunk_id: hit.score / bound for hit in found}
    cosines = _apart(vector, rows)
    apart = [
        Scored(chunk_id, float(cosine) + lexical.get(chunk_id, 0.0))
        for chunk_id, cosine in zip(ids, cosines, strict=True)
    ]
    return [
        Scored(chunk_id, dense[chunk_id] + LEXICAL_WEIGHT * lexical.get(chunk_id, 0.0))
        for chunk_id, _ in sorted(apart, key=_best_first)
    ]


def score_chunks(
    query: Query,
    embed: Embed,
    index: Index,
    *,
    count: int,
    papers: Collection[str] | None = None,
) -> Candidates:
    """Fuse both engines' candidates: cosine + weight x BM25 / its upper bound; the best ``count`` of them.

    The cosine stays as it is: stretched to the candidates' range it would lose what it says of a
    question that nothing fits. BM25 is bounded by 2.2 times the sum of its terms' idf.
    """
    weights = query.weights
    depth = max(DENSE_DEPTH, count)

    def search_meaning() -> tuple[Array, dict[str, float]]:
        vector = embed()
        hits = index.dense(vector, depth=depth, papers=papers)
        return vector, {hit.chunk_id: hit.score for hit in hits}

    def search_words(known: Collection[str] = ()) -> tuple[dict[str, float], Sequence[str], Array]:
        words_depth = max(LEXICAL_DEPTH, depth)
        found = index.lexical(weights, depth=words_depth, papers=papers) if weights else []
        scores = {hit.chunk_id: hit.score for hit in found}
        return scores, *index.vectors(sorted(scores.keys() - set(known)))

    if papers is None:
        with beside(search_words) as words:
            vector, dense = search_meaning()
            lexical, by_words, rows = words()
    else:  # so little is searched that a thread would not save its own cost
        vector, dense = search_meaning()
        lexical, by_words, rows = search_words(dense)
    cosines = dense
    if by_words:
        cosines = dict(zip(by_words, (rows @ vector).tolist(), strict=True)) | dense
    share = LEXICAL_WEIGHT / _bm25_bound(weights, index)
    ids = [*cosines]
    matches = np.array([lexical.get(each, 0.0) for each in ids])
    scores = np.array([*cosines.values()]) + share * matches
    return Candidates(_best(ids, scores, count), vector)


def _best(ids: Sequence[str], scores: npt.NDArray[np.float64], count: int) -> list[Scored]:
    """Return the best ``count``; all that share the last score are sorted by id with the rest."""
    last = -np.partition(-scores, count - 1)[count - 1] if count < len(ids) else -np.inf
    places = np.flatnonzero(scores >= last - 10**-_DIGITS).tolist()
    found = [Scored(ids[place], float(scores[place])) for place in places]
    return sorted(found, key=_best_first)[:count]


def _spread(
    ranked: Sequence[Scored], chunks: Mapping[str, Chunk], *, limit: int, per_paper: int
) -> list[Scored]:
    """Take the first, ``per_paper`` of one paper at most, and none twice."""
    taken: Counter[str] = Counter()
    best: dict[str, Scored] = {}
    for each in ranked:
        paper_id = chunks[each.chunk_id].paper_id
        if taken[paper_id] < per_paper and len(best) < limit and each.chunk_id not in best:
            taken[paper_id] += 1
            best[each.chunk_id] = each
    return list(best.values())


def _apart(vector: Array, matrix: Array) -> Array:
    """Return the cosines of a vector and of a matrix's rows, the rows' mean taken off both."""
    mean = matrix.mean(axis=0)
    rows, asked = matrix - mean, vector - mean
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(asked)
    cosines: Array = rows @ asked / np.maximum(lengths, 1e-9)
    return cosines


def passage_of(chunk: Chunk, paper: Paper, *, rank: int, score: float) -> Passage:
    """Make a paper's chunk the passage that was found at ``rank``."""
    return Passage(
        rank=rank,
        chunk=chunk,
        title=paper.title,
        url=paper.url or paper.pdf_url,
        score=round(score, _DIGITS),
    )


def _bm25_bound(weights: Mapping[str, float], index: Index) -> float:
    total = index.chunk_count()
    bound = 0.0
    for term, weight in weights.items():
        frequency = index.document_frequency(term)
        if frequency:
            bound += weight * math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
    return _BM25_SATURATION * bound or 1.0


def _best_first(scored: Scored) -> tuple[float, str]:
    return (-round(scored.score, _DIGITS), scored.chunk_id)
