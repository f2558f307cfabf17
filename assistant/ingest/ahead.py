"""Items made a few before they are asked for, so that waiting for the web takes no time of the embedder."""

import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from queue import Empty, Queue
from typing import NamedTuple, TypeVar

from assistant.models.stop import LOOK

T = TypeVar("T")


class _End(NamedTuple):
    """Nothing more comes, for this reason if there is one."""

    error: BaseException | None = None


def ahead(items: Iterable[T], *, most: int) -> Generator[T]:
    """Go through ``items`` in a thread of its own, and give them in order; an error is raised here.

    Closing the generator ends the thread once it has made the item it is at. Nobody waits for that, nor
    does a program that is interrupted.

    Args:
        items: gone through in the other thread only.
        most: how many may be made that nobody has taken yet.
    """
    made: Queue[tuple[T] | _End] = Queue(most)
    closed = threading.Event()

    def make() -> None:
        try:
            for item in items:
                made.put((item,))
                if closed.is_set():
                    return
            made.put(_End())
        except BaseException as error:  # noqa: BLE001 - raised where the items are taken
            made.put(_End(error))

    threading.Thread(target=make, daemon=True, name="ahead").start()
    try:
        while not isinstance(taken := _next(made), _End):
            yield taken[0]
        if taken.error is not None:
            raise taken.error
    finally:
        closed.set()
        with suppress(Empty):
            while True:  # it may be waiting for room
                made.get_nowait()


def _next(made: "Queue[T]") -> T:
    """Wait for the next item; Ctrl-C ends the waiting."""
    while True:
        with suppress(Empty):
            return made.get(timeout=LOOK)
