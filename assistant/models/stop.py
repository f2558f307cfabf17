"""Calls of a model that can be ended at once, from another thread too."""

import threading
import time
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_LOOP_LOCK = threading.Lock()

LOOK = 0.5
"""Seconds between two looks at whether Ctrl-C was pressed.

It wakes a thread that waits, but not one that is just about to.
"""


class StoppedError(Exception):
    """The call was ended before it was through."""


class Stop:
    """Ends all calls that were begun with it, and lets none begin after that. Thread-safe."""

    def __init__(self, *within: "Stop | None") -> None:
        """Begin; what ends one of ``within`` ends this too."""
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._running: set[Future[Any]] = set()
        self._parts: WeakSet[Stop] = WeakSet()
        for whole in within:
            if whole is not None:
                whole._take_in(self)  # noqa: SLF001 - one of its own kind

    def set(self) -> None:
        """End the calls: their connections are closed."""
        with self._lock:
            self._set.set()
            running, parts = list(self._running), list(self._parts)
        for call in running:
            call.cancel()
        for part in parts:
            part.set()

    def _take_in(self, part: "Stop") -> None:
        with self._lock:
            self._parts.add(part)
            ended = self._set.is_set()
        if ended:
            part.set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            StoppedError: as soon as the calls are to end.
        """
        end = time.monotonic() + seconds
        while not self._set.wait(max(0.0, min(end - time.monotonic(), LOOK))):
            if time.monotonic() >= end:
                return
        raise StoppedError

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a call and wait for what it gives; whatever ends the waiting ends the call.

        Raises:
            StoppedError: as soon as the calls are to end.
        """
        with self._begun(call) as running:
            return outcome(running)

    def read(self, source: AsyncIterator[T]) -> Generator[T]:
        """Read what comes from a server, as it comes; closing the generator ends the call.

        Raises:
            StoppedError: as soon as the calls are to end.
        """
        came: SimpleQueue[tuple[T] | None] = SimpleQueue()

        async def take() -> None:
            async for item in source:
                came.put((item,))

        with self._begun(take()) as running:
            running.add_done_callback(lambda _: came.put(None))
            while (item := _next(came)) is not None:
                yield item[0]
            running.result()

    @contextmanager
    def _begun(self, call: Coroutine[Any, Any, T]) -> Iterator[Future[T]]:
        import asyncio

        with self._lock:
            if self._set.is_set():
                call.close()
                raise StoppedError
            running = asyncio.run_coroutine_threadsafe(call, _loop())
            self._running.add(running)
        try:
            yield running
        except CancelledError as error:
            raise StoppedError from error
        finally:
            running.cancel()  # what is through does not mind
            with self._lock:
                self._running.discard(running)


def outcome(running: Future[T]) -> T:
    """Wait for what a call gives, or raises; Ctrl-C ends the waiting."""
    while True:
        try:
            return running.result(timeout=LOOK)
        except TimeoutError:
            if running.done():  # it is the call's own, or it ended just now
                return running.result()


def _next(came: SimpleQueue[T]) -> T:
    """Wait for the next item; Ctrl-C ends the waiting."""
    while True:
        with suppress(Empty):
            return came.get(timeout=LOOK)


def _loop() -> "asyncio.AbstractEventLoop":
    """Return the loop that all calls of this process run in, for connections belong to one."""
    with _LOOP_LOCK:  # a cache alone lets two threads that come first make two
        return _make_loop()


@lru_cache
def _make_loop() -> "asyncio.AbstractEventLoop":
    import asyncio

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="model calls", daemon=True).start()
    return loop
