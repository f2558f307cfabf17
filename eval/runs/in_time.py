"""Work on many items, several at a time, each within its time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from assistant.models.stop import LOOK

_LEAVE_SECONDS = 3.0
"""How long the threads that nobody waits for may take to leave: Python's end would cut into native code."""

T = TypeVar("T")
R = TypeVar("R")


class Done(NamedTuple, Generic[T, R]):
    """An item and what came of it: None if it took too long."""

    item: T
    result: R | None


class _Ended(NamedTuple, Generic[R]):
    """What one thread came to."""

    number: int
    result: R | None
    error: BaseException | None


class _Running(NamedTuple, Generic[T]):
    """An item that is worked on; ``stop`` tells its worker that nobody waits any more."""

    item: T
    deadline: float
    stop: threading.Event


def in_time(
    work: Callable[[T, threading.Event], R], items: Sequence[T], *, workers: int, seconds: float
) -> Generator[Done[T, R], None, None]:
    """Do ``work`` for each item, and give the results as they come.

    A thread cannot be ended from outside: one that takes too long is told so by its event, and is
    waited for no more than three seconds at the end. An error that ``work`` raises ends the iteration.

    Args:
        work: what to do with an item; should look at the event now and then.
        items: what to do it with.
        workers: how many at a time.
        seconds: how long each may take.
    """
    waiting = deque(enumerate(items))
    running: dict[int, _Running[T]] = {}
    begun: list[threading.Thread] = []
    ended: SimpleQueue[_Ended[R]] = SimpleQueue()

    def begin(number: int, item: T) -> None:
        stop = threading.Event()
        running[number] = _Running(item, time.monotonic() + seconds, stop)
        thread = threading.Thread(target=_work, args=(work, number, item, stop, ended), daemon=True)
        begun.append(thread)
        thread.start()

    try:
        while waiting or running:
            while waiting and len(running) < workers:
                begin(*waiting.popleft())
            left = min(each.deadline for each in running.values()) - time.monotonic()
            try:
                one = ended.get(timeout=min(max(0.0, left), LOOK))
            except Empty:
                for number in [
                    n for n, each in running.items() if each.deadline <= time.monotonic()
                ]:
                    late = running.pop(number)
                    late.stop.set()
                    yield Done(late.item, None)
                continue
            if one.error is not None:
                raise one.error
            if one.number in running:  # else it was given up
                yield Done(running.pop(one.number).item, one.result)
    finally:
        for each in running.values():
            each.stop.set()
        _see_off(begun)


def _see_off(threads: Sequence[threading.Thread]) -> None:
    """Wait for threads that were told to stop, not for long."""
    end = time.monotonic() + _LEAVE_SECONDS
    for thread in threads:
        if thread.is_alive():  # Ctrl-C may have come before it was started
            thread.join(max(0.0, end - time.monotonic()))


def _work(
    work: Callable[[T, threading.Event], R],
    number: int,
    item: T,
    stop: threading.Event,
    ended: "SimpleQueue[_Ended[R]]",
) -> None:
    try:
        ended.put(_Ended(number, work(item, stop), None))
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits
        ended.put(_Ended(number, None, error))
