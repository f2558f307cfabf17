"""The summary of a run: means per measure, over all cases and per kind of question."""

from collections.abc import Sequence
from typing import Any, Protocol

from assistant import __version__
from assistant.config import Settings, redact
from assistant.records import Record
from eval.cases import Case, Dataset


class Scored(Protocol):
    """A case's result, as far as the summary needs it."""

    @property
    def case(self) -> Case:
        """The case."""

    @property
    def error(self) -> str | None:
        """What kept it from being answered."""

    @property
    def scores(self) -> dict[str, float | None]:
        """Its score per measure, None where one does not apply."""


class Measure(Record):
    """A measure's mean over the cases it applies to; None where it applies to none."""

    mean: float | None
    count: int


class Group(Record):
    """A group of cases: how many, how many of them failed, and their measures."""

    cases: int
    errors: int
    measures: dict[str, Measure]


class Failure(Record):
    """A case that failed, and why."""

    id: str
    error: str


class Report(Record):
    """What ``report.json`` holds."""

    dataset: str
    dataset_hash: str
    version: str
    settings: dict[str, Any]
    overall: Group
    kinds: dict[str, Group]
    failures: tuple[Failure, ...]


def summarise(dataset: Dataset, results: Sequence[Scored], *, settings: Settings) -> Report:
    """Summarise the results of a dataset's cases."""
    kinds = dict.fromkeys(result.case.kind for result in results)
    return Report(
        dataset=dataset.name,
        dataset_hash=dataset.digest,
        version=__version__,
        settings=_without_secrets(settings),
        overall=_group(results),
        kinds={
            kind: _group([result for result in results if result.case.kind == kind])
            for kind in kinds
        },
        failures=tuple(
            Failure(id=result.case.id, error=result.error)
            for result in results
            if result.error is not None
        ),
    )


def table(report: Report) -> str:
    """Lay the means out as text: a row a measure, a column for all cases and for each kind."""
    groups = {"all": report.overall, **report.kinds}
    rows = [["", *groups], ["cases", *(str(group.cases) for group in groups.values())]]
    if report.overall.errors:
        rows.append(["errors", *(str(group.errors) for group in groups.values())])
    for name in report.overall.measures:
        means = [group.measures.get(name) for group in groups.values()]
        rows.append([name, *(_shown(mean) for mean in means)])
    return align(rows)


def align(rows: Sequence[Sequence[str]]) -> str:
    """Align cells in columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def _group(results: Sequence[Scored]) -> Group:
    names = dict.fromkeys(name for result in results for name in result.scores)
    return Group(
        cases=len(results),
        errors=sum(result.error is not None for result in results),
        measures={name: _measure(name, results) for name in names},
    )


def _measure(name: str, results: Sequence[Scored]) -> Measure:
    values = [value for result in results if (value := result.scores.get(name)) is not None]
    mean = round(sum(values) / len(values), 6) if values else None
    return Measure(mean=mean, count=len(values))


def _shown(measure: Measure | None) -> str:
    return "-" if measure is None or measure.mean is None else f"{measure.mean:.3f}"


def _without_secrets(settings: Settings) -> dict[str, Any]:
    """Return the settings that shape answers; passwords hidden, without where the home lies."""
    shown = settings.model_dump(mode="json", exclude={"home"})
    return {
        name: redact(value) if isinstance(value, str) else value for name, value in shown.items()
    }
