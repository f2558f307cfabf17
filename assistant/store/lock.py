"""Locks between processes. The death of a process releases what it holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import LibraryBusyError, StorageError

_POLL = 0.005
_LONGEST_OPERATION = 300.0
"""Seconds. One operation is quick; only building the vectors of a large library anew is not."""


@contextmanager
def hold_writer_lock(
    path: Path,
    *,
    timeout: float,
    on_wait: Callable[[], None] = lambda: None,
    what: str = "the library",
) -> Iterator[None]:
    """Be the only writer of a library, or of a file in it.

    Args:
        path: the lock file.
        timeout: seconds to wait for another writer.
        on_wait: called once if there is one.
        what: is written, as a message names it.

    Raises:
        LibraryBusyError: if the other writer is not done in time.
        StorageError: if the lock file cannot be written.
    """
    lock = FileLock(path, thread_local=False)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire(timeout=timeout, poll_interval=_POLL)
    except Timeout as error:
        raise busy(timeout, what) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def busy(timeout: float, what: str = "the library") -> LibraryBusyError:
    """Say that another writer did not finish in time."""
    return LibraryBusyError(
        f"another process is writing to {what}; waited {timeout:.0f} s, try again when it is done"
    )


class OperationLock:
    """A fair lock around one operation at a time.

    Who waits for the lock holds the turn, so that a process that releases the lock and takes it again
    at once, as one that ingests does, queues up behind. Used by one thread at a time; nesting is fine.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = FileLock(path.with_name(path.name + ".turn"), thread_local=False)
        self._lock = FileLock(path, thread_local=False)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Run one operation."""
        if self._lock.is_locked:
            yield
            return
        try:
            with self._turn.acquire(timeout=_LONGEST_OPERATION, poll_interval=_POLL):
                self._lock.acquire(timeout=_LONGEST_OPERATION, poll_interval=_POLL)
        except Timeout as error:
            raise busy(_LONGEST_OPERATION) from error
        except OSError as error:
            raise _unwritable(self._path, error) from error
        try:
            yield
        finally:
            self._lock.release()


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot write to {path.parent}: {error.strerror or error}")
