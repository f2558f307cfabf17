"""A page of a PDF as a picture with places marked on it, drawn in a process of its own.

The process is used once and held to limits as those that read PDFs are. The next one is started ahead,
so that nobody waits for its start but the first.
"""

import hashlib
import json
import os
import select
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from assistant.errors import PdfError, StorageError, UnavailableError
from assistant.parse import process
from assistant.parse.worker import (
    MAX_MESSAGE,
    Limits,
    Reply,
    describe,
    encode,
    restrict,
    send,
    silence,
)
from assistant.records import Box, Record
from assistant.text import one_line

VERSION = "page-1"
"""Changes whenever the same page may give another picture."""

LIMITS = Limits(seconds=15.0, memory_bytes=1_000_000_000, output_bytes=30_000_000)

_SCALE = 2.0  # pixels per point
_MOST_PIXELS = 2400  # of the longer side
_MARK = (255, 213, 79)
_MARGIN = 1.5  # points that a mark reaches beyond its box
_MOST_PICTURES = 500
_MOST_BOXES = 500
_MAX_REPLY = 65_536  # bytes
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAIN = "from assistant.parse.render import main; main()"


class Drawing(Record):
    """Draw page ``page`` (from 1) of the PDF at ``path`` into ``output``; both paths in hex."""

    path: str
    page: int
    boxes: tuple[Box, ...]
    output: str


