"""Runs of whole processes: how long they take, how much memory they hold at most."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_PROJECT = Path(__file__).parents[2]
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_COMMAND = "from assistant.cli.main import main; main()"


class Finished(NamedTuple):
    """A process that ended well: seconds by the clock, peak resident memory in bytes, its stdout."""

    seconds: float
    peak_bytes: int
    stdout: str


def assistant(arguments: Sequence[str], *, home: Path) -> Finished:
    """Run one ``assistant`` command in a home of its own."""
    return python(_COMMAND, *arguments, home=home)


def python(code: str, *arguments: str, home: Path) -> Finished:
    """Run a line of Python in a new process, with default settings but for the home.

    Raises:
        RuntimeError: if the process fails.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")
    }
    environment |= {"ASSISTANT_HOME": os.fspath(home), "PYTHONPATH": os.fspath(_PROJECT)}
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, cwd=home.parent,
        )  # fmt: skip
        # Popen.wait() would not say how much memory this one process took.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            stderr.seek(0)
            said = stderr.read().decode(errors="replace").strip()
            command = " ".join(arguments) or code
            raise RuntimeError(f"{command} failed with exit code {process.returncode}: {said}")
        stdout.seek(0)
        return Finished(seconds, usage.ru_maxrss * _MAXRSS_UNIT, stdout.read().decode())


@contextmanager
def server(module: str, *arguments: str) -> Iterator[str]:
    """Run a module of the project that serves until it is ended; give the line it says first."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-m", module, *arguments], cwd=_PROJECT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.kill()
