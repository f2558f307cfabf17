"""``python -m eval.checks.intervals``: how often intervals hold the mean they should, over simulated runs."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from eval.statistics.means import mean_interval, paired_difference
from eval.terminal import say

SIMULATIONS = 500
_LARGEST_CLUSTER = 5

Array = npt.NDArray[np.float64]


class World(NamedTuple):
    """A population to draw runs from: scores of cases, given which cluster each is of.

    ``mean`` is that of all cases of the population.
    """

    name: str
    mean: float
    draw: Callable[[np.random.Generator, npt.NDArray[np.int64]], Array]


def _shares(random: np.random.Generator, clusters: npt.NDArray[np.int64]) -> Array:
    """Draw whether each case is right, where papers differ in how easy they are: 0.85 on average."""
    easy = random.beta(2.55, 0.45, clusters.max() + 1)
    right: Array = (random.random(len(clusters)) < easy[clusters]).astype(np.float64)
    return right


def _normal(random: np.random.Generator, clusters: npt.NDArray[np.int64]) -> Array:
    """Draw scores around 0.5 that vary between papers and within them."""
    papers = random.normal(0.5, 0.2, clusters.max() + 1)
    scores: Array = papers[clusters] + random.normal(0.0, 0.3, len(clusters))
    return scores


def _changes(random: np.random.Generator, clusters: npt.NDArray[np.int64]) -> Array:
    """Draw changes of right to wrong and back: most cases stay, a few of some papers change."""
    touched = random.random(clusters.max() + 1) < 0.5
    changes = random.choice([-1.0, 0.0, 1.0], p=[0.3, 0.5, 0.2], size=len(clusters))
    return np.where(touched[clusters], changes, 0.0)


NORMAL = World("normal scores", 0.5, _normal)
SHARES = World("right or wrong", 0.85, _shares)
CHANGES = World("changes between two runs", -0.05, _changes)


def coverage(
    world: World, *, clusters: int, simulations: int = SIMULATIONS, seed: int = 1
) -> float:
    """Return the share of simulated runs whose 95 % interval holds the world's mean.

    Args:
        world: what runs are drawn from.
        clusters: papers per run, each with one to five cases.
        simulations: runs.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    held = 0
    for _ in range(simulations):
        sizes = random.integers(1, _LARGEST_CLUSTER + 1, clusters)
        membership = np.repeat(np.arange(clusters), sizes)
        values = world.draw(random, membership).tolist()
        names = [str(each) for each in membership]
        if world is CHANGES:
            found = paired_difference([0.0] * len(values), values, names, resamples=2000)
            low, high = found.low, found.high
        else:
            interval = mean_interval(values, names)
            low, high = interval.low, interval.high
        held += low <= world.mean <= high
    return held / simulations


def main() -> None:
    """Print the coverage in each world, for few and many papers."""
    for world in (NORMAL, SHARES, CHANGES):
        for clusters in (12, 25, 50):
            say(f"{world.name}, {clusters} papers: {coverage(world, clusters=clusters):.3f}")


if __name__ == "__main__":
    main()
