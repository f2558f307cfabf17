"""The same promises with a local Chroma folder and with a real Chroma server on loopback."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from assistant.errors import VectorStoreError
from assistant.store import IndexedPaper, Store
from assistant.store.folder import Folder
from assistant.store.model import NOTHING, WRITING, Entry, State
from assistant.store.vectors import Vectors
from store_processes import FINGERPRINT, embed, embedding_text, make_paper, put

QUERY = embed(["a question"])[0]
STARTING_SECONDS = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("chroma")),
        *("run", "--host", "127.0.0.1", "--port", str(port)),
        *("--path", str(tmp_path_factory.mktemp("server"))),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.kill()


@pytest.fixture(params=["local", "http"])
def chroma(request: pytest.FixtureRequest) -> str:
    return "local" if request.param == "local" else str(request.getfixturevalue("server"))


@pytest.fixture
def state() -> State:
    return State(uuid4().hex, 7, FINGERPRINT)


@pytest.fixture
def vectors(chroma: str, tmp_path: Path, state: State) -> Iterator[Vectors]:
    vectors = Vectors(Folder(tmp_path) if chroma == "local" else None, chroma)
    with vectors.exclusively():
        vectors.create(state)
    vectors.mark(state, state.generation)
    yield vectors
    vectors.close()


def entries(*papers: IndexedPaper) -> list[Entry]:
    return [
        Entry(item.paper, position, chunk, vector)
        for item in papers
        for position, (chunk, vector) in enumerate(zip(item.chunks, item.vectors, strict=True))
    ]


def reopen(vectors: Vectors, state: State) -> None:
    with vectors.exclusively():
        vectors.open(state, expected=True)


def test_what_is_added_is_found(vectors: Vectors, state: State) -> None:
    added = entries(*map(make_paper, range(100)))

    vectors.add(added)

    for _ in range(2):
        assert vectors.ids() == {entry.chunk.id for entry in added}
        hits = vectors.nearest(QUERY, 1000)
        scores = {entry.chunk.id: float(entry.vector @ QUERY) for entry in added}
        assert dict(hits) == pytest.approx(scores, abs=1e-5)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        reopen(vectors, state)


def test_similarity_is_the_cosine(vectors: Vectors) -> None:
    (entry,) = entries(make_paper(1))[:1]
    vectors.add([entry._replace(vector=entry.vector * 20)])

    (hit,) = vectors.nearest(QUERY * 3, 1)

    assert hit.score == pytest.approx(float(entry.vector @ QUERY), abs=1e-5)


def test_all_as_near_as_the_last_one_come_with_it(vectors: Vectors) -> None:
    same = entries(*map(make_paper, range(60)))
    vectors.add([entry._replace(vector=QUERY) for entry in same])
    vectors.add(
        [entry._replace(vector=-QUERY) for entry in entries(*map(make_paper, range(60, 99)))]
    )

    hits = vectors.nearest(QUERY, 2)

    assert [hit.chunk_id for hit in hits] == sorted(entry.chunk.id for entry in same)


def test_what_is_deleted_is_gone(vectors: Vectors, state: State) -> None:
    vectors.add(entries(make_paper(1), make_paper(2)))

    vectors.delete([entry.chunk.id for entry in entries(make_paper(1))] + ["never-there"])

    for _ in range(2):
        assert vectors.ids() == {entry.chunk.id for entry in entries(make_paper(2))}
        assert {hit.chunk_id for hit in vectors.nearest(QUERY, 10)} == vectors.ids()
        reopen(vectors, state)


def test_stamp_survives(vectors: Vectors, state: State) -> None:
    assert vectors.stamp(state.library) == 7

    vectors.mark(state, WRITING)
    reopen(vectors, state)

    assert vectors.stamp(state.library) == WRITING
    assert vectors.stamp("another library") == NOTHING


def test_everything_can_be_read_back(vectors: Vectors, state: State) -> None:
    stored = entries(make_paper(1, version=2), make_paper(2))
    vectors.add(entries(make_paper(1), make_paper(2)))
    vectors.delete({e.chunk.id for e in entries(make_paper(1))} - {e.chunk.id for e in stored})
    vectors.add(stored[1:3])
    vectors.describe(stored[:1])

    found = vectors.rescue(state.library)

    assert found is not None
    assert found[0] == state
    got = {entry.chunk.id: entry for entry in found[1]}
    assert len(got) == len(stored)
    for entry in stored:
        assert got[entry.chunk.id][:3] == entry[:3]
        assert np.allclose(got[entry.chunk.id].vector, entry.vector, atol=1e-6)


def test_no_vector_is_unreadable(vectors: Vectors) -> None:
    vectors.add(entries(make_paper(1)))

    assert vectors.unreadable(vectors.ids()) == set()
    assert vectors.unreadable(["never-there"]) == {"never-there"}


def test_collection_that_is_not_there(vectors: Vectors, state: State) -> None:
    with pytest.raises(VectorStoreError, match="assistant doctor --repair"), vectors.exclusively():
        vectors.open(state._replace(library="another"), expected=True)


def test_lost_catalog_is_rebuilt(home: Path, chroma: str) -> None:
    with Store.open(home=home, chroma=chroma) as store:
        put(store, make_paper(1), make_paper(2))
        (home / "catalog.db").write_bytes(b"garbage" * 1000)

        store.repair(embed, embedding_text=embedding_text, fingerprint=FINGERPRINT)

        assert store.papers() == [make_paper(1).paper, make_paper(2).paper]
        assert store.check() == []


# The store with a server


def test_store_and_server_agree(home: Path, server: str) -> None:
    with Store.open(home=home, chroma=server) as store:
        put(store, make_paper(1), make_paper(2))
        put(store, make_paper(1, version=2))
        with store.writer() as writer:
            writer.remove(["p0002"])

        hits = store.dense(QUERY, fingerprint=FINGERPRINT, depth=10)
        assert {hit.chunk_id for hit in hits} == {
            chunk.id for chunk in make_paper(1, version=2).chunks
        }
        assert store.check() == []
    assert not (home / "chroma").exists()


def test_homes_on_one_server_never_touch(tmp_path: Path, server: str) -> None:
    with (
        Store.open(home=tmp_path / "a", chroma=server) as first,
        Store.open(home=tmp_path / "b", chroma=server) as second,
    ):
        put(first, make_paper(1))
        put(second, make_paper(1))
        with first.writer() as writer:
            writer.remove(["p0001"])

        assert first.dense(QUERY, fingerprint=FINGERPRINT, depth=10) == []
        assert len(second.dense(QUERY, fingerprint=FINGERPRINT, depth=10)) == 3
        assert first.check() == second.check() == []


def test_machines_share_database_and_server(tmp_path: Path, server: str) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with (
        Store.open(home=tmp_path / "a", database=url, chroma=server) as first,
        Store.open(home=tmp_path / "b", database=url, chroma=server) as second,
    ):
        for number, store in enumerate((first, second, first)):
            put(store, make_paper(number))
            for each in (first, second):
                hits = each.dense(QUERY, fingerprint=FINGERPRINT, depth=100)
                assert len(hits) == 3 * (number + 1)
                assert len(each.lexical({"common": 1.0}, depth=100)) == 3 * (number + 1)
        assert first.check() == second.check() == []


def test_library_moves_to_a_server(home: Path, server: str) -> None:
    with Store.open(home=home) as store:
        put(store, make_paper(1))

    with Store.open(home=home, chroma=server) as store:
        with pytest.raises(VectorStoreError, match="does not hold this library's vectors"):
            store.dense(QUERY, fingerprint=FINGERPRINT, depth=10)
        store.repair(embed, embedding_text=embedding_text, fingerprint=FINGERPRINT)
        assert len(store.dense(QUERY, fingerprint=FINGERPRINT, depth=10)) == 3
        assert store.check() == []


def test_server_that_does_not_answer(home: Path) -> None:
    with Store.open(home=home) as store:
        put(store, make_paper(1))

    with Store.open(home=home, chroma="http://user:secret@127.0.0.1:9") as store:
        with pytest.raises(VectorStoreError, match="http://127.0.0.1:9 .*chroma run") as raised:
            store.dense(QUERY, fingerprint=FINGERPRINT, depth=10)
        assert "secret" not in str(raised.value)
        assert "\n" not in str(raised.value)
        (problem,) = store.check()
        assert (problem.part, problem.repairable) == ("vectors", False)
        assert len(store.lexical({"common": 1.0}, depth=10)) == 3


def test_telemetry_is_off(home: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "import store_processes as made; from assistant.store import Store\n"
        "from chromadb.api.shared_system_client import SharedSystemClient as shared\n"
        "store = Store.open(home=Path(sys.argv[1]))\n"
        "with store.writer() as writer:\n"
        "    writer.put([made.make_paper(1)], fingerprint=made.FINGERPRINT)\n"
        "    (system,) = shared._identifier_to_system.values()\n"
        "    assert system.settings.anonymized_telemetry is False"
    )
    command = [sys.executable, "-c", code, str(home), str(Path(__file__).parent)]
    subprocess.run(command, check=True)
