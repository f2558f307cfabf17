"""Made-up papers, and processes that store, ask and are killed; helpers of the store's tests."""

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from assistant.records import Chunk, Paper
from assistant.store import IndexedPaper, IndexFingerprint, Store
from assistant.store.model import Array

DIMENSION = 24
FINGERPRINT = IndexFingerprint(embedder="made-up", dimension=DIMENSION, chunking="test-1")

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["chromadb", "tantivy", "sqlalchemy", "store_processes"])


def embed(texts: Sequence[str]) -> Array:
    """Turn each text into a unit vector that depends on nothing else."""
    seeds = [int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) for text in texts]
    rows = [np.random.default_rng(seed).normal(size=DIMENSION) for seed in seeds]
    return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(-1, DIMENSION)


def embedding_text(paper: Paper, chunk: Chunk) -> str:
    return f"{paper.title}. {chunk.text}"


def cut(paper: Paper) -> tuple[Chunk, ...]:
    """A chunk per line of the abstract."""
    chunks: list[Chunk] = []
    start = 0
    for line in paper.abstract.split("\n"):
        digest = hashlib.sha256(f"{paper.title}{start}{line}".encode()).hexdigest()[:12]
        chunks.append(
            Chunk(
                id=f"{paper.id}:{digest}",
                paper_id=paper.id,
                source="abstract",
                text=line,
                start=start,
                end=start + len(line),
            )
        )
        start += len(line) + 1
    return tuple(chunks)


def make_paper(number: int, *, version: int = 1) -> IndexedPaper:
    """A paper whose versions share their first chunk, and every chunk the word "common".

    It has three chunks, or fifty if its number is 9000 or more.
    """
    lines = [f"common opening of paper{number}"]
    lines += [
        f"common line{line} of paper{number} version{version}"
        for line in range(1, 50 if number >= 9000 else 3)
    ]
    paper = Paper(
        id=f"p{number:04d}",
        title=f"Title{number}: a study",
        abstract="\n".join(lines),
        version=version,
        aliases=(f"alias{number}",),
    )
    return index(paper)


MANY = range(9000, 9042)
"""Numbers of papers that have 2,100 chunks: too many to be searched without Chroma."""


def index(paper: Paper) -> IndexedPaper:
    chunks = cut(paper)
    return IndexedPaper(paper, chunks, embed([embedding_text(paper, chunk) for chunk in chunks]))


def put(store: Store, *papers: IndexedPaper, replaces: Sequence[str] = ()) -> None:
    with store.writer() as writer:
        writer.put(papers, fingerprint=FINGERPRINT, replaces=replaces)


def everything(store: Store) -> dict[str, Any]:
    """All that a store holds and finds, in a form to compare."""
    query = embed(["a question"])[0]
    papers = store.papers()
    chunks = {paper.id: store.paper_chunks(paper.id) for paper in papers}
    ids = [chunk.id for found in chunks.values() for chunk in found]
    return {
        "papers": {paper.id: paper for paper in papers},
        "chunks": chunks,
        "vectors": {
            name: np.round(vector, 5).tolist()
            for name, vector in zip(*store.vectors(ids), strict=True)
        },
        "dense": [
            (hit.chunk_id, round(hit.score, 5))
            for hit in store.dense(query, fingerprint=FINGERPRINT, depth=50)
        ],
        "lexical": store.lexical({"common": 1.0, "version2": 2.0}, depth=50),
    }


def run(function: Callable[..., None], *arguments: Any) -> int:
    """Run a function in a process of its own and return its exit code."""
    process = start(function, *arguments)
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def start(function: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = _context.Process(target=function, args=arguments)
    process.start()
    return process


def ingest(home: Path, numbers: Sequence[int], *, version: int = 1, size: int = 10) -> None:
    """Store papers that are not there in this version yet, ``size`` per commit, as an ingest does."""
    with Store.open(home=home) as store:
        for first in range(0, len(numbers), size):
            stored = {paper.id: paper for paper in store.papers()}
            batch = [
                make_paper(number, version=version) for number in numbers[first : first + size]
            ]
            changed = [item for item in batch if stored.get(item.paper.id) != item.paper]
            if changed:
                put(store, *changed)


def killed_after(home: Path, seconds: float, work: Callable[[Path], None]) -> None:
    """Do some work and die by SIGKILL when the time is up."""
    killer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    killer.daemon = True
    killer.start()
    work(home)


def killed_at(home: Path, step: int, work: Callable[[Path], None]) -> None:
    """Do some work and die by SIGKILL just before its ``step``-th file operation in the home."""
    left = step

    def count_down() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch(home, count_down)
    work(home)


def count_steps(home: Path, work: Callable[[Path], None], result: Path) -> None:
    """Do some work and write down how many file operations in the home it took."""
    steps: list[None] = []
    _watch(home, lambda: steps.append(None))
    work(home)
    result.write_text(str(len(steps)))


def _watch(home: Path, notify: Callable[[], None]) -> None:
    """Call back before each change that Python itself makes to a file in the home, locks aside."""
    root = str(home)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        changes = event in {"os.rename", "os.remove", "os.mkdir"} or (
            event == "open" and int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        )
        if changes and str(arguments[0]).startswith(root) and "lock" not in str(arguments[0]):
            notify()

    sys.addaudithook(hook)


def ask(home: Path, stop: Path) -> None:
    """Ask until a file is there, and fail at the first error or half paper."""
    query = embed(["a question"])[0]
    generations = set()
    with Store.open(home=home) as store:
        while not stop.exists():
            dense = store.dense(query, fingerprint=FINGERPRINT, depth=1_000_000)
            lexical = store.lexical({"common": 1.0}, depth=1_000_000)
            ensure_whole([hit.chunk_id for hit in dense])
            ensure_whole([hit.chunk_id for hit in lexical])
            generations.add(store.generation())
    assert len(generations) > 2, f"asked in {generations} alone"


def ensure_whole(chunk_ids: Sequence[str]) -> None:
    """Fail unless each paper is there with all chunks of one version."""
    by_paper: dict[str, set[str]] = {}
    for chunk_id in chunk_ids:
        by_paper.setdefault(chunk_id.partition(":")[0], set()).add(chunk_id)
    for paper_id, found in by_paper.items():
        assert found in _versions(paper_id), f"half of {paper_id}"


@cache
def _versions(paper_id: str) -> list[set[str]]:
    papers = (make_paper(int(paper_id[1:]), version=version) for version in (1, 2))
    return [{chunk.id for chunk in item.chunks} for item in papers]
