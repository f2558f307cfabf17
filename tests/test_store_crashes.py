"""A process killed at any moment, then the same work again: as if it had never been killed."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from assistant.store import Store
from assistant.store.folder import Folder
from store_processes import (
    FINGERPRINT,
    MANY,
    count_steps,
    embed,
    ensure_whole,
    everything,
    ingest,
    killed_at,
    make_paper,
    put,
    run,
    start,
)

KILLED = -signal.SIGKILL
EVERY = 13
"""Kill at every so many steps; all of them take minutes."""

QUERY = embed(["a question"])[0]


def change(home: Path) -> None:
    """Update a paper, add one, let one take another's place, remove one: two commits."""
    with Store.open(home=home) as store, store.writer() as writer:
        writer.put(
            [make_paper(2, version=2), make_paper(20), make_paper(21)],
            fingerprint=FINGERPRINT,
            replaces=["p0003"],
        )
        writer.remove(["p0000"])


def store_many(home: Path) -> None:
    ingest(home, MANY, size=6)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("before") / "home"
    ingest(home, range(5))
    return home


@pytest.fixture(scope="module")
def expected(before: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the home holds after the change when nobody is killed."""
    home = tmp_path_factory.mktemp("after") / "home"
    shutil.copytree(before, home)
    change(home)
    with Store.open(home=home) as store:
        return everything(store)


def test_kill_at_any_step(before: Path, expected: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(before, tmp_path / "counted")
    assert run(count_steps, tmp_path / "counted", change, tmp_path / "steps") == 0
    steps = int((tmp_path / "steps").read_text())
    assert steps > EVERY

    for step in range(0, steps, EVERY):
        home = tmp_path / f"killed-at-{step}"
        shutil.copytree(before, home)

        assert run(killed_at, home, step, change) == KILLED

        with Store.open(home=home) as store:
            found = everything(store)
            ensure_whole([chunk_id for chunk_id, _ in found["dense"]])
            ensure_whole([hit.chunk_id for hit in found["lexical"]])
            change(home)
            assert everything(store) == expected, f"killed at step {step}"
            assert store.check() == []


def test_kill_while_chroma_writes_its_index_files(tmp_path: Path) -> None:
    """Chroma writes them after every thousand chunks; files half written crash or fail it."""
    home = tmp_path / "home"
    process = start(store_many, home)
    written: list[Path] = []
    while process.is_alive() and not written:
        written = [path for path in home.glob("chroma/*/length.bin") if path.stat().st_size]
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert process.exitcode == KILLED

    with Store.open(home=home) as store:
        ensure_whole([hit.chunk_id for hit in store.lexical({"common": 1.0}, depth=10_000)])
        store_many(home)

        assert store.paper_count() == len(MANY)
        hits = store.dense(QUERY, fingerprint=FINGERPRINT, depth=10_000)
        assert len(hits) == store.chunk_count()
        assert store.check() == []


def test_who_asks_next_mends_half_written_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store_many(home)
    folder = Folder(home)
    (written,) = home.glob("chroma/*/data_level0.bin")
    with pytest.raises(InterruptedError), folder.writing():
        written.write_bytes(written.read_bytes()[:1000])
        raise InterruptedError

    with Store.open(home=home) as store:
        assert [problem.part for problem in store.check()] == ["vectors"]
        assert len(store.dense(QUERY, fingerprint=FINGERPRINT, depth=10_000)) == store.chunk_count()
        assert store.check() == []


def test_a_commit_that_fails_is_forgotten(before: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(before, home)
    with Store.open(home=home) as store:
        found = everything(store)

        with pytest.raises(InterruptedError), store.writer() as writer:
            writer.put([make_paper(30)], fingerprint=FINGERPRINT)
            writer.remove(["p0030"])
            raise InterruptedError

        assert everything(store) == found
        put(store, make_paper(30))
        assert store.check() == []
