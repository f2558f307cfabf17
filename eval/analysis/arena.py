"""Which of several runs is best: battles on the same cases, ranked by Bradley and Terry's model.

As in CapArena (Cheng et al., arXiv 2503.12329): two answers to a case meet, the better one wins, and the
strengths are those under which these outcomes are likeliest (Bradley and Terry, Biometrika 1952). A tie is
half a win for both. Every run also has one win and one loss against a run of average strength, so that one
that wins always has a finite strength.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from assistant.errors import InputError, ReplyFormError
from assistant.models.parallel import in_parallel
from assistant.models.stop import Stop
from assistant.records import Record
from eval.analysis.correctness import correctness
from eval.cases.dataset import cluster
from eval.judge.judging import Better, Judge, Model, asked, expected, shown
from eval.runs.results import Result

Array = npt.NDArray[np.float64]

AVERAGE = 1000.0
"""The rating of a run of average strength; one 400 higher wins ten times as often as it loses."""

_SCALE = 400.0
_RESAMPLES = 1000
_ITERATIONS = 100
_LONGEST_STEP = 1.0
_CONVERGED = 1e-9
_POINTS: dict[Better, float] = {"first": 1.0, "second": 0.0, "tie": 0.5}


class Battle(NamedTuple):
    """Two runs on one case: ``points`` go to the first, 1 for a win, 0.5 for a tie.

    ``cluster`` is what battles are drawn by for intervals, such as the case's paper.
    """

    first: str
    second: str
    case: str
    cluster: str
    points: float


class Place(Record):
    """A run's place in the ranking: its rating with the bounds of its 95 % interval, and how it fared.

    ``rank`` counts from 1, and is the same for the same rating; two runs whose intervals overlap may as well
    change places.
    """

    rank: int
    run: str
    rating: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int


class Arena(Record):
    """A finished tournament. ``decided_by`` names the judge, ``unscored`` counts what it left open."""

    decided_by: str
    places: tuple[Place, ...]
    cases: int
    battles: int
    unscored: int


class Pair(NamedTuple):
    """Two answered cases that meet."""

    first: str
    second: str
    one: Result
    other: Result


Decide = Callable[[Pair, Stop], Better | None]


def pairs(runs: Mapping[str, Sequence[Result]]) -> list[Pair]:
    """Match every two runs on the cases that all have answered, case by case.

    Raises:
        InputError: if there are fewer than two runs, or no case that all of them share.
    """
    if len(runs) < 2:
        raise InputError("an arena takes two different runs or more")
    by_case = [
        {(each.case.id, each.case.question): each for each in results if each.answer is not None}
        for results in runs.values()
    ]
    shared = [key for key in by_case[0] if all(key in found for found in by_case)]
    if not shared:
        raise InputError("these runs share no answered case: run them on the same dataset")
    names = list(runs)
    return [
        Pair(names[a], names[b], by_case[a][key], by_case[b][key])
        for key in shared
        for a, b in combinations(range(len(names)), 2)
    ]


def by_score(pair: Pair, _stop: Stop) -> Better | None:
    """Let the answer win that is more correct by the deterministic measures."""
    first, second = correctness(pair.one.scores), correctness(pair.other.scores)
    if first is None or second is None:
        return None
    if first == second:
        return "tie"
    return "first" if first > second else "second"


def by_judge(model: Model) -> Decide:
    """Let a model decide, asked in both orders."""

    def decide(pair: Pair, stop: Stop) -> Better | None:
        one, other = pair.one.answer, pair.other.answer
        assert one is not None
        assert other is not None
        if shown(one) == shown(other):
            return "tie"
        case = pair.one.case
        try:
            return Judge(model, stop).prefer(asked(case), expected(case), shown(one), shown(other))
        except ReplyFormError:
            return None

    return decide


def fight(
    matched: Sequence[Pair],
    decide: Decide,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Battle | None]:
    """Decide the battles, ``workers`` at a time; ``None`` for one that is left open."""
    for number, (pair, better) in enumerate(
        zip(matched, in_parallel(decide, matched, workers=workers), strict=True), start=1
    ):
        progress(number, len(matched))
        yield None if better is None else battle(pair, better)


def battle(pair: Pair, better: Better) -> Battle:
    """Return a battle that has been decided."""
    case = pair.one.case
    return Battle(pair.first, pair.second, case.id, cluster(case), _POINTS[better])


def rank(fought: Sequence[Battle | None], *, decided_by: str, seed: int = 0) -> Arena:
    """Rank the runs of a tournament, with intervals by a bootstrap over clusters of cases.

    Raises:
        InputError: if no battle was decided.
    """
    battles = [each for each in fought if each is not None]
    if not battles:
        raise InputError(f"no battle was decided: {decided_by} left all open")
    names = list(dict.fromkeys(name for each in battles for name in (each.first, each.second)))
    wins = _wins(battles, names)
    ratings = _ratings(wins.sum(axis=0)[None])[0]
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(wins), np.full(len(wins), 1 / len(wins)), size=_RESAMPLES)
    resampled = _ratings(np.einsum("rc,cij->rij", drawn.astype(np.float64), wins))
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    rounded = [round(float(each), 1) for each in ratings]
    best_first = sorted(range(len(names)), key=lambda index: -rounded[index])
    return Arena(
        decided_by=decided_by,
        places=tuple(
            Place(
                rank=1 + sum(each > rounded[index] for each in rounded),
                run=names[index],
                rating=rounded[index],
                low=round(float(low[index]), 1),
                high=round(float(high[index]), 1),
                **_record(battles, names[index]),
            )
            for index in best_first
        ),
        cases=len({each.case for each in battles}),
        battles=len(battles),
        unscored=len(fought) - len(battles),
    )


def _wins(battles: Sequence[Battle], names: Sequence[str]) -> Array:
    """Count points by cluster, winner and loser: an array of shape ``(clusters, runs, runs)``."""
    place = {name: index for index, name in enumerate(names)}
    rows = {name: index for index, name in enumerate(dict.fromkeys(b.cluster for b in battles))}
    wins = np.zeros((len(rows), len(names), len(names)))
    for each in battles:
        row, first, second = rows[each.cluster], place[each.first], place[each.second]
        wins[row, first, second] += each.points
        wins[row, second, first] += 1 - each.points
    return wins


def _ratings(wins: Array) -> Array:
    """Fit strengths to several tournaments, of shape ``(tournaments, runs, runs)``; rate each run.

    By Newton's method on the logarithms of the strengths, whose likelihood has one maximum.
    """
    won = wins.sum(axis=2) + 1  # one against the run of average strength
    met = wins + wins.transpose(0, 2, 1)
    diagonal = np.eye(wins.shape[1], dtype=bool)
    logs = np.zeros(won.shape)
    for _ in range(_ITERATIONS):
        chance = expit(logs[:, :, None] - logs[:, None, :])
        average = expit(logs)
        slope = won - (met * chance).sum(axis=2) - 2 * average
        shared = met * chance * (1 - chance)
        own = shared.sum(axis=2) + 2 * average * (1 - average)
        curvature = np.where(diagonal, own[:, :, None] * diagonal, -shared)
        step = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        logs += np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if np.abs(step).max() < _CONVERGED:
            break
    centred = logs - logs.mean(axis=1, keepdims=True)
    ratings: Array = AVERAGE + _SCALE / np.log(10) * centred
    return ratings


def _record(battles: Sequence[Battle], name: str) -> dict[str, int]:
    points = [each.points for each in battles if each.first == name]
    points += [1 - each.points for each in battles if each.second == name]
    return {"wins": points.count(1.0), "ties": points.count(0.5), "losses": points.count(0.0)}
