"""Items made ahead of who takes them: in order, not too many, and never waited for in vain."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, islice

import pytest

from assistant.ingest.ahead import ahead


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_they_come_in_order() -> None:
    assert list(ahead(range(50), most=3)) == list(range(50))


def test_they_are_made_while_nobody_asks_but_not_too_many() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    taken = ahead(items(), most=3)
    assert next(taken) == 0
    wait_for(lambda: len(made) == 5)  # one was taken, three wait, one has no room
    time.sleep(0.1)
    assert len(made) == 5
    taken.close()


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    taken = ahead(items(), most=3)
    assert next(taken) == 1
    with pytest.raises(ValueError, match="no more"):
        next(taken)


def test_closing_ends_the_thread() -> None:
    before = threading.active_count()
    taken = ahead(count(), most=2)
    assert list(islice(taken, 3)) == [0, 1, 2]

    taken.close()

    wait_for(lambda: threading.active_count() == before)


# A signal that comes before a thread waits does not wake it: as here, where another thread takes it.
PROCESS = """
import os, signal, sys, threading, time
from assistant.ingest.ahead import ahead

def press():
    time.sleep(0.3)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.kill(os.getpid(), signal.SIGINT)

def items():
    yield time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
threading.Thread(target=press, daemon=True).start()
try:
    list(ahead(items(), most=2))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_is_seen_and_does_not_wait() -> None:
    assert (
        subprocess.run([sys.executable, "-c", PROCESS], timeout=30, check=False).returncode == 130
    )
