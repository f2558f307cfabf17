"""A run as a Markdown summary, for a pull request."""

import re
from collections.abc import Collection, Sequence

from assistant.text import one_line
from eval.analysis.differences import Diff
from eval.runs.summary import Report, chance, interval, number, shown
from eval.scores.measures import label

_MOST_FAILURES = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!@:/-])")
_MARKS = {"better": "▲ better", "worse": "▼ worse", "other": "changed", "no difference": ""}


def render(report: Report, *, diff: Diff | None = None, gate: Sequence[str] | None = None) -> str:
    """Write the summary.

    Args:
        report: the run's summary.
        diff: the run beside its baseline, if it was compared with one.
        gate: why the gate failed, a line each, none if it passed; None if there was no gate.
    """
    lines = [f"## Evaluation: {_text(report.dataset)}", "", _facts(report), ""]
    if gate is not None:
        lines += ["**The gate fails.**" if gate else "**The gate passes.**", ""]
        lines += [*(f"- {_text(reason)}" for reason in gate), *([""] if gate else [])]
    if diff is not None:
        lines += _changes(diff)
    compared = {row.measure for row in diff.rows} if diff is not None else set()
    lines += _measures(report, without=compared)
    for failure in report.failures[:_MOST_FAILURES]:
        lines.append(f"- failed: {_text(failure.id)}: {_text(failure.error)}")
    if len(report.failures) > _MOST_FAILURES:
        lines.append(f"- and {len(report.failures) - _MOST_FAILURES} more failed")
    return "\n".join(lines).rstrip() + "\n"


def _facts(report: Report) -> str:
    facts = [
        f"{report.overall.cases} cases",
        f"{report.overall.errors} failed",
        f"answers by {_text(str(report.settings['llm']))}",
        f"{report.papers} papers",
    ]
    if report.judge is not None:
        facts.append(f"graded by {_text(report.judge)}")
    if report.overall.seconds is not None:
        facts.append(f"{report.overall.seconds.median:.2f} s median")
    if report.usage.input_tokens or report.usage.output_tokens:
        cost = report.usage.cost_usd
        facts.append(f"{report.usage.input_tokens + report.usage.output_tokens} tokens")
        facts.append("price unknown" if cost is None else f"${cost:.4f}")
    return " · ".join(facts)


def _measures(report: Report, *, without: Collection[str]) -> list[str]:
    rows = [
        f"| {_text(label(name))} | {shown(name, each)} | {interval(name, each)} | {each.count} |"
        for name, each in report.overall.measures.items()
        if each.count and name not in without
    ]
    if not rows:
        return []
    return ["| measure | mean | 95 % interval | cases |", "|---|---|---|---|", *rows, ""]


def _changes(diff: Diff) -> list[str]:
    rows = []
    for row in diff.rows:
        values = (
            row.first,
            row.second,
            row.difference.mean,
            row.difference.low,
            row.difference.high,
        )
        first, second, mean, low, high = (number(row.measure, value) for value in values)
        chances = " | ".join(_text(chance(p)) for p in (row.difference.p_value, row.corrected))
        rows.append(
            f"| {_text(label(row.measure))} | {first} | {second} | {mean} | {low} to {high} "
            f"| {chances} | {_MARKS[row.verdict]} |"
        )
    head = "| measure | before | now | difference | 95 % interval | p | p (Holm) | |"
    return [head, "|---|---|---|---|---|---|---|---|", *rows, ""]


def _text(text: str) -> str:
    """Return text as Markdown that shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))
