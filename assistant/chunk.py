"""Papers into chunks: runs of whole sentences that fit the embedder. Pure."""

import hashlib
from collections.abc import Callable

from assistant.records import Chunk, Paper
from assistant.text import Span, sentences

VERSION = "abstract-1"
"""Stored with the index; a change of how papers are cut makes a new version."""

MAX_TOKENS = 240
"""Tokens of a chunk with its title; the local embedder reads 254 and its two markers."""


def chunk_abstract(paper: Paper, *, count_tokens: Callable[[str], int]) -> tuple[Chunk, ...]:
    """Cut a paper's abstract into chunks, in text order; together they hold every sentence.

    A chunk overlaps the one before by a sentence. A sentence too long for one chunk is one all the
    same: the embedder sees its beginning, the lexical index all of it. A paper without an abstract
    is one chunk of its title.

    Args:
        paper: the paper.
        count_tokens: the embedder's own count.
    """
    text = paper.abstract if paper.abstract.strip() else paper.title
    budget = MAX_TOKENS - count_tokens(paper.title)
    spans = _pack(sentences(text), lambda span: count_tokens(text[span.start : span.end]), budget)
    return tuple(_chunk(paper, text, span) for span in spans)


def embedding_text(paper: Paper, chunk: Chunk) -> str:
    """Return what is embedded for a chunk: its text under the paper's title."""
    return chunk.text if chunk.text == paper.title else f"{paper.title}. {chunk.text}"


def _pack(spans: list[Span], count: Callable[[Span], int], budget: int) -> list[Span]:
    """Join sentences into spans of at most ``budget`` tokens that overlap by one sentence."""
    packed: list[Span] = []
    sizes = [count(span) for span in spans]
    first = 0
    while first < len(spans):
        end, used = first + 1, sizes[first]
        while end < len(spans) and used + sizes[end] <= budget:
            used += sizes[end]
            end += 1
        packed.append(Span(spans[first].start, spans[end - 1].end))
        if end == len(spans):
            break
        overlaps = end - 1 > first and sizes[end - 1] + sizes[end] <= budget
        first = end - 1 if overlaps else end
    return packed


def _chunk(paper: Paper, text: str, span: Span) -> Chunk:
    piece = text[span.start : span.end]
    content = f"{paper.title}\n{span.start}\n{piece}"
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Chunk(
        id=f"{paper.id}:{digest}",
        paper_id=paper.id,
        source="abstract",
        text=piece,
        start=span.start,
        end=span.end,
    )
