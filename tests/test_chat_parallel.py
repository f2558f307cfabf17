"""Several calls at a time: in order, within limits, and ended at once."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest
from pydantic import BaseModel

from assistant.errors import ModelUnavailableError
from assistant.models.chat import ChatModel, Message, open_chat
from assistant.models.limits import Limits
from assistant.models.parallel import as_completed, in_parallel
from assistant.models.stop import Stop, StoppedError
from tests.fake_openai import FakeOpenAI, Reply, Seen


class Form(BaseModel):
    number: int


def chat(server: FakeOpenAI, **options: object) -> ChatModel:
    given = {"timeout": 60.0, "max_retries": 0, **options}
    return open_chat("openai:fake", base_url=server.url, **given)  # type: ignore[arg-type]


def ask(model: ChatModel, number: int, stop: Stop) -> int:
    asked = [Message("user", f"JSON. Question: {number}")]
    return model.structured(asked, Form, stop=stop).value.number


def asks(server: FakeOpenAI, **options: object) -> Callable[[int, Stop], int]:
    model = chat(server, **options)
    return lambda number, stop: ask(model, number, stop)


def echo(seen: Seen) -> str:
    return f'{{"number": {seen.question}}}'


def echo_first(seen: Seen) -> Reply | str:
    """Echo 0, and say nothing to other numbers."""
    return echo(seen) if seen.question == "0" else Reply(hangs=True)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Call:
    """A call in a thread of its own, and how it ended."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.error: Exception | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.error = error

    def wait(self) -> Exception | None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.error


class TestResults:
    def test_come_in_order_and_no_more_run_than_may(self) -> None:
        with FakeOpenAI(echo, delay=0.05) as server:
            found = list(in_parallel(asks(server), range(12), workers=4))
        assert found == list(range(12))
        assert 1 < server.most_running <= 4

    def test_of_nothing_are_none(self) -> None:
        assert list(in_parallel(lambda number, _stop: number, [], workers=3)) == []

    def test_come_before_all_are_there(self) -> None:
        with FakeOpenAI(echo_first) as server:
            results = in_parallel(asks(server), [0, 1], workers=2)
            assert next(results) == 0
            results.close()


class TestResultsAsTheyCome:
    def test_do_not_wait_for_the_slowest(self) -> None:
        released = threading.Event()

        def work(number: int) -> int:
            assert number or released.wait(30)
            return number

        results = as_completed(work, range(4), workers=2)
        assert {next(results) for _ in range(3)} == {1, 2, 3}
        released.set()
        assert list(results) == [0]

    def test_of_one_worker_are_made_in_the_thread_that_asks_and_only_when_it_does(self) -> None:
        made: list[tuple[int, threading.Thread]] = []

        def work(number: int) -> None:
            made.append((number, threading.current_thread()))

        results = as_completed(work, range(3), workers=1)
        next(results)
        assert made == [(0, threading.current_thread())]
        list(results)
        assert [number for number, _ in made] == [0, 1, 2]

    @pytest.mark.parametrize("fails", [False, True])
    def test_leave_undone_what_is_not_begun_when_they_end(self, *, fails: bool) -> None:
        begun: SimpleQueue[int] = SimpleQueue()
        threads: set[threading.Thread] = set()
        released = threading.Event()

        def work(number: int) -> int:
            threads.add(threading.current_thread())
            begun.put(number)
            if number:
                assert released.wait(30)
            elif fails:
                raise ModelUnavailableError("no")
            return number

        results = as_completed(work, range(9), workers=2)
        if fails:
            with pytest.raises(ModelUnavailableError):
                next(results)
        else:
            assert next(results) == 0
            results.close()  # type: ignore[attr-defined]
        released.set()
        for thread in list(threads):
            thread.join(30)
            assert thread.daemon
            assert not thread.is_alive()
        assert begun.qsize() <= 3


class TestEnding:
    def test_closing_hangs_up_on_all_that_run_and_begins_no_more(self) -> None:
        with FakeOpenAI(echo_first) as server:
            results = in_parallel(asks(server), range(9), workers=3)
            next(results)
            until(lambda: len(server.requests) == 4)
            results.close()
            until(lambda: server.running == 0)
        assert server.hung_up.is_set()
        assert len(server.requests) == 4

    def test_an_error_of_one_hangs_up_on_the_others(self) -> None:
        refused = Reply(status=400, error={"message": "no"})

        def reply(seen: Seen) -> Reply:
            return refused if seen.question == "0" else Reply(hangs=True)

        with FakeOpenAI(reply) as server:
            with pytest.raises(ModelUnavailableError, match="400"):
                list(in_parallel(asks(server), range(3), workers=3))
            until(lambda: server.running == 0)

    @pytest.mark.parametrize("behaviour", ["timeout", "429"])
    def test_ends_a_call_whatever_it_waits_for(self, behaviour: str) -> None:
        stop = Stop()
        with FakeOpenAI(behaviour) as server:
            call = Call(lambda: asks(server, max_retries=50)(1, stop))
            until(lambda: len(server.requests) == 1)
            stop.set()
            assert isinstance(call.wait(), StoppedError)

    def test_ends_the_wait_for_a_place(self) -> None:
        stop = Stop()
        with FakeOpenAI("timeout") as server:
            holder, waiting = Stop(), asks(server, concurrency=1)
            holding = Call(lambda: waiting(1, holder))
            until(lambda: len(server.requests) == 1)
            call = Call(lambda: waiting(2, stop))
            stop.set()
            assert isinstance(call.wait(), StoppedError)
            holder.set()
            holding.wait()
            assert len(server.requests) == 1

    def test_lets_no_call_begin_after_it(self) -> None:
        stop = Stop()
        stop.set()
        with FakeOpenAI(echo) as server, pytest.raises(StoppedError):
            asks(server)(1, stop)
        assert server.requests == []


class TestRate:
    def test_lets_so_many_begin_and_the_next_wait(self) -> None:
        stop = Stop()
        with FakeOpenAI(echo) as server:
            first, second = asks(server, rate=2), asks(server, rate=2)
            assert [first(0, stop), second(1, stop)] == [0, 1]
            call = Call(lambda: first(2, stop))
            time.sleep(0.3)
            stop.set()
            assert isinstance(call.wait(), StoppedError)
        assert len(server.requests) == 2

    def test_counts_what_is_tried_again(self) -> None:
        busy = Reply(status=429, error={"message": "busy"}, headers=(("retry-after", "0"),))
        stop = Stop()
        with FakeOpenAI(lambda _seen: busy) as server:
            call = Call(lambda: asks(server, rate=2, max_retries=9)(1, stop))
            until(lambda: len(server.requests) == 2)
            time.sleep(0.3)
            stop.set()
            assert isinstance(call.wait(), StoppedError)
        assert len(server.requests) == 2

    def test_lets_them_begin_when_the_time_is_over(self) -> None:
        limits = Limits(concurrency=1, per_window=2, window=0.2)
        began = time.monotonic()
        for _ in range(5):
            limits.turn(Stop())
        assert time.monotonic() - began >= 0.4
