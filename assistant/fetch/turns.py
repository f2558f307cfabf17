"""Manners: one request to a site at a time and not too often, across all processes that share a folder."""

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import FetchError, StorageError

_LONGEST_QUEUE = 1800.0  # seconds; somebody else's downloads before ours
_LONGEST_KEPT = 86_400.0  # seconds; who asks for a longer pause is asked again after a day
_STALE = _LONGEST_KEPT + 60.0  # a pause longer than that is a clock that was set back


class Turn:
    """The right to call one site.

    A file keeps the time before which nobody may call, so that a pause a server asked for also holds
    for other processes, and for the next run.

    Args:
        folder: what processes share.
        site: name of the site.
        interval: seconds from one request to the next.
        longest_pause: seconds; who would have to wait longer is refused.
    """

    def __init__(
        self,
        folder: Path,
        site: str,
        *,
        interval: float,
        longest_pause: float,
    ) -> None:
        name = re.sub(r"[^a-z0-9.-]", "_", site.lower())[:100]
        self._site = site
        self._lock_path = folder / f"{name}.lock"
        self._state_path = folder / f"{name}.next"
        self._interval = interval
        self._longest_pause = longest_pause

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the turn, and keep others from calling until the request is over.

        Raises:
            FetchError: if the site does not want to be called for longer than a user would wait.
            StorageError: if the folder cannot be written.
        """
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._lock_path, thread_local=False)
            lock.acquire(timeout=_LONGEST_QUEUE)
        except Timeout as error:
            raise FetchError(f"others are fetching from {self._site}: try again later") from error
        except OSError as error:
            raise _unwritable(self._lock_path, error) from error
        try:
            self._wait()
            self._write(time.time() + self._interval)
            yield
        finally:
            lock.release()

    def count_from_now(self) -> None:
        """Say that the request has just arrived. To be called by the one that holds the turn."""
        self._write(max(self._next(), time.time() + self._interval))

    def postpone(self, seconds: float) -> None:
        """Let nobody call for a while, a day at most. To be called by the one that holds the turn."""
        pause = min(max(seconds, self._interval), _LONGEST_KEPT)
        self._write(max(self._next(), time.time() + pause))

    def _wait(self) -> None:
        pause = self._next() - time.time()
        if pause > self._longest_pause:
            raise FetchError(
                f"{self._site} asks not to be called for another {math.ceil(pause / 60)} min:"
                " try again then"
            )
        if pause > 0:
            time.sleep(pause)

    def _next(self) -> float:
        try:
            moment = float(self._state_path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0.0
        return moment if moment < time.time() + _STALE else 0.0

    def _write(self, moment: float) -> None:
        fresh = self._state_path.with_suffix(".new")
        try:
            fresh.write_text(f"{moment:.3f}", encoding="ascii")
            fresh.replace(self._state_path)
        except OSError as error:
            raise _unwritable(self._state_path, error) from error


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot write to {path.parent}: {error.strerror or error}")
