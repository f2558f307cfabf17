"""One cell of a comparison: what it says, where that stands, and a reader's own words in its place."""

import streamlit as st

from assistant.errors import AssistantError
from assistant.records import Cell
from ui import safe, state
from ui.components import answer, chips

_OWNER = "cell"


def draw(name: str, cell: Cell, title: str) -> None:
    """Draw a cell of the comparison kept under ``name``."""
    with st.container(border=True):
        st.markdown(f"**{safe.plain(title)}** · {safe.plain(cell.aspect)}")
        st.markdown(_text(cell))
        if cell.edited:
            st.caption(":material/edit: Edited by a reader; cited is what stood there before.")
        elif cell.verdict is not None and cell.verdict != "supported":
            st.markdown(answer.verdict(cell.verdict))
        if not cell.found and cell.nearest is not None:
            st.caption("What comes nearest:")
        cited = cell.citations or ((cell.nearest,) if cell.nearest is not None else ())
        chips.draw(_OWNER, cited)
        _edit(name, cell)
    chips.open_chosen(_OWNER, cited, ())


def short(cell: Cell) -> str | None:
    """Return what the table shows of a cell; None where the paper is silent."""
    if cell.error is not None:
        return "⚠ not filled"
    if cell.edited:
        return f"✎ {cell.text}"
    if not cell.found:
        return None
    doubtful = cell.verdict in {"unsupported", "contradicted"}
    return f"⚠ {cell.text}" if doubtful else cell.text


def _text(cell: Cell) -> str:
    if cell.error is not None:
        return f":red[{safe.plain(cell.error)}]"
    if not cell.found and not cell.edited:
        return "The paper does not state it."
    return safe.answer(cell.text, numbers={citation.number for citation in cell.citations})


def _edit(name: str, cell: Cell) -> None:
    key = f"edit-{name}-{cell.paper_id}-{cell.aspect}"

    def keep(text: str | None = None) -> None:
        written = st.session_state[key] if text is None else text
        try:
            state.library().edit_cell(name, cell.paper_id, cell.aspect, written)
        except AssistantError as error:
            st.toast(safe.plain(str(error)), icon=":material/error:")

    with (
        st.container(horizontal=True, gap="small"),
        st.popover("Edit", icon=":material/edit:"),
        st.form(f"{key}-form", border=False),
    ):
        old = cell.text if cell.found or cell.edited else ""
        st.text_area("Your words", value=old, key=key, height=120)
        st.form_submit_button("Keep", type="primary", on_click=keep)
        if cell.edited:
            st.form_submit_button("Bring back what stood there", on_click=keep, args=("",))
