"""The page on which one asks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from assistant.conversations import (
    Conversation,
    ConversationStore,
    Exchange,
    new_id,
    now,
    to_bibtex,
    to_json,
    to_markdown,
)
from assistant.errors import AssistantError, NotFoundError, StorageError
from assistant.library import MAX_QUESTION
from assistant.records import Paper
from assistant.samples import QUESTION
from ui import safe, state
from ui.components import answer, intake, scope, sidebar, stream

_SUGGESTIONS = (QUESTION, "Which papers train models with reinforcement learning?")
_TYPED, _NEXT = "question", "question-next"
_UNFOLDED = 3
"""Answers whose details are shown, the last ones; more would make a long conversation slow."""

_EXPORTS = {
    "Export as Markdown": ("md", "text/markdown", to_markdown),
    "Export as JSON": ("json", "application/json", to_json),
    "Export cited papers as BibTeX": (
        "bib",
        "application/x-bibtex",
        lambda conversation: to_bibtex(conversation, state.papers()),
    ),
}


class _Asked(NamedTuple):
    """A question that waits for its answer, and the conversation that it stands in."""

    conversation: Conversation
    exchange: Exchange


def page() -> None:
    """Draw the page."""
    store = state.conversations()
    conversation = _current()
    papers = state.papers()
    if not papers:
        sidebar.draw(store, conversation.id if conversation else None)
        _first_steps()
        return
    intake.progress(successes=False)
    question = st.session_state.pop(_NEXT, None) or st.session_state.get(_TYPED)
    asked = _begin(question, conversation, store) if question else None
    if asked is not None:
        conversation = asked.conversation
    sidebar.draw(store, conversation.id if conversation else None)
    # Head, thread and what stands below keep their places: a browser draws anew what moves. While an
    # answer comes it also shows what is not drawn again, unless its place is empty.
    place = st.container if asked is None else st.empty
    with place():
        if conversation is None:
            _welcome(papers)
        else:
            _head(conversation)
    thread, offers = st.container(), place()
    if conversation is not None:
        with thread:
            _draw(conversation, store, without=asked.exchange.id if asked else None)
    if asked is None:
        with offers:
            _offer(conversation.exchanges[-1].follow_ups if conversation else _SUGGESTIONS)
    chosen = scope.draw(papers)
    st.chat_input("Ask about the papers", key=_TYPED, max_chars=MAX_QUESTION, submit_mode="stop")
    st.html(answer.WHILE_COMING)
    if asked is not None:
        with thread:
            answered = _answer(asked, chosen, store)
        with offers:
            _offer(answered.follow_ups)


def _current() -> Conversation | None:
    named = sidebar.current()
    if named is None:
        return None
    try:
        return state.conversations().get(named)
    except (NotFoundError, StorageError) as error:
        sidebar.switch(None)
        st.warning(safe.plain(str(error)), icon=":material/warning:")
        return None


def _first_steps() -> None:
    st.title("Ask your papers")
    st.markdown("Every sentence of an answer is cited to the page it stands on. Begin with papers:")
    intake.progress()
    intake.draw(offer_sample=True)


def _begin(
    question: str, conversation: Conversation | None, store: ConversationStore
) -> _Asked | None:
    """Put a question into the conversation, or a new one; where it cannot be kept, say so."""
    into = conversation.id if conversation else new_id()
    exchange = Exchange(id=new_id(), question=question, asked=now())
    try:
        store.add(into, exchange)
        asked = _Asked(store.get(into), exchange)
    except AssistantError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")
        return None
    sidebar.switch(into)
    return asked


def _draw(conversation: Conversation, store: ConversationStore, *, without: str | None) -> None:
    """Draw the exchanges but one; what stands below an answer is folded away but for the last few."""
    last = len(conversation.exchanges) - _UNFOLDED
    for index, exchange in enumerate(conversation.exchanges):
        if exchange.id != without:
            answer.draw_question(exchange)
            answer.draw_answer(conversation.id, exchange, store, folded=index < last)


def _answer(asked: _Asked, chosen: scope.Scope, store: ConversationStore) -> Exchange:
    """Answer a question below the others of its conversation; return it with its answer."""
    into = asked.conversation.id
    exchange = asked.exchange.model_copy(update={"papers": chosen.papers})
    answer.draw_question(exchange)
    try:
        library = state.library(chosen.llm)
    except AssistantError as error:
        exchange = stream.keep(store, into, exchange.model_copy(update={"error": str(error)}))
        answer.draw_answer(into, exchange, store, folded=False)
        return exchange
    coming = stream.Coming(
        exchange, library=library, history=asked.conversation.turns(), store=store, into=into
    )
    answer.draw_answer(into, exchange, store, folded=False, coming=coming.draw)
    return coming.exchange


def _welcome(papers: list[Paper]) -> None:
    st.title("Ask your papers")
    full = sum(paper.full_text is not None for paper in papers)
    st.markdown(
        f"{len(papers)} papers, {full} of them in full. Every sentence of an answer is cited."
    )


def _offer(questions: Sequence[str]) -> None:
    """Offer questions; the one chosen is asked when the page is drawn next."""

    def choose(question: str) -> None:
        st.session_state[_NEXT] = question

    if not questions:
        return
    with st.container(horizontal=True, gap="small"):
        for index, question in enumerate(questions):
            st.button(
                safe.plain(question),
                key=f"suggestion-{index}",
                icon=":material/chat:",
                on_click=choose,
                args=(question,),
            )


def _head(conversation: Conversation) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"##### {safe.short(conversation.title, most=90)}", width="stretch", anchors=False
        )
        with st.popover("Conversation", icon=":material/more_horiz:", type="tertiary"):
            _menu(conversation)


def _menu(conversation: Conversation) -> None:
    store = state.conversations()
    key = f"name-{conversation.id}"
    st.text_input(
        "Name",
        value=conversation.title,
        key=key,
        max_chars=80,
        on_change=lambda: store.rename(conversation.id, st.session_state[key]),
    )
    for label, (suffix, mime, write) in _EXPORTS.items():
        st.download_button(
            label,
            partial(_export, write, store, conversation),
            f"conversation-{conversation.id}.{suffix}",
            mime,
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
    if st.button("Delete", icon=":material/delete:", width="stretch"):
        _delete(conversation)


def _export(
    write: Callable[[Conversation], str], store: ConversationStore, drawn: Conversation
) -> str:
    """Write a conversation as it is now, its last answer included; as drawn, if it was deleted since."""
    try:
        return write(store.get(drawn.id))
    except AssistantError:
        return write(drawn)


@st.dialog("Delete this conversation?")
def _delete(conversation: Conversation) -> None:
    st.markdown(f"“{safe.plain(conversation.title)}” and its answers cannot be brought back.")

    def delete() -> None:
        state.conversations().delete(conversation.id)
        sidebar.switch(None)

    with st.container(horizontal=True):
        if st.button("Delete it", type="primary", key="delete-sure", on_click=delete):
            st.rerun()
        if st.button("Keep it", key="delete-not"):
            st.rerun()
