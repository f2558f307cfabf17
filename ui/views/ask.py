"""The page on which one asks."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from assistant.conversations import (
    Conversation,
    Exchange,
    new_id,
    now,
    to_bibtex,
    to_json,
    to_markdown,
)
from assistant.errors import NotFoundError, StorageError
from assistant.library import MAX_QUESTION
from assistant.records import Paper
from assistant.samples import QUESTION
from ui import safe, state
from ui.components import answer, intake, scope, sidebar, stream

_SUGGESTIONS = (QUESTION, "Which papers train models with reinforcement learning?")
_TYPED, _NEXT = "question", "question-next"
_EXPORTS = {
    "Export as Markdown": ("md", "text/markdown", to_markdown),
    "Export as JSON": ("json", "application/json", to_json),
    "Export cited papers as BibTeX": (
        "bib",
        "application/x-bibtex",
        lambda conversation: to_bibtex(conversation, state.papers()),
    ),
}


def page() -> None:
    """Draw the page."""
    store = state.conversations()
    conversation = _current()
    sidebar.draw(store, conversation.id if conversation else None)
    papers = state.papers()
    if not papers:
        _first_steps()
        return
    intake.progress(successes=False)
    question = st.session_state.pop(_NEXT, None) or st.session_state.get(_TYPED)
    if conversation is None:
        _welcome(papers)
    else:
        _head(conversation)
        for exchange in conversation.exchanges:
            answer.draw_question(exchange)
            answer.draw_answer(conversation, exchange, store)
    if question is None:
        _offer(conversation.exchanges[-1].follow_ups if conversation else _SUGGESTIONS)
    chosen = scope.draw(papers)
    st.chat_input("Ask about the papers", key=_TYPED, max_chars=MAX_QUESTION, submit_mode="stop")
    if question:
        _ask(question, conversation, chosen)


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


def _ask(question: str, conversation: Conversation | None, chosen: scope.Scope) -> None:
    into = conversation.id if conversation else new_id()
    sidebar.switch(into)
    exchange = Exchange(id=new_id(), question=question, asked=now(), papers=chosen.papers)
    answer.draw_question(exchange)
    stream.stream(
        exchange,
        library=state.library(chosen.llm),
        history=conversation.turns() if conversation else [],
        store=state.conversations(),
        into=into,
    )
    st.rerun()


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
            partial(write, conversation),
            f"conversation-{conversation.id}.{suffix}",
            mime,
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
    if st.button("Delete", icon=":material/delete:", width="stretch"):
        _delete(conversation)


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
