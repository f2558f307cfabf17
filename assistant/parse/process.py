"""Processes that hostile files are opened in: no secrets, no way back but a pipe, an end at any moment."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_PASSED_ON = ("PATH", "LANG", "LC_", "TMPDIR", "PYTHON", "COVERAGE_")
"""Beginnings of the variables that such a process gets to see; a secret is in none of them."""


def start(main: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a process of our own code that is spoken to over unbuffered pipes.

    Args:
        main: the Python to run: an import, and a call.
        arguments: what the process finds in ``sys.argv``.

    Raises:
        OSError: if no process can be started.
    """
    return subprocess.Popen(  # noqa: S603 - our own module
        # -P and -c: neither the working folder nor a module of that name gets imported.
        [sys.executable, "-P", "-c", main, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=tempfile.gettempdir(),
        env=_environment(),
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, and those it may have started; others may be waiting for it."""
    # Not once it has been waited for: its number may be another's by then.
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and release its pipes; nobody may be waiting for a reply."""
    stop(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _environment() -> dict[str, str]:
    """What our code needs to run, the import path included, and no secrets."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    return passed | {
        "HOME": tempfile.gettempdir(),
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry),
        # A thread's stack and heap are address space, which is limited.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }
