"""Lines of a file that may be huge, wrongly encoded or no text: numbered, in bounded memory."""

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assistant.errors import SourceError

MAX_LINE_BYTES = 10_000_000
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_LINE_END = re.compile(rb"\r\n|\r|\n")


class Line(NamedTuple):
    """One line, counted from 1. Where it cannot be read, ``problem`` says why and text is empty."""

    number: int
    text: str
    problem: str | None = None


def read_lines(blocks: Iterable[bytes], *, limit: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """Split blocks of bytes into lines; at most ``limit`` bytes of a line are ever held.

    Byte order marks are dropped, UTF-16 is recognised by its own, and lines end in LF, CR LF or CR.
    Raises ``SourceError`` for UTF-16 that breaks off, where nothing after it can be trusted.
    """
    held = bytearray()
    number, dropped, after_cr = 1, False, False
    for block in _utf8(blocks):
        # A CR LF that two blocks share ended its line at the CR.
        rest = block[1:] if after_cr and block.startswith(b"\n") else block
        after_cr = block.endswith(b"\r")
        *ended, open_part = _LINE_END.split(rest)
        for part in ended:
            yield _line(number, held + part, limit, dropped=dropped)
            held.clear()
            number, dropped = number + 1, False
        dropped = dropped or len(held) + len(open_part) > limit
        held = bytearray() if dropped else held + open_part
    if held or dropped:
        yield _line(number, held, limit, dropped=dropped)


def _line(number: int, raw: bytearray, limit: int, *, dropped: bool) -> Line:
    if dropped or len(raw) > limit:
        return Line(number, "", f"the line is longer than {limit:,} bytes: split it, or drop it")
    if b"\0" in raw:
        return Line(number, "", "the line holds NUL bytes: this is binary data, not text")
    try:
        return Line(number, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        bad = raw[error.start]
        where = f"byte 0x{bad:02x} at offset {error.start} of the line"
        return Line(number, "", f"{where} is not UTF-8: save the file as UTF-8")


def _utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Drop a byte order mark, and recode UTF-16 that begins with one."""
    stream = iter(blocks)
    first = next(stream, b"")
    if first.startswith(UTF16_MARKS):
        yield from _recoded(first, stream)
        return
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from stream


def _recoded(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        yield decoder.decode(first).encode()
        for block in rest:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise SourceError("is not valid UTF-16: save the file as UTF-8") from error
