"""Papers into chunks: runs of whole sentences that fit the embedder. Pure."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from assistant.records import Block, Chunk, Document, Line, Paper
from assistant.sections import Section, sections
from assistant.text import Span, content_terms, sentences

VERSION = "sentences-3"
"""Stored with the index; a change of how papers are cut makes a new version."""

MAX_TOKENS = 240
"""Tokens of a chunk with its title; the local embedder reads 254 and its two markers."""

SECTION_SEPARATOR = " › "

_MIN_BUDGET = 80
_SAME_ABSTRACT = 0.6
_LONG_BLOCK = 300
_SENTENCE = re.compile(r"(?:\S+\s+){5}.*[.!?][\"'”’)\]]*|.{10,}[。！？]", re.DOTALL)
_CLAUSE_END = re.compile(r"[，、；：。！？,;:]")

CountTokens = Callable[[str], int]


def chunk_abstract(paper: Paper, *, count_tokens: CountTokens) -> tuple[Chunk, ...]:
    """Cut a paper's abstract into chunks, in text order; together they hold every sentence.

    A chunk overlaps the one before by a sentence. A sentence that no chunk can hold is cut between words.
    A paper without an abstract is one chunk of its title.

    Args:
        paper: the paper.
        count_tokens: the embedder's own count.
    """
    text = paper.abstract if paper.abstract.strip() else paper.title
    budget = max(MAX_TOKENS - count_tokens(paper.title), _MIN_BUDGET)
    spans = _spans(text, Span(0, len(text)), count_tokens, budget)
    return tuple(_chunk(paper, text, span) for span in spans)


def chunk_document(
    paper: Paper, document: Document, *, count_tokens: CountTokens
) -> tuple[Chunk, ...]:
    """Cut a paper's full text into chunks that stay within one section, in text order.

    Together they hold all of the text but headings, which are in the chunks' ``section``, references,
    title and authors, and an abstract that the paper already has from elsewhere. A table or figure's caption
    is cut apart from the text around it. A sentence that no chunk can hold is cut between words.

    Args:
        paper: the paper.
        document: its PDF, as read.
        count_tokens: the embedder's own count.
    """
    starts = [line.start for line in document.lines]
    ends = [line.end for line in document.lines]
    chunks: list[Chunk] = []
    for section in sections(document, _indexed(paper, document)):
        head = _head(paper, SECTION_SEPARATOR.join(section.path), section.context)
        budget = max(MAX_TOKENS - count_tokens(head), _MIN_BUDGET)
        for span in _spans(document.text, section.span, count_tokens, budget):
            lines = document.lines[bisect_right(ends, span.start) : bisect_left(starts, span.end)]
            chunks.append(_chunk(paper, document.text, span, section=section, lines=lines))
    return tuple(chunks)


def embedding_text(paper: Paper, chunk: Chunk) -> str:
    """Return what is embedded for a chunk: its text under title, section and what it is part of."""
    if chunk.text == paper.title:
        return chunk.text
    return f"{_head(paper, chunk.section, chunk.context)}. {chunk.text}"


def _head(paper: Paper, section: str | None, context: str | None) -> str:
    return ". ".join(part for part in (paper.title, section, context) if part)


def _indexed(paper: Paper, document: Document) -> list[Block]:
    """Leave out title and authors, and the document's abstract where the paper's own says the same."""
    front = _front_matter(document)
    blocks = [
        block
        for index, block in enumerate(document.blocks)
        if index >= front or not _names_somebody(document, block)
    ]
    if not document.abstract or not paper.abstract:
        return blocks
    start, end = document.abstract
    own, found = (set(content_terms(text)) for text in (paper.abstract, document.text[start:end]))
    if len(own & found) < _SAME_ABSTRACT * len(found):
        return blocks
    return [block for block in blocks if not (start <= block.start and block.end <= end)]


def _front_matter(document: Document) -> int:
    """Count the short blocks that a titled document has before its first heading or abstract."""
    if document.title is None:
        return 0
    abstract = document.abstract[0] if document.abstract else len(document.text)
    for index, block in enumerate(document.blocks):
        is_front = block.kind != "heading" and block.start < abstract
        if not is_front or block.end - block.start >= _LONG_BLOCK:
            return index
    return 0


def _names_somebody(document: Document, block: Block) -> bool:
    """Whether a short block before the paper begins is title, authors or an address, not a sentence."""
    text = document.text[block.start : block.end]
    return block.kind == "text" and not _SENTENCE.fullmatch(text)


def _spans(text: str, stretch: Span, count_tokens: CountTokens, budget: int) -> list[Span]:
    def count(span: Span) -> int:
        return count_tokens(text[span.start : span.end])

    start, end = stretch
    units = [
        part
        for piece in sentences(text[start:end])
        for part in _cut_long(text, Span(start + piece.start, start + piece.end), count, budget)
    ]
    return _pack(units, count, budget)


def _cut_long(text: str, span: Span, count: Callable[[Span], int], budget: int) -> list[Span]:
    """Cut a span in halves, between words where there are blanks, until each part fits."""
    if count(span) <= budget or span.end - span.start < 2:
        return [span]
    cut = _middle(text, span)
    parts = (Span(span.start, cut), Span(cut, span.end))
    return [
        piece
        for part in map(_stripper(text), parts)
        if part.start < part.end
        for piece in _cut_long(text, part, count, budget)
    ]


def _middle(text: str, span: Span) -> int:
    """Where to cut a span: at a blank, after a clause or, in one long word, anywhere near its middle."""
    quarter = (span.end - span.start) // 4
    middle, low, high = (span.start + span.end) // 2, span.start + quarter, span.end - quarter
    blanks = text.rfind(" ", low, middle), text.find(" ", middle, high)
    clauses = [match.end() for match in _CLAUSE_END.finditer(text, low, high - 1)]
    found = [blank for blank in blanks if blank > span.start] or clauses or [middle]
    return min(found, key=lambda place: abs(place - middle))


def _stripper(text: str) -> Callable[[Span], Span]:
    def strip(span: Span) -> Span:
        piece = text[span.start : span.end]
        start = span.start + len(piece) - len(piece.lstrip())
        return Span(start, start + len(piece.strip()))

    return strip


def _pack(spans: Sequence[Span], count: Callable[[Span], int], budget: int) -> list[Span]:
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


def rename(paper: Paper, chunk: Chunk) -> Chunk:
    """Make a chunk one of ``paper``, whose id or title may have changed since it was cut."""
    content = chunk.model_copy(update={"id": "", "paper_id": paper.id})
    digest = hashlib.sha256(f"{paper.title}\n{content.model_dump_json()}".encode()).hexdigest()
    return content.model_copy(update={"id": f"{paper.id}:{digest[:12]}"})


def _chunk(
    paper: Paper,
    text: str,
    span: Span,
    *,
    section: Section | None = None,
    lines: Sequence[Line] = (),
) -> Chunk:
    piece = text[span.start : span.end]
    is_rest = section is not None and span.start > section.span.start
    chunk = Chunk(
        id="",
        paper_id=paper.id,
        source="abstract" if section is None else "pdf",
        text=piece,
        start=span.start,
        end=span.end,
        section=(SECTION_SEPARATOR.join(section.path) or None) if section else None,
        context=(section.context or None) if section and is_rest else None,
        page_first=min((line.page for line in lines), default=None),
        page_last=max((line.page for line in lines), default=None),
        lines=tuple(lines),
    )
    return rename(paper, chunk)
