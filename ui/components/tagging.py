"""The tags of papers: shown, given and taken away."""

from collections.abc import Sequence

import streamlit as st

from assistant.errors import AssistantError
from assistant.records import Paper
from assistant.tags import MAX_TAGS, Tags
from ui import safe, state


def read() -> Tags:
    """Read all tags; that they cannot be read is said on the page, and then there are none."""
    try:
        return state.tags().read()
    except AssistantError as error:
        st.warning(safe.plain(str(error)), icon=":material/warning:")
        return Tags({})


def draw(papers: Sequence[Paper], known: Sequence[str]) -> None:
    """Draw the tags that these papers share, to be changed; new ones can be typed."""
    shared = _shared(papers)
    key = f"tags-{'-'.join(paper.id for paper in papers)}"

    def change() -> None:
        wanted, before = st.session_state[key], _shared(papers)
        try:
            state.tags().change(
                papers,
                add=[tag for tag in wanted if tag not in before],
                remove=[tag for tag in before if tag not in wanted],
            )
        except AssistantError as error:
            st.toast(safe.plain(str(error)), icon=":material/error:")
        del st.session_state[key]  # what was kept shows, not what was typed

    st.multiselect(
        "Tags",
        list(dict.fromkeys([*shared, *known])),
        default=shared,
        key=key,
        on_change=change,
        accept_new_options=True,
        max_selections=MAX_TAGS,
        placeholder="Choose or type a tag",
        select_all=False,
    )


def _shared(papers: Sequence[Paper]) -> list[str]:
    tags = state.tags().read()
    first, *others = (tags.of(paper) for paper in papers)
    return [tag for tag in first if all(tag in each for each in others)]
