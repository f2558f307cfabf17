"""The summary of a run: means per measure with their intervals, over all cases and per kind of question."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Literal

import numpy as np

from assistant.records import Record, Usage
from assistant.text import one_line
from eval.cases.dataset import cluster
from eval.runs.manifest import Manifest
from eval.runs.results import Result
from eval.scores.measures import MEASURES, about, label
from eval.statistics.means import mean_interval

_LEAST_P = 0.001
"""The least p-value that is written in full."""


class Measure(Record):
    """A measure's mean over the cases it applies to, with its 95 % interval; None where it applies to none.

    ``spread`` is the standard deviation of the mean over repeats; None without any.
    """

    mean: float | None
    count: int
    low: float | None
    high: float | None
    spread: float | None = None


class Abstention(Record):
    """Refusing as a decision over all cases: precision, recall and F1 of refusing the unanswerable."""

    precision: float | None
    recall: float | None
    f1: float | None


class Latency(Record):
    """Seconds an answer took: the median, the 95th percentile and the longest."""

    median: float
    p95: float
    longest: float


class Group(Record):
    """A group of cases: how many, how many of them failed, and their measures."""

    cases: int
    errors: int
    measures: dict[str, Measure]
    abstention: Abstention | None
    seconds: Latency | None


class Failure(Record):
    """A case that failed, and why."""

    id: str
    error: str


class Report(Manifest):
    """What ``report.json`` holds. ``usage`` is what the answers took of models, in all.

    ``judge`` names the model that has graded the answers, if one has.
    """

    overall: Group
    kinds: dict[str, Group]
    failures: tuple[Failure, ...]
    usage: Usage
    judge: str | None = None


def summarise(
    manifest: Manifest, results: Sequence[Result], *, repeats: Sequence[Sequence[Result]] = ()
) -> Report:
    """Summarise the results of a dataset's cases.

    Args:
        manifest: what the run was made with.
        results: a result per case.
        repeats: the results of each repeat, for the spread between them and for what all took.
    """
    kinds = dict.fromkeys(result.case.kind for result in results)
    series = repeats or [results]
    return Report(
        **manifest.model_dump(),
        overall=_group(results, series),
        kinds={
            kind: _group(_of(kind, results), [_of(kind, each) for each in series]) for kind in kinds
        },
        failures=tuple(
            Failure(id=result.case.id, error=result.error)
            for result in results
            if result.error is not None
        ),
        usage=_usage([result for each in series for result in each]),
    )


def graded(report: Report, results: Sequence[Result], names: Sequence[str], judge: str) -> Report:
    """Return a run's summary with the scores that a judge has added since.

    Args:
        report: the summary.
        results: the results, with the judge's scores among theirs.
        names: of these scores.
        judge: who gave them.
    """

    def with_scores(group: Group, own: Sequence[Result]) -> Group:
        added = {name: _measure(name, own, ()) for name in names}
        measures = {**group.measures, **added}
        ordered = [
            *(name for name in MEASURES if name in measures),
            *sorted(measures.keys() - {*MEASURES}),
        ]
        return group.model_copy(update={"measures": {name: measures[name] for name in ordered}})

    return report.model_copy(
        update={
            "overall": with_scores(report.overall, results),
            "kinds": {
                kind: with_scores(group, _of(kind, results)) for kind, group in report.kinds.items()
            },
            "judge": judge,
        }
    )


def table(report: Report) -> str:
    """Lay the means out as text: a row a measure that applies, a column for all cases and each kind."""
    groups = [report.overall, *report.kinds.values()]
    rows = [["", "all", "95 % interval", *report.kinds], _counts("cases", groups)]
    if report.overall.errors:
        rows.append(_counts("errors", groups))
    for name, whole in report.overall.measures.items():
        if not whole.count:
            continue
        first, *others = (shown(name, group.measures.get(name)) for group in groups)
        rows.append([label(name), first, interval(name, whole), *others])
    return align(rows)


def shown(name: str, measure: Measure | None) -> str:
    """Write a measure's mean, with its spread over repeats where there is one."""
    if measure is None or measure.mean is None:
        return "-"
    spread = f" ±{number(name, measure.spread)}" if measure.spread is not None else ""
    return f"{number(name, measure.mean)}{spread}"


