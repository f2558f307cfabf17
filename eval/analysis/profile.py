"""Where an assistant is weak: a tree of capabilities over a run's cases, with what is weaker than the whole.

As in EvalTree (Zeng et al., arXiv 2503.08893) every node is a set of cases, and those are reported on which
the assistant does worse than chance would explain. A node is compared with sets of as many cases drawn from
the whole run; p-values are corrected for the number of nodes by Holm's method (Scandinavian Journal of
Statistics 1979).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from assistant.errors import InputError, ModelUnavailableError
from assistant.library import Library
from assistant.query import is_coined
from assistant.records import Record
from assistant.text import one_line, words
from eval.analysis.correctness import measured
from eval.analysis.topics import Name, Topic, name_by_terms, topics
from eval.cases.dataset import Case, cluster
from eval.runs.results import Result
from eval.statistics.many_tests import holm
from eval.statistics.means import mean_interval

Array = npt.NDArray[np.float64]

LEVEL = 0.05
"""The corrected p-value below which a node counts as weak."""
LEAST_CASES = 5
"""Cases of the smallest node; of fewer nothing can be said."""

_WORST = 5
_DRAWS = 20_000
_LONGEST_NAME = 60
_QUESTIONS_SHOWN = 40


class Worst(Record):
    """One of a node's worst cases."""

    id: str
    question: str
    score: float


class Node(Record):
    """A capability: a set of cases, how the assistant does on them, and what is within.

    ``p_value`` is how likely as many cases drawn at random do as badly, ``corrected`` the same for as many
    nodes as were looked at.
    """

    name: str
    cases: int
    mean: float
    low: float
    high: float
    p_value: float
    corrected: float
    weak: bool
    worst: tuple[Worst, ...]
    parts: tuple["Node", ...] = ()


class Group(Record):
    """One way to divide the cases, such as by kind."""

    name: str
    nodes: tuple[Node, ...]


class Profile(Record):
    """A run's mean with its 95 % interval on a measure, and the tree below it."""

    measure: str
    cases: int
    mean: float
    low: float
    high: float
    groups: tuple[Group, ...]

    def weak(self) -> list[tuple[str, Node]]:
        """List the weak nodes, each with the name of its group, weakest first."""
        found = [(group.name, node) for group in self.groups for node in _walk(group.nodes)]
        return sorted((each for each in found if each[1].weak), key=lambda each: each[1].mean)


class _Scored(NamedTuple):
    """A case, its question as it stands alone, and its score."""

    case: Case
    question: str
    score: float


class _Set(NamedTuple):
    """A node before it is measured: its name, its cases by position, and the sets within."""

    name: str
    members: tuple[int, ...]
    parts: tuple["_Set", ...] = ()


def profile(results: Sequence[Result], library: Library, *, measure: str) -> Profile:
    """Measure a run's cases by kind, answer type, paper and topic.

    Args:
        results: the run's results.
        library: embeds the questions, and names the topics if its settings name a language model.
        measure: a score, or ``correct``.

    Raises:
        InputError: if no case was answered, or none has that score.
    """
    scored = [
        _Scored(result.case, result.answer.standalone_question, score)
        for result in results
        if result.answer is not None and (score := measured(result, measure)) is not None
    ]
    if all(result.answer is None for result in results):
        raise InputError(
            "no case of this run was answered: run it again, there is nothing to profile"
        )
    if not scored:
        held = {
            name for result in results for name, score in result.scores.items() if score is not None
        }
        raise InputError(
            f"no case has the score '{measure}': choose {', '.join(['correct', *sorted(held)])}"
        )
    sets = {
        "kind": _divide([[each.case.kind] for each in scored]),
        "answer type": _divide([[answer_type(each.case)] for each in scored]),
        "paper": _divide([each.case.papers for each in scored]),
        "topic": _topic_sets([each.question for each in scored], library),
    }
    distinct = list(dict.fromkeys(each.members for group in sets.values() for each in _flat(group)))
    p_values = _p_values([each.score for each in scored], distinct)
    chances = dict(zip(distinct, zip(p_values, holm(p_values), strict=True), strict=True))
    whole = mean_interval([each.score for each in scored], [cluster(each.case) for each in scored])
    return Profile(
        measure=measure,
        cases=len(scored),
        mean=whole.mean,
        low=whole.low,
        high=whole.high,
        groups=tuple(
            Group(name=name, nodes=tuple(_node(each, scored, chances) for each in group))
            for name, group in sets.items()
        ),
    )


