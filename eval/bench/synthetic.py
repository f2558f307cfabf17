"""A library of many chunks that costs no embedding: shuffled words under random unit vectors."""

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from assistant import chunk
from assistant.errors import AssistantError
from assistant.models.minilm import DIMENSION, NAME
from assistant.records import Chunk, Paper, SourcedPaper
from assistant.samples import DIGEST
from assistant.sources import read_source
from assistant.store import IndexedPaper, IndexFingerprint, Store
from eval.surroundings import cache
from eval.terminal import note

CHUNKS = 50_000
_PER_PAPER = 5
_WORDS = 150
_TITLE_WORDS = 9
_BATCH = 1_000


def home() -> Path:
    """Return the home of the library, built first where it is not there in full."""
    folder = cache(f"synthetic-{CHUNKS}-{chunk.VERSION}")
    if not _is_complete(folder):
        shutil.rmtree(folder, ignore_errors=True)
        note(f"building a library of {CHUNKS} chunks, once")
        _build(folder)
    return folder


def _is_complete(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    try:
        with closing(Store.open(home=folder)) as store:
            return store.chunk_count() == CHUNKS
    except AssistantError:
        return False


def _build(folder: Path) -> None:
    fingerprint = IndexFingerprint(embedder=NAME, dimension=DIMENSION, chunking=chunk.VERSION)
    batch: list[IndexedPaper] = []
    with closing(Store.open(home=folder)) as store:
        for paper in _papers():
            batch.append(paper)
            if len(batch) == _BATCH or len(batch) * _PER_PAPER == CHUNKS:
                with store.writer() as writer:
                    writer.put(batch, fingerprint=fingerprint)
                batch = []


def _papers() -> Iterator[IndexedPaper]:
    """Make papers whose words are as frequent as in the sample digest, but for their order."""
    vocabulary = [
        word
        for item in read_source(str(DIGEST))
        if isinstance(item, SourcedPaper)
        for word in f"{item.paper.title} {item.paper.abstract}".split()
    ]
    shuffler = random.Random(0)  # noqa: S311 - not for secrets
    directions = np.random.default_rng(0)
    for number in range(CHUNKS // _PER_PAPER):
        texts = [" ".join(shuffler.choices(vocabulary, k=_WORDS)) for _ in range(_PER_PAPER)]
        paper = Paper(
            id=f"synthetic-{number}",
            title=" ".join(shuffler.choices(vocabulary, k=_TITLE_WORDS)),
            abstract="\n".join(texts),
        )
        vectors = directions.standard_normal((_PER_PAPER, DIMENSION)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield IndexedPaper(paper, _chunks(paper, texts), vectors)


def _chunks(paper: Paper, texts: list[str]) -> tuple[Chunk, ...]:
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
    return tuple(
        Chunk(
            id=f"{paper.id}:{number}",
            paper_id=paper.id,
            source="abstract",
            text=text,
            start=int(start),
            end=int(start) + len(text),
        )
        for number, (text, start) in enumerate(zip(texts, starts, strict=False))
    )
