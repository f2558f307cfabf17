"""Citations: from a stretch of a passage to a numbered pointer to paper, page and place."""

import re
from collections.abc import Sequence

from assistant.parse.places import boxes
from assistant.records import Citation, Passage
from assistant.text import Span

_MARKDOWN = re.compile(r"([\\`*\[\]<>#|])")


def cite(passage: Passage, span: Span, *, number: int) -> Citation:
    """Cite ``span`` of the passage's text, verbatim."""
    chunk = passage.chunk
    places = boxes(chunk.lines, chunk.start + span.start, chunk.start + span.end)
    pages = [box.page for box in places]
    return Citation(
        number=number,
        paper_id=chunk.paper_id,
        title=passage.title,
        url=passage.url,
        source=chunk.source,
        page_first=min(pages, default=chunk.page_first),
        page_last=max(pages, default=chunk.page_last),
        section=chunk.section,
        quote=chunk.text[span.start : span.end],
        boxes=places,
        chunk_id=chunk.id,
        score=passage.score,
    )


def markers(numbers: Sequence[int]) -> str:
    """Write citation markers: ``[1]`` or ``[1][3]``."""
    return "".join(f"[{number}]" for number in numbers)


def escape_markdown(text: str) -> str:
    """Escape what would make text from a paper a link, an image, HTML, emphasis or a heading."""
    return _MARKDOWN.sub(r"\\\1", text)


def unescape_markdown(text: str) -> str:
    """Undo :func:`escape_markdown`, for a plain terminal."""
    return re.sub(r"\\([\\`*\[\]<>#|])", r"\1", text)
