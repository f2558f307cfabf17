"""The page that shows the papers, takes new ones in, and shows one of them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from assistant.errors import PaperNotFoundError
from assistant.export import Format
from assistant.records import Paper
from assistant.tags import Tags
from ui import state
from ui.components import card, intake, scope, tagging

_STATUS = {"All papers": None, "Full text": True, "Abstract only": False}
_FORMATS = {
    Format.BIBTEX: ("BibTeX", "papers.bib", "application/x-bibtex"),
    Format.CSV: ("CSV", "papers.csv", "text/csv"),
    Format.JSON: ("JSON", "papers.json", "application/json"),
}
_ROW, _MOST_ROWS = 36, 14


def page() -> None:
    """Draw the page."""
    named = st.query_params.get("paper")
    if named is not None:
        paper = _named(named)
        if paper is not None:
            intake.progress(successes=False)
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
    tags = tagging.read()
    shown = _filtered(papers, tags)
    chosen = _table(shown, tags)
    _actions(chosen, papers, tags)


def _filtered(papers: Sequence[Paper], tags: Tags) -> list[Paper]:
    known = tags.known(papers)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search titles, authors, ids, tags",
            placeholder="Search titles, authors, ids, tags",
            icon=":material/search:",
            label_visibility="collapsed",
            key="search-papers",
        )
        status = st.selectbox("Status", list(_STATUS), label_visibility="collapsed", width=170)
        tag = _tag(known)
    wanted, full = text.lower().split(), _STATUS[status]
    return [
        paper
        for paper in papers
        if (full is None or full == (paper.full_text is not None))
        and (tag is None or tag in tags.of(paper))
        and all(word in _words(paper, tags) for word in wanted)
    ]


def _tag(known: Sequence[str]) -> str | None:
    """Offer the tags there are; return the one chosen."""
    if not known:
        return None
    key = "tag-shown"
    if st.session_state.get(key) not in known:
        st.session_state[key] = None  # nothing has it any more
    return st.selectbox(
        "Tag",
        known,
        index=None,
        key=key,
        placeholder="Any tag",
        label_visibility="collapsed",
        width=170,
    )


def _words(paper: Paper, tags: Tags) -> str:
    known = [paper.title, *paper.authors, paper.id, str(paper.year or ""), *tags.of(paper)]
    return " ".join(known).lower()


def _table(papers: Sequence[Paper], tags: Tags) -> list[Paper]:
    if not papers:
        st.info("No paper fits. Search for something else.", icon=":material/search_off:")
        return []
    counts = state.chunk_counts()
    found = st.dataframe(
        [
            {
                "Title": paper.title,
                "Year": paper.year,
                "Status": "full text" if paper.full_text else "abstract",
                "Pages": paper.full_text.pages if paper.full_text else None,
                "Chunks": counts.get(paper.id),
                "Tags": list(tags.of(paper)),
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
            "Chunks": st.column_config.NumberColumn(width=60, help="Passages that are indexed"),
            "Tags": st.column_config.ListColumn(width="small"),
            "Id": st.column_config.TextColumn(width="small"),
        },
        placeholder="–",
        alt="Papers of the library",
    )
    return [papers[row] for row in found["selection"]["rows"] if row < len(papers)]


def _actions(chosen: Sequence[Paper], papers: Sequence[Paper], tags: Tags) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if chosen:
            _act_on(chosen, tags.known(papers))
        else:
            st.caption(f"{len(papers)} papers. Tick one to open it, several to ask about them.")
        ids = [paper.id for paper in chosen] or None
        with st.popover("Export these" if ids else "Export", icon=":material/download:"):
            for file_format, (name, file_name, mime) in _FORMATS.items():
                st.download_button(
                    name,
                    partial(state.library().export, file_format, papers=ids),
                    file_name,
                    mime,
                    width="stretch",
                    on_click="ignore",
                )


def _act_on(chosen: Sequence[Paper], known: Sequence[str]) -> None:
    if len(chosen) == 1 and st.button("Open", type="primary", icon=":material/menu_book:"):
        st.query_params["paper"] = chosen[0].id
        st.rerun()
    these = "this paper" if len(chosen) == 1 else f"these {len(chosen)}"
    if st.button(f"Ask about {these}", icon=":material/forum:"):
        st.session_state[scope.WANTED] = [paper.id for paper in chosen]
        st.switch_page(st.session_state["pages"]["ask"])
    with st.popover("Tag", icon=":material/label:"):
        tagging.draw(chosen, known)
    if st.button("Index anew", icon=":material/refresh:"):
        intake.reindex(chosen)
    if st.button("Remove", icon=":material/delete:"):
        card.remove(chosen)
