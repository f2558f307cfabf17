"""One paper: what is known of it, its outline and its pages."""

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import streamlit as st

from assistant.conversations import place
from assistant.errors import AssistantError, PaperNotFoundError
from assistant.records import Paper
from ui import safe, state
from ui.components import intake, scope, source, tagging

_MOST_HEADINGS = 60
_AUTHORS = 8


class Heading(NamedTuple):
    """A heading of a paper and the page it stands on."""

    text: str
    level: int
    page: int


def draw(paper: Paper) -> None:
    """Draw a paper's card."""
    if st.button("All papers", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    st.markdown(f"### {safe.plain(paper.title)}", anchors=False)
    st.caption(safe.plain(_facts(paper)))
    _actions(paper)
    tagging.draw([paper], tagging.read().known(state.papers()))
    if paper.abstract:
        st.markdown("**Abstract**")
        st.markdown(safe.paragraphs(paper.abstract))
    _passages(paper)
    if paper.full_text is None:
        _abstract_only(paper)
        return
    _full_text(paper, paper.full_text.sha256)


def _abstract_only(paper: Paper) -> None:
    fetchable = intake.can_fetch(paper)
    st.info(
        "Only the abstract is in the library. "
        + ("Fetch" if fetchable else "Upload")
        + " the PDF to ask about the full text.",
        icon=":material/article:",
    )
    if fetchable and st.button("Fetch the PDF", icon=":material/download:"):
        intake.fetch(paper)


@st.dialog("Remove from the library?")
def remove(papers: Sequence[Paper]) -> None:
    """Ask whether to remove papers, and do it."""
    for paper in papers[:5]:
        st.markdown(f"- {safe.plain(paper.title)}")
    if len(papers) > 5:
        st.caption(f"and {len(papers) - 5} more")
    st.caption("What was indexed of them goes too. Answers given before stay as they are.")

    def do() -> None:
        with suppress(PaperNotFoundError):  # another session was faster
            state.library().remove([paper.id for paper in papers])
        state.forget_papers()
        st.query_params.clear()

    with st.container(horizontal=True):
        if st.button("Remove", type="primary", key="remove-sure", on_click=do):
            st.rerun()
        if st.button("Keep", key="remove-not"):
            st.rerun()


def _facts(paper: Paper) -> str:
    authors = ", ".join(paper.authors[:_AUTHORS]) + (
        " and others" if len(paper.authors) > _AUTHORS else ""
    )
    pages = f"{paper.full_text.pages} pages" if paper.full_text else "abstract only"
    return " · ".join(part for part in (authors, str(paper.year or ""), paper.id, pages) if part)


def _actions(paper: Paper) -> None:
    with st.container(horizontal=True):
        if st.button("Ask about it", type="primary", icon=":material/forum:"):
            st.session_state[scope.WANTED] = [paper.id]
            st.switch_page(st.session_state["pages"]["ask"])
        url = safe.web_address(paper.url)
        if url:
            st.link_button("Paper's page", url, icon=":material/open_in_new:")
        pdf = state.library().pdf(paper.id)
        if pdf is not None:
            st.download_button(
                "PDF",
                pdf.read_bytes,
                f"{_file_name(paper.id)}.pdf",
                "application/pdf",
                icon=":material/download:",
                on_click="ignore",
            )
        if st.button("Index anew", icon=":material/refresh:"):
            intake.reindex([paper])
        if st.button("Remove", icon=":material/delete:"):
            remove([paper])


def _passages(paper: Paper) -> None:
    """Show on demand what is indexed of the paper."""
    with st.expander(
        "Passages as indexed",
        icon=":material/segment:",
        key=f"passages-{paper.id}",
        on_change="rerun",
    ) as box:
        if not box.open:
            return
        st.dataframe(
            [
                {"Where": place(each), "Passage": each.text}
                for each in state.library().chunks(paper.id)
            ],
            hide_index=True,
            row_height=36,
            column_config={
                "Where": st.column_config.TextColumn(width="small"),
                "Passage": st.column_config.TextColumn(width="large"),
            },
            alt="Passages of the paper, in order",
        )


def _full_text(paper: Paper, sha256: str) -> None:
    key = f"page-{paper.id}"
    asked = st.query_params.get("page", "")
    if key not in st.session_state and asked.isascii() and asked.isdigit():
        st.session_state[key] = int(asked[:6])
    try:
        headings = _outline(state.settings().model_dump_json(), paper.id, sha256)
    except AssistantError as error:
        st.warning(safe.plain(str(error)), icon=":material/warning:")
        headings = []
    _leaves(paper, headings, key)


@st.fragment
def _leaves(paper: Paper, headings: Sequence[Heading], key: str) -> None:
    outline, page = st.columns([1, 2], gap="large")
    with outline, st.expander("Outline", icon=":material/toc:", expanded=True):
        if not headings:
            st.caption("No headings were found in this PDF.")
        with st.container(gap=None, border=False, height="content" if len(headings) < 20 else 640):
            for index, heading in enumerate(headings[:_MOST_HEADINGS]):
                indent = "\u2003" * (heading.level - 1)
                if st.button(
                    f"{indent}{safe.short(heading.text, most=90)} · p. {heading.page}",
                    key=f"heading-{index}",
                    type="tertiary",
                    wrap=False,
                ):
                    st.session_state[key] = heading.page
    with page:
        source.pages(paper.id, first=1, boxes=(), key=key)


@st.cache_resource(show_spinner=False, max_entries=50)
def _outline(named: str, paper_id: str, sha256: str) -> list[Heading]:
    """List the headings of a paper's full text; kept as long as the PDF is the same."""
    del named, sha256  # what else the outline depends on
    document = state.library().document(paper_id)
    if document is None:
        return []
    starts = [line.start for line in document.lines]
    return [
        Heading(
            document.text[block.start : block.end],
            min(block.level or 1, 4),
            document.lines[max(0, bisect_right(starts, block.start) - 1)].page,
        )
        for block in document.blocks
        if block.kind == "heading" and document.lines
    ]


def _file_name(paper_id: str) -> str:
    return "".join(char if char.isalnum() or char in ".-" else "-" for char in paper_id)[:80]
