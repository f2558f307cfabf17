"""The page that lays papers side by side, aspect by aspect."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from assistant.compare.aspects import DEFAULTS
from assistant.compare.export import TableFormat, render
from assistant.conversations import shorten
from assistant.errors import AssistantError
from assistant.library import MAX_QUESTION
from assistant.records import Cell, CellFilled, Comparison, ComparisonDone, Paper
from ui import safe, state
from ui.components import chips

_DONE = "comparison"
_FORMATS = {
    TableFormat.MARKDOWN: ("Markdown", "md"),
    TableFormat.CSV: ("CSV", "csv"),
    TableFormat.LATEX: ("LaTeX", "tex"),
    TableFormat.JSON: ("JSON", "json"),
}
_SILENT = "–"
_COLUMN = 280  # pixels


class _Wish(NamedTuple):
    """What is to be compared."""

    papers: Sequence[str]
    aspects: Sequence[str]
    question: str | None


def page() -> None:
    """Draw the page."""
    st.set_page_config(layout="wide")
    st.title("Compare")
    papers = state.papers()
    if len(papers) < 2:
        st.info("Comparing takes two papers: add some on the Library page.", icon=":material/info:")
        return
    titles = {paper.id: paper.title for paper in papers}
    wish = _wish(titles)
    if wish is not None:
        _fill(wish, titles)
    done = st.session_state.get(_DONE)
    if done is not None:
        _show(done, papers, titles)
    elif wish is None:
        st.caption(
            "Each cell says what the paper states, cited; where it is silent, so is the cell."
        )


def _wish(titles: dict[str, str]) -> _Wish | None:
    with st.form("compare"):
        chosen = st.multiselect(
            "Papers",
            list(titles),
            format_func=lambda paper_id: titles.get(paper_id, paper_id),
            placeholder="Choose two or more",
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
            DEFAULTS,
            default=["problem", "method", "headline result"],
            accept_new_options=True,
            help="Choose some, or type your own.",
        )
        if st.form_submit_button("Compare", type="primary", icon=":material/table:"):
            return _Wish(chosen, aspects, question.strip() or None)
    return None


def _fill(wish: _Wish, titles: dict[str, str]) -> None:
    """Fill the table cell by cell before the reader's eyes."""
    st.session_state.pop(_DONE, None)
    bar, slot = st.empty(), st.empty()
    cells: list[Cell] = []
    try:
        events = state.library().compare(wish.papers, aspects=wish.aspects, question=wish.question)
        for event in events:
            if isinstance(event, CellFilled):
                cells.append(event.cell)
                bar.progress(len(cells) / event.total, text=f"{len(cells)} of {event.total} cells")
                slot.dataframe(_rows(cells, titles), hide_index=True, placeholder=_SILENT)
            elif isinstance(event, ComparisonDone):
                st.session_state[_DONE] = event.comparison
    except AssistantError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")
    bar.empty()
    slot.empty()


def _show(done: Comparison, papers: Sequence[Paper], titles: dict[str, str]) -> None:
    numbers = {citation.number for citation in done.citations}
    found = st.dataframe(
        _rows(done.cells, titles),
        hide_index=True,
        placeholder=_SILENT,
        row_height=72,
        on_select="rerun",
        selection_mode="single-cell",
        key="comparison-table",
        column_config={
            "Paper": st.column_config.TextColumn(width=200, pinned=True),
            **{name: st.column_config.TextColumn(width=_COLUMN) for name in done.aspects},
        },
        alt="Papers compared, a row each, a column for each aspect",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Choose a cell to read it with its sources.", width="stretch")
        with st.popover("Export", icon=":material/download:"):
            for table_format, (name, suffix) in _FORMATS.items():
                st.download_button(
                    name,
                    partial(render, done, list(papers), table_format),
                    f"comparison.{suffix}",
                    "text/plain",
                    width="stretch",
                    on_click="ignore",
                )
    _chosen_cell(done, found["selection"]["cells"], titles)
    if done.summary:
        st.subheader("Summary")
        st.markdown(safe.answer(done.summary, numbers=numbers))
    with st.expander(f"All {len(done.citations)} sources", icon=":material/format_quote:"):
        chips.draw("comparison", done.citations)
    chips.open_chosen("comparison", done.citations, ())


def _chosen_cell(
    done: Comparison, chosen: Sequence[tuple[int, str]], titles: dict[str, str]
) -> None:
    if not chosen:
        return
    row, aspect = chosen[0]
    if row >= len(done.papers):
        return
    paper_id = done.papers[row]
    for cell in done.cells:
        if (cell.paper_id, cell.aspect) == (paper_id, aspect):
            with st.container(border=True):
                st.markdown(
                    f"**{safe.plain(titles.get(paper_id, paper_id))}** · {safe.plain(aspect)}"
                )
                st.markdown(_cell_text(cell))
                chips.draw("cell", cell.citations)
            chips.open_chosen("cell", cell.citations, ())


def _cell_text(cell: Cell) -> str:
    if cell.error is not None:
        return f":red[{safe.plain(cell.error)}]"
    if not cell.found:
        return "The paper does not state it."
    return safe.answer(cell.text, numbers={citation.number for citation in cell.citations})


def _rows(cells: Sequence[Cell], titles: dict[str, str]) -> list[dict[str, str | None]]:
    rows: dict[str, dict[str, str | None]] = {}
    for cell in cells:
        title = titles.get(cell.paper_id, cell.paper_id)
        row = rows.setdefault(cell.paper_id, {"Paper": shorten(title)})
        row[cell.aspect] = cell.text if cell.found else None
    return list(rows.values())
