"""How well PDFs are read: headings, quotes, reading order and speed, over the PDFs beside the project."""

import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pypdfium2
from rapidfuzz.distance import LCSseq

from assistant.parse import read_pdf
from assistant.parse.places import boxes
from assistant.records import Block, Box, Document, Line
from assistant.text import fold, sentences
from eval.surroundings import SHARED
from eval.terminal import note, say

_PDFS = SHARED / "pdfs"
_QUOTES = 60  # per paper
_SEED = 7
_GROW = 0.5  # points around a quote's box
_NUMBERING = re.compile(
    r"^(?:appendix\s+)?(?:\d{1,2}(?:\.\d{1,2})*|[a-z](?:\.\d{1,2})*|[ivx]{1,5})[.:)]?\s+(?=\S)"
)
_NOT_LETTERS = re.compile(r"[\W_ˆˇ˘˙˚˜¯´`¨]+")  # nor accents that stand alone
_UNLISTED = (
    "abstract",
    "references",
    "acknowledgments",
    "acknowledgements",
    "appendix",
    "contents",
)
_NARROW = 0.62  # of the widest line: lines of a two-column page are no wider


class Share(NamedTuple):
    """So many of so many."""

    hits: int
    total: int

    def __str__(self) -> str:
        """As a ratio with its counts; a dash where there is nothing to count."""
        return f"{self.hits / self.total:.3f} ({self.hits}/{self.total})" if self.total else "-"


class Reading(NamedTuple):
    """A PDF as read, and how long that took."""

    path: Path
    document: Document
    seconds: float


def main() -> None:
    """Print the measures of every PDF and of all of them."""
    readings = [_read(path) for path in (sys.argv[1:] and map(Path, sys.argv[1:])) or _papers()]
    if not readings:
        note(f"no PDFs: none beside the project in {_PDFS}")
        return
    heads = ("heading precision", "heading recall", "quotes", "order")
    say(f"{'paper':34} {_cells(heads)} {'pages/s':>8}")
    rows = [(reading, _measures(reading)) for reading in readings]
    for reading, shares in rows:
        speed = len(reading.document.pages) / reading.seconds
        say(f"{reading.path.stem[:34]:34} {_cells(shares)} {speed:8.1f}")
    totals = [
        Share(sum(share.hits for share in column), sum(share.total for share in column))
        for column in zip(*(shares for _, shares in rows), strict=True)
    ]
    pages = sum(len(reading.document.pages) for reading in readings)
    say(f"{'all':34} {_cells(totals)} {pages / sum(r.seconds for r in readings):8.1f}")


def _cells(values: Sequence[object]) -> str:
    return " ".join(
        f"{value!s:>{width}}" for value, width in zip(values, (19, 19, 19, 21), strict=True)
    )


def _papers() -> Iterator[Path]:
    for folder in ("seeds", "papers"):
        yield from sorted((_PDFS / folder).glob("*.pdf"))


def _read(path: Path) -> Reading:
    start = time.perf_counter()
    document = read_pdf(path)
    document.model_dump_json()
    return Reading(path, document, time.perf_counter() - start)


def _measures(reading: Reading) -> tuple[Share, Share, Share, Share]:
    precision, recall = heading_shares(reading)
    order = (
        column_share(reading.document) if two_columns(reading.document) else order_share(reading)
    )
    return precision, recall, quote_share(reading), order


def heading_shares(reading: Reading) -> tuple[Share, Share]:
    """Precision and recall of the headings found against the PDF's own outline.

    "Abstract", "References" and the like count only where the outline has them.
    """
    with pypdfium2.PdfDocument(reading.path) as pdf:
        wanted = Counter(_heading_key(mark.get_title()) for mark in pdf.get_toc(max_depth=20))
    wanted.pop("", None)
    if not wanted:
        return Share(0, 0), Share(0, 0)
    document = reading.document
    found = Counter(
        _heading_key(document.text[block.start : block.end])
        for block in document.blocks
        if block.kind == "heading"
    )
    for key in _UNLISTED:  # LaTeX leaves these out of the outline by itself
        found[key] = min(found[key], wanted[key])
    found = +found
    both = (found & wanted).total()
    for key, count in (wanted - found).items():
        note(f"{reading.path.stem}: heading missed: {key} x{count}")
    for key, count in (found - wanted).items():
        note(f"{reading.path.stem}: not in the outline: {key} x{count}")
    return Share(both, found.total()), Share(both, wanted.total())


