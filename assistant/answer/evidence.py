"""Which sentences of the passages answer the question: late interaction over word pieces.

The question's content words are matched against every word piece of a passage in its context, each word
by its best match (MaxSim; Khattab and Zaharia, "ColBERT", SIGIR 2020), here with the local embedder's
token states instead of a model trained for it, and each word weighted by how rare it is in the library.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assistant.models import Array, TokenEmbedder, TokenVectors
from assistant.models.answer_head import AnswerHead
from assistant.query import Query, QueryWord
from assistant.records import Chunk, Passage
from assistant.text import Span, sentences


class Sentence(NamedTuple):
    """A sentence of a passage and how well it fits the question.

    ``matches`` has a similarity in [-1, 1] per content word of the question; ``score`` is their mean,
    weighted by the words' rarity. ``pieces`` are its word pieces in context, shape ``(pieces, dimension)``;
    ``stated`` the log-odds that it states what is asked, 0 until :func:`judge` has read it.
    """

    passage: Passage
    span: Span
    text: str
    matches: Array
    similarity: float
    score: float
    pieces: Array
    stated: float = 0.0


class Evidence(NamedTuple):
    """A passage's sentences in text order, and how well the whole passage fits the question.

    ``asked`` and ``pieces`` are the word pieces of the question and of the passage with its title.
    """

    passage: Passage
    sentences: tuple[Sentence, ...]
    matches: Array
    score: float
    asked: Array
    pieces: Array


def weigh(query: Query, passages: Sequence[Passage], embedder: TokenEmbedder) -> list[Evidence]:
    """Match the question with every sentence of the passages; best passage first."""
    words = content_words(query)
    prefixes = [prefix(passage.title, passage.chunk) for passage in passages]
    texts = [
        before + passage.chunk.text for before, passage in zip(prefixes, passages, strict=True)
    ]
    question, *embedded = embedder.embed_tokens([query.text, *texts])
    asked = _Asked(question, words)
    found = [
        _weigh_passage(asked, passage, tokens, len(before))
        for passage, before, tokens in zip(passages, prefixes, embedded, strict=True)
    ]
    return sorted(found, key=lambda evidence: (-evidence.score, evidence.passage.rank))


def judge(evidence: Sequence[Evidence], head: AnswerHead) -> tuple[Evidence, ...]:
    """Read each sentence again beside the question: how likely does it state what is asked?"""
    return tuple(_judge(each, head) if each.sentences else each for each in evidence)


def _judge(evidence: Evidence, head: AnswerHead) -> Evidence:
    stated = head.log_odds(
        evidence.asked, evidence.pieces, [sentence.pieces for sentence in evidence.sentences]
    )
    read = zip(evidence.sentences, stated, strict=True)
    return evidence._replace(
        sentences=tuple(each._replace(stated=float(log_odds)) for each, log_odds in read)
    )


def prefix(title: str, chunk: Chunk) -> str:
    """Return what a chunk is read under: its paper's title, its section, its table's caption."""
    return "".join(f"{part}. " for part in (title, chunk.section, chunk.context) if part)


def content_words(query: Query) -> tuple[QueryWord, ...]:
    """Return the words that say what the question is about, or all of them if none does."""
    return tuple(word for word in query.words if not word.asking) or query.words


class _Asked:
    """The question's content words as rows of vectors."""

    def __init__(self, question: TokenVectors, words: Sequence[QueryWord]) -> None:
        rows: list[int] = []
        owners: list[int] = []
        for index, (start, end) in enumerate(question.spans):
            for owner, word in enumerate(words):
                if word.span.start < end and start < word.span.end:
                    rows.append(index)
                    owners.append(owner)
        self.pieces = question.vectors
        self.vectors = question.vectors[rows]
        self.whole = _mean(question.vectors)
        self.words = words
        self._owners = np.array(owners, dtype=np.intp)
        weights = np.array([word.weight for word in words], dtype=np.float32)
        self.weights = weights / max(float(weights.sum()), 1e-9)

    def per_word(self, best: Array) -> Array:
        """Average the pieces' best matches word by word."""
        totals = np.zeros(len(self.words), dtype=np.float32)
        counts = np.zeros(len(self.words), dtype=np.float32)
        np.add.at(totals, self._owners, best)
        np.add.at(counts, self._owners, 1)
        return np.divide(totals, np.maximum(counts, 1), dtype=np.float32)


def _weigh_passage(asked: _Asked, passage: Passage, tokens: TokenVectors, offset: int) -> Evidence:
    similarity = asked.vectors @ tokens.vectors.T
    starts = np.array([start for start, _ in tokens.spans])
    found: list[Sentence] = []
    for span in sentences(passage.chunk.text):
        inside = (starts >= span.start + offset) & (starts < span.end + offset)
        if not inside.any():  # beyond what the embedder reads
            continue
        matches = asked.per_word(similarity[:, inside].max(axis=1))
        pieces = tokens.vectors[inside]
        found.append(
            Sentence(
                passage=passage,
                span=span,
                text=passage.chunk.text[span.start : span.end],
                matches=matches,
                similarity=float(asked.whole @ _mean(pieces)),
                score=float(matches @ asked.weights),
                pieces=pieces,
            )
        )
    matches = asked.per_word(similarity.max(axis=1))
    score = float(matches @ asked.weights)
    return Evidence(passage, tuple(found), matches, score, asked.pieces, tokens.vectors)


def _mean(vectors: Array) -> Array:
    total = vectors.sum(axis=0)
    mean: Array = total / max(float(np.linalg.norm(total)), 1e-12)
    return mean
