"""What models have taken, day by day, and a budget that stops before it is passed."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from assistant.errors import BudgetError, StorageError
from assistant.models.prices import Prices
from assistant.records import Usage

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS usage (day TEXT NOT NULL, model TEXT NOT NULL, calls INTEGER NOT NULL,"
    " input INTEGER NOT NULL, output INTEGER NOT NULL, cost REAL, PRIMARY KEY (day, model))"
)
# A price that is not known makes the day's cost of that model unknown: NULL plus anything is NULL.
_ADD = (
    "INSERT INTO usage VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (day, model) DO UPDATE SET"
    " calls = calls + 1, input = input + excluded.input, output = output + excluded.output,"
    " cost = cost + excluded.cost"
)
_BUSY_SECONDS = 5.0
_SHARES = 8
"""Calls that a budget is to be enough for at the same time."""


class Total(NamedTuple):
    """What one model took on one day."""

    day: date
    model: str
    calls: int
    usage: Usage


class Ledger:
    """Keeps what models took, in a SQLite file. Thread-safe, and safe for several processes."""

    def __init__(self, path: Path) -> None:
        """Keep it in the file ``path``, which is made when first written to."""
        self._path = path

    def add(self, model: str, usage: Usage, *, day: date) -> None:
        """Add what an answer took.

        Raises:
            StorageError: if the file cannot be written.
        """
        row = (day.isoformat(), model, usage.input_tokens, usage.output_tokens, usage.cost_usd)
        with self._transaction() as connection:
            connection.execute(_ADD, row)

    def totals(self, *, since: date) -> list[Total]:
        """Return what each model took each day from ``since`` on, oldest first.

        Raises:
            StorageError: if the file cannot be read.
        """
        if not self._path.is_file():
            return []
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM usage WHERE day >= ? ORDER BY day, model", (since.isoformat(),)
            ).fetchall()
        return [
            Total(
                date.fromisoformat(day),
                model,
                calls,
                Usage(input_tokens=taken, output_tokens=given, cost_usd=cost),
            )
            for day, model, calls, taken, given, cost in rows
        ]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
            with closing(connection), connection:
                connection.execute(_SCHEMA)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"cannot use the record of costs {self._path}: {error}") from error


class Budget(NamedTuple):
    """US dollars that may be spent; None is no limit."""

    per_question: float | None = None
    per_day: float | None = None

    def check(
        self,
        model: str,
        *,
        input_tokens: int,
        output_tokens: int,
        prices: Prices,
        spent: float,
        taken: float = 0.0,
    ) -> None:
        """Refuse a call that could pass the budget. What has no known price cannot be checked.

        Args:
            model: ``provider:model``.
            input_tokens: tokens to send.
            output_tokens: tokens that may come back.
            prices: the prices to reckon with.
            spent: dollars spent today before this question.
            taken: dollars that this question has taken so far.

        Raises:
            BudgetError: if the question could then cost more than may be spent.
        """
        cost = prices.cost(model, input_tokens=input_tokens, output_tokens=output_tokens) or 0.0
        cost += taken
        if self.per_question is not None and cost > self.per_question:
            raise BudgetError(
                f"the question could cost {_dollars(cost)} with {model}, more than the budget of "
                f"{_dollars(self.per_question)} a question: raise it, or take a cheaper model"
            )
        if self.per_day is not None and spent + cost > self.per_day:
            raise BudgetError(
                f"the question could cost {_dollars(cost)} with {model}, and {_dollars(spent)} of "
                f"today's {_dollars(self.per_day)} are spent: raise the budget, or go on tomorrow"
            )

    def reply_tokens(
        self,
        model: str,
        *,
        input_tokens: int,
        least: int,
        prices: Prices,
        spent: float,
        taken: float,
        alone: bool,
    ) -> int | None:
        """Say how many tokens a reply may have within the budget; None for as many as it likes.

        What others may want at the same time is left to them: of the day's budget, and of the question's
        unless the call is ``alone`` in it, a reply gets a share. The other arguments are those of
        :meth:`check`, which has allowed ``least`` tokens.
        """
        each = prices.cost(model, input_tokens=0, output_tokens=1)
        sent = prices.cost(model, input_tokens=input_tokens, output_tokens=0)
        if not each or sent is None:
            return None
        lefts = []
        if self.per_question is not None:
            lefts.append((self.per_question - taken - sent) / (1 if alone else _SHARES))
        if self.per_day is not None:
            lefts.append((self.per_day - spent - taken - sent) / _SHARES)
        return max(least, int(min(lefts) / each)) if lefts else None


def _dollars(amount: float) -> str:
    """Write an amount with four decimals, and with two significant digits if it is too small for them."""
    if amount <= 0:
        return "$0"
    decimals = max(4, 1 - math.floor(math.log10(amount)))
    return f"${amount:.{decimals}f}"


def spent(totals: list[Total]) -> float:
    """Add up the known costs."""
    return sum(total.usage.cost_usd or 0.0 for total in totals)
