"""Evidence as the checker reads it: sentences with their words, each word as a vector in its context."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.models import Array, TokenEmbedder, TokenVectors
from assistant.text import Span, sentences
from assistant.verify.wording import Wording

_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_SENTENCE = 400
_UNIT = 200
_UNITS_EMBEDDED = 12
_BATCH = 8


class Unit(NamedTuple):
    """Neighbouring sentences that are embedded together, for short ones say little alone."""

    text: str
    sentences: tuple[Wording, ...]
    starts: tuple[int, ...]


class Embedded(NamedTuple):
    """Words as unit vectors, row by row, and for each the number of its sentence."""

    wordings: tuple[Wording, ...]
    vectors: Array
    owners: npt.NDArray[np.intp]


def split(text: str, *, size: int = _UNIT) -> list[Unit]:
    """Cut a text into units of whole sentences: as many as reach ``size`` characters."""
    units: list[Unit] = []
    pending: list[Span] = []
    for span in _short(text):
        pending.append(span)
        if span.end - pending[0].start >= size:
            units.append(_unit(text, pending))
            pending = []
    return [*units, _unit(text, pending)] if pending else units


def _short(text: str) -> Iterable[Span]:
    """Yield the sentences, those too long for the embedder in pieces."""
    for start, end in sentences(text):
        begin = start
        while end - begin > _LONGEST_SENTENCE:
            cut = text.rfind(" ", begin + 1, begin + _LONGEST_SENTENCE)
            cut = cut if cut > begin else begin + _LONGEST_SENTENCE
            yield Span(begin, cut)
            begin = cut
        if text[begin:end].strip():
            yield Span(begin, end)


def _unit(text: str, spans: Sequence[Span]) -> Unit:
    start = spans[0].start
    found = tuple(text[span.start : span.end] for span in spans)
    return Unit(
        text=text[start : spans[-1].end],
        sentences=tuple(map(Wording, found)),
        starts=tuple(span.start - start for span in spans),
    )


def select(units: Sequence[Unit], wanted: Collection[str]) -> list[Unit]:
    """Keep the units that hold most of the wanted stems, in text order: the others are not embedded."""
    if len(units) <= _UNITS_EMBEDDED:
        return list(units)
    stems = frozenset(wanted)

    def shared(index: int) -> int:
        return -len(stems & frozenset().union(*(s.stems for s in units[index].sentences)))

    best = sorted(range(len(units)), key=lambda index: (shared(index), index))[:_UNITS_EMBEDDED]
    return [units[index] for index in sorted(best)]


def embed(texts: Iterable[str], reader: TokenEmbedder) -> dict[str, TokenVectors]:
    """Embed each distinct text once, a few of one length at a time: a batch is padded to its longest."""
    distinct = sorted(dict.fromkeys(texts), key=len)
    found: dict[str, TokenVectors] = {}
    for start in range(0, len(distinct), _BATCH):
        batch = distinct[start : start + _BATCH]
        # Half a surrogate pair is no character to a tokenizer; places must not move, so it is replaced.
        readable = [_SURROGATE.sub("?", text) for text in batch]
        found.update(zip(batch, reader.embed_tokens(readable), strict=True))
    return found


def assemble(units: Sequence[Unit], embedded: Mapping[str, TokenVectors]) -> Embedded:
    """Line up the words of all units, each as the mean of its pieces."""
    wordings: list[Wording] = []
    rows: list[Array] = []
    owners: list[int] = []
    for unit in units:
        tokens = embedded[unit.text]
        for sentence, start in zip(unit.sentences, unit.starts, strict=True):
            found = _word_vectors(sentence, tokens, start)
            rows.append(found)
            owners += [len(wordings)] * len(found)
            wordings.append(sentence)
    vectors = np.concatenate(rows) if rows else np.zeros((0, 1), dtype=np.float32)
    return Embedded(tuple(wordings), vectors, np.array(owners, dtype=np.intp))


def _word_vectors(wording: Wording, tokens: TokenVectors, offset: int) -> Array:
    vectors = np.zeros((len(wording.words), tokens.vectors.shape[1]), dtype=np.float32)
    word = 0
    for row, (start, end) in enumerate(tokens.spans):
        while word < len(wording.words) and wording.words[word].span.end + offset <= start:
            word += 1
        if word < len(wording.words) and wording.words[word].span.start + offset < end:
            vectors[word] += tokens.vectors[row]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    normalised: Array = vectors / np.maximum(lengths, 1e-9)
    return normalised