class PageDrawer:
    """Draws pages and keeps the pictures; for use by many threads.

    Args:
        folder: where the pictures are kept.
        limits: what drawing one page may take.
    """

    def __init__(self, folder: Path, *, limits: Limits = LIMITS) -> None:
        self._folder = folder
        self._limits = limits
        self._mutex = threading.Lock()
        self._spare: _Process | None = None
        self._closed = False

    def draw(self, pdf: Path, *, sha256: str, page: int, boxes: Sequence[Box]) -> bytes:
        """Return a page as PNG with the boxes that lie on it marked.

        Args:
            pdf: the file.
            sha256: of its content, in hex.
            page: counted from 1.
            boxes: in PDF points; those of other pages are ignored.

        Raises:
            PdfError: if the page cannot be drawn. The message does not name the file.
            StorageError: if the picture cannot be kept.
            UnavailableError: if the process cannot be started.
        """
        marked = tuple(box for box in boxes if box.page == page)[:_MOST_BOXES]
        places = json.dumps([box.model_dump() for box in marked])
        name = hashlib.sha256(f"{VERSION} {page} {places}".encode()).hexdigest()
        picture = self._folder / f"{sha256}-{name}.png"
        with suppress(OSError):
            content = picture.read_bytes()
            if content.startswith(_SIGNATURE):
                return content
        return self._draw(pdf.absolute(), page, marked, picture)

    def close(self) -> None:
        """End the process that stands by."""
        with self._mutex:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.end()

    def _draw(self, pdf: Path, page: int, boxes: tuple[Box, ...], picture: Path) -> bytes:
        process = self._take()
        output = self._fresh_file()
        try:
            drawing = Drawing(path=encode(pdf), page=page, boxes=boxes, output=encode(output))
            _check(process.ask(drawing, self._limits.seconds), self._limits)
            return self._keep(output, picture)
        finally:
            process.end()
            output.unlink(missing_ok=True)
            self._stand_by()

    def _take(self) -> "_Process":
        with self._mutex:
            spare, self._spare = self._spare, None
        return spare or _Process(self._limits)

    def _stand_by(self) -> None:
        """Start the process that the next picture will be drawn in."""
        with self._mutex, suppress(UnavailableError):  # who needs it will be told
            if self._spare is None and not self._closed:
                self._spare = _Process(self._limits)

    def _fresh_file(self) -> Path:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="new-", dir=self._folder)
        except OSError as error:
            raise StorageError(
                f"cannot write to {self._folder}: {error.strerror or error}"
            ) from error
        os.close(handle)
        return Path(name)

    def _keep(self, output: Path, picture: Path) -> bytes:
        """Check what the process drew before showing it to anyone."""
        with output.open("rb") as file:
            content = file.read(self._limits.output_bytes + 1)
        if not content.startswith(_SIGNATURE) or len(content) > self._limits.output_bytes:
            raise PdfError("cannot be drawn: what came of it is no picture")
        with suppress(OSError):  # it is shown all the same
            output.replace(picture)
            self._drop_oldest()
        return content

    def _drop_oldest(self) -> None:
        pictures = list(self._folder.glob("*.png"))
        if len(pictures) > _MOST_PICTURES:
            pictures.sort(key=lambda path: path.stat().st_mtime)
            for path in pictures[: len(pictures) // 2]:
                path.unlink(missing_ok=True)


class _Process:
    """The process and its pipes."""

    def __init__(self, limits: Limits) -> None:
        try:
            self._process = process.start(_MAIN, limits.model_dump_json())
        except OSError as error:
            raise UnavailableError(
                f"pages cannot be drawn: no process starts ({error.strerror or error})"
            ) from error

    def ask(self, drawing: Drawing, seconds: float) -> Reply:
        """Hand over a page and wait for what becomes of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(drawing.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise PdfError("cannot be drawn: the process that draws is gone") from error
        poller = select.poll()
        poller.register(self._process.stdout, select.POLLIN)
        if not poller.poll(1000 * seconds):
            raise PdfError(f"takes more than {seconds:g} s to draw")
        try:
            return Reply.model_validate_json(
                os.read(self._process.stdout.fileno(), _MAX_REPLY) or b""
            )
        except ValidationError as error:
            raise PdfError("cannot be drawn: it crashes what draws it") from error

    def end(self) -> None:
        """End the process and release its pipes."""
        process.end(self._process)


def _check(reply: Reply, limits: Limits) -> None:
    match reply.kind:
        case "done":
            return
        case "memory":
            raise PdfError(
                f"needs more than the {limits.memory_bytes // 1_000_000} MB of memory that drawing a"
                " page may take"
            )
        case "storage":
            raise StorageError(f"cannot keep the picture of a page: {reply.message}")
        case _:
            raise PdfError(reply.message)


def main() -> None:
    """Draw one page as asked on standard input, and end."""
    replies, requests = os.dup(1), os.dup(0)
    silence()
    try:
        limits = Limits.model_validate_json(sys.argv[1])
        restrict(limits)
        import PIL.PngImagePlugin  # noqa: F401 - loaded before anyone waits for it
        import pypdfium2  # noqa: F401 - the same
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be told
        send(replies, Reply(kind="unable", message=describe(error)))
        return
    with os.fdopen(requests, "rb") as stream:
        line = stream.readline()
    if not line:
        return  # nobody needed it
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    send(replies, _serve(Drawing.model_validate_json(line)))


def _serve(drawing: Drawing) -> Reply:
    path, output = (
        Path(os.fsdecode(bytes.fromhex(code))) for code in (drawing.path, drawing.output)
    )
    try:
        _paint(path, drawing.page, drawing.boxes, output)
    except MemoryError:
        return Reply(kind="memory")
    except OSError as error:
        return Reply(kind="storage", message=one_line(error.strerror or str(error), MAX_MESSAGE))
    except PdfError as error:
        return Reply(kind="refused", message=one_line(str(error), MAX_MESSAGE))
    except Exception as error:  # noqa: BLE001 - a hostile file may raise anything
        return Reply(kind="refused", message=f"cannot be drawn: {describe(error)}")
    return Reply(kind="done")


def _paint(path: Path, number: int, boxes: Sequence[Box], output: Path) -> None:
    import pypdfium2
    from PIL import Image, ImageChops, ImageDraw

    pdf = pypdfium2.PdfDocument(path)
    if not 1 <= number <= len(pdf):
        raise PdfError(f"has no page {number}: it has {len(pdf)}")
    page = pdf[number - 1]
    width, height = page.get_size()
    scale = min(_SCALE, _MOST_PIXELS / max(width, height, 1.0))
    picture = page.render(scale=scale, no_smoothpath=False).to_pil().convert("RGB")
    if boxes:
        marks = Image.new("RGB", picture.size, "white")
        draw = ImageDraw.Draw(marks)
        for box in boxes:
            draw.rounded_rectangle(
                (
                    scale * (box.x0 - _MARGIN),
                    scale * (height - box.y1 - _MARGIN),
                    scale * (box.x1 + _MARGIN),
                    scale * (height - box.y0 + _MARGIN),
                ),
                radius=2 * scale,
                fill=_MARK,
            )
        picture = ImageChops.multiply(picture, marks)
    picture.save(output, format="PNG", compress_level=2)
