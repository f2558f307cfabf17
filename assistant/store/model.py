"""What the store's parts hand to one another and to their callers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from assistant.records import Chunk, Paper, Record

Array = npt.NDArray[np.float32]

_Item = TypeVar("_Item")

WRITING = -1
"""Stands for the generation of an index that may hold more than the catalog shows just now."""

NOTHING = -2
"""Stands for the generation of an index that is not there, or is of no use."""


DOCTOR = "run `assistant doctor --repair`"
"""In the message of every error that a repair can mend."""


class IndexFingerprint(Record):
    """What made an index. Vectors of two fingerprints cannot be compared."""

    embedder: str
    dimension: int
    chunking: str

    def __str__(self) -> str:
        return f"{self.embedder} ({self.dimension} dimensions, chunking {self.chunking})"


class IndexedPaper(NamedTuple):
    """A paper ready to be stored: its chunks in text order, and a vector for each.

    A chunk's id stands for its content and its paper's title: the same id never names another text.
    ``vectors`` has the shape (number of chunks, dimension of the embedder).
    """

    paper: Paper
    chunks: tuple[Chunk, ...]
    vectors: Array


class Entry(NamedTuple):
    """One chunk as the derived indexes take it; ``position`` is its place among its paper's."""

    paper: Paper
    position: int
    chunk: Chunk
    vector: Array


class Hit(NamedTuple):
    """A chunk an index found; a higher score is a better match."""

    chunk_id: str
    score: float


class Problem(Record):
    """Something wrong with one part of the store, said in one line."""

    part: Literal["catalog", "vectors", "lexical"]
    detail: str
    repairable: bool


class State(NamedTuple):
    """What the catalog says of the library as a whole, at one moment."""

    library: str
    generation: int
    fingerprint: IndexFingerprint | None


def best_first(hits: list[Hit]) -> list[Hit]:
    """Order hits by score, equal ones by chunk id."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


def best_with_ties(
    find: Callable[[int], Sequence[tuple[float, _Item]]], count: int, *, first: int
) -> Sequence[tuple[float, _Item]]:
    """Find the best ``count``, and all others that share the last one's score, so that ids can decide.

    Args:
        find: gives so many of the best with their scores, best first.
        count: how many are wanted.
        first: how many to look at first, to see whether the last one's score ends there.
    """
    while True:
        found = find(first)
        if len(found) < count:
            return found
        last, _ = found[count - 1]
        if len(found) < first or found[-1][0] < last:
            return [each for each in found if each[0] >= last]
        first *= 2


def in_batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Cut ``items`` into lists of ``size``, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