def answer_type(case: Case) -> str:
    """Say what a right answer consists of, by its key facts."""
    if not case.answerable:
        return "refusal"
    if not case.facts:
        return "unknown"
    if len(case.facts) > 1:
        return "several facts"
    first = case.facts[0][0]
    if any(character.isdigit() for character in first) and not _is_name(first):
        return "number"
    return "name" if _is_name(first) else "description"


def _is_name(text: str) -> bool:
    found = words(text)
    return bool(found) and all(is_coined(word) or word[0].isupper() for word in found)


def _divide(labels: Sequence[Sequence[str]]) -> list[_Set]:
    """Gather the cases of each label, in the order in which labels come first."""
    members: dict[str, list[int]] = {}
    for position, own in enumerate(labels):
        for label in own:
            members.setdefault(label, []).append(position)
    return [
        _Set(label, tuple(found)) for label, found in members.items() if len(found) >= LEAST_CASES
    ]


def _topic_sets(questions: Sequence[str], library: Library) -> list[_Set]:
    name = _namer(questions, library)

    def named(topic: Topic) -> _Set:
        return _Set(name(topic.members), topic.members, tuple(map(named, topic.parts)))

    return [named(each) for each in topics(library.embed(questions), least=LEAST_CASES)]


class _Named(BaseModel):
    """A topic's name by a model."""

    name: str


def _namer(questions: Sequence[str], library: Library) -> Name:
    """Name topics by the model, if there is one and it answers; else by their words."""
    by_terms = name_by_terms(questions)

    def name(members: Sequence[int]) -> str:
        listed = "\n".join(questions[index] for index in members[:_QUESTIONS_SHOWN])
        try:
            found = library.reply("topic", _Named, data={"questions": listed}).name
        except ModelUnavailableError:
            return by_terms(members)
        return one_line(found)[:_LONGEST_NAME] or by_terms(members)

    return by_terms if library.settings.llm == "extractive" else name


def _p_values(scores: Sequence[float], sets: Sequence[Sequence[int]]) -> list[float]:
    """Return how often as many cases as in each set, drawn from all, do as badly."""
    values = np.array(scores)
    random = np.random.default_rng(0)
    # The first n of a shuffled row are a draw of n: one table of draws serves sets of every size.
    totals = random.permuted(np.tile(values, (_DRAWS, 1)), axis=1).cumsum(axis=1)
    slack = 1e-9  # sums in another order differ in their last digits
    return [
        float(1 + (totals[:, len(each) - 1] <= values[list(each)].sum() + slack).sum())
        / (_DRAWS + 1)
        for each in sets
    ]


def _node(
    each: _Set, scored: Sequence[_Scored], chances: Mapping[tuple[int, ...], tuple[float, float]]
) -> Node:
    """Measure a set of cases, and those within."""
    found = [scored[index] for index in each.members]
    interval = mean_interval([one.score for one in found], [cluster(one.case) for one in found])
    p_value, corrected = chances[each.members]
    worst = sorted((one for one in found if one.score < 1), key=lambda one: one.score)[:_WORST]
    return Node(
        name=each.name,
        cases=len(found),
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
        p_value=round(p_value, 6),
        corrected=round(corrected, 6),
        weak=corrected < LEVEL,
        worst=tuple(Worst(id=one.case.id, question=one.question, score=one.score) for one in worst),
        parts=tuple(_node(part, scored, chances) for part in each.parts),
    )


def _flat(sets: Sequence[_Set]) -> Iterator[_Set]:
    for each in sets:
        yield each
        yield from _flat(each.parts)


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.parts)
