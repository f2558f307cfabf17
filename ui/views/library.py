"""The page that shows the papers, takes new ones in, and shows one of them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from assistant.errors import PaperNotFoundError
from assistant.export import Format
from assistant.records import Paper
from ui import state
from ui.components import card, intake

_STATUS = {"All": None, "Full text": True, "Abstract only": False}
_FORMATS = {
    Format.BIBTEX: ("BibTeX", "papers.bib", "application/x-bibtex"),
    Format.CSV: ("CSV", "papers.csv", "text/csv"),
    Format.JSON: ("JSON", "papers.json", "application/json"),
}
_ROW, _MOST_ROWS = 36, 14


def page() -> None:
    """Draw the page."""
    st.set_page_config(layout="wide")
    named = st.query_params.get("paper")
    if named is not None:
        paper = _named(named)
        if paper is not None:
            card.draw(paper)
            return
        st.warning("That paper is not in the library (any more).", icon=":material/warning:")
    _list(state.papers())


def _named(paper_id: str) -> Paper | None:
    try:
        return state.library().paper(paper_id)
    except PaperNotFoundError:
        st.query_params.clear()
        return None


def _list(papers: Sequence[Paper]) -> None:
    st.title("Library")
    intake.progress()
    if not papers:
        st.markdown("No papers yet. Begin with one of these:")
        intake.draw(offer_sample=True)
        return
    with st.expander("Add papers", icon=":material/add:"):
        intake.draw(offer_sample=False)
    shown = _filtered(papers)
    chosen = _table(shown)
    _actions(chosen, len(papers))


def _filtered(papers: Sequence[Paper]) -> list[Paper]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search titles, authors, ids",
            placeholder="Search titles, authors, ids",
            icon=":material/search:",
            label_visibility="collapsed",
            key="search-papers",
        )
        status = st.segmented_control(
            "Status", list(_STATUS), default="All", required=True, label_visibility="collapsed"
        )
    wanted, full = text.lower().split(), _STATUS[status]
    return [
        paper
        for paper in papers
        if (full is None or full == (paper.full_text is not None))
        and all(word in _words(paper) for word in wanted)
    ]


def _words(paper: Paper) -> str:
    return " ".join([paper.title, *paper.authors, paper.id, str(paper.year or "")]).lower()


def _table(papers: Sequence[Paper]) -> list[Paper]:
    if not papers:
        st.info("No paper fits. Search for something else.", icon=":material/search_off:")
        return []
    found = st.dataframe(
        [
            {
                "Title": paper.title,
                "Year": paper.year,
                "Status": "full text" if paper.full_text else "abstract",
                "Pages": paper.full_text.pages if paper.full_text else None,
                "Id": paper.id,
            }
            for paper in papers
        ],
        hide_index=True,
        row_height=_ROW,
        height=_ROW * min(len(papers) + 1, _MOST_ROWS) + 4,
        on_select="rerun",
        selection_mode="multi-row",
        key="papers-table",
        column_config={
            "Title": st.column_config.TextColumn(width="large"),
            "Year": st.column_config.NumberColumn(format="%d", width=60),
            "Status": st.column_config.TextColumn(width=90),
            "Pages": st.column_config.NumberColumn(width=60),
            "Id": st.column_config.TextColumn(width="small"),
        },
        placeholder="–",
        alt="Papers of the library",
    )
    return [papers[row] for row in found["selection"]["rows"] if row < len(papers)]


def _actions(chosen: Sequence[Paper], count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if chosen:
            _act_on(chosen)
        else:
            st.caption(f"{count} papers. Tick one to open it, several to ask about them.")
        with st.popover("Export", icon=":material/download:"):
            for file_format, (name, file_name, mime) in _FORMATS.items():
                st.download_button(
                    name,
                    partial(state.library().export, file_format),
                    file_name,
                    mime,
                    width="stretch",
                    on_click="ignore",
                )


def _act_on(chosen: Sequence[Paper]) -> None:
    if len(chosen) == 1 and st.button("Open", type="primary", icon=":material/menu_book:"):
        st.query_params["paper"] = chosen[0].id
        st.rerun()
    these = "this paper" if len(chosen) == 1 else f"these {len(chosen)}"
    if st.button(f"Ask about {these}", icon=":material/forum:"):
        st.session_state["scope-wanted"] = [paper.id for paper in chosen]
        st.switch_page(st.session_state["pages"]["ask"])
    if st.button("Remove", icon=":material/delete:"):
        card.remove(chosen)
