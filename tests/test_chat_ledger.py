"""What models took is kept day by day, and a budget stops before it is passed."""

from datetime import date
from pathlib import Path

import pytest

from assistant.errors import BudgetError, StorageError
from assistant.models.ledger import Budget, Ledger, spent
from assistant.models.prices import read_prices
from assistant.records import Usage

TODAY = date(2026, 3, 2)
YESTERDAY = date(2026, 3, 1)
SPEC = "openai:gpt-4o-mini"


def usage(cost: float | None) -> Usage:
    return Usage(input_tokens=10, output_tokens=5, cost_usd=cost)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "home" / "usage.sqlite3")


def check(budget: Budget, *, tokens: int, spent: float = 0.0, model: str = SPEC) -> None:
    budget.check(model, input_tokens=tokens, output_tokens=0, prices=read_prices(), spent=spent)


def test_what_was_taken_adds_up_by_day_and_model(ledger: Ledger) -> None:
    for day, model, cost in (
        (YESTERDAY, "a:b", 1.0),
        (TODAY, "a:b", 2.0),
        (TODAY, "a:b", 3.0),
        (TODAY, "c:d", 0.0),
    ):
        ledger.add(model, usage(cost), day=day)
    found = ledger.totals(since=TODAY)
    assert [(each.model, each.calls, each.usage.cost_usd) for each in found] == [
        ("a:b", 2, 5.0),
        ("c:d", 1, 0.0),
    ]
    assert found[0].usage.input_tokens == 20
    assert len(ledger.totals(since=YESTERDAY)) == 3
    assert spent(found) == 5.0


def test_an_unknown_cost_stays_unknown(ledger: Ledger) -> None:
    for cost in (1.0, None, 1.0):
        ledger.add("a:b", usage(cost), day=TODAY)
    (total,) = ledger.totals(since=TODAY)
    assert total.usage.cost_usd is None


def test_before_anything_was_taken_there_is_nothing(ledger: Ledger) -> None:
    assert ledger.totals(since=TODAY) == []


def test_a_file_that_is_none_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "usage").write_bytes(b"not a database, but long enough to be read" * 50)
    with pytest.raises(StorageError, match="cannot use the record of costs"):
        Ledger(tmp_path / "usage").add("a:b", usage(1.0), day=TODAY)


def test_a_question_within_the_budget_may_be_asked() -> None:
    check(Budget(per_question=0.15, per_day=1.0), tokens=1_000_000, spent=0.85)


def test_no_budget_is_no_limit() -> None:
    check(Budget(), tokens=10**9, spent=10**6)


def test_a_question_that_could_cost_too_much_is_not_asked() -> None:
    with pytest.raises(
        BudgetError, match=r"could cost \$0\.1500 .* budget of \$0\.1400 a question"
    ):
        check(Budget(per_question=0.14), tokens=1_000_000)


def test_a_question_that_could_pass_the_days_budget_is_not_asked() -> None:
    with pytest.raises(BudgetError, match=r"\$0\.9000 of today's \$1\.0000 are spent"):
        check(Budget(per_day=1.0), tokens=1_000_000, spent=0.9)


def test_small_amounts_are_told_from_nothing_and_from_each_other() -> None:
    with pytest.raises(BudgetError, match=r"\$0\.0612 of today's \$0\.000010 are spent"):
        check(Budget(per_day=0.00001), tokens=1_000_000, spent=0.0612)
    with pytest.raises(BudgetError, match=r"could cost \$0\.00015 .* budget of \$0\.000014 a q"):
        check(Budget(per_question=0.000014), tokens=1_000)


def test_what_has_no_price_is_stopped_only_once_the_budget_is_passed() -> None:
    check(Budget(per_day=1.0), tokens=10**9, spent=0.9, model="openai:unheard-of")
    with pytest.raises(BudgetError):
        check(Budget(per_day=1.0), tokens=1, spent=1.1, model="openai:unheard-of")
