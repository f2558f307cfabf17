"""A reader whose passages are kept on disk: read once in all processes, never wrong, never in the way."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from assistant.models.kept import KeptReader
from assistant.models.minilm import MiniLM, TokenVectors

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


def same_but_for_rounding(kept: TokenVectors, embedder: MiniLM) -> None:
    (read,) = embedder.embed_tokens([LONG])
    assert (kept.spans, kept.pieces) == (read.spans, read.pieces)
    np.testing.assert_allclose(kept.vectors, read.vectors, atol=1e-3)


def test_a_passage_is_read_once_in_all_processes(counting: Counting, path: Path) -> None:
    first = KeptReader(counting, path).embed_tokens([QUESTION, LONG, OTHER])
    counting.read.clear()
    again = KeptReader(counting, path).embed_tokens([QUESTION, OTHER, LONG])
    assert counting.read == [QUESTION]
    for old, new in zip(first, [again[0], again[2], again[1]], strict=True):
        assert (new.spans, new.pieces) == (old.spans, old.pieces)
        np.testing.assert_array_equal(new.vectors, old.vectors)


def test_vectors_are_those_of_the_reader_but_for_rounding(
    counting: Counting, embedder: MiniLM, path: Path
) -> None:
    (kept,) = KeptReader(counting, path).embed_tokens([LONG])
    same_but_for_rounding(kept, embedder)


def test_a_passage_that_is_embedded_is_read_on_the_way(
    counting: Counting, embedder: MiniLM, path: Path
) -> None:
    vectors = KeptReader(counting, path).embed([LONG, QUESTION])
    np.testing.assert_allclose(vectors, embedder.embed([LONG, QUESTION]), atol=1e-5)
    counting.read.clear()
    (kept,) = KeptReader(counting, path).embed_tokens([LONG])
    assert counting.read == []
    same_but_for_rounding(kept, embedder)


def test_what_another_reader_read_is_not_used(
    counting: Counting, model_cache: Path, path: Path
) -> None:
    KeptReader(counting, path).embed_tokens([LONG])
    other = Counting(model_cache)
    other.version = "another"
    KeptReader(other, path).embed_tokens([LONG])
    assert (counting.read, other.read) == ([LONG], [LONG])


def test_a_text_named_twice_is_returned_twice(counting: Counting, path: Path) -> None:
    one, two, three = KeptReader(counting, path).embed_tokens([LONG, OTHER, LONG])
    assert one.pieces == three.pieces != two.pieces
    assert sorted(counting.read) == sorted([LONG, OTHER])


def test_passages_kept_longest_ago_make_room(counting: Counting, path: Path) -> None:
    reader = KeptReader(counting, path, most_bytes=1_500_000)
    passages = [f"{number}. {LONG}" for number in range(60)]
    reader.embed(passages[:30])
    reader.embed_tokens(passages[30:])
    assert path.stat().st_size < 2_500_000
    counting.read.clear()
    reader.embed_tokens(passages[-16:])
    assert counting.read == []
    reader.embed_tokens(passages[:1])
    assert counting.read == passages[:1]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, None])
def test_a_file_that_cannot_be_used_is_as_good_as_empty(
    counting: Counting, path: Path, content: bytes | None
) -> None:
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    (tokens,) = KeptReader(counting, path).embed_tokens([LONG])
    assert len(tokens.pieces) == len(tokens.vectors) > 40
    KeptReader(counting, path).embed_tokens([LONG])
    KeptReader(counting, path).embed_tokens([LONG])
    assert len(counting.read) == (3 if content is None else 1)


@pytest.mark.parametrize(
    "change",
    [
        "vectors = 'damaged!'",
        "vectors = substr(vectors, 1, length(vectors) / 2)",
        "vectors = substr(vectors, 1, 1000) || zeroblob(8) || substr(vectors, 1009)",
        "spans = zeroblob(length(spans))",
        "pieces = replace(pieces, 'whale', 'shark')",
        "checksum = 0",
    ],
)
def test_a_damaged_passage_is_read_anew(counting: Counting, path: Path, change: str) -> None:
    (sound,) = KeptReader(counting, path).embed_tokens([LONG])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE passages SET {change}")
    for _ in range(2):
        (mended,) = KeptReader(counting, path).embed_tokens([LONG])
        np.testing.assert_array_equal(mended.vectors, sound.vectors)
    assert counting.read == [LONG, LONG]


def test_a_file_of_another_make_is_begun_anew(counting: Counting, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE passages (key BLOB)")
    for _ in range(3):
        KeptReader(counting, path).embed_tokens([LONG])
    assert counting.read == [LONG]


def test_a_file_that_another_process_holds_costs_one_short_wait(
    counting: Counting, path: Path
) -> None:
    reader = KeptReader(counting, path)
    reader.embed_tokens([LONG])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        for _ in range(20):
            reader.embed_tokens([LONG])
        assert time.monotonic() - began < 15  # twenty waits for SQLite's own five seconds are 100
    assert len(counting.read) == 21
    assert path.is_file()


def test_a_disk_with_little_room_is_left_to_the_library(counting: Counting, path: Path) -> None:
    reader = KeptReader(counting, path, spare_bytes=1 << 60)
    reader.embed_tokens([LONG])
    reader.embed([LONG])
    assert not path.exists()


def test_what_is_read_while_the_library_changes_is_not_kept(counting: Counting, path: Path) -> None:
    generations = iter(range(100))
    reader = KeptReader(counting, path, generation=lambda: next(generations))
    reader.embed_tokens([LONG])
    assert not path.exists()


def test_forgetting_leaves_nothing(counting: Counting, path: Path) -> None:
    reader = KeptReader(counting, path)
    reader.embed_tokens([LONG])
    path.with_name("read.db-journal").write_bytes(b"what a killed process was writing")
    reader.forget()
    assert list(path.parent.iterdir()) == []
    reader.embed_tokens([LONG])
    assert counting.read == [LONG, LONG]


def test_processes_that_keep_at_once_lose_no_answer(
    counting: Counting, path: Path, tmp_path: Path
) -> None:
    script = f"""
from pathlib import Path
from assistant.models.kept import KeptReader
from assistant.models.minilm import MiniLM, TokenVectors
import sys
reader = KeptReader(MiniLM(Path({str(tmp_path)!r})), Path({str(path)!r}))
for number in range(5):
    (tokens,) = reader.embed_tokens([f"{{sys.argv[1]}} {{number}}. " + {LONG!r}])
    assert len(tokens.pieces) == len(tokens.vectors)
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script, name], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    assert [process.communicate()[1] for process in running] == [b"", b"", b""]
    KeptReader(counting, path).embed_tokens([f"b 4. {LONG}"])
    assert counting.read == []
