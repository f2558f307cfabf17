"""A local Chroma's folder, made safe for several processes.

Chroma's folder does not bear two processes. A client reads the index files once and replays Chroma's log
on top; it may write those files while it does, it never sees what another process adds later, and a
process killed while it writes them leaves files that the next one cannot load, or that crash it. So:

- each operation that may write, opening included, holds a lock of the folder, for milliseconds;
- while it runs, a marker beside the folder says what the index files looked like before. If the marker is
  still there when the lock is free and the files differ by now, they are of no use any more;
- a record beside the folder says how large the index files are, since a shortened one crashes Chroma.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import ClassVar

from assistant.store.disk import is_full
from assistant.store.lock import OperationLock

_UNUSABLE = "unusable"


class Folder:
    """The folder, its lock and its marker; ``path`` need not exist."""

    _names_in_use: ClassVar[set[str]] = set()
    _names_mutex: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, home: Path) -> None:
        self.path = home / "chroma"
        self.database = self.path / "chroma.sqlite3"
        self._lock = OperationLock(home / "chroma.lock")
        self._marker = home / "chroma.writing"
        self._record = home / "chroma.files"
        self._name = ""

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other processes out; nesting is fine."""
        with self._lock.hold():
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Run one operation; what it leaves half done is found by :meth:`is_interrupted`."""
        with self.exclusively():
            outermost = not self._marker.exists()
            if outermost:
                _write(self._marker, self._files())
            yield
            if outermost:
                self.complete()

    def is_interrupted(self) -> bool:
        """Tell whether the index files were left half written; ask :meth:`exclusively`."""
        try:
            before = self._marker.read_text(encoding="utf-8")
        except OSError:
            return False
        # Chroma's SQLite file rolls back by itself, so that untouched index files are good.
        return before != self._files()

    def is_sound(self) -> bool:
        """Tell whether all is there that the last operation left; ask :meth:`exclusively`."""
        try:
            complete = self._record.read_text(encoding="utf-8") == self._sizes()
        except OSError:
            complete = True  # nothing was written down yet
        return complete and self.database.exists() and not self.is_interrupted()

    def empty(self) -> None:
        """Delete all; until :meth:`complete` is called, what is built instead counts as half done."""
        _write(self._marker, _UNUSABLE)
        shutil.rmtree(self.path, ignore_errors=True)

    def complete(self) -> None:
        """Declare that nothing is half done."""
        _write(self._record, self._sizes())
        self._marker.unlink(missing_ok=True)

    def is_full(self) -> bool:
        """Tell whether there is no room left on the disk."""
        return is_full(self.path.parent)

    def take_name(self) -> str:
        """Return a spelling of the path that nothing else in this process has open.

        Chroma shares one client among all who name a folder alike, so that it could not be reopened
        while another store of the same home has it open.
        """
        with self._names_mutex:
            names = (f"{self.path}{os.sep * times}" for times in count())
            self._name = next(name for name in names if name not in self._names_in_use)
            self._names_in_use.add(self._name)
            return self._name

    def give_name_back(self) -> None:
        """Say that nothing is open any more under the name taken."""
        with self._names_mutex:
            self._names_in_use.discard(self._name)

    def _files(self) -> str:
        """Describe the index files; each collection has its own folder of them."""
        return (
            "\n".join(f"{path} {path.stat().st_mtime_ns}" for path in self._paths()) + self._sizes()
        )

    def _sizes(self) -> str:
        return "\n".join(
            f"{path.relative_to(self.path)} {path.stat().st_size}" for path in self._paths()
        )

    def _paths(self) -> list[Path]:
        return sorted(self.path.glob("*/*"))


def _write(path: Path, content: str) -> None:
    """Write a file wholly or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)
