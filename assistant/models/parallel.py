"""Work on several things at a time: in threads that end with who asked, and that nobody waits for."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from assistant.models.stop import LOOK, Stop, outcome

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(
    work: Callable[[T, Stop], R],
    items: Sequence[T],
    *,
    workers: int,
    within: Stop | None = None,
) -> Generator[R]:
    """Do ``work`` for each item, and give the results in the items' order as they are done.

    Closing the generator, an interrupt, or an error of one ends all that still run, at once.

    Args:
        work: makes its calls with the ``Stop`` it is given.
        items: what to do it for.
        workers: how many at a time.
        within: ends them too.
    """
    stop = Stop(within)
    try:
        with _running(lambda item: work(item, stop), items, workers) as running:
            for each in running:
                yield outcome(each)
    finally:
        stop.set()


def as_completed(work: Callable[[T], R], items: Sequence[T], *, workers: int) -> Iterator[R]:
    """Do ``work`` for each item, and give the results as they come.

    With one worker this is in order and in the caller's own thread. Closing the iterator, or an error of
    one, begins nothing new and waits for nothing that is under way.

    Args:
        work: makes the result of one; thread-safe if there are several workers.
        items: what to do it for; the first are begun first.
        workers: how many at a time.
    """
    return map(work, items) if workers == 1 else _as_completed(work, items, workers)


@contextmanager
def beside(work: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """Do ``work`` in another thread; give what waits for its result, or raises its error.

    An error of the caller's waits for it to end, so that nothing it uses is closed; an interrupt does not.
    """
    with _running(lambda do: do(), [work], 1) as (running,):
        try:
            yield lambda: outcome(running)
        except Exception:
            with suppress(Exception):
                outcome(running)
            raise


def _as_completed(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    with _running(work, items, workers) as running:
        pending = set(running)
        while pending:
            done, pending = futures.wait(pending, timeout=LOOK, return_when=futures.FIRST_COMPLETED)
            for each in done:
                yield each.result()


@contextmanager
def _running(
    work: Callable[[T], R], items: Sequence[T], workers: int
) -> Iterator[list[futures.Future[R]]]:
    """Begin to work on items; on leaving, those that are not yet begun are left undone."""
    results: list[futures.Future[R]] = [futures.Future() for _ in items]
    waiting: SimpleQueue[tuple[futures.Future[R], T]] = SimpleQueue()
    for pair in zip(results, items, strict=True):
        waiting.put(pair)

    def run() -> None:
        while True:
            try:
                result, item = waiting.get_nowait()
            except Empty:
                return
            if not result.set_running_or_notify_cancel():
                continue
            try:
                result.set_result(work(item))
            except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
                result.set_exception(error)

    for _ in range(min(workers, len(items))):
        # A daemon: an interrupted program does not wait for it.
        threading.Thread(target=run, daemon=True, name="in parallel").start()
    try:
        yield results
    finally:
        for each in results:
            each.cancel()
