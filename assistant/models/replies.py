"""A reply as LangChain's messages tell it: its text, what it took, and how it ended."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assistant import tokens
from assistant.models.chat import Completion, End, Message, count_messages
from assistant.models.prices import Prices
from assistant.records import Usage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_NAMES = ("finish_reason", "stop_reason", "done_reason", "stopReason")
_LENGTH = re.compile(r"length|max_(?:output_)?tokens|token_limit", re.IGNORECASE)
_FILTER = re.compile(
    r"filter|safety|recitation|blocklist|prohibited|spii|refusal|guardrail|sensitive", re.IGNORECASE
)


def read_reply(
    model: str, asked: Sequence[Message], chunks: Sequence["BaseMessage"], *, prices: Prices
) -> Completion:
    """Put a reply together from the message it came as, or from the chunks of it that came.

    Args:
        model: ``provider:model``.
        asked: what it answers.
        chunks: the message, or its chunks.
        prices: the prices to reckon with.
    """
    text = "".join(str(chunk.text) for chunk in chunks)
    taken, given = _reported(chunks)
    taken = taken or count_messages(asked)
    given = given or tokens.count(text)
    cost = prices.cost(model, input_tokens=taken, output_tokens=given)
    return Completion(
        text=text,
        usage=Usage(input_tokens=taken, output_tokens=given, cost_usd=cost),
        model=model,
        end=_end([_finish_reason(chunk.response_metadata) for chunk in chunks]),
    )


def in_error(error: Exception) -> "BaseMessage | None":
    """Find the reply in the error that OpenAI's client raises for one that is cut, if it is such an error."""
    from langchain_core.messages import AIMessage

    completion: Any = getattr(error, "completion", None)
    if completion is None or not completion.choices:
        return None
    choice, usage = completion.choices[0], completion.usage
    return AIMessage(
        content=choice.message.content or "",
        response_metadata={"finish_reason": choice.finish_reason},
        usage_metadata=usage
        and {
            "input_tokens": usage.prompt_tokens or 0,
            "output_tokens": usage.completion_tokens or 0,
            "total_tokens": usage.total_tokens or 0,
        },
    )


def _reported(chunks: Sequence["BaseMessage"]) -> tuple[int, int]:
    """Return the tokens sent and received, each 0 where the server does not tell.

    A server may tell them once, or with each chunk how many there are so far; some of LangChain's clients
    make parts of the latter, and only one of the parts has tokens that were sent.
    """
    found = [usage for chunk in chunks if (usage := getattr(chunk, "usage_metadata", None))]
    sent = [int(each["input_tokens"] or 0) for each in found]
    received = [int(each["output_tokens"] or 0) for each in found]
    if sum(map(bool, sent)) == 1:
        return sum(sent), sum(received)
    return max(sent, default=0), max(received, default=0)


def _finish_reason(metadata: Mapping[str, Any]) -> str:
    return str(next((metadata[name] for name in _NAMES if metadata.get(name)), ""))


def _end(reasons: Sequence[str]) -> End:
    said = " ".join(filter(None, reasons))
    if _LENGTH.search(said):
        return "length"
    if _FILTER.search(said):
        return "filter"
    return "whole" if said else "unsaid"
