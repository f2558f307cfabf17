"""What changed between two runs of the same cases, and the gate that a change has to pass."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple

from assistant.errors import InputError
from assistant.records import Record
from eval.cases.dataset import cluster, content_hash
from eval.judge.judged import read_run
from eval.runs.manifest import Manifest, differences
from eval.runs.results import Result, read
from eval.runs.runner import REPORT, read_manifest
from eval.runs.summary import Report, align, chance, number
from eval.scores.measures import COMPLETED, MEASURES, about, label
from eval.statistics.many_tests import holm
from eval.statistics.means import Difference, paired_difference

Verdict = Literal["better", "worse", "other", "no difference"]

_SIGNS = {"better": "▲", "worse": "▼", "other": "≠", "no difference": ""}


class Loaded(NamedTuple):
    """A run's results as read: from its folder with its manifest, or from a file without."""

    path: Path
    dataset_hash: str
    results: Sequence[Result]
    manifest: Manifest | None


class Row(Record):
    """One measure in both runs, over the ``count`` cases that it applies to in both.

    ``verdict`` says that the interval of the difference excludes zero: ``better`` or ``worse`` where the
    measure has a good side, else ``other``. ``corrected`` is the p-value corrected for all measures compared.
    """

    measure: str
    count: int
    first: float
    second: float
    difference: Difference
    corrected: float
    verdict: Verdict


class Diff(Record):
    """Two runs beside each other; ``conditions`` are what they were not made alike in."""

    first: str
    second: str
    conditions: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def worse(self) -> list[Row]:
        """The measures that fell."""
        return [row for row in self.rows if row.verdict == "worse"]


class Floor(NamedTuple):
    """The least that a measure's mean may be."""

    measure: str
    least: float


def load(path: Path) -> Loaded:
    """Read a run from its folder, or results from a file.

    Raises:
        InputError: if there is no finished run, or its files are damaged.
    """
    if path.is_file():
        results = read(path, Result)
        return Loaded(path, content_hash([each.case for each in results]), results, None)
    if not path.is_dir():
        raise InputError(f"there is no run at {path}: name a run's folder or a file of results")
    manifest = read_manifest(path)
    if not (path / REPORT).exists():
        raise InputError(
            f"the run in {path} is not finished: go on with it with `assistant eval run … --out {path}`"
        )
    return Loaded(path, manifest.dataset_hash, read_run(path), manifest)


def require_same_dataset(first: Loaded, *, dataset_hash: str, second: str) -> None:
    """See that results are of the data set with this hash.

    Raises:
        InputError: if they are of another.
    """
    if first.dataset_hash != dataset_hash:
        raise InputError(
            f"{first.path} is of another data set than {second}: only runs of the same cases compare"
        )


def compare(first: Loaded, second: Loaded) -> Diff:
    """Compare two runs, case by case.

    Raises:
        InputError: if they are of different data sets, or no case was answered in both.
    """
    require_same_dataset(first, dataset_hash=second.dataset_hash, second=str(second.path))
    before = {each.case.id: each for each in first.results}
    pairs = [(before[each.case.id], each) for each in second.results if each.case.id in before]
    if not any(one.error is None and two.error is None for one, two in pairs):
        raise InputError(f"no case was answered in both {first.path} and {second.path}")
    present = {name for pair in pairs for each in pair for name in each.scores}
    names = [name for name in MEASURES if name in present]
    compared = {
        name: scored
        for name in (COMPLETED, *names, *sorted(present - {*names}))
        if (scored := _scored(name, pairs))
    }
    found = [_difference(scored) for scored in compared.values()]
    corrected = holm([each.p_value for each in found])
    manifests = [each.manifest for each in (first, second) if each.manifest is not None]
    return Diff(
        first=str(first.path),
        second=str(second.path),
        conditions=tuple(differences(*manifests)) if len(manifests) == 2 else (),
        rows=tuple(
            _row(name, scored, difference, p_value)
            for (name, scored), difference, p_value in zip(
                compared.items(), found, corrected, strict=True
            )
        ),
    )


