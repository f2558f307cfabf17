"""Numbered chips, one a citation, that open the source."""

from collections.abc import Sequence

import streamlit as st

from assistant.conversations import Found
from assistant.records import Citation
from ui import safe
from ui.components import source

_TITLE = 34  # characters


def draw(owner: str, citations: Sequence[Citation]) -> None:
    """Draw a chip for each citation of an answer or a table."""
    if not citations:
        return
    labels = {each.number: _label(each) for each in citations}

    def choose(key: str) -> None:
        """Take the choice out of the chips, so that the same one can be chosen again."""
        number = st.session_state[key]
        st.session_state[key] = None
        if number is not None:
            source.choose(owner, number)

    key = f"chips-{owner}"
    st.pills(
        "Sources",
        list(labels),
        format_func=lambda number: labels.get(number, ""),
        key=key,
        on_change=choose,
        args=(key,),
        label_visibility="collapsed",
    )


def open_chosen(owner: str, citations: Sequence[Citation], passages: Sequence[Found]) -> None:
    """Open the source of the chip that was just chosen, if it is one of these."""
    number = source.chosen(owner)
    for citation in citations:
        if citation.number == number:
            source.show(citation, passages)


def _label(citation: Citation) -> str:
    title = citation.title.partition(":")[0]
    where = "abstract" if citation.page_first is None else f"p. {citation.page_first}"
    return f"**{citation.number}** {safe.short(title, most=_TITLE)} · {safe.plain(where)}"
