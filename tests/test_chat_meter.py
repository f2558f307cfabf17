"""What a question takes is added up model by model, and no call begins that could pass its budget."""

import threading
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from assistant.errors import BudgetError, ModelUnavailableError
from assistant.models.chat import ChatModel, Message, count_messages, open_chat
from assistant.models.ledger import Budget
from assistant.models.meter import Meter
from assistant.models.prices import Prices, read_prices
from tests.fake_openai import FakeOpenAI

Open = Callable[..., ChatModel]
ASKED = [Message("user", "Question: What does DAPO reach? Write JSON.")]


class Form(BaseModel):
    standalone_question: str


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Prices:
    """A dollar a token for the dear model, next to nothing for the cheap one."""
    table = tmp_path_factory.mktemp("prices") / "prices.toml"
    table.write_text(
        "[openai]\ndear = { input = 1e6, output = 1e6 }\ncheap = { input = 1, output = 1 }\n"
    )
    return read_prices(table)


@pytest.fixture
def chat(prices: Prices) -> Open:
    """Open a model of a server with these prices."""

    def open_model(server: FakeOpenAI, name: str = "openai:dear") -> ChatModel:
        return open_chat(name, base_url=server.url, timeout=5.0, max_retries=0, prices=prices)

    return open_model


@pytest.fixture
def meter(prices: Prices) -> Meter:
    return Meter(Budget(), prices=prices)


def test_all_kinds_of_calls_are_added_up_by_model(meter: Meter, chat: Open) -> None:
    with FakeOpenAI() as server:
        dear, cheap = meter.watch(chat(server)), meter.watch(chat(server, "openai:cheap"))
        list(dear.stream(ASKED))
        dear.complete(ASKED)
        cheap.structured(ASKED, Form)
    taken = {name: usage.input_tokens for name, usage in meter.totals.items()}
    words = len(ASKED[0].content.split())
    assert taken == {"openai:dear": 2 * words, "openai:cheap": words}
    assert meter.usage.input_tokens == 3 * words


def test_an_answer_that_is_stopped_is_counted_as_far_as_it_came(meter: Meter, chat: Open) -> None:
    with FakeOpenAI("very_long", pause=0.01) as server:
        stream = meter.watch(chat(server)).stream(ASKED)
        next(stream)
        stream.close()
    assert meter.usage.output_tokens > 0


def test_a_call_that_fails_takes_nothing(meter: Meter, chat: Open) -> None:
    with FakeOpenAI("500") as server, pytest.raises(ModelUnavailableError):
        meter.watch(chat(server)).complete(ASKED)
    assert meter.totals == {}


def test_no_call_begins_that_could_pass_what_a_question_may_cost(
    prices: Prices, chat: Open
) -> None:
    meter = Meter(Budget(per_question=10.0), prices=prices)
    with FakeOpenAI() as server, pytest.raises(BudgetError, match="more than the budget"):
        meter.watch(chat(server)).structured(ASKED, Form)
    assert server.requests == []


def test_calls_before_the_answer_leave_enough_for_it(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_question=2_000.0), prices=prices)
    meter.keep_for_answer("openai:dear", input_tokens=100)
    with FakeOpenAI() as server:
        model = meter.watch(chat(server))
        with pytest.raises(BudgetError):
            for _ in range(40):
                model.structured(ASKED, Form)
        before = len(server.requests)
        assert list(model.stream(ASKED))
    assert 0 < before < 40


def test_an_answer_that_alone_could_pass_it_is_refused(prices: Prices) -> None:
    meter = Meter(Budget(per_day=2_000.0), prices=prices, spent=1_000.0)
    with pytest.raises(BudgetError, match="of today's"):
        meter.keep_for_answer("openai:dear", input_tokens=100)


def test_calls_at_the_same_time_are_held_against_each_other(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_question=700.0), prices=prices)
    refused = []
    with FakeOpenAI(delay=0.3) as server:
        model = meter.watch(chat(server))

        def ask() -> None:
            try:
                model.structured(ASKED, Form)
            except BudgetError as error:
                refused.append(error)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.requests) + len(refused) == 6
    assert meter.usage.cost_usd is not None
    assert meter.usage.cost_usd <= 700.0
    assert refused


def test_a_form_that_does_not_come_is_counted(meter: Meter, chat: Open) -> None:
    with FakeOpenAI("never_json") as server, pytest.raises(ModelUnavailableError):
        meter.watch(chat(server)).structured(ASKED, Form)
    assert meter.usage.input_tokens >= 2 * len(ASKED[0].content.split())


def test_an_answer_may_take_what_is_left_of_the_budget(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_question=4_000.0), prices=prices)
    sent = count_messages(ASKED)
    with FakeOpenAI() as server:
        model = meter.watch(chat(server))
        model.structured(ASKED, Form)
        taken = meter.usage.cost_usd
        list(model.stream(ASKED))
    assert taken is not None
    form, answer = server.requests
    assert form["max_tokens"] == (4_000 - sent) // 8
    assert answer["max_tokens"] == int(4_000 - taken - sent)


def test_an_answer_gets_a_share_of_the_days_budget(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_day=40_000.0), prices=prices, spent=8_000.0)
    with FakeOpenAI() as server:
        list(meter.watch(chat(server)).stream(ASKED))
    assert server.requests[0]["max_tokens"] == (32_000 - count_messages(ASKED)) // 8


def test_without_a_budget_or_a_price_there_is_no_limit(
    meter: Meter, prices: Prices, chat: Open
) -> None:
    limited = Meter(Budget(per_question=4_000.0), prices=prices)
    with FakeOpenAI() as server:
        list(meter.watch(chat(server)).stream(ASKED))
        list(limited.watch(chat(server, "openai:unheard-of")).stream(ASKED))
    assert not any("max_tokens" in each for each in server.requests)


def test_the_stricter_of_two_meters_counts(prices: Prices, chat: Open) -> None:
    day = Meter(Budget(per_day=1e6), prices=prices)
    question = Meter(Budget(per_question=2_000.0), prices=prices)
    with FakeOpenAI() as server:
        model = question.watch(day.watch(chat(server)))
        model.structured(ASKED, Form)
    assert server.requests[0]["max_tokens"] == max(300, (2_000 - count_messages(ASKED)) // 8)
    assert question.usage == day.usage


def test_a_budget_that_does_not_hold_is_told(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_question=0.01), prices=prices)
    with FakeOpenAI() as server:
        stream = meter.watch(chat(server, "openai:unheard-of")).stream(ASKED)
        list(stream)
    assert stream.completion is not None
    (told,) = stream.completion.remarks
    assert "the price of openai:unheard-of is not known" in told


def test_an_answer_that_the_budget_cut_says_so(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_question=4_000.0), prices=prices)
    with FakeOpenAI("cut_off") as server:
        stream = meter.watch(chat(server)).stream(ASKED)
        list(stream)
    assert stream.completion is not None
    assert "the budget left 3," in stream.completion.remarks[-1]


def test_what_has_no_known_price_is_not_held_back(prices: Prices, chat: Open) -> None:
    meter = Meter(Budget(per_question=0.01), prices=prices)
    with FakeOpenAI() as server:
        assert meter.watch(chat(server, "openai:unheard-of")).complete(ASKED).text
    assert meter.usage.cost_usd is None
