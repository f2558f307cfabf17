"""What the store promises to whoever reads and writes: one process, real engines."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import IndexMismatchError, LibraryBusyError, StorageError
from assistant.records import Paper
from assistant.store import IndexedPaper, IndexFingerprint, Store
from store_processes import (
    DIMENSION,
    FINGERPRINT,
    MANY,
    embed,
    ensure_whole,
    index,
    make_paper,
    put,
    start,
)

QUERY = embed(["a question"])[0]
OTHER = IndexFingerprint(embedder="other", dimension=DIMENSION, chunking="test-1")


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(home=home) as store:
        yield store


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A library so large that Chroma searches it."""
    with Store.open(home=tmp_path_factory.mktemp("large")) as store:
        put(store, *map(make_paper, MANY))
        yield store


def ids_of(*papers: IndexedPaper) -> set[str]:
    return {chunk.id for item in papers for chunk in item.chunks}


def dense_ids(store: Store, **options: object) -> list[str]:
    hits = store.dense(QUERY, fingerprint=FINGERPRINT, depth=1000, **options)  # type: ignore[arg-type]
    return [hit.chunk_id for hit in hits]


def test_new_home_is_empty(store: Store) -> None:
    assert store.papers() == []
    assert store.generation() == 0
    assert store.fingerprint() is None
    assert store.paper("p0001") is None
    assert store.dense(QUERY, fingerprint=FINGERPRINT, depth=10) == []
    assert store.lexical({"common": 1.0}, depth=10) == []
    assert store.document_frequency("common") == 0
    assert store.words_with_prefix("c") == []
    assert store.check() == []


def test_put_makes_papers_visible(store: Store) -> None:
    first, second = make_paper(2), make_paper(1)

    put(store, first, second)

    assert store.papers() == [first.paper, second.paper]
    assert store.paper("alias2") == first.paper
    assert store.paper_chunks("p0001") == list(second.chunks)
    assert store.paper_count() == 2
    assert store.chunk_count() == 6
    assert store.chunks(["p0001:gone", *ids_of(second)]).keys() == ids_of(second)
    assert set(dense_ids(store)) == ids_of(first, second)
    assert store.generation() == 1
    assert store.fingerprint() == FINGERPRINT


def test_vectors_come_back_as_they_were(store: Store) -> None:
    paper = make_paper(1)

    put(store, paper)

    found = dict(zip(*store.vectors([chunk.id for chunk in paper.chunks]), strict=True))
    assert [found[chunk.id].tolist() for chunk in paper.chunks] == paper.vectors.tolist()


def test_update_keeps_the_place_and_what_did_not_change(store: Store) -> None:
    put(store, make_paper(1), make_paper(2))
    updated = make_paper(1, version=2)

    put(store, updated)

    assert [paper.id for paper in store.papers()] == ["p0001", "p0002"]
    assert store.paper("p0001") == updated.paper
    assert store.paper_chunks("p0001") == list(updated.chunks)
    assert set(dense_ids(store)) == ids_of(updated, make_paper(2))
    assert store.document_frequency("version1") == 2  # of the other paper
    assert store.document_frequency("version1", papers=["p0001"]) == 0
    assert store.chunk_count(papers=["p0001"]) == len(updated.chunks) < store.chunk_count()
    assert store.check() == []


def test_paper_can_take_the_place_of_another(store: Store) -> None:
    put(store, make_paper(1), make_paper(2))

    put(store, make_paper(3), replaces=["p0001", "p0003"])

    assert [paper.id for paper in store.papers()] == ["p0002", "p0003"]
    assert store.paper("alias1") is None
    assert store.check() == []


def test_remove_leaves_nothing_behind(store: Store) -> None:
    put(store, make_paper(1), make_paper(2))

    with store.writer() as writer:
        writer.remove(["p0001", "never-there"])

    assert [paper.id for paper in store.papers()] == ["p0002"]
    assert set(dense_ids(store)) == ids_of(make_paper(2))
    assert store.words_with_prefix("paper") == ["paper2"]
    assert store.check() == []


def test_paper_without_chunks_is_listed(store: Store) -> None:
    paper = Paper(id="bare", title="Bare")

    put(store, IndexedPaper(paper, (), np.empty((0, DIMENSION), np.float32)))

    assert store.papers() == [paper]
    assert store.check() == []


def test_each_call_is_one_generation(store: Store) -> None:
    with store.writer() as writer:
        writer.put([make_paper(1), make_paper(2)], fingerprint=FINGERPRINT)
        writer.put([make_paper(3)], fingerprint=FINGERPRINT)
        writer.remove(["p0003"])

    assert store.generation() == 3


def test_other_stores_of_the_home_notice(store: Store, home: Path) -> None:
    with Store.open(home=home) as other:
        put(store, make_paper(1))
        assert set(dense_ids(other)) == ids_of(make_paper(1))

        put(store, make_paper(2))

        assert set(dense_ids(other)) == ids_of(make_paper(1), make_paper(2))
        assert len(other.lexical({"common": 1.0}, depth=100)) == 6


def test_filter_is_exact_and_complete(large: Store) -> None:
    chosen = [make_paper(number) for number in (9003, 9017)]
    expected = sorted(
        (
            (-float(vector @ QUERY), chunk.id)
            for item in chosen
            for chunk, vector in zip(item.chunks, item.vectors, strict=True)
        )
    )

    papers = [item.paper.id for item in chosen]
    assert dense_ids(large, papers=papers) == [chunk_id for _, chunk_id in expected]
    lexical = large.lexical({"common": 1.0}, depth=1000, papers=papers)
    assert {hit.chunk_id for hit in lexical} == ids_of(*chosen)
    assert large.lexical({"common": 1.0}, depth=10, papers=["never-there"]) == []
    assert dense_ids(large, papers=[]) == []


