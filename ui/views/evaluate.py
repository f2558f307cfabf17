"""The page that shows how good the answers are: runs over questions with known answers."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import streamlit as st

from assistant.errors import InputError
from eval.analysis.differences import Diff
from eval.cases.dataset import load
from eval.reports.publish import HTML, publish
from eval.runs.results import Result, Retrieved
from eval.runs.runner import run as run_cases
from eval.runs.summary import Report
from eval.scores.measures import about, label
from eval.surroundings import DATASETS
from ui import runs, safe, state
from ui.components import answer, arena, chart, work
from ui.jobs import Tell
from ui.runs import PastRun

_KIND = "evaluate"
_NONE = "nothing"
_EVERY = "every kind"


def page() -> None:
    """Draw the page."""
    st.title("Evaluate")
    st.markdown("Questions with known answers, asked to this library, and how it did.")
    folder = state.settings().home / "runs"
    _start(folder)
    work.progress(_KIND, finished=_finished)
    listing = runs.list_runs(folder)
    for note in listing.damaged:
        st.warning(safe.plain(note), icon=":material/warning:")
    if not listing.found:
        st.info("No runs yet: choose a data set above and run it.", icon=":material/analytics:")
        return
    one_by_one, side_by_side = st.tabs(
        ["Runs", "Arena"], key="view", on_change="rerun", bind="query-params"
    )
    if one_by_one.open:
        with one_by_one:
            _show(folder, listing.found)
    if side_by_side.open:
        with side_by_side:
            arena.draw(folder, listing.found)


def _start(folder: Path) -> None:
    names = _shipped()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Data set", names)
        if st.button("Run it", type="primary", icon=":material/play_arrow:", disabled=not names):
            _begin(name, folder)


@st.cache_resource(show_spinner=False)
def _shipped() -> list[str]:
    """Name the data sets that come along and hold questions."""
    names = []
    for path in sorted(DATASETS.glob("*.yaml")):
        with suppress(InputError):
            load(path)
            names.append(path.stem)
    return names


def _begin(name: str, folder: Path) -> None:
    library, path = state.library(), DATASETS / f"{name}.yaml"
    out = folder / f"{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"

    def ask_all(tell: Tell) -> str:
        run_cases(
            load(path), library, out, progress=lambda done, total: tell("Asking", done, total)
        )
        publish(out)
        return out.name

    state.jobs().start(_KIND, name, ask_all)
    st.rerun()


def _finished(label: str, _result: object) -> None:
    st.success(f"**{label}**: done.", icon=":material/check:")


def _show(folder: Path, found: Sequence[PastRun]) -> None:
    names = {_label(run): run for run in found}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = names[st.selectbox("Run", list(names))]
        others = [name for name, run in names.items() if _is_comparable(run, chosen)]
        named = st.selectbox("Compare with", [_NONE, *others])
        _download(folder / chosen.name / HTML, chosen.name)
    before = names.get(named) if named in others else None
    _summary(chosen.report)
    diff = None
    if before is not None:
        diff = _difference(folder, before, chosen)
    if diff is None:
        _measures(chosen.report)
    _charts(found, chosen.report)
    _cases(folder, chosen, before)


def _is_comparable(run: PastRun, chosen: PastRun) -> bool:
    return run is not chosen and run.report.dataset_hash == chosen.report.dataset_hash


def _download(path: Path, name: str) -> None:
    if path.is_file():
        st.download_button(
            "Report",
            path.read_bytes,
            f"report-{name}.html",
            "text/html",
            icon=":material/download:",
            on_click="ignore",
        )


def _label(run: PastRun) -> str:
    return f"{runs.when(run.name)} · {run.report.dataset}"


def _summary(report: Report) -> None:
    overall = report.overall
    parts = [
        f"{overall.cases} cases, {overall.errors} failed",
        str(report.settings.get("llm", "")),
        f"version {report.version}",
    ]
    if overall.seconds is not None:
        parts.append(
            f"{overall.seconds.median:.2f} s in the median, {overall.seconds.p95:.2f} s p95"
        )
    st.caption(safe.plain(" · ".join(parts)))
    for failure in report.failures[:20]:
        st.caption(f"{safe.plain(failure.id)}: {safe.plain(failure.error)}")


def _measures(report: Report) -> None:
    rows = runs.measures(report)
    numbers = ["all", *report.kinds]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in numbers},
        placeholder="–",
        alt="Means per measure, over all cases and per kind",
    )


def _difference(folder: Path, before: PastRun, now: PastRun) -> Diff | None:
    """Lay two runs side by side; None if they cannot be."""
    try:
        diff = _compared(str(folder), before.name, now.name)
    except InputError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")
        return None
    if diff.conditions:
        st.caption("Not alike in: " + safe.plain("; ".join(diff.conditions)))
    st.dataframe(
        runs.changes(diff),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Before", "Now", "Change", "p", "p (Holm)")
        },
        alt="Measures of both runs, what changed, and how sure that is",
    )
    return diff


@st.cache_resource(show_spinner="Comparing…", max_entries=20)
def _compared(folder: str, before: str, now: str) -> Diff:
    listing = {run.name: run for run in runs.list_runs(Path(folder)).found}
    return runs.difference(Path(folder), listing[before], listing[now])


def _charts(found: Sequence[PastRun], report: Report) -> None:
    if not report.overall.measures:
        return
    measure = st.selectbox("Measure", list(report.overall.measures), format_func=label)
    described = about(measure)
    st.caption(safe.plain(described.meaning))
    by_kind, over_time = st.columns(2, gap="large")
    with by_kind:
        st.markdown("**By kind of question**")
        chart.slices(
            runs.slices(report, measure),
            share=described.is_share,
            alt=f"{label(measure)} by kind of question",
        )
    with over_time:
        st.markdown("**Over time**")
        points = runs.history(found, report.dataset, measure)
        if len(points) > 1:
            chart.history(points, share=described.is_share, alt=f"{label(measure)} over the runs")
        else:
            st.caption("A second run of this data set shows how it changes.")


def _cases(folder: Path, chosen: PastRun, before: PastRun | None) -> None:
    st.subheader("Cases")
    held = runs.read_cases(folder, chosen)
    if held.problem is not None:
        st.caption(safe.plain(held.problem))
        return
    kinds = list(dict.fromkeys(result.case.kind for result in held.results))
    kind = st.selectbox("Kind", [_EVERY, *kinds], label_visibility="collapsed", width=220)
    shown = [each for each in held.results if kind in {_EVERY, each.case.kind}]
    found = st.dataframe(
        [
            {
                "Question": each.case.question,
                "Kind": each.case.kind,
                "Seconds": each.seconds,
                **{label(name): value for name, value in each.scores.items()},
            }
            for each in shown
        ],
        hide_index=True,
        height=320,
        on_select="rerun",
        selection_mode="single-row",
        alt="Cases with their scores",
    )
    rows = [row for row in found["selection"]["rows"] if row < len(shown)]
    if not rows:
        st.caption("Tick a case to read its answer and what was retrieved for it.")
        return
    case = shown[rows[0]]
    _case(case, held.retrieved.get(case.case.id), _earlier(folder, before, case))


def _earlier(folder: Path, before: PastRun | None, case: Result) -> Result | None:
    """Return the same case of the run compared with."""
    earlier = runs.read_cases(folder, before).results if before is not None else ()
    return next((each for each in earlier if each.case.id == case.case.id), None)


def _case(result: Result, retrieved: Retrieved | None, earlier: Result | None) -> None:
    with st.container(border=True):
        st.markdown(f"**{safe.plain(result.case.question)}**")
        if result.case.reference:
            st.caption(f"Expected: {safe.plain(result.case.reference)}")
        if earlier is None:
            _answer(result)
        else:
            before, now = st.columns(2, gap="large")
            with before:
                st.markdown("**Before**")
                _answer(earlier)
            with now:
                st.markdown("**Now**")
                _answer(result)
        if retrieved is not None and retrieved.passages:
            answer.passages(retrieved.passages)


def _answer(result: Result) -> None:
    if result.error is not None or result.answer is None:
        st.error(safe.plain(result.error or "no answer"), icon=":material/error:")
        return
    given = result.answer
    st.markdown(safe.answer(given.answer, numbers={each.number for each in given.citations}))
    for each in given.citations:
        st.caption(f"{each.number} · {safe.plain(each.title)}: {safe.short(each.quote, most=240)}")
    scores = [
        f"{label(name)} {value:.3g}" for name, value in result.scores.items() if value is not None
    ]
    st.caption(safe.plain(" · ".join(scores)))
    st.caption(answer.cost_line(given))
