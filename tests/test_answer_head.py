"""The head tells whether a sentence states what a question asks, not just whether it is about it."""

import numpy as np
import pytest

from assistant.models.answer_head import AnswerHead, inputs
from assistant.models.minilm import MiniLM

HEAD = AnswerHead()
TITLE = "Lantern: Sorting Parcels by Their Sound. "
SENTENCES = (
    "Lantern listens to parcels on a conveyor belt and sorts them by fragility.",
    "It was trained on 41,000 recordings from three warehouses in Porto.",
    "On held-out parcels it makes 18% fewer mistakes than a camera.",
)


def log_odds(question: str, embedder: MiniLM) -> np.ndarray:
    asked, text = embedder.embed_tokens([question, TITLE + " ".join(SENTENCES)])
    return HEAD.log_odds(asked.vectors, text.vectors, parts(text))


def parts(text) -> list[np.ndarray]:
    starts = np.array([start for start, _ in text.spans])
    found, place = [], len(TITLE)
    for sentence in SENTENCES:
        found.append(text.vectors[(starts >= place) & (starts < place + len(sentence))])
        place += len(sentence) + 1
    return found


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How many recordings was Lantern trained on?", 1),
        ("How many fewer mistakes than a camera does Lantern make?", 2),
        ("In which city were the warehouses?", 1),
    ],
)
def test_the_sentence_that_answers_is_found(embedder: MiniLM, question: str, sentence: int) -> None:
    found = log_odds(question, embedder)
    assert np.argmax(found) == sentence
    assert found[sentence] > 0


@pytest.mark.parametrize(
    ("stated", "silent"),
    [
        ("How many recordings was Lantern trained on?", "Which licence do the recordings have?"),
        ("How many fewer mistakes than a camera does Lantern make?", "What does the camera cost?"),
    ],
)
def test_what_is_not_stated_gets_less(embedder: MiniLM, stated: str, silent: str) -> None:
    assert log_odds(stated, embedder).max() > log_odds(silent, embedder).max() + 1


def test_a_sentence_is_judged_alike_whatever_it_is_padded_to(embedder: MiniLM) -> None:
    asked, text = embedder.embed_tokens(["How was it trained?", TITLE + " ".join(SENTENCES)])
    nearest, *others = sorted(
        parts(text),
        key=lambda each: float(each.sum(axis=0) @ asked.vectors.sum(axis=0)),
        reverse=True,
    )
    alone = HEAD.log_odds(asked.vectors, text.vectors, [nearest])
    beside = HEAD.log_odds(
        asked.vectors, text.vectors, [nearest, *others, np.tile(others[0], (5, 1))]
    )
    assert beside[0] == pytest.approx(alone[0], abs=1e-3)


@pytest.mark.parametrize("question", ["?", "…", "\N{PILE OF POO}", "為什麼", "why " * 400])
def test_any_question_can_be_read(embedder: MiniLM, question: str) -> None:
    assert np.isfinite(log_odds(question, embedder)).all()


def test_padding_is_masked() -> None:
    random = np.random.default_rng(0)
    asked, short, long = (random.normal(size=(n, 384)).astype(np.float32) for n in (4, 2, 9))
    laid_out = inputs(asked, long, [short, long])
    assert laid_out.sentence_mask.sum(axis=1).tolist() == [2, 9]
    assert not laid_out.sentence[0, 2:].any()


def test_closeness_is_that_to_the_question_and_what_is_missing_to_the_closest() -> None:
    eye = np.eye(384, dtype=np.float32)
    laid_out = inputs(eye[:1], eye[:3], [eye[:1], eye[1:2]])
    np.testing.assert_allclose(laid_out.closeness, [[1, 0], [0, 1]], atol=1e-6)
