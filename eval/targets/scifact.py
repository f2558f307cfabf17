"""Retrieval on SciFact's training queries (Wadden et al., EMNLP 2020), against each engine alone."""

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import ir_measures
import numpy as np

from assistant.models.minilm import MiniLM
from assistant.store import Hit, Store
from assistant.text import content_terms
from eval.surroundings import library_at

_DEPTH = 100
_CHUNK_DEPTH = 300
"""Chunks fetched per query to have ``_DEPTH`` papers after pooling."""

Ranking = Mapping[str, float]


class Comparison(NamedTuple):
    """nDCG@10 of the library's ranking, and of BM25 and MiniLM alone on the same index."""

    library: float
    bm25: float
    minilm: float

    @property
    def ratio(self) -> float:
        """How much better the library ranks than the better engine alone."""
        return self.library / max(self.bm25, self.minilm)


def compare(
    data: Path,
    home: Path,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Rank the papers for every query with the library and with each engine alone.

    Args:
        data: SciFact as ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/train.tsv``.
        home: the home that holds the corpus, or will; kept from run to run.
        progress: is told what takes long.
    """
    queries = _queries(data)
    with closing(library_at(home)) as library:
        progress("ingesting the corpus; minutes the first time, seconds later")
        library.ingest([os.fspath(data / "corpus.jsonl")])
        progress(f"ranking for {len(queries)} queries")
        fused = {
            query_id: dict(library.rank_papers(text, depth=_DEPTH))
            for query_id, text in queries.items()
        }
    with closing(Store.open(home=home)) as store:
        bm25 = {query_id: _bm25(text, store) for query_id, text in queries.items()}
        minilm = _minilm(queries, store, MiniLM(home / "models"))
    qrels = _qrels(data)
    return Comparison(*(_ndcg(qrels, run) for run in (fused, bm25, minilm)))


def _minilm(queries: Mapping[str, str], store: Store, embedder: MiniLM) -> dict[str, Ranking]:
    fingerprint = store.fingerprint()
    assert fingerprint is not None, "the corpus was ingested"
    vectors = embedder.embed(list(queries.values()))
    return {
        query_id: _pooled(store.dense(vector, fingerprint=fingerprint, depth=_CHUNK_DEPTH), store)
        for query_id, vector in zip(queries, vectors, strict=True)
    }


def _bm25(text: str, store: Store) -> Ranking:
    weights = dict.fromkeys(content_terms(text), 1.0)
    return _pooled(store.lexical(weights, depth=_CHUNK_DEPTH), store) if weights else {}


def _pooled(hits: Sequence[Hit], store: Store) -> Ranking:
    """Rank papers by their best chunk."""
    papers = store.chunks([hit.chunk_id for hit in hits])
    best: dict[str, float] = {}
    for hit in hits:
        paper_id = papers[hit.chunk_id].paper_id
        best[paper_id] = max(hit.score, best.get(paper_id, -np.inf))
    return dict(sorted(best.items(), key=lambda item: -item[1])[:_DEPTH])


def _ndcg(qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Ranking]) -> float:
    measure = ir_measures.nDCG @ 10
    return float(ir_measures.calc_aggregate([measure], qrels, run)[measure])


def _queries(data: Path) -> dict[str, str]:
    with (data / "queries.jsonl").open(encoding="utf-8") as file:
        return {str(row["_id"]): row["text"] for row in map(json.loads, file)}


def _qrels(data: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    with (data / "qrels" / "train.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return qrels
