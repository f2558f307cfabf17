"""A question and its answer, as they stay."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from assistant.conversations import (
    MAX_COMMENT,
    ConversationStore,
    Exchange,
    Feedback,
    Found,
    place,
)
from assistant.errors import AssistantError
from assistant.records import Answer, Claim, PassageRow, Verdict
from ui import safe
from ui.components import chips

AVATAR = ":material/auto_stories:"
"""What stands for the assistant."""

_VERDICTS = {
    "partial": ("orange", "Partly supported", "the cited passage states only a part of this"),
    "unsupported": ("red", "Not supported", "no cited passage states this"),
    "contradicted": ("red", "Contradicted", "a cited passage states the opposite"),
    "unchecked": ("gray", "Not checked", "this was not checked against its passages"),
}
_VERIFIED = ":material/verified:"
_ALL_SUPPORTED = "Every statement is supported"
_STOPPED = ":material/stop_circle: Stopped. What had come by then is kept."
WHILE_COMING = """<span></span><style>
.stApp[data-test-script-state="running"] .stElementContainer:has(+ * > .st-key-stopped)
  [data-testid="stMarkdownContainer"] > :last-child::after { content: " ▍" }
.st-key-stopped { display: none }
.stApp[data-test-script-state="notRunning"] .st-key-stopped { display: flex }
</style>"""
"""How a page with an answer that comes shows a cursor and, once the reader stopped it, says so.

The script is over by then. Nothing but style would be put where toasts are shown, in their stead.
"""
_THUMBS = {0: "down", 1: "up"}
_POINTS = {"down": 0, "up": 1}


def draw_question(exchange: Exchange) -> None:
    """Draw what was asked."""
    with st.chat_message("user", avatar=":material/person:"):
        st.markdown(safe.paragraphs(exchange.question))


@st.fragment
def draw_answer(
    conversation: str,
    exchange: Exchange,
    store: ConversationStore,
    *,
    folded: bool,
    coming: Callable[[DeltaGenerator], Exchange] | None = None,
) -> None:
    """Draw an answer: text, chips, verdicts and, unless ``folded``, feedback and what was searched.

    Args:
        conversation: the id of the one it stands in.
        exchange: the question and its answer.
        store: where feedback on it is kept.
        folded: whether feedback and what was searched are only offered.
        coming: draws an answer that is not there yet into a place, and returns it when it is whole.
    """
    slot = None
    with st.chat_message("assistant", avatar=AVATAR):
        if coming is not None:
            slot, meanwhile = st.empty(), st.empty()
            meanwhile.container(key="stopped").caption(_STOPPED)
            exchange = coming(slot)
            meanwhile.empty()
        _text(exchange, slot)
        chips.draw(exchange.id, exchange.citations)
        if exchange.answer is not None:
            doubtful = _draw_doubtful(exchange.answer.claims)
            for note in exchange.notes:
                st.caption(f":material/info: {safe.plain(note)}")
            is_verified = bool(exchange.answer.claims) and not doubtful
            if not folded or _is_unfolded(exchange, is_verified=is_verified):
                if is_verified:
                    st.caption(f"{_VERIFIED} {_ALL_SUPPORTED} by the passage it cites.")
                _foot(conversation, exchange, exchange.answer, store)
    chips.open_chosen(exchange.id, exchange.citations, exchange.passages)


def markdown(exchange: Exchange) -> str:
    """Return an answer's Markdown, safe to show."""
    return safe.answer(
        exchange.text,
        numbers={citation.number for citation in exchange.citations},
        urls={citation.url for citation in exchange.citations if citation.url},
    )


def _text(exchange: Exchange, slot: DeltaGenerator | None) -> None:
    """Draw the words, in the place where they came if there is one."""
    first: Any = st if slot is None else slot
    answer = exchange.answer
    if answer is not None and answer.refused:
        first.info(markdown(exchange), icon=":material/help:")
        st.caption("Nothing was made up. Ask in other words, or add papers that could say it.")
        return
    if exchange.text:
        first.markdown(markdown(exchange))
        first = st
    if answer is not None:
        return
    if exchange.error:
        first.error(safe.plain(exchange.error), icon=":material/error:")
    else:
        first.caption(_STOPPED)


def _draw_doubtful(claims: Sequence[Claim]) -> list[Claim]:
    """Draw the claims that are not supported, and return them."""
    doubtful = [claim for claim in claims if claim.verdict != "supported"]
    for claim in doubtful:
        cited = "".join(f" :blue-badge[{number}]" for number in claim.citations)
        st.markdown(verdict(claim.verdict, f"{safe.short(claim.text, most=220)}{cited}"))
    return doubtful


def verdict(name: Verdict, of: str = "") -> str:
    """Write the Markdown that says of something, in Markdown, that it is not supported, and why."""
    colour, label, reason = _VERDICTS[name]
    return f":{colour}-badge[:material/warning: {label}] {of}  \n:small[{reason}]"


