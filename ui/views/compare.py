"""The page that lays papers side by side, aspect by aspect."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import NamedTuple

import streamlit as st

from assistant.compare.aspects import DEFAULTS
from assistant.compare.export import TableFormat, render
from assistant.conversations import shorten
from assistant.errors import AssistantError
from assistant.library import MAX_QUESTION
from assistant.records import (
    Cell,
    CellFilled,
    Comparison,
    ComparisonDone,
    ComparisonPlanned,
    Paper,
)
from ui import safe, state
from ui.components import cell as one_cell
from ui.components import chips

_PARAMETER = "comparison"
_WISH, _NOTES = "comparison-wish", "comparison-notes"
_FORMATS = {
    TableFormat.MARKDOWN: ("Markdown", "md"),
    TableFormat.CSV: ("CSV", "csv"),
    TableFormat.LATEX: ("LaTeX", "tex"),
    TableFormat.JSON: ("JSON", "json"),
}
_PAPER, _SILENT = "paper-title", "–"
_MADE_NAME = re.compile(r"(.+)-\d{8}-\d{6}")
_COLUMN, _LINE, _MARGIN, _HEAD, _TALLEST = 280, 19, 14, 40, 620  # pixels
_LINES, _LINE_CHARACTERS = 3, 36
_CELL = 170  # characters
_LISTED = 30
_NAME = 60  # characters


class _Wish(NamedTuple):
    """What is to be compared, the name to keep it under, and whether the reader agreed to its price."""

    papers: Sequence[str]
    aspects: Sequence[str]
    question: str | None
    name: str
    agreed: bool = False


class _Kept(NamedTuple):
    """A comparison that is open."""

    name: str
    table: Comparison
    stale: frozenset[str]


def page() -> None:
    """Draw the page."""
    st.title("Compare")
    papers = state.papers()
    if len(papers) < 2:
        st.info("Comparing takes two papers: add some on the Library page.", icon=":material/info:")
        return
    titles = {paper.id: paper.title for paper in papers}
    wish: _Wish | None = st.session_state.pop(_WISH, None)
    kept = _open()
    _sidebar(kept)
    if kept is None:
        _form(titles, None)
    else:
        _head(kept, titles)
    if wish is not None:
        _fill(wish, titles)
    if kept is not None:
        _show(kept, papers, titles)
    elif wish is None:
        st.caption(
            "Each cell says what the paper states, cited; where it is silent, so is the cell."
        )


def _open() -> _Kept | None:
    """Open the comparison that the address names, or that was open before."""
    name = st.session_state.get(_PARAMETER) or st.query_params.get(_PARAMETER)
    if name is None:
        return None
    try:
        opened = state.library().comparison(name)
    except AssistantError as error:
        _switch(None)
        st.warning(safe.plain(str(error)), icon=":material/warning:")
        return None
    _switch(name)
    return _Kept(name, opened.table, opened.stale)


def _switch(name: str | None) -> None:
    if name is None:
        st.session_state.pop(_PARAMETER, None)
        st.query_params.pop(_PARAMETER, None)
    else:
        st.session_state[_PARAMETER] = st.query_params[_PARAMETER] = name


def _sidebar(kept: _Kept | None) -> None:
    with st.sidebar:
        st.button(
            "New comparison",
            icon=":material/add:",
            width="stretch",
            on_click=_switch,
            args=(None,),
        )
        with st.container(gap=None):
            for listed in state.library().comparisons()[:_LISTED]:
                name = safe.short(_title(listed.name), most=38)
                st.button(
                    f"**{name}**" if kept is not None and kept.name == listed.name else name,
                    key=f"open-{listed.name}",
                    type="tertiary",
                    wrap=False,
                    on_click=_switch,
                    args=(listed.name,),
                    help=f"{listed.papers} papers, {listed.aspects} aspects, "
                    f"{listed.changed.astimezone():%d %b %Y, %H:%M}",
                )


def _form(titles: Mapping[str, str], kept: _Kept | None) -> None:
    """Ask what is to be compared; more of it, if a comparison is open."""
    with st.form(f"compare-{kept.name if kept else ''}", border=kept is None):
        chosen = st.multiselect(
            "Papers",
            [each for each in titles if kept is None or each not in kept.table.papers],
            format_func=lambda paper_id: titles.get(paper_id, paper_id),
            placeholder="Choose two or more" if kept is None else "Choose",
            select_all=False,
            max_selections=50,
        )
        question = st.text_input(
            "Or those that match a question",
            placeholder="Which papers train models with reinforcement learning?",
            max_chars=MAX_QUESTION,
        )
        aspects = st.multiselect(
            "Aspects",
            [each for each in DEFAULTS if kept is None or each not in kept.table.aspects],
            default=["problem", "method", "headline result"] if kept is None else [],
            accept_new_options=True,
            help="Choose some, or type your own.",
        )
        label, icon = (
            ("Compare", ":material/table:") if kept is None else ("Fill", ":material/edit_note:")
        )
        if st.form_submit_button(label, type="primary", icon=icon):
            name = kept.name if kept is not None else _new_name(chosen, question, titles)
            _begin(_Wish(chosen, aspects, question.strip() or None, name))


def _begin(wish: _Wish) -> None:
    st.session_state[_WISH] = wish
    st.rerun()


def _new_name(chosen: Sequence[str], question: str, titles: Mapping[str, str]) -> str:
    """Name a comparison by what it is about and by when."""
    about = question or " ".join(titles[each].partition(":")[0] for each in chosen[:3])
    words = shorten(" ".join(re.findall(r"[A-Za-z0-9]+", about)), most=_NAME).rstrip("…")
    return f"{words.replace(' ', '-') or 'comparison'}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"


def _title(name: str) -> str:
    """Write a name made by :func:`_new_name` without what makes it unique."""
    found = _MADE_NAME.fullmatch(name)
    return found[1].replace("-", " ") if found else name


def _head(kept: _Kept, titles: Mapping[str, str]) -> None:
    st.markdown(f"##### {safe.plain(_title(kept.name))}", anchors=False)
    missing = [each for each in kept.table.cells if each.error is not None]
    if missing or kept.stale:
        parts = [f"{len(missing)} cells are not filled"] if missing else []
        parts += [f"{len(kept.stale)} papers have changed since"] if kept.stale else []
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(" and ".join(parts) + ".", icon=":material/warning:")
            if st.button("Fill them", type="primary", icon=":material/edit_note:"):
                _begin(_Wish((), (), None, kept.name))
    with st.expander("Add papers or aspects", icon=":material/add:"):
        _form(titles, kept)
    for note in st.session_state.pop(_NOTES, ()):
        st.info(safe.plain(note), icon=":material/info:")


def _fill(wish: _Wish, titles: Mapping[str, str]) -> None:
    """Fill the table cell by cell before the reader's eyes; what is filled is kept."""
    library = state.library()
    try:
        events = library.compare(
            wish.papers, aspects=wish.aspects, question=wish.question, save=wish.name
        )
        with closing(events):  # type: ignore[type-var]  # a generator, declared as an iterator
            plan = next(events)
            assert isinstance(plan, ComparisonPlanned)
            if plan.expected is not None and plan.missing and not wish.agreed:
                _offer(wish, plan, library.settings.llm)
                return
            st.button("Stop", icon=":material/stop_circle:")
            bar, slot = st.empty(), st.empty()
            cells: list[Cell] = []
            for event in events:
                if isinstance(event, CellFilled):
                    cells.append(event.cell)
                    share = len(cells) / event.total
                    bar.progress(share, text=f"{len(cells)} of {event.total} cells")
                    slot.dataframe(_rows(cells, titles), hide_index=True, placeholder=_SILENT)
                elif isinstance(event, ComparisonDone):
                    st.session_state[_NOTES] = event.notes
    except AssistantError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")
        return
    finally:  # also when the reader stops it
        if _is_kept(wish.name):
            st.session_state[_PARAMETER] = wish.name
    st.rerun()


