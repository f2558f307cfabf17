"""Scanned pages, which are pictures of text: read where text recognition is installed, else reported."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from assistant import parse
from assistant.parse.worker import Limits
from assistant.records import Document

VERSION = f"{parse.VERSION}-ocr-2"
"""Changes whenever the same scan may give another document."""

READER = "assistant.parse.scans:read_pdf"
LIMITS = Limits(seconds=1200.0, memory_bytes=2_000_000_000)
"""What reading a PDF with scanned pages may take; the other limits are those of any PDF."""

MAX_PAGES = 50
"""Scanned pages read of one PDF."""

INSTALL = "run pip install 'paper-assistant[ocr]', then ingest it again"
"""What to do before scanned pages can be read."""

_SECONDS = (
    LIMITS.seconds - 120.0
)  # then no further page is begun; one page takes much less than the rest


def is_installed() -> bool:
    """Tell whether text recognition is installed."""
    return find_spec("rapidocr") is not None


def read_pdf(path: Path, *, max_pages: int = parse.MAX_PAGES) -> Document:
    """Read a PDF file, scanned pages too; see :func:`assistant.parse.reader.read_pdf`."""
    from assistant.parse import reader  # loads PDFium
    from assistant.parse.recognition import Recogniser

    recogniser = Recogniser(max_pages=MAX_PAGES, seconds=_SECONDS)
    return reader.read_pdf(path, max_pages=max_pages, recogniser=recogniser)


def unread(pages: Sequence[int], reason: str, *, in_part: bool = False) -> str:
    """Say in a line which scanned pages were not read, or only in part, and why."""
    read = "read only in part" if in_part else "not read"
    if len(pages) == 1:
        return f"page {pages[0]} is a scan or a picture and was {read}: {reason}"
    starts = [pages[0], *(after for before, after in pairwise(pages) if after > before + 1)]
    ends = [*(before for before, after in pairwise(pages) if after > before + 1), pages[-1]]
    ranges = (f"{a}-{b}" if b > a else f"{a}" for a, b in zip(starts, ends, strict=True))
    return f"pages {', '.join(ranges)} are scans or pictures and were {read}: {reason}"
