"""Chat models: what one is, how to open one, and one that stands in for another."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from assistant import tokens
from assistant.errors import ModelUnavailableError
from assistant.models.prices import Prices, read_prices
from assistant.models.stop import Stop
from assistant.models.structured import Schema
from assistant.records import Usage

T = TypeVar("T")

NO_USAGE = Usage(input_tokens=0, output_tokens=0, cost_usd=0.0)

RETRIES = 3
"""How often a call is tried again."""

_TOKENS_PER_MESSAGE = 4


class Message(NamedTuple):
    """One message to a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Completion(NamedTuple):
    """A whole reply.

    ``model`` wrote it; ``cut`` says that it hit the model's limit of length; a reply from the
    ``cached`` ones cost nothing.
    """

    text: str
    usage: Usage
    model: str
    cut: bool = False
    cached: bool = False


class Structured(NamedTuple, Generic[T]):
    """A reply as an object, and what it took."""

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

    def stream(self, messages: Sequence[Message], *, stop: Stop | None = None) -> Stream:
        """Ask for a reply, to be read piece by piece; ``stop`` ends it, with a ``StoppedError``."""

    def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask for a whole reply."""

    def structured(
        self, messages: Sequence[Message], schema: type[Schema], *, stop: Stop | None = None
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``; ``stop`` ends it, with a ``StoppedError``."""


def open_chat(
    spec: str,
    *,
    base_url: str | None = None,
    fallback: str | None = None,
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
        timeout: seconds to wait for the next piece of a reply, and for a free place.
        max_retries: how often a call is tried again after 429, 5xx, a time-out or a lost connection.
        concurrency: calls to one server that this process makes at a time.
        rate: calls to one server that this process makes a minute, or None for no limit.
        cache: file in which replies are kept, or None to keep none.
        prices: the prices to reckon with; by default those that come with the program.
    """
    from assistant.models.provider import ProviderChat

    known = prices or read_prices()

    def make(name: str) -> ProviderChat:
        return ProviderChat(
            name, base_url=base_url, timeout=timeout, max_retries=max_retries,
            concurrency=concurrency, rate=rate, cache=cache, prices=known,
        )  # fmt: skip

    return make(spec) if fallback is None else FallbackChat(make(spec), make(fallback))


class FallbackChat:
    """A model, and another to turn to when the first does not answer at all."""

    def __init__(self, first: ChatModel, second: ChatModel) -> None:
        self.name = first.name
        self._first = first
        self._second = second

    def load(self) -> None:
        """Import what asking the first model takes."""
        self._first.load()

    def stream(self, messages: Sequence[Message], *, stop: Stop | None = None) -> Stream:
        """Ask for a reply, to be read piece by piece; once it has begun, there is no turning."""
        return Stream(lambda stream: self._stream(messages, stream, stop))

    def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask for a whole reply."""
        try:
            return self._first.complete(messages)
        except ModelUnavailableError:
            return self._second.complete(messages)

    def structured(
        self, messages: Sequence[Message], schema: type[Schema], *, stop: Stop | None = None
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``."""
        try:
            return self._first.structured(messages, schema, stop=stop)
        except ModelUnavailableError:
            return self._second.structured(messages, schema, stop=stop)

    def _stream(
        self, messages: Sequence[Message], stream: Stream, stop: Stop | None
    ) -> Generator[str]:
        begun = False
        source = self._first.stream(messages, stop=stop)
        try:
            for piece in source:
                begun = True
                yield piece
        except ModelUnavailableError:
            if begun:
                raise
            source = self._second.stream(messages, stop=stop)
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
