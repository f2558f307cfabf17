"""Charts of a run as SVG: a measure's mean and interval for all cases and for each kind.

By matplotlib, which draws without a browser, so that the report holds finished pictures and no program
that draws them.
"""

import io
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from eval.runs.summary import Group, Report
from eval.scores.measures import about, label
from eval.statistics.means import Interval

_MOST_KINDS = 20
_LONGEST_NAME = 26
_WIDTH, _ROW_HEIGHT, _FRAME_HEIGHT = 4.4, 0.24, 0.62


class Theme(NamedTuple):
    """The colours of a chart."""

    ink: str
    faint: str
    mark: str


class Chart(NamedTuple):
    """One measure's chart as SVG, for a light and for a dark page; ``words`` say what it shows."""

    name: str
    words: str
    light: bytes
    dark: bytes


LIGHT = Theme(ink="#24292f", faint="#c9ced6", mark="#2456a6")
DARK = Theme(ink="#d8dee6", faint="#434b57", mark="#7fb0ff")


def charts(report: Report) -> list[Chart]:
    """Draw the measures that differ between kinds of cases."""
    largest = sorted(report.kinds, key=lambda kind: -report.kinds[kind].cases)[:_MOST_KINDS]
    groups = {"all": report.overall} | {
        kind: group for kind, group in report.kinds.items() if kind in largest
    }
    found = []
    for name in report.overall.measures:
        bars = _bars(name, groups)
        if about(name).is_share and len({each.mean for each in bars.values()}) > 1:
            words = ", ".join(f"{_short(kind)} {each.mean:.2f}" for kind, each in bars.items())
            drawn = (_draw(name, bars, theme) for theme in (LIGHT, DARK))
            found.append(Chart(name, f"{label(name)}: {words}", *drawn))
    return found


def _bars(name: str, groups: Mapping[str, Group]) -> dict[str, Interval]:
    found = {}
    for kind, group in groups.items():
        each = group.measures.get(name)
        if each and each.mean is not None and each.low is not None and each.high is not None:
            found[kind] = Interval(mean=each.mean, low=each.low, high=each.high)
    return found


def _draw(name: str, bars: Mapping[str, Interval], theme: Theme) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    options: dict[Any, Any] = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "report",  # the same picture from run to run
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 9,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "axes.edgecolor": theme.faint,
    }
    drawn = io.BytesIO()
    with mpl.rc_context(options), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of glyphs that its own font lacks; the page's has them
        figure = Figure(
            figsize=(_WIDTH, _FRAME_HEIGHT + _ROW_HEIGHT * len(bars)), layout="constrained"
        )
        axes = figure.subplots()
        for place, each in enumerate(bars.values()):
            axes.plot(
                [each.low, each.high], [place, place], color=theme.mark, linewidth=2, alpha=0.5
            )
            axes.plot([each.mean], [place], "o", color=theme.mark, markersize=5)
        axes.set_yticks(range(len(bars)), [_short(kind) for kind in bars])
        axes.invert_yaxis()
        axes.set_xlim(-0.03, 1.03)
        axes.grid(axis="x", color=theme.faint, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        axes.set_title(label(name), loc="left", fontsize=10)
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    return drawn.getvalue()


def _short(kind: str) -> str:
    line = " ".join(kind.split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"
