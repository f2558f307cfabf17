"""The catalog's database: migrations, URLs, and errors said in one line."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from assistant.errors import CatalogError, LibraryBusyError, SettingsError, StorageError
from assistant.store import Store, schema
from assistant.store.catalog import Catalog
from assistant.store.database import Database
from store_processes import (
    FINGERPRINT,
    embed,
    embedding_text,
    everything,
    make_paper,
    put,
    run,
    start,
)

MIGRATIONS = Path(schema.__file__).with_name("migrations")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path, None, remains=None)


def test_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, schema.metadata) == []


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_a_home_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with Store.open(home=tmp_path) as store:
        put(store, make_paper(1))
        expected = everything(store)
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as old, old:
        old.execute("update chunks set record = json_set(record, '$.boxes', json('[]'))")
        old.execute("update alembic_version set version_num = '0001'")

    with Store.open(home=tmp_path) as store:
        assert everything(store) == expected


def create(home: Path) -> None:
    with Store.open(home=home) as store:
        assert store.generation() == 0


def test_processes_create_a_home_at_once(tmp_path: Path) -> None:
    processes = [start(create, tmp_path / "home") for _ in range(4)]
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4


def test_each_home_is_a_library_of_its_own(tmp_path: Path) -> None:
    libraries = set()
    for name in "ab":
        (tmp_path / name).mkdir()
        libraries.add(Catalog(Database(tmp_path / name, None, remains=None)).state().library)

    assert len(libraries) == 2


def test_catalog_elsewhere(home: Path, tmp_path: Path) -> None:
    with Store.open(home=home, database=f"sqlite:///{tmp_path / 'else where.db'}") as store:
        put(store, make_paper(1))

        assert store.paper_count() == 1
        assert (tmp_path / "else where.db").exists()
        assert not (home / "catalog.db").exists()


def test_two_homes_share_a_database(tmp_path: Path) -> None:
    """Each has indexes of its own: made by a repair once, brought up to date in silence later."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with (
        Store.open(home=tmp_path / "a", database=url) as first,
        Store.open(home=tmp_path / "b", database=url) as second,
    ):
        put(first, make_paper(1))
        second.repair(embed, embedding_text=embedding_text, fingerprint=FINGERPRINT)
        put(first, make_paper(2))
        put(second, make_paper(3))
        with first.writer() as writer:
            writer.remove(["p0002"])

        for store in (first, second):
            assert len(store.lexical({"common": 1.0}, depth=100)) == 6
        with second.writer():  # mends what is left over or missing
            pass
        assert first.check() == second.check() == []


def hold_the_lock(home: Path, database: str) -> None:
    with (
        Store.open(home=home, database=database) as store,
        pytest.raises(LibraryBusyError),
        store.writer(timeout=0.01),
    ):
        pass


def test_two_homes_of_a_database_share_its_writer_lock(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with Store.open(home=tmp_path / "a", database=url) as store, store.writer():
        assert run(hold_the_lock, tmp_path / "b", url) == 0


@pytest.mark.parametrize("url", ["nonsense", "nosuchdatabase://host/name", "mysql+nodriver://h/n"])
def test_url_that_cannot_be_used(home: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="ASSISTANT_DATABASE cannot be used"):
        Store.open(home=home, database=url)


def test_database_that_is_not_there(home: Path, tmp_path: Path) -> None:
    missing = tmp_path / "no folder" / "catalog.db"

    with (
        Store.open(home=home, database=f"sqlite:///{missing}") as store,
        pytest.raises(StorageError, match="unable to open database file"),
    ):
        store.papers()


def test_database_of_something_else(home: Path, tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE papers (id TEXT)")
    engine.dispose()

    with (
        Store.open(home=home, database=f"sqlite:///{tmp_path / 'other.db'}") as store,
        pytest.raises(CatalogError, match="already exists"),
    ):
        store.papers()


def test_a_failed_commit_changes_nothing(database: Database) -> None:
    catalog = Catalog(database)
    first = make_paper(1)
    catalog.put([first], fingerprint=FINGERPRINT)
    thief = make_paper(2)._replace(chunks=first.chunks)  # chunks of another paper

    with pytest.raises(CatalogError, match="UNIQUE"):
        catalog.put([thief], fingerprint=FINGERPRINT)

    assert catalog.state().generation == 1
    assert catalog.shelf().paper("p0002") is None
