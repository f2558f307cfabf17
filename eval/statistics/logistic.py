"""Small logistic models: fitting them, and judging them on cases they were not fitted to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.stats import rankdata

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


_Bounds = tuple[float | None, float | None]
_BOUNDS: dict[bool, _Bounds] = {True: (0, None), False: (None, 0)}


class Fitted(NamedTuple):
    """A logistic model over features as they are: a weight for each, and a bias."""

    weights: Array
    bias: float

    def log_odds(self, features: Array) -> Array:
        """Return the log-odds of each row of ``features``, shape ``(rows, features)``."""
        odds: Array = features @ self.weights + self.bias
        return odds


def fit(features: Array, labels: Flags, *, signs: Sequence[float] | None = None) -> Fitted:
    """Minimise mean log-loss + |w|² / n over standardised features; the bias is free.

    Args:
        features: a row for each case.
        labels: what to tell.
        signs: 1 for each feature that may only speak for it, -1 for one that may only speak against it.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled = (features - mean) / deviation
    sides = np.where(labels, 1.0, -1.0)

    def loss(parameters: Array) -> tuple[float, Array]:
        weights, bias = parameters[:-1], parameters[-1]
        margins = sides * (scaled @ weights + bias)
        # The derivative of log(1 + exp(-m)) is -1 / (1 + exp(m)).
        slopes = -sides * np.exp(-np.logaddexp(0.0, margins)) / len(sides)
        gradient = np.append(scaled.T @ slopes + 2 * weights / len(sides), slopes.sum())
        penalty = float(weights @ weights) / len(sides)
        return float(np.logaddexp(0.0, -margins).mean()) + penalty, gradient

    free: list[_Bounds] = [(None, None)]
    kept = [_BOUNDS[sign > 0] for sign in signs] if signs else free * features.shape[1]
    start = np.zeros(features.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*kept, *free]).x
    weights = found[:-1] / deviation
    return Fitted(weights, float(found[-1] - weights @ mean))


def out_of_fold(
    features: Array,
    labels: Flags,
    *,
    signs: Sequence[float] | None = None,
    folds: int = 10,
    repeats: int = 5,
) -> Array:
    """Return each row's log-odds under models fitted without it, the mean of several divisions."""
    random = np.random.default_rng(0)
    total = np.zeros(len(labels))
    for _ in range(repeats):
        fold = np.empty(len(labels), dtype=np.intp)
        for label in (True, False):  # each fold gets its share of both
            members = np.flatnonzero(labels == label)
            fold[random.permutation(members)] = np.arange(len(members)) % folds
        for number in range(folds):
            inside = fold == number
            fitted = fit(features[~inside], labels[~inside], signs=signs)
            total[inside] += fitted.log_odds(features[inside])
    return total / repeats


def area_under_curve(scores: Array, labels: Flags) -> float:
    """Return the probability that a positive row scores higher than a negative one."""
    positives = int(labels.sum())
    ranks = rankdata(scores)[labels].sum()
    pairs = positives * (len(labels) - positives)
    return float((ranks - positives * (positives + 1) / 2) / pairs)


def threshold_keeping(share: float, scores: Array) -> float:
    """Return the highest threshold that at least ``share`` of the scores reach."""
    dropped = int((1 - share) * len(scores) + 1e-9)
    return float(np.sort(scores)[dropped])
