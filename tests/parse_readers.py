"""Readers of PDFs that misbehave as the name of the file says; the parser pool's tests run them."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from assistant.errors import PdfError, UnavailableError
from assistant.records import Block, Document

VERSION = "test"


def read(path: Path, *, max_pages: int) -> Document:
    behaviour = globals().get(path.stem.partition("-")[0])
    text = behaviour(path) if behaviour is not None else None
    text = text or path.read_text(encoding="utf-8")
    return Document(
        text=text,
        blocks=(Block(kind="text", start=0, end=len(text)),),
        lines=(),
        pages=((612.0, 792.0),),
        title=f"{max_pages} pages, read by {os.getpid()}",
    )


def hang(_: Path) -> None:
    time.sleep(600)


def spin(_: Path) -> None:
    """Never let go of the interpreter: no other thread gets to run."""
    import re

    re.match(r"(a*)*b", "a" * 60)


def segfault(_: Path) -> None:
    ctypes.string_at(0)


def abort(_: Path) -> None:
    os.abort()


def leave(_: Path) -> None:
    sys.exit("on purpose")


def eat(_: Path) -> None:
    """Ask for more at once than a reader may have: that fails whatever else the machine does."""
    bytearray(700_000_000)


def hoard(_: Path) -> None:
    """Keep memory after the file is done, as a library that leaks does."""
    HOARDED.append(bytearray(200_000_000))


HOARDED: list[bytearray] = []


def refuse(_: Path) -> None:
    raise PdfError("has no text: \x1b[31mit is\na scan")


def fail(_: Path) -> None:
    raise ValueError("bad\r\n\x1b[2Jxref")


def lack(_: Path) -> None:
    raise ImportError("No module named 'cv3'")


def jam(_: Path) -> None:
    raise UnavailableError("text recognition does not start: its models are gone")


def recurse(path: Path) -> None:
    recurse(path)


def flood(_: Path) -> None:
    """Print, as a library may, and write to every pipe there is."""
    sys.stdout.write("noise " * 100_000)
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"x" * 60_000)
            os.write(descriptor, b"x" * 60_000)
        except OSError:
            continue


def babble(_: Path) -> None:
    """Write half a reply, and nothing more."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'{"kind": ')
        except OSError:
            continue
    time.sleep(600)


def stop(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def swell(_: Path) -> str:
    return "long " * 400_000


def secrets(_: Path) -> str:
    return "\n".join(f"{name}={value}" for name, value in os.environ.items())


def read_lies(path: Path, *, max_pages: int) -> Document:
    """Make a document that contradicts itself."""
    return Document(
        text="abc",
        blocks=(Block(kind="text", start=2, end=900),),
        lines=(),
        pages=(),
        title=f"{path.name}, {max_pages} pages",
    )


def read_scan(path: Path, *, max_pages: int) -> Document:
    """Find that a PDF is scanned: all of it, but for one page of it, or not at all, as its name says."""
    text = "" if path.stem.endswith("whole") else path.read_text(encoding="utf-8")
    return Document(
        text=text,
        blocks=(),
        lines=(),
        pages=((612.0, 792.0),) * 3,
        scanned=() if path.stem.endswith("text") else (2, 3),
    )
