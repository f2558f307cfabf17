"""The eval runs that lie in the home, as the eval harness wrote them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from assistant.conversations import place
from assistant.errors import InputError
from assistant.records import Citation
from assistant.text import one_line
from eval.analysis.arena import Arena, Pair, pairs
from eval.analysis.differences import Diff, compare, load
from eval.analysis.votes import ballots
from eval.judge.judged import read_run
from eval.runs.results import Result, Retrieved, read_passages
from eval.runs.runner import REPORT
from eval.runs.summary import Group, Measure, Report, interval, number
from eval.scores.measures import label

_MAX_BYTES = 100_000_000

Cell = str | float | None


class PastRun(NamedTuple):
    """A finished run: its folder's name and its report."""

    name: str
    report: Report


class Runs(NamedTuple):
    """The runs, newest first, and a line for each that cannot be read."""

    found: tuple[PastRun, ...]
    damaged: tuple[str, ...]


class Cases(NamedTuple):
    """A run's cases, what was retrieved for each by its id, and why either is not to be had."""

    results: Sequence[Result]
    retrieved: Mapping[str, Retrieved]
    problem: str | None = None


def when(name: str) -> str:
    """Say when a run was, as its folder's name tells; the name itself if it does not."""
    try:
        return f"{datetime.strptime(name[:15], '%Y%m%d-%H%M%S'):%d %b %Y, %H:%M:%S}"  # noqa: DTZ007
    except ValueError:
        return name


def list_runs(folder: Path) -> Runs:
    """Read the reports of all finished runs."""
    found: list[PastRun] = []
    damaged: list[str] = []
    for path in sorted(folder.glob(f"*/{REPORT}"), reverse=True):
        try:
            with path.open("rb") as file:
                report = Report.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValueError):
            damaged.append(f"{path} cannot be read: it is damaged, or of another version")
            continue
        found.append(PastRun(path.parent.name, report))
    return Runs(tuple(found), tuple(damaged))


def read_cases(folder: Path, run: PastRun) -> Cases:
    """Read a run's cases, and the passages retrieved for them."""
    try:
        return Cases(read_run(folder / run.name), read_passages(folder / run.name))
    except InputError as error:
        return Cases((), {}, str(error))


def difference(folder: Path, before: PastRun, now: PastRun) -> Diff:
    """Compare two runs, case by case.

    Raises:
        InputError: if they are of different data sets, or no case was answered in both.
    """
    return compare(load(folder / before.name), load(folder / now.name))


def title(report: Report, name: str) -> str:
    """Tell a run from the others: when it was, of what, and who answered."""
    return one_line(f"{when(name)} · {report.dataset} · {report.settings.get('llm', '')}")


def rivals(found: Sequence[PastRun]) -> list[PastRun]:
    """List the runs that another run has the same questions as."""
    counts = Counter(run.report.dataset_hash for run in found)
    return [run for run in found if counts[run.report.dataset_hash] > 1]


def newest_rivals(found: Sequence[PastRun]) -> list[str]:
    """Name the newest of some rivals, and the next that has the same questions."""
    same = [run.name for run in found if run.report.dataset_hash == found[0].report.dataset_hash]
    return same[:2]


def matched(folder: Path, names: Sequence[str]) -> list[Pair]:
    """Match runs on the cases that all have answered.

    Raises:
        InputError: if there are none, or a run cannot be read.
    """
    return pairs({name: read_run(folder / name) for name in names})


def same_answers(found: Sequence[Pair]) -> int:
    """Count the pairs with the same answer on both sides."""
    return sum(not ballots([pair]) for pair in found)


def by_source(citations: Sequence[Citation]) -> dict[str, list[Citation]]:
    """Group citations by where they point to: title and place."""
    found: dict[str, list[Citation]] = {}
    for each in citations:
        found.setdefault(f"{each.title} · {place(each)}", []).append(each)
    return found


def places(found: Arena, titles: Mapping[str, str]) -> list[dict[str, Cell]]:
    """Lay a ranking out: a row a run, best first."""
    return [
        {
            "Rank": each.rank,
            "Run": titles[each.run],
            "Rating": round(each.rating),
            "95 % interval": f"{each.low:.0f} to {each.high:.0f}",
            "Won": each.wins,
            "Tied": each.ties,
            "Lost": each.losses,
        }
        for each in found.places
    ]


def measures(report: Report) -> list[dict[str, Cell]]:
    """Lay a report out: a row a measure, its interval, a column for all cases and for each kind."""
    groups: dict[str, Group] = {"all": report.overall, **report.kinds}
    return [
        {"Measure": label(name), "95 % interval": interval(name, whole)}
        | {group: _mean(content.measures.get(name)) for group, content in groups.items()}
        for name, whole in report.overall.measures.items()
    ]


def changes(diff: Diff) -> list[dict[str, Cell]]:
    """Lay out two runs beside each other: a row a measure, with how sure its change is."""
    return [
        {
            "Measure": label(row.measure),
            "Cases": row.count,
            "Before": row.first,
            "Now": row.second,
            "Change": row.difference.mean,
            "95 % interval": f"{number(row.measure, row.difference.low)} to "
            f"{number(row.measure, row.difference.high)}",
            "p": row.difference.p_value,
            "p (Holm)": row.corrected,
            "Verdict": row.verdict,
        }
        for row in diff.rows
    ]


def slices(report: Report, name: str) -> list[dict[str, Cell]]:
    """List a measure per kind of case, with its interval, all cases first."""
    groups: dict[str, Group] = {"all": report.overall, **report.kinds}
    return [
        _point(f"{group} ({measure.count})", measure)
        for group, content in groups.items()
        if (measure := content.measures.get(name)) is not None and measure.mean is not None
    ]


def history(runs: Sequence[PastRun], dataset: str, name: str) -> list[dict[str, Cell]]:
    """List a measure over the runs of a data set, oldest first."""
    return [
        _point(when(run.name), measure)
        for run in reversed(runs)
        if run.report.dataset == dataset
        and (measure := run.report.overall.measures.get(name)) is not None
        and measure.mean is not None
    ]


def _point(what: str, measure: Measure) -> dict[str, Cell]:
    return {"what": what, "mean": measure.mean, "low": measure.low, "high": measure.high}


def _mean(measure: Measure | None) -> float | None:
    return measure.mean if measure else None
