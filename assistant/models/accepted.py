"""What a model's server takes of a request: all at first, less as it refuses some of it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from assistant.models.chat import Message, count_messages
from assistant.models.failures import ContextLengthError, Failure

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Limit = Literal["older", "own", "none"]
"""A limit of the reply goes as ``max_tokens`` in the body, as LangChain's client sends it, or not at all."""

_LONGEST_REPLY = 16_000
"""No limit is sent above this: many servers refuse one that is beyond their model's own."""

_SHORT_REPLY = 1_500
"""What to make do with where prompt and limit together are more than a server takes."""

_LIMIT_FIELDS = ("max_tokens", "max_output_tokens", "num_predict")
_SMALLEST_CONTEXT = 4_096
_ROOM_FOR_REPLY = 2_048

_STATUSES = frozenset({400, 404, 405, 415, 422, 500, 501})
_USAGE = re.compile(r"stream_options|include_usage", re.IGNORECASE)
_LIMIT = re.compile(r"max_(?:completion_|output_|new_)?tokens", re.IGNORECASE)
_TOO_HIGH = re.compile(
    r"too (?:large|high|big)|at most|less than|maximum|exceed|must be <", re.IGNORECASE
)
_SYSTEM = re.compile(
    r"\bsystem['\"`]?[ _](?:role|message|prompt|instruction)|\broles?\b.{0,30}\bsystem\b"
    r"|developer instruction|roles must alternate",
    re.IGNORECASE,
)
_STREAM = re.compile(r"\bstream(?:ing|ed|s)?\b", re.IGNORECASE)


class Accepted(NamedTuple):
    """What is taken, as far as it is known.

    ``longest`` is the highest limit of a reply, in tokens; ``system`` that messages may be the system's.
    """

    temperature: bool = True
    schema: bool = True
    stream_usage: bool = True
    streaming: bool = True
    system: bool = True
    limit: Limit = "own"
    longest: int = _LONGEST_REPLY

    def without(self, failure: Failure, *, limited: bool) -> "Accepted | None":
        """Leave out what was refused; None if the server does not say what that is, or it is left out.

        Args:
            failure: what came of a request with all that is taken.
            limited: whether it had a limit of the reply.
        """
        if failure.no_stream:
            return self._replace(streaming=False) if self.streaming else None
        said = failure.detail
        if isinstance(failure.error, ContextLengthError):
            return self._lower() if limited else None
        if failure.status not in _STATUSES:
            return None
        if self.temperature and "temperature" in said.lower():
            return self._replace(temperature=False)
        if self.stream_usage and _USAGE.search(said):
            return self._replace(stream_usage=False)
        if limited and _LIMIT.search(said):
            return (self._lower() if _TOO_HIGH.search(said) else None) or self._rename_limit()
        if self.system and _SYSTEM.search(said):
            return self._replace(system=False)
        if self.streaming and _STREAM.search(said):
            return self._replace(streaming=False)
        return None

    def _lower(self) -> "Accepted | None":
        return self._replace(longest=_SHORT_REPLY) if self.longest > _SHORT_REPLY else None

    def _rename_limit(self) -> "Accepted | None":
        after: dict[Limit, Limit] = {"older": "own", "own": "none"}
        return self._replace(limit=after[self.limit]) if self.limit in after else None

    def written(self, messages: Sequence[Message]) -> list[Message]:
        """Write messages as they are taken: the system's into the user's where it may have none."""
        if self.system:
            return list(messages)
        told = "\n\n".join(each.content for each in messages if each.role == "system")
        rest = [each for each in messages if each.role != "system"]
        if not told or not rest:
            return list(messages)
        return [rest[0]._replace(content=f"{told}\n\n{rest[0].content}"), *rest[1:]]

    def fit(
        self,
        model: "BaseChatModel",
        messages: Sequence[Message],
        limit: int | None,
        *,
        context: int = 0,
    ) -> "BaseChatModel":
        """Return a client that asks as the server takes it, over the same connections.

        Args:
            model: LangChain's client.
            messages: what is to be asked.
            limit: tokens that the reply may have, or None for as many as it likes.
            context: the tokens that the server has made room for already, where it is told how many.
        """
        fields = type(model).model_fields
        changes: dict[str, Any] = {}
        if not self.temperature:
            changes["temperature"] = None
        if not self.stream_usage:
            changes["stream_usage"] = False
        if "num_ctx" in fields:
            needed = context_for(count_messages(messages) + (limit or 0))
            changes["num_ctx"] = max(context, needed)
        if limit is not None and self.limit != "none":
            changes |= self._limit(min(limit, self.longest), fields)
        known = {name: value for name, value in changes.items() if name in fields}
        return model.model_copy(update=known) if known else model

    def _limit(self, limit: int, fields: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's
        if self.limit == "older":
            return {"extra_body": {"max_tokens": limit}}
        return {next((name for name in _LIMIT_FIELDS if name in fields), "max_tokens"): limit}


def context_for(tokens: int) -> int:
    """Choose the context that a server is to make room for: a power of two, as another one takes loading.

    Args:
        tokens: those that are sent, by our count, which other models' may pass by a quarter.
    """
    needed = tokens * 5 // 4 + _ROOM_FOR_REPLY
    context = _SMALLEST_CONTEXT
    while context < needed:
        context *= 2
    return context
