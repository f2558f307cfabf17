"""The conversations in the sidebar."""

import streamlit as st

from assistant.conversations import ConversationStore
from ui import safe

PARAMETER = "conversation"
_MOST = 30
_TITLE = 38


def current() -> str | None:
    """Return the id of the conversation that the address names, or that was open before."""
    named = st.query_params.get(PARAMETER)
    if named is not None:
        st.session_state[PARAMETER] = named
    return st.session_state.get(PARAMETER)


def switch(conversation_id: str | None) -> None:
    """Open a conversation, or a new one."""
    if conversation_id is None:
        st.session_state.pop(PARAMETER, None)
        st.query_params.pop(PARAMETER, None)
    else:
        st.session_state[PARAMETER] = conversation_id
        st.query_params[PARAMETER] = conversation_id


def draw(store: ConversationStore, open_id: str | None) -> None:
    """Draw the list: a new one, search, and those there are."""
    with st.sidebar:
        st.button(
            "New conversation",
            icon=":material/add_comment:",
            width="stretch",
            on_click=switch,
            args=(None,),
            key="new-conversation",
        )
        listing = store.list(st.session_state.get("search-conversations", ""))
        searched = bool(st.session_state.get("search-conversations"))
        if listing.entries or searched:
            st.text_input(
                "Search conversations",
                key="search-conversations",
                placeholder="Search conversations",
                icon=":material/search:",
                label_visibility="collapsed",
            )
        if searched and not listing.entries:
            st.caption("No conversation holds these words.")
        with st.container(gap=None):
            for entry in listing.entries[:_MOST]:
                title = safe.short(entry.title, most=_TITLE)
                st.button(
                    f"**{title}**" if entry.id == open_id else title,
                    key=f"open-{entry.id}",
                    type="tertiary",
                    wrap=False,
                    on_click=switch,
                    args=(entry.id,),
                )
        if len(listing.entries) > _MOST:
            st.caption(f"{len(listing.entries) - _MOST} older ones: search finds them.")
        for note in listing.damaged:
            st.warning(safe.plain(note), icon=":material/warning:")
