"""What one question takes of its models, within what it may cost."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from assistant.models.chat import (
    NO_USAGE,
    ChatModel,
    Completion,
    Message,
    Stream,
    Structured,
    add,
    count_messages,
)
from assistant.models.ledger import Budget
from assistant.models.prices import Prices
from assistant.models.stop import Stop
from assistant.models.structured import Schema
from assistant.records import Usage

ANSWER_TOKENS = 1_500
"""Tokens that an answer has at most, to check budgets with; a model that is cut short is another matter."""
_FORM_TOKENS = 300


class Meter:
    """Adds up what the calls of one question take, and lets none begin that could pass the budget.

    Setting ``stop`` ends them. Thread-safe.
    """

    def __init__(
        self, budget: Budget, *, prices: Prices, spent: float = 0.0, stop: Stop | None = None
    ) -> None:
        """Begin a question.

        Args:
            budget: what may be spent.
            prices: the prices to reckon with.
            spent: dollars spent today before it.
            stop: ends its calls.
        """
        self.stop = stop or Stop()
        self._budget = budget
        self._prices = prices
        self._spent = spent
        self._held = 0.0
        self._running = 0.0
        self._lock = threading.Lock()
        self._totals: dict[str, Usage] = {}

    def watch(self, chat: ChatModel) -> "Metered":
        """Return the model with its calls metered."""
        return Metered(chat, self)

    def keep_for_answer(self, model: str, *, input_tokens: int) -> None:
        """Keep back what the answer could cost, so that the calls before it do not use it up.

        Raises:
            BudgetError: if the answer alone could cost more than may be spent.
        """
        given = ANSWER_TOKENS
        self._budget.check(
            model,
            input_tokens=input_tokens,
            output_tokens=given,
            prices=self._prices,
            spent=self._spent,
        )
        self._held = self._prices.cost(model, input_tokens=input_tokens, output_tokens=given) or 0.0

    @property
    def totals(self) -> dict[str, Usage]:
        """What each model took."""
        with self._lock:
            return dict(self._totals)

    @property
    def usage(self) -> Usage:
        """What all took together."""
        total = NO_USAGE
        for usage in self.totals.values():
            total = add(total, usage)
        return total

    @contextmanager
    def call(self, model: str, messages: Sequence[Message], *, answers: bool) -> Iterator[None]:
        """Hold what a call could cost while it runs; ``answers`` frees what is held for the answer.

        Raises:
            BudgetError: if it could cost more than may be spent; it must not begin then.
        """
        taken = count_messages(messages) if self._budget != Budget() else 0
        given = ANSWER_TOKENS if answers else _FORM_TOKENS
        cost = self._prices.cost(model, input_tokens=taken, output_tokens=given) or 0.0
        with self._lock:
            if answers:
                self._held = 0.0
            self._budget.check(
                model, input_tokens=taken, output_tokens=given, prices=self._prices,
                spent=self._spent, taken=self._taken() + self._held + self._running,
            )  # fmt: skip
            self._running += cost
        try:
            yield
        finally:
            with self._lock:
                self._running -= cost

    def add(self, model: str, usage: Usage) -> None:
        """Note what a call took."""
        with self._lock:
            self._totals[model] = add(self._totals.get(model, NO_USAGE), usage)

    def _taken(self) -> float:
        return sum(usage.cost_usd or 0.0 for usage in self._totals.values())


class Metered:
    """A chat model whose calls a meter watches."""

    def __init__(self, chat: ChatModel, meter: Meter) -> None:
        self.name = chat.name
        self._chat = chat
        self._meter = meter

    def load(self) -> None:
        """Import what asking takes."""
        self._chat.load()

    def stream(self, messages: Sequence[Message], *, stop: Stop | None = None) -> Stream:
        """Ask for a reply, to be read piece by piece."""
        within = Stop(stop, self._meter.stop)
        return Stream(lambda stream: self._stream(messages, stream, within))

    def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask for a whole reply."""
        with self._meter.call(self.name, messages, answers=False):
            completion = self._chat.complete(messages)
        self._meter.add(completion.model, completion.usage)
        return completion

    def structured(
        self, messages: Sequence[Message], schema: type[Schema], *, stop: Stop | None = None
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``."""
        with self._meter.call(self.name, messages, answers=False):
            within = Stop(stop, self._meter.stop)
            reply = self._chat.structured(messages, schema, stop=within)
        self._meter.add(self.name, reply.usage)
        return reply

    def _stream(self, messages: Sequence[Message], stream: Stream, stop: Stop) -> Generator[str]:
        with self._meter.call(self.name, messages, answers=True):
            source = self._chat.stream(messages, stop=stop)
            try:
                yield from source
            finally:
                source.close()
                stream.completion = source.completion
                if source.completion is not None:
                    self._meter.add(source.completion.model, source.completion.usage)
