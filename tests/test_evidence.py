"""Sentences are weighed by how well each word of the question is matched in them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from assistant.answer.evidence import Evidence, content_words, weigh
from assistant.models.minilm import MiniLM
from assistant.query import Query, analyse
from assistant.records import Chunk, Paper, Passage
from assistant.text import fold, stem, word_spans
from conftest import MemoryIndex

TEXT = "Oaks grow slowly. The fox jumps over a fence. Training takes ten days."
INDEX = MemoryIndex(
    [Paper(id="1", title="On trees", abstract=TEXT)]
    + [Paper(id=f"x{number}", title="Foxes", abstract="A fox jumps.") for number in range(5)]
)


class Pieces(NamedTuple):
    """Vectors of words, and their places."""

    vectors: npt.NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]


class WordEmbedder:
    """A vector of its own for each word: words match wholly or not at all. ``reads`` limits a text."""

    def __init__(self, reads: int = 1000) -> None:
        self._places: dict[str, int] = {}
        self._reads = reads

    def embed_tokens(self, texts: Sequence[str]) -> list[Pieces]:
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Pieces:
        spans = [span for span in word_spans(text) if span.end <= self._reads]
        names = [stem(fold(text[start:end])) for start, end in spans]
        rows = [self._places.setdefault(name, len(self._places)) for name in names]
        return Pieces(np.eye(64, dtype=np.float32)[rows], tuple(map(tuple, spans)))


def passage(text: str, *, title: str = "On trees", rank: int = 1) -> Passage:
    chunk = Chunk(
        id=f"{rank}", paper_id=f"{rank}", source="abstract", text=text, start=0, end=len(text)
    )
    return Passage(rank=rank, chunk=chunk, title=title, url=None, score=1.0)


def ask(question: str) -> Query:
    return analyse(question, INDEX)


def weighed(question: str, *texts: str, embedder: WordEmbedder | None = None) -> list[Evidence]:
    passages = [passage(text, rank=rank) for rank, text in enumerate(texts, start=1)]
    return weigh(ask(question), passages, embedder or WordEmbedder())


def test_every_sentence_is_evidence_in_text_order() -> None:
    (evidence,) = weighed("Do oaks grow?", TEXT)
    assert [sentence.text for sentence in evidence.sentences] == [
        "Oaks grow slowly.", "The fox jumps over a fence.", "Training takes ten days.",
    ]  # fmt: skip


def test_a_sentence_is_verbatim_at_its_place() -> None:
    (evidence,) = weighed("Do oaks grow?", TEXT)
    assert all(TEXT[slice(*sentence.span)] == sentence.text for sentence in evidence.sentences)


def test_the_sentence_that_holds_the_words_scores_best() -> None:
    (evidence,) = weighed("How many days does training take?", TEXT)
    assert max(evidence.sentences, key=lambda each: each.score).text == "Training takes ten days."


def test_a_word_is_matched_by_its_best_piece() -> None:
    (evidence,) = weighed("oaks fence zebra", TEXT)
    assert [sentence.matches.tolist() for sentence in evidence.sentences] == [
        [1, 0, 0], [0, 1, 0], [0, 0, 0],
    ]  # fmt: skip


def test_a_passage_is_matched_by_all_of_its_sentences() -> None:
    (evidence,) = weighed("oaks fence zebra", TEXT)
    assert evidence.matches.tolist() == [1, 1, 0]


def test_the_title_matches_for_the_passage_but_is_no_sentence() -> None:
    (evidence,) = weighed("trees", TEXT)
    assert evidence.matches.tolist() == [1]
    assert [sentence.matches.tolist() for sentence in evidence.sentences] == [[0], [0], [0]]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    (evidence,) = weighed("oaks fox", TEXT)
    oaks, fox, _ = evidence.sentences
    assert oaks.score > fox.score


def test_the_best_passage_comes_first() -> None:
    found = weighed("Do oaks grow?", "A fox jumps.", "Oaks grow.")
    assert [evidence.passage.rank for evidence in found] == [2, 1]


def test_equal_passages_stay_in_their_order() -> None:
    found = weighed("Do oaks grow?", "Oaks grow.", "Oaks grow.", "Oaks grow.")
    assert [evidence.passage.rank for evidence in found] == [1, 2, 3]


def test_a_sentence_that_the_embedder_does_not_read_is_none() -> None:
    (evidence,) = weighed(
        "oaks", TEXT, embedder=WordEmbedder(reads=len("On trees. Oaks grow slowly."))
    )
    assert [sentence.text for sentence in evidence.sentences] == ["Oaks grow slowly."]


def test_no_passages_give_no_evidence() -> None:
    assert weighed("oaks") == []


def test_words_that_only_ask_are_not_looked_for() -> None:
    assert [word.surface for word in content_words(ask("Which paper proposes oaks?"))] == ["oaks"]


def test_a_question_of_nothing_else_keeps_them() -> None:
    assert [word.surface for word in content_words(ask("Which paper?"))] == ["paper"]


@pytest.mark.parametrize("question", ["What is it?", "???"])
def test_a_question_without_words_of_content_scores_nothing(
    question: str, embedder: MiniLM
) -> None:
    (evidence,) = weigh(ask(question), [passage(TEXT)], embedder)
    assert evidence.score == 0


def test_the_local_embedder_matches_words_by_meaning(embedder: MiniLM) -> None:
    (evidence,) = weigh(ask("How long does learning last?"), [passage(TEXT)], embedder)
    best = max(evidence.sentences, key=lambda each: each.score + each.similarity)
    assert best.text == "Training takes ten days."


def test_scores_are_cosines(embedder: MiniLM) -> None:
    (evidence,) = weigh(ask("Do foxes jump?"), [passage(TEXT)], embedder)
    values = [value for each in evidence.sentences for value in (each.score, each.similarity)]
    assert all(-1.00001 <= value <= 1.00001 for value in values)
