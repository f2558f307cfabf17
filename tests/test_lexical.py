"""The lexical index by itself: analysis, BM25, vocabulary."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.records import Chunk, Paper
from assistant.store.lexical import DamagedIndexError, Lexical
from assistant.store.model import NOTHING, WRITING, Entry, State
from assistant.text import terms

STATE = State("library", 3, None)


def entry(chunk_id: str, text: str, *, title: str = "") -> Entry:
    paper_id = chunk_id.partition(":")[0]
    chunk = Chunk(
        id=chunk_id, paper_id=paper_id, source="abstract", text=text, start=0, end=len(text)
    )
    return Entry(Paper(id=paper_id, title=title or "-"), 0, chunk, np.zeros(1, np.float32))


@pytest.fixture
def index(tmp_path: Path) -> Lexical:
    index = Lexical(tmp_path / "lexical")
    index.create()
    return index


def found(index: Lexical, *words: str, papers: list[str] | None = None) -> list[str]:
    weights = {term: 1.0 for word in words for term in terms(word)}
    return [hit.chunk_id for hit in index.search(weights, 100, papers=papers)]


def test_index_and_queries_share_the_analyser(index: Lexical) -> None:
    index.update(add=[entry("a:1", "φ-Décoding with SWEET-RL"), entry("b:1", "of other things")])

    for word in ("phi", "decode", "Decoding", "sweetrl", "SWEET", "sweet-rl"):
        assert found(index, word) == ["a:1"], word


def test_title_counts(index: Lexical) -> None:
    index.update(add=[entry("a:1", "some text", title="Deep Waters"), entry("b:1", "shallow")])

    assert found(index, "waters") == ["a:1"]
    assert index.document_frequency("water") == 1
    assert index.words_with_prefix("w") == ["waters"]


def test_frequencies_are_counted_in_some_papers_or_in_all(index: Lexical) -> None:
    index.update(add=[entry("a:1", "an apple"), entry("a:2", "apples"), entry("b:1", "apple pie")])

    assert index.document_frequency("appl") == 3
    assert index.document_frequency("appl", papers=["a"]) == 2
    assert index.document_frequency("pie", papers=["a"]) == 0


def test_users_text_is_never_a_query(index: Lexical) -> None:
    index.update(add=[entry("a:1", "plain text")])

    for text in ('text:"', "a AND (b", "*", "paper_id:a", "text^2", "[a TO z]", "\x00", "~"):
        assert found(index, text) in ([], ["a:1"])


def test_filter_by_paper_does_not_change_scores(index: Lexical) -> None:
    index.update(add=[entry("a:1", "one common"), entry("b:1", "common"), entry("b:2", "common x")])
    everywhere = {hit.chunk_id: hit.score for hit in index.search({"common": 1.0}, 9, papers=None)}

    within = index.search({"common": 1.0}, 9, papers=["b"])

    assert {hit.chunk_id for hit in within} == {"b:1", "b:2"}
    assert all(everywhere[hit.chunk_id] == hit.score for hit in within)
    assert found(index, "common", papers=[]) == []


def test_terms_count_by_their_weight(index: Lexical) -> None:
    index.update(add=[entry("a:1", "apple"), entry("b:1", "berry")])

    first, second = index.search({"appl": 1.0, "berri": 2.0}, 9, papers=None)

    assert (first.chunk_id, second.chunk_id) == ("b:1", "a:1")
    assert first.score == pytest.approx(2 * second.score)


def test_all_that_score_as_the_last_one_come_with_it(index: Lexical) -> None:
    index.update(
        add=[
            entry("best:1", "apple apple pie"),
            *(entry(f"{name}:1", "apple pie crust") for name in "dacb"),
            entry("worst:1", "one apple among a great many other words of no use"),
        ]
    )

    def best(count: int) -> list[str]:
        return [hit.chunk_id for hit in index.search({"appl": 1.0}, count, papers=None)]

    assert best(1) == ["best:1"]
    assert best(2) == best(5) == ["best:1", "a:1", "b:1", "c:1", "d:1"]
    assert best(6) == best(100) == [*best(2), "worst:1"]


def test_deleted_chunks_leave_the_vocabulary(index: Lexical) -> None:
    index.update(add=[entry("a:1", "apple pie"), entry("b:1", "apple")])

    index.update(delete=["a:1"])

    assert index.ids() == {"b:1"}
    assert index.document_frequency("appl") == 1
    assert index.words_with_prefix("pi") == []


def test_longest_words_do_no_harm(index: Lexical) -> None:
    index.update(add=[entry("a:1", "x" * 100_000 + " findable")])

    assert found(index, "findable") == ["a:1"]


def test_an_interrupted_update_is_none(index: Lexical, tmp_path: Path) -> None:
    index.update(add=[entry("a:1", "apple")])

    def break_off() -> Iterator[Entry]:
        yield entry("b:1", "berry")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.update(add=break_off())

    assert index.ids() == {"a:1"}
    again = Lexical(tmp_path / "lexical")
    index.mark(STATE, 3)
    again.open()
    assert again.ids() == {"a:1"}


def test_stamp(index: Lexical, tmp_path: Path) -> None:
    assert index.stamp("library") == NOTHING
    index.mark(STATE, WRITING)
    assert index.stamp("library") == WRITING
    index.mark(STATE, 3)
    assert Lexical(tmp_path / "lexical").stamp("library") == 3
    assert index.stamp("another library") == NOTHING


def test_missing_and_empty_folders_are_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedIndexError):
        Lexical(tmp_path / "missing").open()


WORDS = st.lists(
    st.sampled_from(["apple", "berry", "cherry", "date", "elder"]), min_size=1, max_size=40
)


@settings(max_examples=30)
@given(
    st.lists(WORDS, min_size=1, max_size=12),
    st.dictionaries(
        st.sampled_from(["appl", "berri", "cherri", "date", "missing"]),
        st.floats(0.25, 4),
        min_size=1,
    ),
)
def test_scores_are_bm25(documents: list[list[str]], weights: dict[str, float]) -> None:
    index = Lexical(Path("unused"))
    index.create_in_memory()
    entries = [entry(f"p:{number:02}", " ".join(found)) for number, found in enumerate(documents)]
    index.update(add=entries)

    hits = index.search(weights, 100, papers=None)

    expected = bm25({e.chunk.id: Counter(terms(e.chunk.text)) for e in entries}, weights)
    assert {hit.chunk_id: hit.score for hit in hits} == pytest.approx(expected, rel=1e-5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def bm25(documents: Mapping[str, Counter[str]], weights: Mapping[str, float]) -> dict[str, float]:
    """Textbook BM25; tantivy keeps the lengths of texts up to 40 words exactly."""
    average = sum(found.total() for found in documents.values()) / len(documents)
    scores: dict[str, float] = {}
    for term, weight in weights.items():
        frequency = sum(term in found for found in documents.values())
        idf = math.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
        for chunk_id, found in documents.items():
            if count := found[term]:
                norm = 1.2 * (0.25 + 0.75 * found.total() / average)
                scores[chunk_id] = scores.get(chunk_id, 0) + weight * idf * 2.2 * count / (
                    count + norm
                )
    return scores
