"""The catalog's database: connections, transactions, migrations, the writer lock, errors translated."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from assistant.errors import (
    AssistantError,
    CatalogError,
    LibraryBusyError,
    SettingsError,
    StorageError,
)
from assistant.store import schema
from assistant.store.disk import is_full
from assistant.store.lock import busy, hold_writer_lock
from assistant.store.model import DOCTOR
from assistant.text import one_line

_MIGRATIONS = Path(__file__).with_name("migrations")
_BUSY_SECONDS = 30.0
_POLL = 0.2
_FULL = ("database or disk is full", "disk quota", "no space left")
_MAYBE_FULL = ("disk i/o error", "unable to open database file")
"""What SQLite says of a full disk where it cannot make the files beside its own, and of other things."""
_READ_ONLY = ("readonly database", "read-only", "unable to open database file")
_DAMAGED = ("not a database", "malformed", "no such table", "no such column", "corrupt", "decode")


class Database:
    """Transactions on the catalog's database, which is migrated before the first one.

    Args:
        home: the library's home.
        url: SQLAlchemy URL, or None for SQLite in the home.
        remains: a file that only a library with a catalog has; if it is there and the catalog is not,
            the catalog was lost and a new one would hide that.
    """

    def __init__(self, home: Path, url: str | None, *, remains: Path | None) -> None:
        self._home = home
        self._remains = remains
        self._ready = False
        self._mutex = threading.Lock()
        try:
            self.url = sa.make_url(url or f"sqlite:///{home / 'catalog.db'}")
            self._engine = self._create_engine()
        except (ArgumentError, ImportError) as error:
            raise SettingsError(
                f"ASSISTANT_DATABASE cannot be used: {one_line(str(error))}"
            ) from error

    @property
    def path(self) -> Path | None:
        """The database's file, if it is SQLite."""
        return Path(self.url.database) if self._is_sqlite and self.url.database else None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read one committed state of the catalog."""
        self._prepare()
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Change the catalog in one transaction; the caller holds :meth:`lock`."""
        self._prepare()
        with self._translated(), self._engine.connect() as connection:
            writer = connection.execution_options(immediate=True)
            with writer.begin():
                yield writer

    def lock(
        self, *, timeout: float, on_wait: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[None]:
        """Be the only writer on every machine that shares this database.

        Raises:
            LibraryBusyError: if another writer is not done in ``timeout`` seconds.
        """
        path = self.path
        if path is None:
            self._prepare()
            return self._row_lock(timeout, on_wait)
        return hold_writer_lock(
            path.with_name(path.name + ".lock"), timeout=timeout, on_wait=on_wait
        )

    def verify(self) -> None:
        """Look for damage that reading alone may not meet.

        Raises:
            CatalogError: if there is any.
        """
        with self.reading() as connection:
            if self._is_sqlite:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
                if found != "ok":
                    raise self._damaged(one_line(found))

    def set_aside(self) -> Path | None:
        """Move a damaged SQLite file out of the way, and return where it is now."""
        path = self.path
        self.close()
        if path is None or not path.exists():
            return None
        kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        for suffix in ("", "-wal", "-shm"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.replace(kept.with_name(kept.name + suffix))
        return kept

    def create_anew(self) -> None:
        """Create the tables although the remains of a library lie about."""
        self._remains = None

    def close(self) -> None:
        """Close all connections; the next transaction opens new ones."""
        self._engine.dispose()
        self._ready = False

    @property
    def _is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def _create_engine(self) -> sa.Engine:
        path = self.path
        if path is None:
            return sa.create_engine(self.url, pool_pre_ping=True)
        if _is_writable(path):
            engine = sa.create_engine(self.url, connect_args={"timeout": _BUSY_SECONDS})
        else:
            # Each transaction connects anew, since how to connect depends on who is writing just now.
            engine = sa.create_engine(
                "sqlite://", creator=lambda: _connect_read_only(path), poolclass=NullPool
            )
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _prepare(self) -> None:
        """Migrate the database before its first use."""
        with self._mutex:
            if self._ready:
                return
            with self._translated(), self._engine.connect() as connection:
                current = _revision(connection)
            if current != schema.HEAD:
                self._migrate()
            self._ready = True

    def _migrate(self) -> None:
        with self._translated(), self._engine.connect() as connection:
            writer = connection.execution_options(immediate=True)
            with writer.begin():
                current = _revision(writer)  # another process may have been quicker
                if current is None and self._remains is not None and self._remains.exists():
                    raise CatalogError(
                        f"the catalog of {self._home} is lost, its vectors are not: "
                        f"{DOCTOR} to rebuild it from them"
                    )
                if current != schema.HEAD:
                    _upgrade(writer)

    @contextmanager
    def _row_lock(self, timeout: float, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the row lock of a database server; the end of the connection releases it."""
        row = sa.select(schema.meta).where(schema.meta.c.key == "library")
        deadline = time.monotonic() + timeout
        with self._translated(), self._engine.connect() as connection:
            while True:
                try:
                    connection.execute(row.with_for_update(nowait=True))
                    break
                except OperationalError as error:
                    connection.rollback()
                    if time.monotonic() >= deadline:
                        raise busy(timeout) from error
                on_wait()
                on_wait = _nothing
                time.sleep(_POLL)
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            # A damaged file may be replaced by a repaired one; connections to it would not notice.
            self.close()
            raise self._explain(error) from error

    def _explain(self, error: SQLAlchemyError) -> AssistantError:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        said = one_line(str(cause))
        lowered = said.lower()
        place = self.path.parent if self.path else self._home
        out_of_room = self.path and any(sign in lowered for sign in _MAYBE_FULL) and is_full(place)
        if out_of_room or any(sign in lowered for sign in _FULL):
            return StorageError(
                f"no space left for {place}: free some and run the command again; nothing is lost"
            )
        if any(sign in lowered for sign in _READ_ONLY):
            return StorageError(f"cannot write to {self._home}: {said}")
        if "locked" in lowered:
            return LibraryBusyError(f"the catalog in {self._home} is locked by another process")
        if self._is_sqlite and any(sign in lowered for sign in _DAMAGED):
            return self._damaged(said)
        return CatalogError(
            f"the catalog at {self.url.render_as_string(hide_password=True)} cannot be used: {said}"
        )

    def _damaged(self, said: str) -> CatalogError:
        return CatalogError(f"the catalog {self.path} is damaged ({said}): {DOCTOR}")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise CatalogError(
            f"the catalog was made by another version of the assistant ({error}): upgrade it"
        ) from error


def _is_writable(path: Path) -> bool:
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Connect without writing; a database in WAL mode that nobody has open must be called immutable."""
    wal = path.with_name(path.name + "-wal")
    mode = "mode=ro" if wal.exists() and wal.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(path))}?{mode}", uri=True, timeout=_BUSY_SECONDS, check_same_thread=False
    )


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL, so that what an ingest reported as done outlives a power cut; it costs a sync per commit.
    connection.execute("PRAGMA synchronous = FULL")
    try:
        # Readers go on while a paper is committed. Network file systems cannot do it: then they wait.
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error) and "locking" not in str(error):
            raise


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _nothing() -> None:
    return
