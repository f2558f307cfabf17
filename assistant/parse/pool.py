"""PDFs to documents in worker processes, so that a hostile file costs one worker, never the app."""

import hashlib
import importlib
import os
import queue
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from pydantic import ValidationError

from assistant.errors import PdfError, StorageError, UnavailableError
from assistant.parse import process
from assistant.parse.cache import DocumentCache
from assistant.parse.scans import unread
from assistant.parse.worker import MAX_MESSAGE, Limits, Reply, Request, encode
from assistant.records import Document
from assistant.text import one_line

READER = "assistant.parse:read_pdf"

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_MAX_REPLY = 65_536  # bytes
_FILES_PER_WORKER = 200  # then a fresh one takes over: leaks and fragments stay small
_MAIN = "from assistant.parse.worker import main; main()"


class Parsed(NamedTuple):
    """A PDF and what became of it."""

    path: Path
    outcome: Document | PdfError


class ParserPool:
    """Reads PDFs in worker processes and keeps what was read; for use by many threads.

    A worker starts when the first PDF needs it. What was read once comes from the cache.

    Args:
        folder: of the cache.
        workers: how many PDFs are read at a time.
        limits: what reading one PDF may take.
        target: dotted name of the reader, ``module:function``; it is called with the path and
            ``max_pages``, and its module's ``VERSION`` keeps documents of other versions apart.
        scans: reads PDFs in which this one finds scanned pages; it is closed with this one.
        missing: what to do before this reader can read; till then there is only what was read before.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        target: str = READER,
        scans: "ParserPool | None" = None,
        missing: str | None = None,
    ) -> None:
        version = importlib.import_module(target.partition(":")[0]).VERSION
        self._cache = DocumentCache(
            folder, version=f"{version}-{limits.pages}", max_bytes=limits.output_bytes
        )
        self._scans = scans
        self._missing = missing
        self._workers = workers
        self._limits = limits
        self._target = target
        self._scratch = tempfile.TemporaryDirectory(prefix="paper-assistant-")
        self._slots: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._slots.put(None)
        self._started: set[_Worker] = set()
        self._mutex = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers, also those that are reading."""
        if self._scans is not None:
            self._scans.close()
        with self._mutex:
            self._closed = True
            for worker in self._started:
                worker.stop()
        # Who was reading finds the worker dead and hands it back.
        with suppress(queue.Empty):
            for _ in range(self._workers):
                if (idle := self._slots.get(timeout=_STOP_SECONDS)) is not None:
                    self._end(idle)
        for _ in range(self._workers):
            self._slots.put(None)  # for those who still wait for one
        self._scratch.cleanup()

    def parse(self, path: Path) -> Document:
        """Read a PDF; blocks while all workers are busy.

        Raises:
            PdfError: if there is no text to be had: the file is damaged, encrypted or scanned, goes
                over a limit, or crashes the reader. The message does not name the file.
            StorageError: if the cache cannot be written.
            UnavailableError: if no worker can be started.
        """
        document = self._parse(path)
        if document.scanned and self._scans is not None:
            document = self._read_scans(self._scans, path, document)
        if not document.text:
            raise PdfError("is a scan or a picture, in which text recognition finds no words")
        return document

    def _read_scans(self, scans: "ParserPool", path: Path, document: Document) -> Document:
        """Read a PDF with its scanned pages; where that fails, as far as it has been read.

        Where another try may read them, its scanned pages go on being named as such.
        """
        try:
            return scans._parse(path)  # noqa: SLF001 - of this class
        except StorageError:
            raise
        except (PdfError, UnavailableError) as error:
            if self._closed:
                raise
            for_good = isinstance(error, PdfError) and not isinstance(error, _PassingError)
            reason = f"text recognition fails: {'it ' if for_good else ''}{error}"
            if isinstance(error, _MissingError):
                reason = str(error)
            if not document.text:
                raise PdfError(f"is a scan or a picture, and holds no text: {reason}") from error
            return document.model_copy(
                update={
                    "unread": unread(document.scanned, reason),
                    "scanned": () if for_good else document.scanned,
                }
            )

    def _parse(self, path: Path) -> Document:
        digest = self._digest(path)
        if (document := self._cache.get(digest)) is not None:
            return document
        if self._missing:
            raise _MissingError(self._missing)
        worker = self._slots.get()
        try:
            worker = self._willing(worker)
            return self._read(path.absolute(), digest, worker)
        except _UsedUpError:
            # The worker had read other files before: only a fresh one tells whose fault it is.
            worker = self._willing(worker)
            return self._read(path.absolute(), digest, worker)
        finally:
            self._slots.put(worker)

    def parse_all(self, paths: Iterable[Path]) -> Iterator[Parsed]:
        """Read PDFs side by side; each is handed over when it is done, so not in order.

        Raises:
            StorageError: if the cache cannot be written.
            UnavailableError: if no worker can be started.
        """
        remaining = iter(paths)
        pending: set[Future[Parsed]] = set()
        executor = ThreadPoolExecutor(self._workers, thread_name_prefix="parse")
        try:
            while True:
                # No further ahead than this: documents that nobody has taken yet fill the memory.
                for path in islice(remaining, 2 * self._workers - len(pending)):
                    pending.add(executor.submit(self._try, path))
                if not pending:
                    return
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                while done:
                    yield done.pop().result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _try(self, path: Path) -> Parsed:
        try:
            return Parsed(path, self.parse(path))
        except PdfError as error:
            return Parsed(path, error)

    def _digest(self, path: Path) -> str:
        """Hash the file, in hex, refusing one that is too large before reading it."""
        try:
            if not path.is_file():
                raise PdfError("is not a file: name a PDF")
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > self._limits.file_bytes:
                    raise PdfError(
                        f"is over {self._limits.file_bytes // 1_000_000} MB: too large to read"
                    )
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise PdfError(f"cannot be opened: {error.strerror or error}") from error

    def _willing(self, worker: "_Worker | None") -> "_Worker":
        """Return the worker if it can read one more file, else a fresh one in its place."""
        if worker is not None and worker.can_go_on:
            return worker
        if worker is not None:
            self._end(worker)
        with self._mutex:
            if self._closed:
                raise _closed()
            fresh = _Worker(self._target, self._limits)
            self._started.add(fresh)
        try:
            fresh.wait_until_ready()
        except BaseException:
            self._end(fresh)
            raise
        return fresh

    def _end(self, worker: "_Worker") -> None:
        with self._mutex:
            self._started.discard(worker)
        worker.kill()

    def _read(self, path: Path, digest: str, worker: "_Worker") -> Document:
        """Let the worker read the file, and keep what it makes of it."""
        output = Path(self._scratch.name) / f"{threading.get_ident()}.json"
        fresh = worker.files == 0
        try:
            reply = worker.ask(Request(path=encode(path), output=encode(output)))
            match reply.kind:
                case "done":
                    return self._keep(digest, output)
                case "refused":
                    self._cache.note_failure(digest, reply.message)
                    raise PdfError(reply.message)
                case "failed":
                    raise _PassingError(reply.message)
                case "memory" if fresh:
                    raise PdfError(
                        f"needs more than the {self._limits.memory_bytes // 1_000_000} MB of memory"
                        " that reading a PDF may take"
                    )
                case "memory":
                    raise _UsedUpError
                case _:
                    raise StorageError(f"cannot write to {output.parent}: {reply.message}")
        except _CrashError as crash:
            if self._closed:
                raise _closed() from crash
            if not fresh:
                raise _UsedUpError from crash
            raise PdfError(f"crashes the PDF reader, which {crash}") from crash
        finally:
            output.unlink(missing_ok=True)

    def _keep(self, digest: str, output: Path) -> Document:
        """Check what a worker wrote before trusting it, and put it into the cache."""
        try:
            with output.open("rb") as file:
                content = file.read(self._limits.output_bytes + 1)
            document = self._cache.check(content)
        except (OSError, ValueError) as error:
            raise PdfError(
                f"cannot be read: what the reader made of it {one_line(str(error), MAX_MESSAGE)}"
            ) from error
        self._cache.put(digest, content)
        return document


