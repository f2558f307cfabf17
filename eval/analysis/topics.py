"""Topics of questions: clusters of their embeddings, in a tree, each named by what sets it apart."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import ClusterNode, linkage, to_tree

from assistant.text import STOPWORDS, fold, stem, words

Array = npt.NDArray[np.float32]
Name = Callable[[Sequence[int]], str]

_NAMING_WORDS = 3
_LEVELS = 3


class Topic(NamedTuple):
    """A cluster of questions, by their positions in the list, and the clusters within it."""

    members: tuple[int, ...]
    parts: tuple["Topic", ...]


def topics(vectors: Array, *, least: int) -> tuple[Topic, ...]:
    """Cluster questions by Ward's method, from the top down.

    A cluster is split where both halves keep ``least`` questions; a smaller half stays with the whole
    and is no topic of its own. There are three levels at most.

    Args:
        vectors: a unit vector per question, of shape ``(questions, dimension)``.
        least: questions of the smallest topic.
    """
    if len(vectors) < 2 * least:
        return ()
    root = to_tree(linkage(vectors.astype(np.float64), method="ward"))
    assert isinstance(root, ClusterNode)
    return _parts(root, least, _LEVELS)


def _parts(node: ClusterNode, least: int, levels: int) -> tuple[Topic, ...]:
    """Find the topics within a cluster: its two halves, each split in turn."""
    halves = _halves(node, least)
    if levels == 0:
        return ()
    return tuple(
        Topic(tuple(sorted(half.pre_order())), _parts(half, least, levels - 1)) for half in halves
    )


def _halves(node: ClusterNode, least: int) -> list[ClusterNode]:
    """Go down until both halves are large enough; what splits off on the way is too small to name."""
    while not node.is_leaf():
        left, right = node.get_left(), node.get_right()
        assert left is not None
        assert right is not None
        small, large = sorted((left, right), key=lambda half: half.get_count())
        if small.get_count() >= least:
            return [left, right]
        node = large
    return []


def name_by_terms(questions: Sequence[str]) -> Name:
    """Name a topic by the words that are commoner in its questions than in the others."""
    stems = [_stems(question) for question in questions]
    everywhere = Counter(each for found in stems for each in found)

    def name(members: Sequence[int]) -> str:
        inside = Counter(each for index in members for each in stems[index])
        written: Counter[tuple[str, str]] = Counter()
        for index in members:
            written.update(stems[index].items())
        # The share of the topic's questions that hold a word, times how much it is the topic's own.
        weight = {
            each: count / len(members) * count / everywhere[each] for each, count in inside.items()
        }
        best = sorted(weight, key=lambda each: (-weight[each], each))[:_NAMING_WORDS]
        surface = {each: form for (each, form), _ in reversed(written.most_common())}
        return ", ".join(surface[each] for each in best) or "other questions"

    return name


def _stems(question: str) -> dict[str, str]:
    """Return the stems of a question's content words, each with the word as it is written."""
    found: dict[str, str] = {}
    for word in words(question):
        if fold(word) not in STOPWORDS and len(word) > 1 and not word.isdigit():
            found.setdefault(stem(fold(word)), word if word.isupper() else word.lower())
    return found
