"""The panel that shows what a citation rests on: the quote in its passage, and the page."""

from collections.abc import Sequence

import streamlit as st

from assistant.conversations import Found, place
from assistant.errors import AssistantError
from assistant.records import Box, Citation
from ui import safe, state

_CHOSEN = "source-chosen"
_PAGE = "source-page"


def choose(owner: str, number: int) -> None:
    """Open the panel for a citation when the answer or table it belongs to is drawn next."""
    st.session_state[_CHOSEN] = (owner, number)
    st.session_state.pop(_PAGE, None)


def chosen(owner: str) -> int | None:
    """Return the number of the citation that was just chosen, if it belongs to this owner."""
    if st.session_state.get(_CHOSEN, ("", 0))[0] != owner:
        return None
    number: int = st.session_state.pop(_CHOSEN)[1]
    return number


@st.dialog("Source", width=760, position="right")
def show(citation: Citation, passages: Sequence[Found]) -> None:
    """Draw the panel."""
    st.markdown(f"**{safe.plain(citation.title)}**")
    st.caption(f"Citation {citation.number} · {safe.plain(place(citation))}")
    _links(citation)
    st.markdown(_context(citation, passages))
    if citation.page_first is not None:
        pages(citation.paper_id, first=citation.page_first, boxes=citation.boxes, key=_PAGE)


def pages(paper_id: str, *, first: int, boxes: tuple[Box, ...], key: str) -> None:
    """Draw a page of a paper's PDF with places marked, and buttons to leaf through it."""
    try:
        library = state.library()
        full_text = library.paper(paper_id).full_text
        count = full_text.pages if full_text else 0
        page = min(max(1, st.session_state.get(key, first)), max(1, count))
        picture = library.page_image(paper_id, page, boxes=boxes)
    except AssistantError as error:
        st.warning(f"The page cannot be shown: {safe.plain(str(error))}")
        return
    if picture is None:
        st.caption("The PDF is not in the library any more.")
        return
    _leaf(page, count, key)
    on_page = sum(box.page == page for box in boxes)
    with st.container(border=True):
        st.image(
            picture,
            width="stretch",
            alt=f"Page {page} of {count}" + (", with the quote marked" if on_page else ""),
        )


def _leaf(page: int, count: int, key: str) -> None:
    def turn(by: int) -> None:
        st.session_state[key] = page + by

    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center"):
        st.button(
            "Previous page",
            icon=":material/chevron_left:",
            key=f"{key}-previous",
            disabled=page <= 1,
            on_click=turn,
            args=(-1,),
            type="tertiary",
        )
        st.markdown(f"Page {page} of {count}", width="content")
        st.button(
            "Next page",
            icon=":material/chevron_right:",
            icon_position="right",
            key=f"{key}-next",
            disabled=page >= count,
            on_click=turn,
            args=(1,),
            type="tertiary",
        )


def _links(citation: Citation) -> None:
    url = safe.web_address(citation.url)
    with st.container(horizontal=True, gap="small"):
        if url:
            st.link_button("Paper's page", url, icon=":material/open_in_new:")
        if st.button("In the library", icon=":material/menu_book:", key="source-card"):
            st.switch_page(
                st.session_state["pages"]["library"], query_params={"paper": citation.paper_id}
            )


def _context(citation: Citation, passages: Sequence[Found]) -> str:
    """Write the passage with the quote marked; the quote alone if its passage is gone."""
    texts = [each.text for each in passages if each.chunk_id == citation.chunk_id]
    if not texts:
        chunk = state.library().chunk(citation.chunk_id)
        texts = [chunk.text] if chunk is not None else []
    for text in texts:
        start = text.find(citation.quote)
        if start >= 0:
            return safe.mark(text, start, start + len(citation.quote))
    return safe.mark(citation.quote, 0, len(citation.quote))
