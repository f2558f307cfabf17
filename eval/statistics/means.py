"""Means with intervals, and differences between two runs, of cases that come in clusters.

Questions on one paper stand or fall together, so whole papers are drawn, not questions: an interval
over the questions alone would be too narrow. Values are rounded to six places, so that two machines
write the same report.
"""

import warnings
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.records import Record

Array = npt.NDArray[np.float64]

_CONFIDENCE = 0.95
_DIGITS = 6
_BATCH_ELEMENTS = 4_000_000
"""Random draws that are held in memory at a time."""


class Interval(Record):
    """A mean, and the bounds of its 95 % confidence interval."""

    mean: float
    low: float
    high: float


class Difference(Record):
    """A mean difference of paired cases, its 95 % confidence interval, and the p-value of no difference."""

    mean: float
    low: float
    high: float
    p_value: float


class _Clusters(NamedTuple):
    """What a mean over cases needs to know of each cluster: the sum and the number of its cases."""

    sums: Array
    sizes: Array

    @property
    def mean(self) -> float:
        """The mean over all cases."""
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def is_even(self) -> bool:
        """Whether all clusters have the same mean."""
        return bool(np.ptp(self.sums / self.sizes) < 10**-_DIGITS)


class _Bootstrapped(NamedTuple):
    """What a bootstrap found: the bounds of the interval, and the standard error of the mean."""

    bounds: tuple[float, float]
    standard_error: float


def mean_interval(
    values: Sequence[float], clusters: Sequence[str], *, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Estimate a mean with its 95 % confidence interval by a bootstrap over clusters.

    The bias-corrected and accelerated bootstrap (Efron, Better bootstrap confidence intervals, JASA
    1987), as scores are bounded and skewed, at the level that Student's t asks for where clusters are
    few (Hesterberg, What teachers should know about the bootstrap, The American Statistician 2015).
    Where all values are the same the interval has no width, which is no proof that there is no spread.
    Where there is but one cluster its cases are drawn instead: the interval tells of that paper only.

    Args:
        values: a score per case.
        clusters: the name of each case's cluster, such as its paper.
        resamples: how often clusters are drawn.
        seed: of the draws.

    Raises:
        ValueError: if there are no values, or not a cluster for each.
    """
    grouped = _group(values, clusters)
    if grouped.is_even:
        return _rounded(grouped.mean, grouped.mean, grouped.mean)
    return _skewed_interval(grouped, resamples=resamples, seed=seed)


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[str],
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> Difference:
    """Estimate how much ``second`` is above ``first``, case by case.

    The interval is Student's, on the standard error that a bootstrap over clusters gives: to correct
    for skewness would make much of a few cases that changed among many that did not. The p-value is
    that of a permutation test that swaps the two runs for whole clusters at a time: exact where few
    clusters differ, else over ``resamples`` random swaps.

    Args:
        first: a score per case.
        second: a score per case, of the same cases in the same order.
        clusters: the name of each case's cluster, such as its paper.
        resamples: how often clusters are drawn, and swapped.
        seed: of the draws.

    Raises:
        ValueError: if there are no values, or not the same number of each.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values cannot be paired with {len(second)}")
    grouped = _group([b - a for a, b in zip(first, second, strict=True)], clusters)
    p_value = _sign_flips(grouped.sums, resamples=resamples, seed=seed)
    if grouped.is_even:
        interval = _rounded(grouped.mean, grouped.mean, grouped.mean)
    else:
        interval = _even_interval(grouped, resamples=resamples, seed=seed)
    return Difference(**interval.model_dump(), p_value=p_value)


def _group(values: Sequence[float], clusters: Sequence[str]) -> _Clusters:
    if not values or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values cannot be grouped into {len(clusters)} clusters")
    names, membership = np.unique(
        np.asarray(clusters, dtype=object).astype(str), return_inverse=True
    )
    if len(names) == 1:
        membership = np.arange(len(values))
    return _Clusters(
        np.asarray(np.bincount(membership, weights=np.asarray(values, np.float64)), np.float64),
        np.asarray(np.bincount(membership), np.float64),
    )


def _skewed_interval(clusters: _Clusters, *, resamples: int, seed: int) -> Interval:
    """Estimate the interval by the BCa bootstrap."""
    from scipy import special

    # The level at which a bootstrap over so few clusters is as wide as Student's t makes it.
    level = float(2 * special.ndtr(_t_quantile(len(clusters.sums))) - 1)
    found = _bootstrap(clusters, "BCa", level=level, resamples=resamples, seed=seed)
    if not np.isfinite(found.bounds).all():  # all draws on one side of the mean
        found = _bootstrap(clusters, "percentile", level=level, resamples=resamples, seed=seed)
    return _rounded(clusters.mean, *found.bounds)


def _even_interval(clusters: _Clusters, *, resamples: int, seed: int) -> Interval:
    """Estimate the interval from the bootstrap's standard error."""
    found = _bootstrap(clusters, "percentile", level=_CONFIDENCE, resamples=resamples, seed=seed)
    reach = _t_quantile(len(clusters.sums)) * found.standard_error
    return _rounded(clusters.mean, clusters.mean - reach, clusters.mean + reach)


def _t_quantile(count: int) -> float:
    """Return how many standard errors of a bootstrap over ``count`` clusters reach the bounds."""
    from scipy import special

    # A bootstrap's standard error is too small by the root of (count - 1) / count.
    return float(special.stdtrit(count - 1, (1 + _CONFIDENCE) / 2) * np.sqrt(count / (count - 1)))


def _bootstrap(
    clusters: _Clusters,
    method: Literal["BCa", "percentile"],
    *,
    level: float,
    resamples: int,
    seed: int,
) -> _Bootstrapped:
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a degenerate distribution, which is looked for
        found = stats.bootstrap(
            (clusters.sums, clusters.sizes),
            _ratio,
            paired=True,
            vectorized=True,
            method=method,
            n_resamples=resamples,
            confidence_level=level,
            batch=max(1, _BATCH_ELEMENTS // len(clusters.sums)),
            rng=np.random.default_rng(seed),
        )
    bounds = found.confidence_interval
    return _Bootstrapped((float(bounds.low), float(bounds.high)), float(found.standard_error))


def _ratio(sums: Array, sizes: Array, axis: int = -1) -> Array:
    """Return the mean over the cases of the clusters drawn."""
    return np.asarray(sums.sum(axis=axis) / sizes.sum(axis=axis))


def _sign_flips(sums: Array, *, resamples: int, seed: int) -> float:
    """Return the two-sided p-value of a mean of zero, were each cluster's sign as likely the other."""
    from scipy import stats

    changed = sums[np.abs(sums) > 10**-_DIGITS]
    if len(changed) < 2:  # either sign of one is as extreme
        return 1.0
    found = stats.permutation_test(
        (changed,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _BATCH_ELEMENTS // len(changed)),
        rng=np.random.default_rng(seed),
    )
    return _round(float(found.pvalue))


def _rounded(mean: float, low: float, high: float) -> Interval:
    return Interval(mean=_round(mean), low=_round(low), high=_round(high))


def _round(value: float) -> float:
    return round(value, _DIGITS) + 0.0  # not -0.0