def _closed() -> UnavailableError:
    return UnavailableError("the PDF reader has been closed: open the library again")


class _MissingError(UnavailableError):
    """The reader is not installed."""


class _PassingError(PdfError):
    """A PDF could not be read, which may be another time: nothing was found wrong with it."""


class _UsedUpError(Exception):
    """A worker that had read other files failed on one more."""


class _CrashError(Exception):
    """A worker is gone, or does not keep to the protocol."""


class _Worker:
    """A worker process and the pipes to it. Any failure ends it."""

    def __init__(self, target: str, limits: Limits) -> None:
        self._seconds = limits.seconds
        self._busy = False
        self.files = 0
        try:
            self._process = process.start(_MAIN, target, limits.model_dump_json())
        except OSError as error:
            raise UnavailableError(
                f"the PDF reader cannot be started: {error.strerror or error}"
            ) from error

    @property
    def can_go_on(self) -> bool:
        """Whether it is alive, idle, and has not read too much yet."""
        if self._busy or self.files >= _FILES_PER_WORKER or self._process.poll() is not None:
            return False
        return not self._can_read(0.0)

    def wait_until_ready(self) -> None:
        """Wait until it has loaded the reader. Raises ``UnavailableError`` if it cannot."""
        try:
            reply = self._receive(_START_SECONDS)
        except (_CrashError, PdfError) as error:
            raise UnavailableError(f"the PDF reader does not start: it {error}") from error
        if reply.kind != "ready":
            raise UnavailableError(f"the PDF reader does not start: {reply.message}")

    def ask(self, request: Request) -> Reply:
        """Hand over a file. Raises ``PdfError`` when its time is over, or ``_CrashError``."""
        assert self._process.stdin is not None
        self.files += 1
        self._busy = True  # also if Ctrl-C comes in between, when a reply to this would still come
        try:
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise _CrashError(self._cause()) from error
        reply = self._receive(self._seconds)
        self._busy = False
        return reply

    def stop(self) -> None:
        """End the process, and those it may have started."""
        process.stop(self._process)

    def kill(self) -> None:
        """End the process and release what belongs to it; nobody may be waiting for a reply."""
        process.end(self._process)

    def _receive(self, seconds: float) -> Reply:
        """Read one line within the time; a worker that does not keep to that is of no more use."""
        try:
            received = self._receive_line(seconds)
            reply = Reply.model_validate_json(received)
        except ValidationError as error:
            self.kill()
            raise _CrashError("wrote nonsense") from error
        except BaseException:
            self.kill()
            raise
        if reply.kind == "memory":
            self.kill()
        return reply

    def _receive_line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        stream, end, received = self._process.stdout, time.monotonic() + seconds, b""
        while not received.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not self._can_read(left):
                raise PdfError(f"takes more than {seconds:g} s to read")
            block = os.read(stream.fileno(), _MAX_REPLY)
            received += block
            if not block:
                raise _CrashError(self._cause())
            if len(received) > _MAX_REPLY:
                raise _CrashError("wrote too much")
        return received

    def _can_read(self, seconds: float) -> bool:
        """Wait for output, or for its end."""
        assert self._process.stdout is not None
        poller = select.poll()  # select() cannot watch descriptors above 1023
        poller.register(self._process.stdout, select.POLLIN)
        return bool(poller.poll(1000 * seconds))

    def _cause(self) -> str:
        """Say how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        code = self._process.returncode
        if code is None:
            return "closed its pipes"
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name
        # An allocator that gets no memory aborts; a system that has none left kills.
        memory = name in {"SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL"}
        return f"ended with {name}" + (", maybe for want of memory" if memory else "")
