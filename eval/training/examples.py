"""Texts with questions that they answer and questions on which they are silent, read by the embedder.

All are invented and were written for this; no paper of a data set is among them.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import Field

from assistant.models import Array, TokenVectors
from assistant.models.answer_head import inputs
from assistant.models.minilm import MiniLM
from assistant.records import Record

TEXTS = Path(__file__).parent / "texts"
HELD_OUT = Path(__file__).parent / "held_out"
_TEXTS_AT_A_TIME = 8
_NEGATIVES = 3
"""Sentences beside a question that do not state what it asks, of those closest to it."""
_JITTER = 0.25


class Answered(Record):
    """A question, and the numbers of the sentences that state what it asks, from 0."""

    question: str
    sentences: tuple[int, ...] = Field(min_length=1)


class Text(Record):
    """A text under a title, what it answers, and what it does not say though it might."""

    title: str
    sentences: tuple[str, ...] = Field(min_length=1)
    answered: tuple[Answered, ...]
    silent: tuple[str, ...]


class Asked(NamedTuple):
    """A question as read, and the numbers of the sentences that state what it asks, if any.

    ``anywhere`` and ``closeness`` are as the head takes them, the latter a row for each sentence.
    """

    pieces: Array
    stated: frozenset[int]
    anywhere: Array
    closeness: Array


class Read(NamedTuple):
    """A text as read: its word pieces, those of each sentence, and its questions."""

    pieces: Array
    sentences: tuple[Array, ...]
    questions: tuple[Asked, ...]


class Example(NamedTuple):
    """A question beside a sentence of a text."""

    text: Read
    question: Asked
    sentence: int

    @property
    def stated(self) -> bool:
        """Whether the sentence states what is asked."""
        return self.sentence in self.question.stated


def load(folder: Path) -> list[Text]:
    """Load the texts of a folder."""
    return [
        Text.model_validate_json(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def read(texts: Sequence[Text], embedder: MiniLM) -> list[Read]:
    """Read texts and their questions, some at a time."""
    found: list[Read] = []
    for start in range(0, len(texts), _TEXTS_AT_A_TIME):
        part = texts[start : start + _TEXTS_AT_A_TIME]
        bodies = embedder.embed_tokens(
            [f"{text.title}. {' '.join(text.sentences)}" for text in part]
        )
        asked = iter(embedder.embed_tokens([each for text in part for each in _questions(text)]))
        found += [_read(text, body, asked) for text, body in zip(part, bodies, strict=True)]
    return found


def examples(texts: Sequence[Read], random: random.Random) -> Iterator[Example]:
    """Put each question beside the sentences that answer it and the closest of those that do not."""
    for text in texts:
        for question in text.questions:
            wrong = [n for n in range(len(text.sentences)) if n not in question.stated]
            rank = {n: question.closeness[n, 0] + _JITTER * random.random() for n in wrong}
            chosen = sorted(wrong, key=lambda n: -rank[n])[:_NEGATIVES]
            for number in (*sorted(question.stated), *chosen):
                yield Example(text, question, number)


def _questions(text: Text) -> list[str]:
    return [*(each.question for each in text.answered), *text.silent]


def _read(text: Text, body: TokenVectors, asked: Iterator[TokenVectors]) -> Read:
    starts = np.array([start for start, _ in body.spans])
    place = len(text.title) + 2
    sentences: list[Array] = []
    for sentence in text.sentences:
        inside = (starts >= place) & (starts < place + len(sentence))
        place += len(sentence) + 1
        if not inside.any():  # beyond what the embedder reads
            break
        sentences.append(body.vectors[inside])
    within = frozenset(range(len(sentences)))
    questions = [
        _ask(next(asked), frozenset(each.sentences), body, sentences) for each in text.answered
    ]
    silent = [_ask(next(asked), frozenset(), body, sentences) for _ in text.silent]
    # What only a sentence answers that is not read is no example of silence.
    answered = [each for each in questions if each.stated <= within]
    return Read(body.vectors, tuple(sentences), (*answered, *silent))


def _ask(
    question: TokenVectors, stated: frozenset[int], body: TokenVectors, sentences: Sequence[Array]
) -> Asked:
    laid_out = inputs(question.vectors, body.vectors, sentences)
    return Asked(question.vectors, stated, laid_out.anywhere[0], laid_out.closeness)
