"""Processes that ingest at once while others ask: nothing is lost, and no half paper is seen."""

from pathlib import Path

import numpy as np

from assistant.store import Store
from store_processes import FINGERPRINT, MANY, ask, embed, ingest, make_paper, start


def test_two_ingest_while_one_asks(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ingest(home, MANY, size=42)

    asking = start(ask, home, tmp_path / "stop")
    ingesting = [start(ingest, home, numbers) for numbers in (range(60), range(30, 90))]
    for process in ingesting:
        process.join()
    updating = start(ingest, home, range(9000, 9006))
    updating.join()
    (tmp_path / "stop").touch()
    asking.join()

    assert [each.exitcode for each in (asking, updating, *ingesting)] == [0, 0, 0, 0]
    stored = [make_paper(number) for number in (*range(90), *MANY)]
    expected = {chunk.id for item in stored for chunk in item.chunks}
    with Store.open(home=home) as store:
        assert {paper.id for paper in store.papers()} == {item.paper.id for item in stored}
        assert store.check() == []  # compares the ids in Chroma and tantivy with the catalog's
        query = embed(["a question"])[0]
        dense = store.dense(query, fingerprint=FINGERPRINT, depth=len(expected))
        assert {hit.chunk_id for hit in dense} == expected
        lexical = store.lexical({"common": 1.0}, depth=len(expected))
        assert {hit.chunk_id for hit in lexical} == expected


def test_chroma_itself_returns_every_vector(tmp_path: Path) -> None:
    """What was stored by two processes in turn can be got and found, asked without our help."""
    import chromadb

    home = tmp_path / "home"
    processes = [start(ingest, home, numbers) for numbers in (range(20), range(10, 40))]
    for process in processes:
        process.join()
    items = [make_paper(number) for number in range(40)]
    vectors = {
        chunk.id: vector
        for item in items
        for chunk, vector in zip(item.chunks, item.vectors, strict=True)
    }
    ids = sorted(vectors)

    client = chromadb.PersistentClient(
        str(home / "chroma"), settings=chromadb.Settings(anonymized_telemetry=False)
    )
    try:
        (collection,) = client.list_collections()
        got = collection.get(include=["embeddings"])
        assert sorted(got["ids"]) == ids
        embeddings = dict(zip(got["ids"], got["embeddings"], strict=True))
        matrix = np.stack([vectors[chunk_id] for chunk_id in ids])
        assert np.allclose([embeddings[chunk_id] for chunk_id in ids], matrix, atol=1e-6)
        found = collection.query(query_embeddings=matrix, n_results=1, include=[])
        assert found["ids"] == [[chunk_id] for chunk_id in ids]
    finally:
        client.close()
