"""What one question takes of its models, within what it may cost."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from assistant.models.chat import (
    NO_USAGE,
    Book,
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
    def call(
        self, model: str, messages: Sequence[Message], *, answers: bool, limit: int | None = None
    ) -> Iterator[int | None]:
        """Hold what a call could cost while it runs; give how many tokens its reply may have.

        ``answers`` frees what is held for the answer; ``limit`` is what is allowed already.

        Raises:
            BudgetError: if it could cost more than may be spent; it must not begin then.
        """
        taken = count_messages(messages) if self._budget != Budget() else 0
        given = ANSWER_TOKENS if answers else _FORM_TOKENS
        with self._lock:
            if answers:
                self._held = 0.0
            before = self._taken() + self._held + self._running
            self._budget.check(
                model, input_tokens=taken, output_tokens=given, prices=self._prices,
                spent=self._spent, taken=before,
            )  # fmt: skip
            allowed = self._budget.reply_tokens(
                model, input_tokens=taken, least=given, prices=self._prices,
                spent=self._spent, taken=before, alone=answers,
            )  # fmt: skip
            cost = self._prices.cost(model, input_tokens=taken, output_tokens=allowed or given)
            self._running += cost or 0.0
        try:
            yield min((each for each in (allowed, limit) if each is not None), default=None)
        finally:
            with self._lock:
                self._running -= cost or 0.0

    def notes(self, reply: Completion, allowed: int | None) -> Iterator[str]:
        """Say where a budget did not hold for a reply, and where it cut it short."""
        if self._budget == Budget() or reply.cached:
            return
        if self._prices.cost(reply.model, input_tokens=1, output_tokens=1) is None:
            yield (
                f"the budget does not hold: the price of {reply.model} is not known; "
                "add it to prices.toml"
            )
        if reply.cut and allowed is not None:
            yield f"the budget left {allowed:,} tokens for the answer"

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

    def stream(
        self, messages: Sequence[Message], *, stop: Stop | None = None, limit: int | None = None
    ) -> Stream:
        """Ask for a reply, to be read piece by piece."""
        within = Stop(stop, self._meter.stop)
        return Stream(lambda stream: self._stream(messages, stream, within, limit))

    def complete(self, messages: Sequence[Message], *, limit: int | None = None) -> Completion:
        """Ask for a whole reply."""
        with self._meter.call(self.name, messages, answers=False, limit=limit) as allowed:
            completion = self._chat.complete(messages, limit=allowed)
        self._meter.add(completion.model, completion.usage)
        return completion

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

        def both(model: str, usage: Usage) -> None:
            self._meter.add(model, usage)
            if book is not None:
                book(model, usage)

        with self._meter.call(self.name, messages, answers=False, limit=limit) as allowed:
            within = Stop(stop, self._meter.stop)
            return self._chat.structured(messages, schema, stop=within, limit=allowed, book=both)

    def _stream(
        self, messages: Sequence[Message], stream: Stream, stop: Stop, limit: int | None
    ) -> Generator[str]:
        with self._meter.call(self.name, messages, answers=True, limit=limit) as allowed:
            source = self._chat.stream(messages, stop=stop, limit=allowed)
            try:
                yield from source
            finally:
                source.close()
                if source.completion is not None:
                    found = source.completion
                    self._meter.add(found.model, found.usage)
                    notes = dict.fromkeys((*found.notes, *self._meter.notes(found, allowed)))
                    stream.completion = found._replace(notes=tuple(notes))
