"""How many calls one server gets from this process: at a time, and a minute."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from assistant.models.stop import Stop

_LOOK = 0.05
"""Seconds between two looks at whether a call that waits for a place is to end."""


class Limits:
    """Places for calls, and turns to begin them. Thread-safe."""

    def __init__(
        self, *, concurrency: int, per_window: int | None = None, window: float = 60.0
    ) -> None:
        """Allow ``concurrency`` calls at a time, and ``per_window`` in any ``window`` seconds."""
        self._places = threading.BoundedSemaphore(concurrency)
        self._window = window
        self._lock = threading.Lock()
        self._begun: deque[float] | None = deque(maxlen=per_window) if per_window else None

    def turn(self, stop: Stop) -> None:
        """Wait until one more call may begin.

        Raises:
            StoppedError: as soon as the calls are to end.
        """
        if self._begun is None:
            return
        with self._lock:
            now = begin = time.monotonic()
            if len(self._begun) == self._begun.maxlen:
                begin = max(now, self._begun[0] + self._window)
            self._begun.append(begin)
        stop.sleep(begin - now)

    @contextmanager
    def place(self, *, timeout: float, stop: Stop) -> Iterator[None]:
        """Hold a place.

        Args:
            timeout: seconds to wait for one.
            stop: ends the waiting.

        Raises:
            TimeoutError: if none became free in time.
            StoppedError: as soon as the calls are to end.
        """
        deadline = time.monotonic() + timeout
        while not self._places.acquire(timeout=_LOOK):
            stop.sleep(0)
            if time.monotonic() >= deadline:
                raise TimeoutError
        try:
            yield
        finally:
            self._places.release()


@lru_cache
def limits_of(
    _provider: str, _base_url: str | None, concurrency: int, per_minute: int | None
) -> Limits:
    """Return the limits of one server, the same for all that this process opens."""
    return Limits(concurrency=concurrency, per_window=per_minute)
