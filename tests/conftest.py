"""What the tests share: a home of their own, the local embedder, and an index in memory."""

import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import certifi
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings

from assistant import chunk, samples
from assistant.models.minilm import MiniLM
from assistant.records import Chunk, Paper, SourcedPaper
from assistant.sources.digest import read_digest
from assistant.text import fold, terms, words

Array = npt.NDArray[np.float32]

settings.register_profile("assistant", deadline=None, max_examples=60)
settings.load_profile("assistant")

_ASKED_ABOUT = (
    "DAPO", "EvalTree", "LEGION", "MetaLadder", "MusicInfuser", "PyGDA", "RWKV-7", "SkyLadder",
    "SWEET-RL", "φ-Decoding",
)  # fmt: skip
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _no_network(event: str, arguments: tuple[object, ...]) -> None:
    """Let connections out of this machine fail as they do where there is no network."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if not name.startswith(_LOOPBACK):
        raise OSError(f"tests have no network: {name}")


sys.addaudithook(_no_network)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings and secrets of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("ASSISTANT_", "OPENAI_", "ANTHROPIC_", "COHERE_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every client of a model reads all the authorities it is given: 0.1 s of a test."""
    end = "-----END CERTIFICATE-----\n"
    first, found, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(end)
    path = tmp_path_factory.mktemp("authorities") / "one.pem"
    path.write_text(first + found, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home that the environment names; the folder does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ASSISTANT_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the shared local embedder keeps what it builds."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def embedder(model_cache: Path) -> MiniLM:
    """The real local embedder, loaded once."""
    embedder = MiniLM(model_cache, threads=1)
    embedder.load()
    return embedder


class MemoryHit(NamedTuple):
    """A chunk found."""

    chunk_id: str
    score: float


class MemoryIndex:
    """What the store is to retrieval, over plain dictionaries: exact cosines and textbook BM25."""

    def __init__(
        self, papers: Iterable[Paper] = (), *, embed: Callable[[Sequence[str]], Array] | None = None
    ) -> None:
        self._papers: dict[str, Paper] = {}
        self._chunks: dict[str, Chunk] = {}
        self._terms: dict[str, Counter[str]] = {}
        self._words: set[str] = set()
        texts = []
        for paper in papers:
            self._papers[paper.id] = paper
            for each in chunk.chunk_abstract(paper, count_tokens=lambda text: len(text.split())):
                self._chunks[each.id] = each
                found = f"{paper.title}\n{each.text}"
                self._terms[each.id] = Counter(terms(found))
                self._words.update(map(fold, words(found)))
                texts.append(chunk.embedding_text(paper, each))
        rows = embed(texts) if embed is not None else np.zeros((len(texts), 3), np.float32)
        self._vectors: dict[str, Array] = dict(zip(self._chunks, rows, strict=True))

    def chunk_count(self, *, papers: Collection[str] | None = None) -> int:
        return sum(papers is None or each.paper_id in papers for each in self._chunks.values())

    def document_frequency(self, term: str, *, papers: Collection[str] | None = None) -> int:
        return sum(
            term in found
            for chunk_id, found in self._terms.items()
            if papers is None or self._chunks[chunk_id].paper_id in papers
        )

    def words_with_prefix(self, prefix: str) -> list[str]:
        return sorted(word for word in self._words if word.startswith(prefix))

    def dense(
        self, vector: Array, *, depth: int, papers: Collection[str] | None
    ) -> list[MemoryHit]:
        scores = {chunk_id: float(row @ vector) for chunk_id, row in self._vectors.items()}
        return self._best(scores, depth, papers)

    def lexical(
        self, weights: Mapping[str, float], *, depth: int, papers: Collection[str] | None
    ) -> list[MemoryHit]:
        average = sum(found.total() for found in self._terms.values()) / len(self._terms)
        scores: Counter[str] = Counter()
        for term, weight in weights.items():
            count = self.document_frequency(term)
            idf = math.log(1 + (len(self._terms) - count + 0.5) / (count + 0.5))
            for chunk_id, found in self._terms.items():
                if frequency := found[term]:
                    norm = 1.2 * (0.25 + 0.75 * found.total() / average)
                    scores[chunk_id] += weight * idf * 2.2 * frequency / (frequency + norm)
        return self._best(scores, depth, papers)

    def title(self, paper_id: str) -> str | None:
        paper = self._papers.get(paper_id)
        return None if paper is None else paper.title

    def chunks_of(self, paper_id: str) -> list[Chunk]:
        return [each for each in self._chunks.values() if each.paper_id == paper_id]

    def chunks(self, ids: Iterable[str]) -> dict[str, Chunk]:
        return {chunk_id: self._chunks[chunk_id] for chunk_id in ids}

    def vectors(self, ids: Collection[str]) -> tuple[list[str], Array]:
        return list(ids), np.array([self._vectors[chunk_id] for chunk_id in ids])

    def paper(self, paper_id: str) -> Paper | None:
        return self._papers.get(paper_id)

    def _best(
        self, scores: Mapping[str, float], depth: int, papers: Collection[str] | None
    ) -> list[MemoryHit]:
        hits = [
            MemoryHit(chunk_id, score)
            for chunk_id, score in scores.items()
            if papers is None or self._chunks[chunk_id].paper_id in papers
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:depth]


@pytest.fixture(scope="session")
def make_index() -> type[MemoryIndex]:
    """Make an index in memory from papers, and the function that embeds them."""
    return MemoryIndex


@pytest.fixture(scope="session")
def sample_papers() -> list[Paper]:
    """Every other paper of the bundled sample digest, and those that the tests ask about."""
    items = read_digest([samples.DIGEST.read_bytes()], samples.DIGEST)
    papers = [item.paper for item in items if isinstance(item, SourcedPaper)]
    return [
        paper
        for position, paper in enumerate(papers)
        if position % 2 == 0 or paper.title.startswith(_ASKED_ABOUT)
    ]


@pytest.fixture(scope="session")
def sample_index(sample_papers: list[Paper], embedder: MiniLM) -> MemoryIndex:
    """The sample digest, indexed with the local embedder."""
    return MemoryIndex(sample_papers, embed=embedder.embed)
