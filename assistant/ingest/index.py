"""Papers into what the store takes: their chunks, and a vector for each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assistant.chunk import chunk_abstract, chunk_document, embedding_text
from assistant.models import Embedder
from assistant.records import Chunk, Document, Paper
from assistant.store import IndexedPaper


class Cut(NamedTuple):
    """A paper and its chunks in text order."""

    paper: Paper
    chunks: tuple[Chunk, ...]


def cut(
    paper: Paper,
    embedder: Embedder,
    *,
    document: Document | None = None,
    kept: Sequence[Chunk] = (),
) -> Cut:
    """Cut a paper: its abstract, and its full text if it was read.

    Args:
        paper: the paper.
        embedder: counts tokens.
        document: its PDF, as read.
        kept: where the PDF is not read anew, its chunks as they are stored.
    """
    chunks: list[Chunk] = []
    if not (paper.full_text and paper.full_text.gave_abstract):
        chunks += chunk_abstract(paper, count_tokens=embedder.count_tokens)
    if document is not None:
        own = paper.model_copy(update={"abstract": ""}) if not chunks else paper
        chunks += chunk_document(own, document, count_tokens=embedder.count_tokens)
    return Cut(paper, (*chunks, *kept))


def embed(cuts: Sequence[Cut], embedder: Embedder, *, abstracts: Embedder) -> list[IndexedPaper]:
    """Embed all chunks of the papers in one go, those of abstracts by an embedder of their own."""
    every = [(paper, chunk) for paper, chunks in cuts for chunk in chunks]
    vectors = np.zeros((len(every), embedder.dimension if every else 0), dtype=np.float32)
    for is_abstract, embed_with in ((True, abstracts), (False, embedder)):
        rows = [
            row
            for row, (_, chunk) in enumerate(every)
            if (chunk.source == "abstract") == is_abstract
        ]
        if rows:
            vectors[rows] = embed_with.embed([embedding_text(*every[row]) for row in rows])
    indexed: list[IndexedPaper] = []
    row = 0
    for paper, chunks in cuts:
        indexed.append(IndexedPaper(paper, chunks, vectors[row : row + len(chunks)]))
        row += len(chunks)
    return indexed