def _heading_key(text: str) -> str:
    return _letters(_NUMBERING.sub("", " ".join(fold(text).split())))


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", fold(text))


def quote_share(reading: Reading) -> Share:
    """Random sentences whose boxes hold, in the PDF, the same letters and digits."""
    document, random_ = reading.document, random.Random(_SEED)  # noqa: S311 - a sample
    spans = [
        (block.start + span.start, block.start + span.end)
        for block in document.blocks
        if block.kind in ("text", "caption")
        for span in sentences(document.text[block.start : block.end])
    ]
    chosen = random_.sample(spans, min(_QUOTES, len(spans)))
    right = 0
    with pypdfium2.PdfDocument(reading.path) as pdf:
        for start, end in chosen:
            quote = document.text[start:end]
            there = " ".join(_inside(pdf, box) for box in boxes(document.lines, start, end))
            right += _letters(quote) == _letters(there)
            if _letters(quote) != _letters(there):
                note(f"{reading.path.stem}: quote {quote!r} is {there!r}")
    return Share(right, len(chosen))


def _inside(pdf: pypdfium2.PdfDocument, box: Box) -> str:
    """The text that PDFium finds in a box of an unrotated page."""
    page = pdf[box.page - 1]
    left, bottom, _, _ = page.get_bbox()
    text = page.get_textpage()
    try:
        found: str = text.get_text_bounded(
            left=box.x0 + left - _GROW,
            bottom=box.y0 + bottom - _GROW,
            right=box.x1 + left + _GROW,
            top=box.y1 + bottom + _GROW,
        )
        return found
    finally:
        text.close()
        page.close()


def two_columns(document: Document) -> bool:
    """Whether running text is mostly set in two columns."""
    lines = list(_text_lines(document))
    widths = [line.words[-1][2] - line.words[0][1] for line in lines]
    text = max((line.words[-1][2] for line in lines), default=0) - min(
        (line.words[0][1] for line in lines), default=0
    )
    return bool(widths) and median(widths) < _NARROW * text


def _text_lines(document: Document) -> Iterator[Line]:
    for block in document.blocks:
        if block.kind == "text" and block.end - block.start > 200:
            yield from _lines_of(document, block)


def _lines_of(document: Document, block: Block) -> list[Line]:
    return [line for line in document.lines if block.start <= line.start < block.end]


def order_share(reading: Reading) -> Share:
    """Words of paragraphs in the order of Poppler's ``pdftotext``, page by page, of those that both have."""
    tool = shutil.which("pdftotext")
    if tool is None:
        note("pdftotext is not installed: reading order of single columns not measured")
        return Share(0, 0)
    document = reading.document
    prose = list(_text_lines(document))
    same = total = 0
    for number in range(1, len(document.pages) + 1):
        command = [tool, "-f", str(number), "-l", str(number), str(reading.path), "-"]
        there = _words(
            subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout  # noqa: S603
        )
        here = _words(
            " ".join(document.text[line.start : line.end] for line in prose if line.page == number)
        )
        same += LCSseq.similarity(here, there)
        total += (Counter(here) & Counter(there)).total()
    return Share(same, total)


def _words(text: str) -> list[str]:
    return [word for raw in text.split() if (word := _letters(raw))]


def column_share(document: Document) -> Share:
    """Paragraphs that never turn back to a column, nor change columns but upwards."""
    right = total = 0
    for block in document.blocks:
        if block.kind != "text":
            continue
        lines = _lines_of(document, block)
        total += 1
        right += not any(_turns(a, b, document) for a, b in pairwise(lines))
    return Share(right, total)


def _turns(line: Line, following: Line, document: Document) -> bool:
    """Whether a line is followed by one of the other column as no reader would read on."""
    if line.page != following.page:
        return following.page < line.page
    middle = document.pages[line.page - 1][0] / 2
    a, b = line.words[0][1] > middle, following.words[0][1] > middle
    wide = line.words[-1][2] > middle + 20 and not a
    return a != b and not wide and (a or following.y0 <= line.y0)


if __name__ == "__main__":
    main()
