"""Damage from outside: each ends in one clear line, nothing is lost, and a repair mends it."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import AssistantError, CatalogError, PdfError, StorageError, VectorStoreError
from assistant.records import Chunk, Paper
from assistant.store import IndexFingerprint, Store
from store_processes import (
    DIMENSION,
    FINGERPRINT,
    MANY,
    cut,
    embed,
    embedding_text,
    everything,
    ingest,
    make_paper,
    put,
)

QUERY = embed(["a question"])[0]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small home and a large one, whose dense search goes through Chroma."""
    folder = tmp_path_factory.mktemp("originals")
    ingest(folder / "small", range(6))
    ingest(folder / "small", range(2), version=2)
    ingest(folder / "large", MANY, size=50)
    return folder


@pytest.fixture
def small(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals / "small", tmp_path / "small"))


@pytest.fixture
def large(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals / "large", tmp_path / "large"))


@pytest.fixture(scope="module")
def expected(originals: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for name in ("small", "large"):
        with Store.open(home=originals / name) as store:
            found[name] = everything(store)
    return found


def repair(store: Store, fingerprint: IndexFingerprint = FINGERPRINT) -> list[str]:
    return store.repair(embed, embedding_text=embedding_text, fingerprint=fingerprint, chunk=cut)


def is_one_clear_line(error: AssistantError) -> bool:
    return "\n" not in str(error) and "assistant doctor --repair" in str(error)


# The catalog


def write_garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 4000)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_a_record(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE papers SET record = 'nonsense' WHERE id = 'p0003'")
    connection.close()


def drop_a_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE chunks")
    connection.close()


@pytest.mark.parametrize(
    "damage", [write_garbage, cut_in_half, empty, Path.unlink, spoil_a_record, drop_a_table]
)
def test_damaged_catalog_is_rebuilt_from_chroma(
    small: Path, expected: dict[str, dict[str, Any]], damage: Callable[[Path], None]
) -> None:
    damage(small / "catalog.db")

    with Store.open(home=small) as store:
        with pytest.raises(CatalogError) as raised:
            everything(store)
        assert is_one_clear_line(raised.value)
        (problem,) = store.check()
        assert problem.part == "catalog"
        assert problem.repairable

        done = repair(store)

        assert "the catalog was rebuilt from Chroma: 6 papers" in done
        assert everything(store) == expected["small"]
        assert store.check() == []
    assert list(small.glob("catalog.db.damaged-*"))  # moved aside, never deleted


def test_damage_met_while_reading_ends_in_a_catalog_error(large: Path) -> None:
    path = large / "catalog.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 100_000)

    with Store.open(home=large) as store:
        assert store.check()[0].part == "catalog"
        with pytest.raises(CatalogError, match="damaged"):
            everything(store)


def test_catalog_and_chroma_lost_together(small: Path) -> None:
    write_garbage(small / "catalog.db")
    shutil.rmtree(small / "chroma")

    with Store.open(home=small) as store:
        done = repair(store)

        assert any("ingest again" in line for line in done)
        assert store.papers() == []
        assert store.check() == []
        put(store, make_paper(1))
        assert store.check() == []
    assert list(small.glob("catalog.db.damaged-*"))


def test_catalog_of_a_newer_version(small: Path) -> None:
    with sqlite3.connect(small / "catalog.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with Store.open(home=small) as store, pytest.raises(CatalogError, match="another version"):
        store.papers()


# Chroma


def forget_vectors(home: Path) -> None:
    """Chroma itself notices nothing: it counts them all and finds only the latest."""
    (folder,) = (path for path in (home / "chroma").iterdir() if path.is_dir())
    shutil.rmtree(folder)


def spoil_chroma(home: Path) -> None:
    write_garbage(home / "chroma" / "chroma.sqlite3")


def lose_the_folder(home: Path) -> None:
    shutil.rmtree(home / "chroma")


@pytest.mark.parametrize("damage", [spoil_chroma, lose_the_folder, forget_vectors])
def test_lost_vectors_are_missed_and_restored(
    large: Path, expected: dict[str, dict[str, Any]], damage: Callable[[Path], None]
) -> None:
    damage(large)

    with Store.open(home=large) as store:
        with pytest.raises(VectorStoreError) as raised:
            store.dense(QUERY, fingerprint=FINGERPRINT, depth=10)
        assert is_one_clear_line(raised.value)
        with pytest.raises(VectorStoreError):
            put(store, make_paper(1))
        (problem,) = store.check()
        assert problem.part == "vectors"
        assert problem.repairable

        assert len(repair(store)) == 1

        assert store.check() == []
        assert everything(store) == expected["large"]


def test_single_vectors_that_chroma_lost(large: Path, expected: dict[str, dict[str, Any]]) -> None:
    (written,) = large.glob("chroma/*/data_level0.bin")
    content = written.read_bytes()
    written.write_bytes(content[: len(content) * 3 // 4])

    with Store.open(home=large) as store:
        assert any(problem.part == "vectors" and problem.repairable for problem in store.check())
        repair(store)
        assert store.check() == []
        assert everything(store) == expected["large"]


def test_vectors_and_entries_of_no_paper(small: Path) -> None:
    """As after going back to an older catalog."""
    older = small.with_name("older.db")
    shutil.copy(small / "catalog.db", older)
    with Store.open(home=small) as store:
        put(store, make_paper(50))
    shutil.copy(older, small / "catalog.db")

    with Store.open(home=small) as store:
        assert {problem.part for problem in store.check()} == {"vectors", "lexical"}
        assert repair(store)
        assert store.check() == []
        assert store.paper("p0050") is None


# The lexical index


def spoil_lexical(home: Path) -> None:
    for path in (home / "lexical").iterdir():
        if path.name != "state.json":
            path.write_bytes(b"junk")


def lose_lexical(home: Path) -> None:
    shutil.rmtree(home / "lexical")


def change_the_analyser(home: Path) -> None:
    state = home / "lexical" / "state.json"
    state.write_text(state.read_text().replace('"analyser": "', '"analyser": "older-'))


@pytest.mark.parametrize("damage", [spoil_lexical, lose_lexical, change_the_analyser])
def test_lexical_index_is_rebuilt_in_silence(
    small: Path,
    expected: dict[str, dict[str, Any]],
    damage: Callable[[Path], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    damage(small)

    with Store.open(home=small) as store:
        assert [problem.part for problem in store.check()] == ["lexical"]
        assert everything(store) == expected["small"]
        assert store.check() == []
    assert capfd.readouterr() == ("", "")


def test_repair_rebuilds_the_lexical_index(small: Path) -> None:
    lose_lexical(small)

    with Store.open(home=small) as store:
        assert repair(store) == ["the lexical index was brought in line with the catalog"]
        assert repair(store) == []


# Another embedder, another chunker


def test_repair_embeds_anew(small: Path) -> None:
    short = IndexFingerprint(embedder="short", dimension=4, chunking=FINGERPRINT.chunking)

    with Store.open(home=small) as store:
        done = store.repair(
            lambda texts: embed(texts)[:, :4], embedding_text=embedding_text, fingerprint=short
        )

        assert done == [f"6 papers were indexed anew with {short}"]
        assert store.fingerprint() == short
        assert len(store.dense(QUERY[:4], fingerprint=short, depth=100)) == store.chunk_count()
        assert store.check() == []


def test_repair_cuts_anew(small: Path) -> None:
    def cut_whole(paper: Paper) -> list[Chunk]:
        text = paper.abstract
        return [
            Chunk(
                id=f"{paper.id}:whole",
                paper_id=paper.id,
                source="abstract",
                text=text,
                start=0,
                end=len(text),
            )
        ]

    whole = IndexFingerprint(embedder="made-up", dimension=DIMENSION, chunking="whole")
    with Store.open(home=small) as store:
        store.repair(embed, embedding_text=embedding_text, fingerprint=whole, chunk=cut_whole)

        assert store.chunk_count() == 6
        assert store.check() == []


def test_a_pdf_that_cannot_be_read_any_more_does_not_keep_others_from_repair(small: Path) -> None:
    def cut_most(paper: Paper) -> list[Chunk]:
        if paper.id == "p0003":
            raise PdfError("is a scan or a picture, and holds no text")
        return cut(paper)[:1]

    other = IndexFingerprint(embedder="made-up", dimension=DIMENSION, chunking="other")
    with Store.open(home=small) as store:
        before = {paper.id: store.paper_chunks(paper.id) for paper in store.papers()}

        done = store.repair(embed, embedding_text=embedding_text, fingerprint=other, chunk=cut_most)

        assert done[:2] == [
            f"6 papers were indexed anew with {other}",
            "paper p0003 stays cut as it was: its PDF is a scan or a picture, and holds no text",
        ]
        assert store.paper_chunks("p0003") == before["p0003"]
        assert all(len(store.paper_chunks(each)) == 1 for each in before if each != "p0003")
        assert store.check() == []


# A home that cannot be written


@contextmanager
def read_only(home: Path) -> Iterator[Path]:
    """Yield a copy of a home that cannot be written, not even by the superuser."""
    import alembic.command  # noqa: F401 - nobody may not be able to read the packages
    import chromadb  # noqa: F401
    import tantivy  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = Path(shutil.copytree(home, Path(folder) / "home"))
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        is_root = os.geteuid() == 0
        try:
            if is_root:
                os.setresuid(65534, 65534, 0)
            yield copy
        finally:
            if is_root:
                os.setresuid(0, 0, 0)
            for path in (copy, *copy.rglob("*")):
                path.chmod(0o755)


@pytest.mark.parametrize("name", ["small", "large"])
def test_home_that_cannot_be_written_can_be_read(
    originals: Path, expected: dict[str, dict[str, Any]], name: str
) -> None:
    with read_only(originals / name) as home, Store.open(home=home) as store:
        assert everything(store) == expected[name]
        assert store.check() == []
        with pytest.raises(StorageError, match="cannot write"):
            put(store, make_paper(1))


def test_home_that_cannot_be_created(tmp_path: Path) -> None:
    tmp_path.joinpath("inside").mkdir()
    with read_only(tmp_path) as folder, pytest.raises(StorageError, match="Permission denied"):
        Store.open(home=folder / "inside" / "home")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of six megabytes, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a disk here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_loses_nothing(tiny_disk: Path) -> None:
    home = tiny_disk / "home"
    stored: list[Paper] = []
    with Store.open(home=home) as store:
        with pytest.raises(StorageError, match=r"free some|no space left"):
            for number in range(9000, 9999):
                item = make_paper(number)
                put(store, item)
                stored.append(item.paper)
        assert stored

    (tiny_disk / "home" / "room").touch()
    subprocess.run(["mount", "-o", "remount,size=60m", str(tiny_disk)], check=True)
    with Store.open(home=home) as store:
        assert store.papers() == stored
        put(store, make_paper(1))
        assert store.check() == []