def _foot(conversation: str, exchange: Exchange, answer: Answer, store: ConversationStore) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _thumbs(conversation, exchange, store)
        inspector = st.toggle("What was searched", key=f"inspect-{exchange.id}")
        st.caption(cost_line(answer), width="stretch")
    if _feedback(exchange).vote is not None:
        _comment(conversation, exchange, store)
    if inspector:
        _inspector(exchange, answer)


def _is_unfolded(exchange: Exchange, *, is_verified: bool) -> bool:
    """Tell whether the reader unfolded an answer's details; offer it otherwise."""
    key = f"unfolded-{exchange.id}"

    def unfold() -> None:
        st.session_state[key] = True

    if key not in st.session_state:
        label = "Details and feedback"
        st.button(
            f"{_ALL_SUPPORTED} · {label}" if is_verified else label,
            key=f"unfold-{exchange.id}",
            icon=_VERIFIED if is_verified else ":material/more_horiz:",
            type="tertiary",
            on_click=unfold,
        )
    return key in st.session_state


def cost_line(answer: Answer) -> str:
    """Say what an answer took: time, tokens, money and which backend wrote it."""
    parts = [f"{answer.timings_ms.total / 1000:.1f} s", safe.plain(answer.backend)]
    if answer.usage.input_tokens or answer.usage.output_tokens:
        parts.append(f"{answer.usage.input_tokens} + {answer.usage.output_tokens} tokens")
        cost = answer.usage.cost_usd
        parts.append("price unknown" if cost is None else f"\\${cost:.4f}")
    return " · ".join(parts)


def _thumbs(conversation: str, exchange: Exchange, store: ConversationStore) -> None:
    key = f"vote-{exchange.id}"
    vote = _feedback(exchange).vote

    def keep() -> None:
        chosen = _THUMBS.get(st.session_state[key])
        _keep_feedback(conversation, exchange, store, vote=chosen)

    if key not in st.session_state and vote is not None:
        st.session_state[key] = _POINTS[vote]
    st.feedback("thumbs", key=key, on_change=keep)


def _comment(conversation: str, exchange: Exchange, store: ConversationStore) -> None:
    key = f"comment-{exchange.id}"

    def keep() -> None:
        _keep_feedback(conversation, exchange, store, comment=st.session_state[key])

    st.text_input(
        "Comment on this answer",
        value=_feedback(exchange).comment,
        key=key,
        max_chars=MAX_COMMENT,
        placeholder="What was good, or off? Enter keeps it.",
        on_change=keep,
        label_visibility="collapsed",
    )


def _feedback(exchange: Exchange) -> Feedback:
    """Return the feedback on an answer: what was given since the page was drawn, or was kept by then."""
    drawn, given = st.session_state.get(f"feedback-{exchange.id}", (None, exchange.feedback))
    feedback: Feedback = given if drawn == exchange.feedback else exchange.feedback
    return feedback


def _keep_feedback(
    conversation: str, exchange: Exchange, store: ConversationStore, **changes: object
) -> None:
    """Keep what the reader thought of an answer; say so of a comment, and of what cannot be kept."""
    feedback = Feedback.model_validate(_feedback(exchange).model_dump() | changes)
    try:
        store.comment(conversation, exchange.id, feedback)
    except AssistantError as error:
        st.toast(safe.plain(str(error)), icon=":material/error:")
        return
    st.session_state[f"feedback-{exchange.id}"] = (exchange.feedback, feedback)
    if "comment" in changes:
        st.toast("Thank you: kept with the conversation.")


def _inspector(exchange: Exchange, answer: Answer) -> None:
    with st.container(border=True):
        st.markdown(f"**Searched for** {safe.plain(exchange.standalone_question)}")
        times = answer.timings_ms
        st.caption(
            f"rewrite {times.rewrite:.0f} ms · retrieve {times.retrieve:.0f} ms · "
            f"answer {times.answer:.0f} ms · verify {times.verify:.0f} ms"
        )
        passages(exchange.passages)
        st.caption("The answer's own words, to copy:")
        st.code(answer.answer, language=None, wrap_lines=True)


def passages(found: Sequence[Found | PassageRow]) -> None:
    """Draw passages as they were found, best first."""
    st.dataframe(
        [
            {
                "Rank": each.rank,
                "Score": each.score,
                "Paper": each.title,
                "Where": place(each),
                "Passage": each.text,
            }
            for each in found
        ],
        hide_index=True,
        row_height=36,
        height=min(36 * (len(found) + 1) + 4, 320),
        column_config={
            "Rank": st.column_config.NumberColumn(width=50),
            "Score": st.column_config.NumberColumn(format="%.3f", width=60),
            "Paper": st.column_config.TextColumn(width="medium"),
            "Where": st.column_config.TextColumn(width="small"),
            "Passage": st.column_config.TextColumn(width="large"),
        },
        alt="Passages found, best first, with their scores",
    )
