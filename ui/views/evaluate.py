"""The page that shows how good the answers are: runs over questions with known answers."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import streamlit as st

from assistant.errors import InputError
from eval.cases import load
from eval.report import Report
from eval.runner import Result
from eval.runner import run as run_cases
from ui import runs, safe, state
from ui.components import answer, work
from ui.jobs import Tell
from ui.runs import PastRun

_KIND = "evaluate"
_DATASETS = Path(load.__code__.co_filename).parent / "datasets"
_NONE = "nothing"


def page() -> None:
    """Draw the page."""
    st.set_page_config(layout="wide")
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
    _show(folder, listing.found)


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
    for path in sorted(_DATASETS.glob("*.yaml")):
        with suppress(InputError):
            load(path)
            names.append(path.stem)
    return names


def _begin(name: str, folder: Path) -> None:
    library, path = state.library(), _DATASETS / f"{name}.yaml"
    out = folder / f"{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"

    def ask_all(tell: Tell) -> str:
        run_cases(
            load(path), library, out, progress=lambda done, total: tell("Asking", done, total)
        )
        return out.name

    state.jobs().start(_KIND, name, ask_all)
    st.rerun()


def _finished(label: str, _result: object) -> None:
    st.success(f"**{label}**: done.", icon=":material/check:")


def _show(folder: Path, found: Sequence[PastRun]) -> None:
    names = {_label(run): run for run in found}
    with st.container(horizontal=True):
        chosen = names[st.selectbox("Run", list(names))]
        before = st.selectbox(
            "Compare with", [_NONE, *(name for name in names if names[name] is not chosen)]
        )
    other = names[before].report if before != _NONE else None
    _table(chosen.report, other)
    _history(found, chosen.report)
    _cases(runs.read_results(folder, chosen))


def _label(run: PastRun) -> str:
    """Name a run by when it was, as the folder's name tells, and what was asked."""
    try:
        when = f"{datetime.strptime(run.name[:15], '%Y%m%d-%H%M%S'):%d %b %Y, %H:%M:%S}"  # noqa: DTZ007
    except ValueError:
        when = run.name
    return f"{when} · {run.report.dataset}"


def _table(report: Report, other: Report | None) -> None:
    overall = report.overall
    st.caption(
        safe.plain(
            f"{overall.cases} cases, {overall.errors} failed · version {report.version} · "
            f"{report.settings.get('llm', '')}"
        )
    )
    rows = runs.measures(report, other)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for row in rows[:1]
            for name in row
            if name != "Measure"
        },
        alt="Means per measure, over all cases and per kind",
    )
    for failure in report.failures[:20]:
        st.caption(f"{safe.plain(failure.id)}: {safe.plain(failure.error)}")


def _history(found: Sequence[PastRun], report: Report) -> None:
    measure = st.selectbox("Over time", list(report.overall.measures))
    points = runs.history(found, report.dataset, measure) if measure else []
    if len(points) > 1:
        st.line_chart(points, x="Run", y=measure, height=220)
    else:
        st.caption("A second run of this data set shows how it changes.")


def _cases(results: Sequence[Result]) -> None:
    st.subheader("Cases")
    if not results:
        st.caption("The cases of this run are not there any more.")
        return
    kinds = list(dict.fromkeys(result.case.kind for result in results))
    kind = st.pills("Kind", kinds, label_visibility="collapsed", format_func=safe.plain)
    shown = [each for each in results if kind is None or each.case.kind == kind]
    found = st.dataframe(
        [
            {
                "Question": each.case.question,
                "Kind": each.case.kind,
                "Seconds": each.seconds,
                **{name.replace("_", " "): value for name, value in each.scores.items()},
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
    if rows:
        _case(shown[rows[0]])
    else:
        st.caption("Tick a case to read its answer.")


def _case(result: Result) -> None:
    with st.container(border=True):
        st.markdown(f"**{safe.plain(result.case.question)}**")
        if result.case.reference:
            st.caption(f"Expected: {safe.plain(result.case.reference)}")
        if result.error is not None or result.answer is None:
            st.error(safe.plain(result.error or "no answer"), icon=":material/error:")
            return
        given = result.answer
        st.markdown(safe.answer(given.answer, numbers={each.number for each in given.citations}))
        for each in given.citations:
            st.caption(
                f"{each.number} · {safe.plain(each.title)}: {safe.short(each.quote, most=240)}"
            )
        st.caption(answer.cost_line(given))
