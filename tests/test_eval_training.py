"""The texts that the answer head is trained on, and how they are put before it."""

import random

import numpy as np
import pytest

from assistant.models.minilm import MiniLM
from eval.training.examples import HELD_OUT, TEXTS, Answered, Text, examples, load, read

TEXT = Text(
    title="On tides",
    sentences=("Tides follow the moon.", "We measured forty harbours.", "Boats float."),
    answered=(Answered(question="What do tides follow?", sentences=(0,)),),
    silent=("Who measured the harbours?",),
)


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return [*load(TEXTS), *load(HELD_OUT)]


def test_each_text_answers_some_questions_and_is_silent_on_others(texts: list[Text]) -> None:
    assert len(texts) > 600
    assert all(text.answered and text.silent for text in texts)


def test_numbers_of_sentences_are_within_the_text(texts: list[Text]) -> None:
    assert all(
        0 <= number < len(text.sentences)
        for text in texts
        for each in text.answered
        for number in each.sentences
    )


def test_no_text_comes_twice_and_none_held_out_is_trained_on(texts: list[Text]) -> None:
    assert len({text.title for text in texts}) == len(texts)


def test_a_question_stands_beside_the_sentence_that_answers_and_those_that_do_not(
    embedder: MiniLM,
) -> None:
    (found,) = read([TEXT], embedder)
    answered, silent = found.questions
    pairs = list(examples([found], random.Random(0)))
    assert {each.sentence for each in pairs if each.question is answered and each.stated} == {0}
    assert [each.stated for each in pairs if each.question is silent] == [False] * 3


def test_sentences_are_read_in_their_text(embedder: MiniLM) -> None:
    (found,) = read([TEXT], embedder)
    (alone,) = embedder.embed_tokens(["Boats float."])
    assert found.sentences[2].shape == alone.vectors.shape
    assert not np.allclose(found.sentences[2], alone.vectors, atol=0.05)
