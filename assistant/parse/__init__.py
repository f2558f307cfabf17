"""PDF files into documents: text in reading order, what each stretch of it is, and where it stands."""

from pathlib import Path

from assistant.records import Document

VERSION = "parse-6"
"""Changes whenever the same file may give another document."""

MAX_PAGES = 1000


def read_pdf(path: Path, *, max_pages: int = MAX_PAGES) -> Document:
    """Read a PDF file; see :func:`assistant.parse.reader.read_pdf`."""
    from assistant.parse import reader  # loads PDFium

    return reader.read_pdf(path, max_pages=max_pages)
