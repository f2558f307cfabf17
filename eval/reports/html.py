"""A run as one HTML file that opens from disk: no network, and no script but its own.

All that comes from papers, models and data sets is escaped by the template engine, and a content security
policy names the report's own script and style by their hashes, so that nothing else can run.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from assistant.records import Citation, PassageRow
from assistant.text import clean
from eval.analysis.differences import Diff
from eval.cases.matching import unescape
from eval.judge.judged import Judged
from eval.reports.charts import charts
from eval.runs.results import Result
from eval.runs.summary import Measure, Report, chance, interval, number, shown
from eval.scores.measures import about, label

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_TEMPLATE = Path(__file__).parent / "template"
_LONGEST_SUMMARY = 300
_BOLD = re.compile(r"(?<!\\)\*\*(?=\S)([^\n]+?)(?<=\S)(?<!\\)\*\*")
_MISSES = (
    "expected_paper_cited", "fact_recall", "answered", "refused_correctly", "page_hit", "verbatim_quotes",
    "alce_citation_recall",
)  # fmt: skip


class Shown(NamedTuple):
    """A case as the page shows it; ``missed`` names the measures that it does not reach in full."""

    result: Result
    passages: Sequence[PassageRow]
    missed: Sequence[str]
    judged: Judged | None


def render(
    report: Report,
    results: Sequence[Result],
    passages: Mapping[str, Sequence[PassageRow]],
    *,
    judged: Mapping[str, Judged] = MappingProxyType({}),
    diff: Diff | None = None,
    gate: Sequence[str] | None = None,
) -> str:
    """Write the page.

    Args:
        report: the run's summary.
        results: its cases.
        passages: what was retrieved, by case.
        judged: what a judge model said, by case.
        diff: the run beside its baseline, if it was compared with one.
        gate: why the gate failed, a line each, none if it passed; None if there was no gate.
    """
    script, style = _file("report.js"), _file("report.css")
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            cases=[
                _case(each, passages.get(each.case.id, ()), judged.get(each.case.id))
                for each in results
            ],
            charts=charts(report),
            diff=diff,
            gate=gate,
            script=script,
            script_hash=_hash(script),
            style=style,
            style_hash=_hash(style),
        )
    )


def _case(result: Result, passages: Sequence[PassageRow], judged: Judged | None) -> Shown:
    missed = [
        label(name)
        for name in _MISSES
        if (value := result.scores.get(name)) is not None and value < 1
    ]
    return Shown(result, passages, missed, judged)


@lru_cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_harmless,
    )
    made.filters |= {
        "chance": chance,
        "embedded": _embedded,
        "interval": lambda measure, name: interval(name, measure),
        "json": lambda value: json.dumps(value, sort_keys=True),
        "label": label,
        "mean": _mean,
        "meaning": lambda name: about(name).meaning,
        "number": lambda value, name: number(name, value),
        "place": _place,
        "prose": _prose,
        "share": lambda value: "-" if value is None else f"{value:.3f}",
        "short": _short,
        "web": lambda url: bool(url) and url.lower().startswith(("https://", "http://")),
    }
    return made


def _harmless(value: object) -> object:
    """Drop invisible and control characters from text before it is escaped."""
    from markupsafe import Markup

    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _mean(measure: Measure | None, name: str) -> str:
    return shown(name, measure)


def _embedded(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _place(of: Citation | PassageRow) -> str:
    if of.page_first is None:
        return "abstract" if of.source == "abstract" else "full text"
    last = f"–{of.page_last}" if of.page_last and of.page_last != of.page_first else ""
    return f"page {of.page_first}{last}"


def _prose(markdown: str) -> "Markup":
    """Return an answer's text, escaped, with what it marks as bold in bold; nothing else of Markdown."""
    from markupsafe import Markup, escape

    pieces = _BOLD.split(clean(markdown))  # every other one is what stands between a pair of marks
    plain = [escape(unescape(piece)) for piece in pieces]
    bold = Markup("<strong>{}</strong>")
    return Markup("").join(
        bold.format(piece) if place % 2 else piece for place, piece in enumerate(plain)
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SUMMARY else f"{line[:_LONGEST_SUMMARY]}…"


def _file(name: str) -> "Markup":
    from markupsafe import Markup

    return Markup((_TEMPLATE / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
