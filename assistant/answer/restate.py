"""Follow-up questions into questions that stand alone, with a model."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from assistant import prompts
from assistant.errors import ModelUnavailableError
from assistant.keys import KeyMaker
from assistant.models.chat import ChatModel, Message
from assistant.models.form import Form
from assistant.records import Turn
from assistant.text import one_line, words
from assistant.untrusted import harmless

MOST_SUB_QUESTIONS = 4

_LONGEST_QUESTION = 1_000
_LAST_TURNS = 6
_LONGEST_TURN = 1_500
_SEVERAL = re.compile(
    r"[?;][^?]*\w[^?]*\?|,|\b(?:and|or|both|each|versus|vs|compared?|between)\b", re.IGNORECASE
)


class Rewritten(NamedTuple):
    """A question that stands alone, and what it asks one by one if it asks several things."""

    standalone: str
    sub_questions: tuple[str, ...]


class _Reply(Form):
    """What the model is asked to fill in."""

    standalone_question: str = Field(description="the last question, understandable by itself")
    sub_questions: list[str] = Field(description="one question for each thing asked, or none")


def rewrite_with_model(
    question: str, history: Sequence[Turn], chat: ChatModel, *, secret: bytes | None = None
) -> Rewritten | None:
    """Let a model make a question stand alone and take it apart; None where it fails.

    A question without history that plainly asks one thing is not worth a call.

    Args:
        question: the question as asked.
        history: earlier turns, oldest first.
        chat: a small model will do.
        secret: what the marks around the conversation are drawn from.

    Raises:
        SettingsError: if the model's package, key or name are missing.
    """
    if not history and not _SEVERAL.search(question):
        return Rewritten(question, ())
    try:
        reply = chat.structured(_messages(question, history, secret), _Reply)
    except ModelUnavailableError:
        return None
    standalone = _checked(reply.value.standalone_question)
    if standalone is None:
        return None
    parts = [part for each in reply.value.sub_questions if (part := _checked(each))]
    sub_questions = tuple(dict.fromkeys(parts))[:MOST_SUB_QUESTIONS]
    if len(sub_questions) < 2:
        sub_questions = ()
    return Rewritten(standalone, sub_questions)


def _messages(question: str, history: Sequence[Turn], secret: bytes | None) -> list[Message]:
    conversation = "\n".join(
        f"{turn.role}: {harmless(turn.content[:_LONGEST_TURN])}" for turn in history[-_LAST_TURNS:]
    )
    delimiter = KeyMaker([question, conversation], secret=secret).delimiter()
    user = prompts.render(
        "rewrite.user",
        delimiter=delimiter,
        conversation=conversation or "(nothing yet)",
        question=harmless(question),
    )
    return [
        Message("system", prompts.render("rewrite.system", delimiter=delimiter)),
        Message("user", user),
    ]


def _checked(question: str) -> str | None:
    """Return a question as one line of visible text, or None if it is none."""
    line = one_line(question)
    return line if words(line) and len(line) <= _LONGEST_QUESTION else None
