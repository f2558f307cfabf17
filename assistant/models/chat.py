"""Chat models: what one is, how to open one, and one that stands in for another."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from assistant import tokens
from assistant.errors import ModelUnavailableError
from assistant.models.failures import RefusedError
from assistant.models.prices import Prices, read_prices
from assistant.models.stop import Stop
from assistant.models.structured import Schema
from assistant.records import Usage

T = TypeVar("T")

NO_USAGE = Usage(input_tokens=0, output_tokens=0, cost_usd=0.0)

RETRIES = 3
"""How often a call is tried again."""

_TOKENS_PER_MESSAGE = 4
_TURN = (ModelUnavailableError, RefusedError)
"""Errors after which another model may do."""


class Message(NamedTuple):
    """One message to a model."""

    role: Literal["system", "user", "assistant"]
    content: str


End = Literal["whole", "length", "filter", "unsaid"]
"""How a reply ended: by itself, at a limit of length, at a filter of contents, or the server did not say."""


_ENDS: dict[End, str] = {
    "whole": "",
    "length": "the answer is cut: it reached the model's limit of length",
    "filter": "the answer is cut: the model's server stopped it at a filter of contents",
    "unsaid": "the answer may be cut: the model's server did not say that it is whole",
}


class Completion(NamedTuple):
    """A reply, as far as it came.

    ``model`` wrote it; a reply from the ``cached`` ones cost nothing; ``notes`` are lines for the user.
    """

    text: str
    usage: Usage
    model: str
    end: End = "whole"
    cached: bool = False
    notes: tuple[str, ...] = ()

    @property
    def cut(self) -> bool:
        """Whether it hit a limit of length."""
        return self.end == "length"

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines for the user on how it ended and on what it took."""
        return (*(line for line in (_ENDS[self.end],) if line), *self.notes)


Book = Callable[[str, Usage], None]
"""Takes what a model, by its name, took."""


class Structured(NamedTuple, Generic[T]):
    """A reply as an object, and what it took with all that was asked for it."""

    value: T
    usage: Usage


class Stream(Iterator[str]):
    """A reply as it comes. Closing it ends the connection at once, and with it what it costs."""

    def __init__(self, read: Callable[["Stream"], Generator[str]]) -> None:
        """Read with a generator that sets ``completion`` before it ends, in whichever way."""
        self.completion: Completion | None = None
        """The whole reply, or as much of it as came; None before anything did."""
        self._pieces = read(self)

    def __next__(self) -> str:
        """Return the next piece of text."""
        return next(self._pieces)

    def close(self) -> None:
        """Stop the reply."""
        self._pieces.close()


class ChatModel(Protocol):
    """A model to talk to. Thread-safe. Its errors are ``ModelUnavailableError`` and ``SettingsError``."""

    @property
    def name(self) -> str:
        """``provider:model``."""

    def load(self) -> None:
        """Import what asking takes; done by itself when first asked."""

    def stream(
        self, messages: Sequence[Message], *, stop: Stop | None = None, limit: int | None = None
    ) -> Stream:
        """Ask for a reply of ``limit`` tokens at most, to be read piece by piece.

        ``stop`` ends it, with a ``StoppedError``.
        """

    def complete(self, messages: Sequence[Message], *, limit: int | None = None) -> Completion:
        """Ask for a whole reply of ``limit`` tokens at most."""

    def structured(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        *,
        stop: Stop | None = None,
        limit: int | None = None,
        book: Book | None = None,
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``; ``stop`` ends it, with a ``StoppedError``.

        ``book`` is told what each call takes, of no use though its reply may be; ``limit`` is for each.
        """


def open_chat(
    spec: str,
    *,
    base_url: str | None = None,
    fallback: str | None = None,
    fallback_base_url: str | None = None,
    timeout: float = 60.0,
    max_retries: int = RETRIES,
    concurrency: int = 8,
    rate: int | None = None,
    cache: Path | None = None,
    prices: Prices | None = None,
) -> ChatModel:
    """Name a chat model; its package is imported, and its server asked, when it is first used.

    The key is taken from the variable that the provider's client knows, such as ``OPENAI_API_KEY``.

    Args:
        spec: ``provider:model``.
        base_url: address of the server, or None for the provider's own; without a key in the
            environment a server named here is asked without one.
        fallback: ``provider:model`` to turn to when the first does not answer.
        fallback_base_url: address of its server; by default that of the first if they are of one provider,
            else its provider's own.
        timeout: seconds to wait for the next piece of a reply, and for a free place.
        max_retries: how often a call is tried again after 429, 5xx, a time-out or a lost connection.
        concurrency: calls to one server that this process makes at a time.
        rate: calls to one server that this process makes a minute, or None for no limit.
        cache: file in which replies are kept, or None to keep none.
        prices: the prices to reckon with; by default those that come with the program.
    """
    from assistant.models.provider import ProviderChat

    known = prices or read_prices()

    def make(name: str, url: str | None) -> ProviderChat:
        return ProviderChat(
            name, base_url=url, timeout=timeout, max_retries=max_retries,
            concurrency=concurrency, rate=rate, cache=cache, prices=known,
        )  # fmt: skip

    first = make(spec, base_url)
    if fallback is None:
        return first
    shared = base_url if same_provider(spec, fallback) else None
    return FallbackChat(first, make(fallback, fallback_base_url or shared))


def same_provider(first: str, second: str) -> bool:
    """Tell whether two models, as ``provider:model``, are of one provider."""
    return first.partition(":")[0] == second.partition(":")[0]


class FallbackChat:
    """A model, and another to turn to when the first does not answer at all, or is not to be had."""

    def __init__(self, first: ChatModel, second: ChatModel) -> None:
        self.name = first.name
        self._first = first
        self._second = second

    def load(self) -> None:
        """Import what asking the first model takes."""
        self._first.load()

    def stream(
        self, messages: Sequence[Message], *, stop: Stop | None = None, limit: int | None = None
    ) -> Stream:
        """Ask for a reply, to be read piece by piece; once it has begun, there is no turning."""
        return Stream(lambda stream: self._stream(messages, stream, stop, limit))

    def complete(self, messages: Sequence[Message], *, limit: int | None = None) -> Completion:
        """Ask for a whole reply."""
        try:
            return self._first.complete(messages, limit=limit)
        except _TURN:
            return self._second.complete(messages, limit=limit)

    def structured(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        *,
        stop: Stop | None = None,
        limit: int | None = None,
        book: Book | None = None,
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``."""
        try:
            return self._first.structured(messages, schema, stop=stop, limit=limit, book=book)
        except _TURN:
            return self._second.structured(messages, schema, stop=stop, limit=limit, book=book)

    def _stream(
        self, messages: Sequence[Message], stream: Stream, stop: Stop | None, limit: int | None
    ) -> Generator[str]:
        begun = False
        source = self._first.stream(messages, stop=stop, limit=limit)
        try:
            for piece in source:
                begun = True
                yield piece
        except _TURN:
            if begun:
                raise
            source = self._second.stream(messages, stop=stop, limit=limit)
            yield from source
        finally:
            source.close()
            stream.completion = source.completion


def add(first: Usage, second: Usage) -> Usage:
    """Add up what two calls took; an unknown price makes the sum unknown."""
    costs = (first.cost_usd, second.cost_usd)
    return Usage(
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        cost_usd=None if costs[0] is None or costs[1] is None else costs[0] + costs[1],
    )


def count_messages(messages: Sequence[Message]) -> int:
    """Count the tokens that messages take, with what a chat format puts around each."""
    return sum(_TOKENS_PER_MESSAGE + tokens.count(message.content) for message in messages)