def test_chroma_finds_what_comparing_all_finds(large: Store) -> None:
    everyone = [paper.id for paper in large.papers()]

    for query in embed([f"question {number}" for number in range(20)]):
        found = large.dense(query, fingerprint=FINGERPRINT, depth=50)
        exact = large.dense(query, fingerprint=FINGERPRINT, depth=50, papers=everyone)

        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in exact], abs=1e-5)
        assert [hit.chunk_id for hit in found] == [hit.chunk_id for hit in exact]


def test_equal_scores_are_ordered_by_id(large: Store) -> None:
    hits = large.lexical({"open": 1.0}, depth=5)

    assert [hit.chunk_id for hit in hits] == sorted(
        min(chunk.id for chunk in make_paper(number).chunks if "opening" in chunk.text)
        for number in MANY
    )[:5]


def test_another_embedder_is_refused(store: Store) -> None:
    put(store, make_paper(1))

    with pytest.raises(
        IndexMismatchError, match=r"made-up .* other .*ASSISTANT_EMBEDDINGS=made-up"
    ):
        store.dense(QUERY, fingerprint=OTHER, depth=1)
    with (
        store.writer() as writer,
        pytest.raises(IndexMismatchError, match="assistant doctor --repair"),
    ):
        writer.put([make_paper(2)], fingerprint=OTHER)
    assert store.paper_count() == 1


def test_empty_library_takes_any_embedder(store: Store) -> None:
    put(store, make_paper(1))
    short = IndexFingerprint(embedder="short", dimension=2, chunking="test-1")
    paper = make_paper(2)

    with store.writer() as writer:
        writer.remove(["p0001"])
        writer.put([paper._replace(vectors=paper.vectors[:, :2])], fingerprint=short)

    assert store.fingerprint() == short
    assert len(store.dense(QUERY[:2], fingerprint=short, depth=10)) == 3
    assert store.check() == []


@pytest.mark.parametrize(
    "batch",
    [
        [make_paper(1), make_paper(1)],
        [make_paper(1)._replace(vectors=np.zeros((1, DIMENSION), np.float32))],
        [make_paper(1)._replace(vectors=np.full((3, DIMENSION), np.nan, np.float32))],
        [make_paper(1)._replace(chunks=make_paper(2).chunks)],
    ],
)
def test_mistakes_are_caught_before_anything_is_written(
    store: Store, batch: list[IndexedPaper]
) -> None:
    with pytest.raises(ValueError, match="chunk|vector"), store.writer() as writer:
        writer.put(batch, fingerprint=FINGERPRINT)

    assert store.generation() == 0


def hold_the_lock(home: Path) -> None:
    with Store.open(home=home) as store, store.writer():
        (home / "held").touch()
        threading.Event().wait()


def test_a_second_writer_waits_says_so_and_gives_up(store: Store, home: Path) -> None:
    holder = start(hold_the_lock, home)
    try:
        while not (home / "held").exists():
            holder.join(0.01)
        told: list[str] = []

        with (
            pytest.raises(LibraryBusyError, match="another process"),
            store.writer(timeout=0.1, on_wait=lambda: told.append("waiting")),
        ):
            pass
    finally:
        holder.kill()
        holder.join()

    assert told == ["waiting"]
    put(store, make_paper(1))  # the death of the holder released the lock
    assert store.paper_count() == 1


def test_threads_share_a_store(store: Store) -> None:
    put(store, *map(make_paper, range(9000, 9041)))  # just above what is searched without Chroma
    errors: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                ensure_whole([hit.chunk_id for hit in store.lexical({"common": 1.0}, depth=10_000)])
                ensure_whole(
                    [
                        hit.chunk_id
                        for hit in store.dense(QUERY, fingerprint=FINGERPRINT, depth=10_000)
                    ]
                )
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(3):
        put(store, make_paper(number), make_paper(9000 + number, version=2))
    done.set()
    for reader in readers:
        reader.join()

    assert errors == []


@settings(max_examples=5)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "remove"]), st.sets(st.integers(0, 5), min_size=1)),
        max_size=5,
    )
)
def test_any_history_leaves_what_was_put_last(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, set[int]]]
) -> None:
    expected: dict[str, Paper] = {}
    with Store.open(home=tmp_path_factory.mktemp("history")) as store:
        with store.writer() as writer:
            for step, (action, numbers) in enumerate(history):
                papers = [make_paper(number, version=1 + step % 2) for number in numbers]
                names = {item.paper.id: item.paper for item in papers}
                if action == "put":
                    writer.put(papers, fingerprint=FINGERPRINT)
                    expected |= names
                else:
                    writer.remove(names.keys())
                    expected = {name: expected[name] for name in expected.keys() - names.keys()}

        assert {paper.id: paper for paper in store.papers()} == expected
        whole = ids_of(*map(index, expected.values()))
        assert set(dense_ids(store)) == whole
        assert {hit.chunk_id for hit in store.lexical({"common": 1.0}, depth=100)} == whole
        assert store.check() == []


@pytest.mark.parametrize("taken", ["home", "home/below"])
def test_home_that_is_no_folder(tmp_path: Path, taken: str) -> None:
    (tmp_path / "home").write_text("a file")

    with pytest.raises(StorageError, match=r"cannot use .*home\S* as the home"):
        Store.open(home=tmp_path / taken)


def test_listing_papers_imports_no_engine(store: Store, home: Path) -> None:
    put(store, make_paper(1))
    code = (
        "import sys; from pathlib import Path; from assistant.store import Store\n"
        "with Store.open(home=Path(sys.argv[1])) as store: assert store.paper_count() == 1\n"
        "assert not {'chromadb', 'tantivy', 'alembic'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code, str(home)], check=True)
