"""Whether chat models answer: one short question to each."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from assistant.errors import AssistantError
from assistant.models.chat import NO_USAGE, ChatModel, Message
from assistant.models.parallel import in_parallel
from assistant.models.stop import Stop
from assistant.records import Usage

_QUESTION = Message("user", "Reply with the word OK.")


class Checked(NamedTuple):
    """How a model did: the seconds it took to answer and what that cost, or its problem in one line."""

    name: str
    seconds: float
    usage: Usage
    problem: str | None = None


def check_models(chats: Sequence[ChatModel]) -> list[Checked]:
    """Ask each model for a word, all at a time, with the time-out and the retries it was opened with."""
    return list(in_parallel(_check, chats, workers=len(chats)))


def _check(chat: ChatModel, _stop: Stop) -> Checked:
    try:
        chat.load()
        began = time.perf_counter()
        reply = chat.complete([_QUESTION])
    except AssistantError as error:
        return Checked(chat.name, 0.0, NO_USAGE, str(error))
    return Checked(chat.name, time.perf_counter() - began, reply.usage)
