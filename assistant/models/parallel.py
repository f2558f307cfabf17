"""Several calls of a model at a time, which end together."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from assistant.models.stop import Stop

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
    pool = ThreadPoolExecutor(max_workers=max(1, min(workers, len(items))))
    try:
        running = [pool.submit(work, item, stop) for item in items]
        for each in running:
            yield each.result()
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
