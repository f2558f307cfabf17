"""A worker process: reads one PDF after another, within limits that the kernel holds it to.

The pool starts it, writes one JSON line for each PDF to its standard input and gets one JSON line back;
the document itself goes into a file. A PDF is hostile until read: one that crashes, hangs or fills the
memory costs this process and nothing else.
"""

import ctypes
import errno
import importlib
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from assistant.errors import PdfError, UnavailableError
from assistant.records import Document, Record
from assistant.text import one_line

_GRACE = 5.0  # seconds after which the kernel ends a worker whose pool is gone
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
MAX_MESSAGE = 500
"""Characters of a text from outside that a message has room for."""


class Limits(Record):
    """What reading one PDF may take: seconds, bytes of address space, pages, bytes in and out."""

    seconds: float = 120.0
    memory_bytes: int = 1_000_000_000
    pages: int = 1000
    file_bytes: int = 200_000_000
    output_bytes: int = 200_000_000


class Request(Record):
    """Read the PDF at ``path``; write the document's JSON to ``output``. Both are :func:`encode` d."""

    path: str
    output: str


class Reply(Record):
    """What became of a request. ``message`` is one line; it is empty when all went well.

    ``ready`` comes once, before the first request. ``refused`` is for good, ``failed`` is for now;
    ``memory`` and ``storage`` are what it ran out of, ``unable`` is a worker that cannot work at all.
    """

    kind: Literal["ready", "done", "refused", "failed", "memory", "storage", "unable"]
    message: str = ""


def main() -> None:
    """Serve until the pool closes standard input. Arguments: the reader's dotted name, the limits."""
    replies = os.dup(1)
    requests = os.dup(0)
    silence()
    try:
        limits = Limits.model_validate_json(sys.argv[2])
        restrict(limits)
        read = _load(sys.argv[1])
    except Exception as error:  # noqa: BLE001 - whatever it is, the pool must hear of it
        send(replies, Reply(kind="unable", message=describe(error)))
        return
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, lines), daemon=True).start()
    send(replies, Reply(kind="ready"))
    while (line := lines.get()) is not None:
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + _GRACE)
        reply = _serve(Request.model_validate_json(line), read, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(replies, reply)


def encode(path: Path) -> str:
    """Write a path in hex: it may hold bytes that are no text."""
    return os.fsencode(path).hex()


def _serve(request: Request, read: Callable[..., Document], limits: Limits) -> Reply:
    path, output = (
        Path(os.fsdecode(bytes.fromhex(code))) for code in (request.path, request.output)
    )
    try:
        content = read(path, max_pages=limits.pages).model_dump_json()
    except PdfError as error:
        return Reply(kind="refused", message=one_line(str(error), MAX_MESSAGE))
    except MemoryError:
        return Reply(kind="memory")
    except UnavailableError as error:
        return Reply(kind="failed", message=one_line(str(error), MAX_MESSAGE))
    except (OSError, ImportError) as error:  # not the file's fault
        return Reply(kind="failed", message=f"cannot be read: {describe(error)}")
    except Exception as error:  # noqa: BLE001 - a hostile file may raise anything
        return Reply(kind="refused", message=f"cannot be read: {describe(error)}")
    try:
        output.write_text(content, encoding="utf-8")
    except OSError as error:
        if error.errno == errno.EFBIG:
            size = limits.output_bytes // 1_000_000
            return Reply(kind="refused", message=f"holds too much text: over {size} MB as read")
        return Reply(kind="storage", message=one_line(error.strerror or str(error), MAX_MESSAGE))
    return Reply(kind="done")


def describe(error: Exception) -> str:
    """Say in a line what kind of error it is, and what it says."""
    return one_line(f"{type(error).__name__}: {error}", MAX_MESSAGE).rstrip(": ")


def silence() -> None:
    """Keep what libraries print out of the replies."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def restrict(limits: Limits) -> None:
    """Give up what reading does not need: memory, large files, core dumps and the network."""
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS knows no limit of address space
            resource.setrlimit(kind, (value, value))
    if sys.platform == "linux":
        # A network of its own, with nothing in it; where the system grants none, the worker keeps
        # the common one. Root needs no name space of users, and would lose its access to files there.
        users = _CLONE_NEWUSER if os.geteuid() else 0
        ctypes.CDLL(None).unshare(users | _CLONE_NEWNET)


def _load(target: str) -> Callable[..., Document]:
    module, _, name = target.partition(":")
    read: Callable[..., Document] = getattr(importlib.import_module(module), name)
    return read


def _listen(requests: int, lines: "queue.SimpleQueue[bytes | None]") -> None:
    """Hand on requests; when the pool is gone, end this process even if it is busy.

    The kernel's parent-death signal would not do: it comes when the thread ends that started the
    worker, which is any thread of the pool's user.
    """
    with os.fdopen(requests, "rb") as stream:
        for line in stream:
            lines.put(line)
    lines.put(None)
    time.sleep(1.0)
    os._exit(1)


def send(replies: int, reply: Reply) -> None:
    """Write a reply to a pipe, as one line."""
    with suppress(OSError):  # the pool is gone; the listener ends this process
        os.write(replies, reply.model_dump_json().encode() + b"\n")
