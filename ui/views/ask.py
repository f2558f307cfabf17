"""The page on which one asks."""

import streamlit as st

from assistant.conversations import Conversation, Exchange, new_id, now, to_json, to_markdown
from assistant.errors import NotFoundError, StorageError
from assistant.library import MAX_QUESTION
from assistant.records import Paper
from assistant.samples import QUESTION
from ui import safe, state
from ui.components import answer, intake, sidebar, stream

_SUGGESTIONS = (QUESTION, "Which papers train models with reinforcement learning?")


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
    question = None
    if conversation is None:
        question = _suggestions(papers)
    else:
        _head(conversation)
        for exchange in conversation.exchanges:
            answer.draw_question(exchange)
            answer.draw_answer(conversation, exchange, store)
    scope = _scope(papers)
    typed = st.chat_input(
        "Ask about the papers", key="question", max_chars=MAX_QUESTION, submit_mode="stop"
    )
    if typed or question:
        _ask(typed or question or "", conversation, scope)


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


def _ask(question: str, conversation: Conversation | None, scope: tuple[str, ...]) -> None:
    into = conversation.id if conversation else new_id()
    sidebar.switch(into)
    exchange = Exchange(id=new_id(), question=question, asked=now(), papers=scope)
    answer.draw_question(exchange)
    stream.stream(
        exchange,
        library=state.library(),
        history=conversation.turns() if conversation else [],
        store=state.conversations(),
        into=into,
    )
    st.rerun()


def _suggestions(papers: list[Paper]) -> str | None:
    st.title("Ask your papers")
    full = sum(paper.full_text is not None for paper in papers)
    st.markdown(
        f"{len(papers)} papers, {full} of them in full. Every sentence of an answer is cited."
    )
    with st.container(horizontal=True):
        for index, suggestion in enumerate(_SUGGESTIONS):
            if st.button(safe.plain(suggestion), key=f"suggestion-{index}", icon=":material/chat:"):
                return suggestion
    return None


def _scope(papers: list[Paper]) -> tuple[str, ...]:
    """Let the reader choose the papers to answer from; none chosen means all."""
    titles = {paper.id: paper.title for paper in papers}
    wanted = st.session_state.pop("scope-wanted", st.session_state.get("scope", []))
    kept = [each for each in wanted if each in titles]
    st.session_state["scope"] = kept
    label = "All papers" if not kept else f"{len(kept)} of {len(papers)} papers"
    with st.popover(
        label, icon=":material/filter_list:", key="scope-open", on_change="rerun"
    ) as box:
        if box.open or kept:
            st.multiselect(
                "Answer only from these papers",
                list(titles),
                format_func=lambda paper_id: titles.get(paper_id, paper_id),
                key="scope",
                placeholder="All papers",
                select_all=False,
            )
    return tuple(kept)


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
    st.download_button(
        "Export as Markdown",
        lambda: to_markdown(conversation),
        f"conversation-{conversation.id}.md",
        "text/markdown",
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )
    st.download_button(
        "Export as JSON",
        lambda: to_json(conversation),
        f"conversation-{conversation.id}.json",
        "application/json",
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