def table(diff: Diff) -> str:
    """Lay out the measures of both runs, what changed, and how sure that is."""
    rows = [["", "cases", "first", "second", "difference", "95 % interval", "p", "p (Holm)", ""]]
    rows += [
        [
            label(row.measure),
            str(row.count),
            number(row.measure, row.first),
            number(row.measure, row.second),
            *_change(row),
        ]
        for row in diff.rows
    ]
    return align(rows)


def verdict(diff: Diff) -> str:
    """Say in a line what differs."""
    changed = [
        f"{label(row.measure)} {row.verdict}" for row in diff.rows if row.verdict != "no difference"
    ]
    return "; ".join(changed) or "no difference"


def failures(
    diff: Diff | None, means: Mapping[str, float | None], floors: Sequence[Floor]
) -> list[str]:
    """Say why a gate fails, a line each: what fell beyond chance, and floors that are not kept.

    Means are over the cases that did not fail, so where there are floors ``completed`` has one as well: 1,
    that is, no case may fail, unless another is given.

    Args:
        diff: the run beside its baseline, if there is one.
        means: the run's overall means; :func:`overall` gives them.
        floors: the least they may be.
    """
    fallen = diff.worse if diff is not None else []
    found = [
        f"{label(row.measure)} fell from {number(row.measure, row.first)} to "
        f"{number(row.measure, row.second)} (95 % interval of the difference {_interval(row)}; p "
        f"{chance(row.difference.p_value)}, corrected for all measures {chance(row.corrected)})"
        for row in fallen
    ]
    if floors and all(each.measure != COMPLETED for each in floors):
        floors = [Floor(COMPLETED, 1.0), *floors]
    for name, least in floors:
        mean = means.get(name)
        if mean is None:
            found.append(f"{label(name)} is scored for no case, its floor is {least:g}")
        elif mean < least:
            found.append(f"{label(name)} is {number(name, mean)}, below its floor of {least:g}")
    return found


def overall(report: Report) -> dict[str, float | None]:
    """Return a run's overall means, the share of cases that did not fail among them."""
    group = report.overall
    means = {name: each.mean for name, each in group.measures.items()}
    return {COMPLETED: (group.cases - group.errors) / group.cases, **means}


class _Scored(NamedTuple):
    """A case's score in both runs, and its cluster."""

    first: float
    second: float
    cluster: str


def _scored(name: str, pairs: Sequence[tuple[Result, Result]]) -> list[_Scored]:
    return [
        _Scored(one, two, cluster(second.case))
        for first, second in pairs
        if (one := _value(name, first)) is not None and (two := _value(name, second)) is not None
    ]


def _difference(scored: Sequence[_Scored]) -> Difference:
    return paired_difference(
        [each.first for each in scored],
        [each.second for each in scored],
        [each.cluster for each in scored],
    )


def _row(name: str, scored: Sequence[_Scored], found: Difference, corrected: float) -> Row:
    return Row(
        measure=name,
        count=len(scored),
        first=round(fmean(each.first for each in scored), 6),
        second=round(fmean(each.second for each in scored), 6),
        difference=found,
        corrected=round(corrected, 6),
        verdict=_verdict(name, found),
    )


def _value(name: str, result: Result) -> float | None:
    if name == COMPLETED:
        return float(result.error is None)
    return result.scores.get(name)


def _verdict(name: str, found: Difference) -> Verdict:
    if found.low <= 0 <= found.high:
        return "no difference"
    better = about(name).better
    if better == "neither":
        return "other"
    return "better" if (found.mean > 0) == (better == "higher") else "worse"


def _change(row: Row) -> list[str]:
    if row.difference.low == row.difference.high == 0:
        return ["=", "", "", "", ""]
    sign = "+" if row.difference.mean > 0 else ""
    return [
        f"{sign}{number(row.measure, row.difference.mean)}",
        _interval(row),
        chance(row.difference.p_value),
        chance(row.corrected),
        _SIGNS[row.verdict],
    ]


def _interval(row: Row) -> str:
    low, high = row.difference.low, row.difference.high
    return f"{number(row.measure, low)} to {number(row.measure, high)}"
