"""A reader that remembers: the same vectors, read once, and not without limit."""

import numpy as np
import pytest

from assistant.models.minilm import MiniLM
from assistant.models.remembering import Remembering


class Counting:
    """The real embedder, which notes what it is asked to read."""

    def __init__(self, embedder: MiniLM) -> None:
        self._embedder = embedder
        self.read: list[str] = []

    def embed_tokens(self, texts):
        self.read += texts
        return self._embedder.embed_tokens(texts)


@pytest.fixture
def counting(embedder: MiniLM) -> Counting:
    return Counting(embedder)


def test_vectors_are_those_of_the_reader_in_the_order_asked(
    counting: Counting, embedder: MiniLM
) -> None:
    reader = Remembering(counting)
    reader.embed_tokens(["Whales sing.", "Tides turn."])
    texts = ["Tides turn.", "Birds fly south.", "Whales sing.", "Tides turn."]
    for found, text in zip(reader.embed_tokens(texts), texts, strict=True):
        (expected,) = embedder.embed_tokens([text])
        assert found.spans == expected.spans
        np.testing.assert_allclose(found.vectors, expected.vectors, atol=1e-5)


def test_a_text_is_read_once(counting: Counting) -> None:
    reader = Remembering(counting)
    reader.embed_tokens(["a whale", "a tide", "a whale"])
    reader.embed_tokens(["a tide", "a bird"])
    assert counting.read == ["a whale", "a tide", "a bird"]


def test_what_was_not_asked_for_longest_is_forgotten(counting: Counting) -> None:
    reader = Remembering(counting, most_pieces=8)
    reader.embed_tokens(["an old whale"])
    reader.embed_tokens(["a high tide"])
    reader.embed_tokens(["an old whale"])
    reader.embed_tokens(["a small bird"])
    counting.read.clear()
    reader.embed_tokens(["an old whale", "a high tide"])
    assert counting.read == ["a high tide"]


def test_reading_ahead_leaves_half_of_the_room(counting: Counting) -> None:
    reader = Remembering(counting, most_pieces=20)
    texts = [f"a small bird number {count}" for count in range(9)]
    reader.read_ahead(texts)
    assert counting.read == texts[:2]
    reader.embed_tokens([texts[0]])
    assert counting.read == texts[:2]
