"""A reader whose passages are kept on disk: read once in all processes, never wrong, never in the way."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from assistant.models.kept import KeptReader
from assistant.models.minilm import MiniLM

LONG = (
    "The whale sings a long and slow song in the deep of the northern sea every winter night. " * 3
)
OTHER = "The tide turns twice a day and carries the sand of the beach out and back in again. " * 3
QUESTION = "What does the whale sing?"


class Counting(MiniLM):
    """The real embedder, which notes what it is asked to read."""

    def __init__(self, cache: Path) -> None:
        super().__init__(cache)
        self.read: list[str] = []

    def embed_both(self, texts):
        self.read += texts
        return super().embed_both(texts)


@pytest.fixture
def counting(model_cache: Path) -> Counting:
    return Counting(model_cache)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "read.db"


def test_a_passage_is_read_once_in_all_processes(counting: Counting, path: Path) -> None:
    first = KeptReader(counting, path, version="one").embed_tokens([QUESTION, LONG, OTHER])
    counting.read.clear()
    again = KeptReader(counting, path, version="one").embed_tokens([QUESTION, OTHER, LONG])
    assert counting.read == [QUESTION]
    for old, new in zip(first, [again[0], again[2], again[1]], strict=True):
        assert (new.spans, new.pieces) == (old.spans, old.pieces)
        np.testing.assert_array_equal(new.vectors, old.vectors)


def test_vectors_are_those_of_the_reader_but_for_rounding(
    counting: Counting, embedder: MiniLM, path: Path
) -> None:
    (kept,) = KeptReader(counting, path, version="one").embed_tokens([LONG])
    (read,) = embedder.embed_tokens([LONG])
    assert (kept.spans, kept.pieces) == (read.spans, read.pieces)
    np.testing.assert_allclose(kept.vectors, read.vectors, atol=1e-3)


def test_a_passage_that_is_embedded_is_read_on_the_way(
    counting: Counting, embedder: MiniLM, path: Path
) -> None:
    vectors = KeptReader(counting, path, version="one").embed([LONG, QUESTION])
    np.testing.assert_allclose(vectors, embedder.embed([LONG, QUESTION]), atol=1e-5)
    counting.read.clear()
    (kept,) = KeptReader(counting, path, version="one").embed_tokens([LONG])
    assert counting.read == []
    (read,) = embedder.embed_tokens([LONG])
    assert (kept.spans, kept.pieces) == (read.spans, read.pieces)
    np.testing.assert_allclose(kept.vectors, read.vectors, atol=1e-3)


def test_what_another_reader_read_is_not_used(counting: Counting, path: Path) -> None:
    KeptReader(counting, path, version="one").embed_tokens([LONG])
    KeptReader(counting, path, version="two").embed_tokens([LONG])
    assert counting.read == [LONG, LONG]


def test_a_text_named_twice_is_returned_twice(counting: Counting, path: Path) -> None:
    one, two, three = KeptReader(counting, path, version="one").embed_tokens([LONG, OTHER, LONG])
    assert one.pieces == three.pieces != two.pieces
    assert counting.read == [LONG, OTHER]


def test_passages_kept_longest_ago_make_room(counting: Counting, path: Path) -> None:
    reader = KeptReader(counting, path, version="one", most_bytes=400_000)
    passages = [f"{number}. {LONG}" for number in range(12)]
    for passage in passages:
        reader.embed_tokens([passage])
    counting.read.clear()
    reader.embed_tokens(passages)
    assert passages[0] in counting.read
    assert passages[-1] not in counting.read
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, None])
def test_a_file_that_cannot_be_used_is_as_good_as_empty(
    counting: Counting, path: Path, content: bytes | None
) -> None:
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    (tokens,) = KeptReader(counting, path, version="one").embed_tokens([LONG])
    assert len(tokens.pieces) == len(tokens.vectors) > 40
    KeptReader(counting, path, version="one").embed_tokens([LONG])
    KeptReader(counting, path, version="one").embed_tokens([LONG])
    assert len(counting.read) == (3 if content is None else 1)


@pytest.mark.parametrize("column", ["vectors", "spans", "pieces"])
def test_a_damaged_passage_is_read_anew(counting: Counting, path: Path, column: str) -> None:
    (sound,) = KeptReader(counting, path, version="one").embed_tokens([LONG])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE passages SET {column} = 'damaged!'")
    for _ in range(2):
        (mended,) = KeptReader(counting, path, version="one").embed_tokens([LONG])
        np.testing.assert_array_equal(mended.vectors, sound.vectors)
    assert counting.read == [LONG, LONG]


def test_processes_that_keep_at_once_lose_no_answer(
    counting: Counting, path: Path, tmp_path: Path
) -> None:
    script = f"""
from pathlib import Path
from assistant.models.kept import KeptReader
from assistant.models.minilm import MiniLM
import sys
reader = KeptReader(MiniLM(Path({str(tmp_path)!r})), Path({str(path)!r}), version="one")
for number in range(5):
    (tokens,) = reader.embed_tokens([f"{{sys.argv[1]}} {{number}}. " + {LONG!r}])
    assert len(tokens.pieces) == len(tokens.vectors)
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script, name], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    assert [process.communicate()[1] for process in running] == [b"", b"", b""]
    KeptReader(counting, path, version="one").embed_tokens([f"b 4. {LONG}"])
    assert counting.read == []
