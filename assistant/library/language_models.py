"""The language models that the settings name, what they take, and what may be spent on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.answer import extractive
from assistant.compare import Models
from assistant.errors import SettingsError
from assistant.library.parts import Parts
from assistant.models.chat import RETRIES, ChatModel, open_chat, same_provider
from assistant.models.ledger import Budget, Ledger, spent
from assistant.models.meter import Meter
from assistant.models.prices import Prices, read_prices
from assistant.models.request import request
from assistant.models.stop import Stop
from assistant.models.structured import Schema
from assistant.records import Usage
from assistant.verify import Checker, ModelChecker

if TYPE_CHECKING:
    from assistant.models.check import Checked

_CHECK_SECONDS = 10.0
"""What a model has to answer a check in."""


class LanguageModels:
    """The language models of a library, each named when first needed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings

    def lend(self, other: "LanguageModels") -> None:
        """Let another library in the same home keep the same books."""
        vars(other).update(ledger=self.ledger)

    @property
    def wanted(self) -> bool:
        """Whether the settings name a language model; without one, answers are quotes."""
        return self._settings.llm != extractive.NAME

    @cached_property
    def chat(self) -> ChatModel:
        """The model that writes."""
        return self._open(self._settings.llm, fallback=self._settings.llm_fallback)

    @cached_property
    def small_chat(self) -> ChatModel:
        """The model for small tasks: the one that writes, unless the settings name another."""
        small = self._settings.llm_small
        if small in (None, self._settings.llm, extractive.NAME):
            return self.chat
        return self._open(small)

    @cached_property
    def prices(self) -> Prices:
        """What models cost."""
        return read_prices(self._settings.home / "prices.toml")

    @cached_property
    def ledger(self) -> Ledger:
        """What models have taken, by day."""
        return Ledger(self._settings.home / "usage.db")

    def checker(
        self, watch: Callable[[ChatModel], ChatModel], stop: Stop | None = None
    ) -> Checker | ModelChecker:
        """Make what checks claims; if that asks a model, ``watch`` meters it and ``stop`` ends it."""
        rules = Checker(self._parts.reader)
        if self._settings.verify_with == "rules" or not self.wanted:
            return rules
        return ModelChecker(
            rules,
            watch(self.small_chat),
            workers=self._settings.llm_concurrency,
            secret=self._parts.secret,
            within=stop,
        )

    def meter(self, stop: Stop | None = None) -> Meter:
        """Begin to reckon what a question takes, whose calls ``stop`` ends."""
        budget = Budget(self._settings.budget_question, self._settings.budget_day)
        limited = budget != Budget()
        spent = self.spent_today() if limited else 0.0
        return Meter(budget, prices=self.prices, spent=spent, stop=stop)

    def meter_day(self) -> Meter:
        """Begin to reckon what many questions take together, which only the day's budget limits."""
        budget = Budget(per_day=self._settings.budget_day)
        return Meter(budget, prices=self.prices, spent=self.spent_today())

    @contextmanager
    def within(self, day: Meter, stop: Stop) -> Iterator[Models]:
        """Open the models for one question, within its own budget and ``day``'s; book what it took."""
        meter = Meter(Budget(self._settings.budget_question), prices=self.prices, stop=stop)

        def watch(chat: ChatModel) -> ChatModel:
            return meter.watch(day.watch(chat))

        try:
            checker = None if self._settings.verify == "off" else self.checker(watch, stop)
            yield Models(watch(self.chat), checker)
        finally:
            self.book(meter.totals)

    def book(self, taken: Mapping[str, Usage]) -> None:
        """Enter what models have taken, by their names."""
        for model, usage in taken.items():
            if usage.input_tokens or usage.output_tokens:
                self.ledger.add(model, usage, day=datetime.now(UTC).date())

    def spent_today(self) -> float:
        """Return the known US dollars that models took since midnight, UTC."""
        return spent(self.ledger.totals(since=datetime.now(UTC).date()))

    def reply(
        self,
        prompt: str,
        schema: type[Schema],
        *,
        data: Mapping[str, str],
        stop: Stop | None = None,
    ) -> Schema:
        """Ask about texts for a reply in a form; see :meth:`Library.reply`."""
        if not self.wanted:
            raise SettingsError(
                "this takes a language model: name one with --llm provider:model or ASSISTANT_LLM"
            )
        meter = self.meter()
        asked = request(prompt, data, secret=self._parts.secret)
        try:
            return meter.watch(self.chat).structured(asked, schema, stop=stop).value
        finally:
            self.book(meter.totals)

    def check(self, llms: Sequence[str]) -> list["Checked"]:
        """Ask models for a word, all at a time; say how each did.

        Raises:
            SettingsError: if one cannot be used.
        """
        from assistant.models.check import check_models

        done = check_models([self._open(each, patient=False) for each in llms])
        for checked in done:
            self.book({checked.name: checked.usage})
        return done

    def _open(self, spec: str, *, fallback: str | None = None, patient: bool = True) -> ChatModel:
        """Name a model; without patience it is asked once, shortly, and past the cache."""
        settings = self._settings
        return open_chat(
            spec,
            base_url=self._base_url(spec),
            fallback=fallback,
            fallback_base_url=None if fallback is None else self._base_url(fallback),
            timeout=settings.llm_timeout if patient else min(settings.llm_timeout, _CHECK_SECONDS),
            max_retries=RETRIES if patient else 0,
            concurrency=settings.llm_concurrency,
            rate=settings.llm_rate,
            cache=settings.home / "replies.db" if settings.cache and patient else None,
            prices=self.prices,
        )

    def _base_url(self, spec: str) -> str | None:
        """Return the address of a model's server: the one that is set is of the main model's provider."""
        settings = self._settings
        if spec == settings.llm_fallback != settings.llm and settings.llm_fallback_base_url:
            return settings.llm_fallback_base_url
        own = not self.wanted or same_provider(spec, settings.llm)
        return settings.llm_base_url if own else None
