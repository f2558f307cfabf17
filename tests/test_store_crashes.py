"""A process killed at any moment, then the same work again: as if it had never been killed."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_processes import (
    FINGERPRINT,
    count_steps,
    everything,
    ingest,
    killed_after,
    killed_at,
    make_paper,
    put,
    run,
    start,
)

from assistant.store import Store
from assistant.store.folder import Folder

KILLED = -9


def change(home: Path) -> None:
    """Update papers, add some and remove some: three commits."""
    with Store.open(home=home) as store:
        put(store, *(make_paper(number, version=2) for number in range(2, 6)))
        put(store, *(make_paper(number) for number in range(20, 23)))
        with store.writer() as writer:
            writer.remove(["p0000", "p0007"])


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, object]]]:
    """A home before the change, and what it holds after it when nobody is killed."""
    before = tmp_path_factory.mktemp("before") / "home"
    ingest(before, range(8))
    after = tmp_path_factory.mktemp("after") / "home"
    shutil.copytree(before, after)
    change(after)
    with Store.open(home=after) as store:
        yield before, everything(store)


def test_kill_at_every_step(homes: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    before, expected = homes
    shutil.copytree(before, tmp_path / "counted")
    assert run(count_steps, tmp_path / "counted", change, tmp_path / "steps") == 0
    steps = int((tmp_path / "steps").read_text())
    print(steps)
    for step in range(steps):
        home = tmp_path / f"home{step}"
        shutil.copytree(before, home)
        assert run(killed_at, home, step, change) == KILLED
        with Store.open(home=home) as store:
            intact = everything(store)
            assert_whole(intact)
            change(home)
            assert everything(store) == expected, f"step {step}"
            assert store.check() == []
        shutil.rmtree(home)
