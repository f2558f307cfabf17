"""The eval runs that lie in the home, as the eval harness wrote them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from eval.report import Group, Report
from eval.runner import Result

_MAX_BYTES = 100_000_000
_REPORT, _RESULTS = "report.json", "results.jsonl"


class PastRun(NamedTuple):
    """A finished run: its folder's name and its report."""

    name: str
    report: Report


class Runs(NamedTuple):
    """The runs, newest first, and a line for each that cannot be read."""

    found: tuple[PastRun, ...]
    damaged: tuple[str, ...]


def list_runs(folder: Path) -> Runs:
    """Read the reports of all finished runs."""
    found: list[PastRun] = []
    damaged: list[str] = []
    for path in sorted(folder.glob(f"*/{_REPORT}"), reverse=True):
        try:
            with path.open("rb") as file:
                report = Report.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValueError):
            damaged.append(f"{path} cannot be read: it is damaged, or of another version")
            continue
        found.append(PastRun(path.parent.name, report))
    return Runs(tuple(found), tuple(damaged))


def read_results(folder: Path, run: PastRun) -> list[Result]:
    """Read a run's cases; a damaged line is left out."""
    results: list[Result] = []
    try:
        with (folder / run.name / _RESULTS).open("rb") as file:
            for line in file.read(_MAX_BYTES).splitlines():
                try:
                    results.append(Result.model_validate_json(line))
                except ValidationError:
                    continue
    except OSError:
        return results
    return results


def measures(report: Report, other: Report | None = None) -> list[dict[str, str | float | None]]:
    """Lay a report out: a row a measure, a column for all cases and for each kind.

    With another report, its overall means and the differences to them come along.
    """
    groups: dict[str, Group] = {"all": report.overall, **report.kinds}
    rows: list[dict[str, str | float | None]] = []
    for name in report.overall.measures:
        row: dict[str, str | float | None] = {"Measure": name.replace("_", " ")}
        for group, content in groups.items():
            measure = content.measures.get(name)
            row[group] = measure.mean if measure else None
        if other is not None:
            before = other.overall.measures.get(name)
            row["before"] = before.mean if before else None
            row["change"] = _difference(row["all"], row["before"])
        rows.append(row)
    return rows


def history(runs: Sequence[PastRun], dataset: str, measure: str) -> list[dict[str, str | float]]:
    """List a measure over the runs of a data set, oldest first."""
    points: list[dict[str, str | float]] = []
    for run in reversed(runs):
        found = run.report.overall.measures.get(measure)
        if run.report.dataset == dataset and found is not None and found.mean is not None:
            points.append({"Run": run.name, measure: found.mean})
    return points


def _difference(now: str | float | None, before: str | float | None) -> float | None:
    if isinstance(now, float) and isinstance(before, float):
        return round(now - before, 6)
    return None