def interval(name: str, measure: Measure) -> str:
    """Write a measure's interval."""
    if measure.low is None or measure.high is None:
        return ""
    return f"{number(name, measure.low)}–{number(name, measure.high)}"


def number(name: str, value: float) -> str:
    """Write a value of a measure."""
    if about(name).is_share:
        return f"{value:.3f}"
    return f"{value:.4g}" if abs(value) < 100 else f"{value:.0f}"


def chance(p_value: float) -> str:
    """Write a p-value; none is zero."""
    return f"{p_value:.3f}" if p_value >= _LEAST_P else f"<{_LEAST_P:g}"


def align(rows: Sequence[Sequence[str]]) -> str:
    """Align cells in columns: the first to the left, the others to the right; no cell breaks a line."""
    cleaned = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cleaned, strict=True)]
    lines = []
    for first, *others in cleaned:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def _counts(name: Literal["cases", "errors"], groups: Sequence[Group]) -> list[str]:
    first, *others = (str(getattr(group, name)) for group in groups)
    return [name, first, "", *others]


def _of(kind: str, results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result.case.kind == kind]


def _group(results: Sequence[Result], series: Sequence[Sequence[Result]]) -> Group:
    present = {name for result in results for name in result.scores}
    known = [name for name in MEASURES if name in present]
    return Group(
        cases=len(results),
        errors=sum(result.error is not None for result in results),
        measures={
            name: _measure(name, results, series) for name in (*known, *sorted(present - {*known}))
        },
        abstention=_abstention(results),
        seconds=_latency([each for one in series for each in one]),
    )


def _measure(name: str, results: Sequence[Result], series: Sequence[Sequence[Result]]) -> Measure:
    scored = [(r, value) for r in results if (value := r.scores.get(name)) is not None]
    if not scored:
        return Measure(mean=None, count=0, low=None, high=None)
    found = mean_interval([value for _, value in scored], [cluster(r.case) for r, _ in scored])
    means = [mean for each in series if (mean := _mean(name, each)) is not None]
    return Measure(
        mean=found.mean,
        count=len(scored),
        low=found.low,
        high=found.high,
        spread=round(stdev(means), 6) if len(means) > 1 else None,
    )


def _mean(name: str, results: Sequence[Result]) -> float | None:
    values = [value for result in results if (value := result.scores.get(name)) is not None]
    return fmean(values) if values else None


def _abstention(results: Sequence[Result]) -> Abstention | None:
    """Measure refusals as a set; None where there is nothing that should be refused, or nothing else."""
    decided = [(not r.case.answerable, r.answer.refused) for r in results if r.answer is not None]
    if len({should for should, _ in decided}) < 2:
        return None
    both = sum(should and did for should, did in decided)
    refused = sum(did for _, did in decided)
    wanted = sum(should for should, _ in decided)
    return Abstention(
        precision=round(both / refused, 6) if refused else None,
        recall=round(both / wanted, 6),
        f1=round(2 * both / (refused + wanted), 6),
    )


def _latency(results: Sequence[Result]) -> Latency | None:
    seconds = [result.seconds for result in results if result.error is None]
    if not seconds:
        return None
    median, p95 = np.percentile(seconds, [50, 95])
    return Latency(median=round(float(median), 3), p95=round(float(p95), 3), longest=max(seconds))


def _usage(results: Sequence[Result]) -> Usage:
    """Add up what answers took; an unknown price makes the sum unknown."""
    used = [result.answer.usage for result in results if result.answer is not None]
    costs = [each.cost_usd for each in used]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        input_tokens=sum(each.input_tokens for each in used),
        output_tokens=sum(each.output_tokens for each in used),
        cost_usd=round(sum(known), 6) if len(known) == len(costs) else None,
    )
