"""Measures beside their targets, printed as a table."""

from collections.abc import Sequence
from typing import NamedTuple

from eval.runs.summary import align


class Target(NamedTuple):
    """A measure's value and the bound it should keep: at least that, or at most with ``at_most``.

    A value of None could not be measured here.
    """

    measure: str
    value: float | None
    bound: float
    at_most: bool = False
    unit: str = ""

    @property
    def verdict(self) -> str:
        """``ok``, ``SHORT``, or ``not measured``."""
        if self.value is None:
            return "not measured"
        kept = self.value <= self.bound if self.at_most else self.value >= self.bound
        return "ok" if kept else "SHORT"


def table(targets: Sequence[Target]) -> str:
    """Lay out measures, values, targets and verdicts."""
    rows = [["measure", "value", "target", ""]]
    for target in targets:
        value = "-" if target.value is None else _amount(target.value, target.unit)
        sign = "≤" if target.at_most else "≥"
        bound = f"{sign} {_amount(target.bound, target.unit)}"
        rows.append([target.measure, value, bound, target.verdict])
    return align(rows)


def verdict(targets: Sequence[Target]) -> str:
    """Say in a line how many targets are reached."""
    short = [target.measure for target in targets if target.verdict == "SHORT"]
    measured = sum(target.value is not None for target in targets)
    if short:
        return f"{len(short)} of {measured} fall short: {'; '.join(short)}"
    return f"all {measured} targets measured are reached"


def _amount(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{value:.{digits}f}{' ' if unit else ''}{unit}"