def _is_kept(name: str) -> bool:
    return any(listed.name == name for listed in state.library().comparisons())


def _offer(wish: _Wish, plan: ComparisonPlanned, llm: str) -> None:
    """Say what a model is likely to take, before anything is paid."""
    expected = plan.expected
    assert expected is not None
    cost = expected.cost_usd
    price = "at a price that is not known" if cost is None else f"\\${cost:.2f}"
    taken = expected.input_tokens + expected.output_tokens

    def agree() -> None:
        st.session_state[_WISH] = wish._replace(agreed=True)

    with st.container(border=True):
        st.markdown(f"{plan.missing} cells by {safe.plain(llm)}: up to {taken:,} tokens, {price}.")
        with st.container(horizontal=True):
            st.button("Fill them", type="primary", icon=":material/edit_note:", on_click=agree)
            st.button("Not now")


def _show(kept: _Kept, papers: Sequence[Paper], titles: Mapping[str, str]) -> None:
    done = kept.table
    rows = _rows(done.cells, titles)
    row_height = _row_height(rows)
    found = st.dataframe(
        rows,
        hide_index=True,
        placeholder=_SILENT,
        row_height=row_height,
        height=min(_HEAD + row_height * len(rows), _TALLEST),
        on_select="rerun",
        selection_mode="single-cell",
        key=f"table-{kept.name}",
        column_config={
            _PAPER: st.column_config.TextColumn("Paper", width=200, pinned=True),
            **{name: st.column_config.TextColumn(width=_COLUMN) for name in done.aspects},
        },
        alt="Papers compared, a row each, a column for each aspect",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Choose a cell to read it with its sources, or to edit it.", width="stretch")
        with st.popover("Export", icon=":material/download:"):
            for table_format, (name, suffix) in _FORMATS.items():
                st.download_button(
                    name,
                    partial(render, done, list(papers), table_format),
                    f"{kept.name}.{suffix}",
                    "text/plain",
                    width="stretch",
                    on_click="ignore",
                )
        if st.button("Delete", icon=":material/delete:"):
            _delete(kept.name)
    chosen = found["selection"]["cells"]
    for each in done.cells:
        if chosen and (each.paper_id, each.aspect) == _key(done, chosen[0]):
            one_cell.draw(kept.name, each, titles.get(each.paper_id, each.paper_id))
    if done.summary:
        st.subheader("Summary")
        st.markdown(
            safe.answer(done.summary, numbers={citation.number for citation in done.citations})
        )
    with st.expander(f"All {len(done.citations)} sources", icon=":material/format_quote:"):
        chips.draw("comparison", done.citations)
    chips.open_chosen("comparison", done.citations, ())


@st.dialog("Delete this comparison?")
def _delete(name: str) -> None:
    st.markdown(f"“{safe.plain(_title(name))}” and what was edited in it cannot be brought back.")

    def delete() -> None:
        state.library().remove_comparison(name)
        _switch(None)

    with st.container(horizontal=True):
        if st.button("Delete it", type="primary", key="delete-sure", on_click=delete):
            st.rerun()
        if st.button("Keep it", key="delete-not"):
            st.rerun()


def _key(done: Comparison, chosen: tuple[int, str]) -> tuple[str, str] | None:
    row, aspect = chosen
    return (done.papers[row], aspect) if row < len(done.papers) else None


def _rows(cells: Sequence[Cell], titles: Mapping[str, str]) -> list[dict[str, str | None]]:
    rows: dict[str, dict[str, str | None]] = {}
    for each in cells:
        title = titles.get(each.paper_id, each.paper_id)
        row = rows.setdefault(each.paper_id, {_PAPER: shorten(title)})
        said = one_cell.short(each)
        row[each.aspect] = said and shorten(said, most=_CELL)
    return list(rows.values())


def _row_height(rows: Sequence[Mapping[str, str | None]]) -> int:
    """Return the pixels that the longest cell takes: rows are of one height, and cut what does not fit."""
    longest = max((len(said or "") for row in rows for said in row.values()), default=0)
    return _MARGIN + _LINE * max(_LINES, math.ceil(longest / _LINE_CHARACTERS))
