"""How far two raters agree, such as a judge model and a person."""

from collections import Counter
from collections.abc import Hashable, Sequence

from assistant.records import Record


class Agreement(Record):
    """How many items two raters both rated, the share on which they agree, and Cohen's kappa.

    ``kappa`` is 1 for full agreement and 0 for no more than chance would give; it is ``None`` where
    chance alone would give full agreement, as when both gave every item the same label.
    """

    count: int
    accuracy: float
    kappa: float | None


def agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> Agreement:
    """Compare two raters' labels of the same items.

    Kappa is that of Cohen, A coefficient of agreement for nominal scales (Educational and Psychological
    Measurement 1960).

    Raises:
        ValueError: if there are no labels, or not the same number of each.
    """
    if not first or len(first) != len(second):
        raise ValueError(f"{len(first)} labels cannot be compared with {len(second)}")
    count = len(first)
    accuracy = sum(a == b for a, b in zip(first, second, strict=True)) / count
    shares, others = Counter(first), Counter(second)
    by_chance = sum(shares[label] * others[label] for label in shares) / count**2
    kappa = None if by_chance == 1 else round((accuracy - by_chance) / (1 - by_chance), 6)
    return Agreement(count=count, accuracy=round(accuracy, 6), kappa=kappa)
