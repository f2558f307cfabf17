"""Work on several things at a time: what is done is given at once, and who leaves early waits for nothing."""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Raised(NamedTuple):
    """What working on an item raised."""

    error: Exception


def as_completed(items: Sequence[T], work: Callable[[T], R], *, workers: int) -> Iterator[R]:
    """Give the results as they come; with one worker in order, in the caller's own thread.

    Closing the iterator begins nothing new, and waits for nothing that is under way.

    Args:
        items: what to work on; the first are begun first.
        work: makes the result of one; thread-safe if there are several workers.
        workers: how many to work on at a time.

    Raises:
        Exception: what ``work`` raises; it ends everything.
    """
    return map(work, items) if workers == 1 else _spread(items, work, workers)


def _spread(items: Sequence[T], work: Callable[[T], R], workers: int) -> Iterator[R]:
    waiting: SimpleQueue[T] = SimpleQueue()
    done: SimpleQueue[R | _Raised] = SimpleQueue()
    ended = threading.Event()
    for item in items:
        waiting.put(item)

    def run() -> None:
        while not ended.is_set():
            try:
                item = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put(work(item))
            except Exception as error:  # noqa: BLE001 - raised where results are waited for
                done.put(_Raised(error))

    for _ in range(min(workers, len(items))):
        # A daemon: an interrupted program does not wait for it.
        threading.Thread(target=run, daemon=True, name="compare").start()
    try:
        for _ in items:
            result = done.get()
            if isinstance(result, _Raised):
                raise result.error
            yield result
    finally:
        ended.set()
