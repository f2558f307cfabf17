"""Ctrl-C ends every wait for a model, also when it comes just before the wait begins."""

import subprocess
import sys

import pytest

WAITS = {
    "a reply": "Stop().run(asyncio.sleep(60))",
    "a piece of one": "next(Stop().read(pieces()))",
    "replies side by side": "list(in_parallel(lambda _item, _stop: time.sleep(60), [1], workers=1))",
    "results as they come": "list(as_completed(time.sleep, [60], workers=2))",
    "another try": "Stop().sleep(60)",
    "words looked up": "with beside(lambda: time.sleep(60)) as result: result()",
    "a case of a run": "list(in_time(lambda _item, stop: stop.wait(60), [1], workers=1, seconds=60))",
}

# A signal that comes before a thread waits does not wake it: as here, where another thread takes it.
PROCESS = """
import asyncio, os, signal, sys, threading, time
from assistant.models.parallel import as_completed, beside, in_parallel
from assistant.models.stop import Stop
from eval.runs.in_time import in_time

async def pieces():
    await asyncio.sleep(60)
    yield "late"

def press():
    time.sleep(0.3)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
threading.Thread(target=press, daemon=True).start()
try:
    WAIT
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_it_is_seen_while_something_is_waited_for(wait: str) -> None:
    code = PROCESS.replace("WAIT", wait)
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 130
