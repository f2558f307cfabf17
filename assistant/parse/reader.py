"""The whole way from a PDF file to a document."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2

from assistant.errors import PdfError
from assistant.parse.arxiv_stamp import arxiv_stamp
from assistant.parse.assemble import Assembler
from assistant.parse.furniture import furniture, without_line_numbers
from assistant.parse.glyphs import read_sheet, turned_sheet
from assistant.parse.headings import is_abstract, mark_headings
from assistant.parse.layout import Page, Profile, lay_out, profile_of
from assistant.parse.mirror import mirror, set_in_order
from assistant.parse.paragraphs import Part, merge_over_breaks, parts_of
from assistant.parse.pieces import MOST_PIECES, pieces_of
from assistant.parse.references import split_references
from assistant.parse.scripts import letter_count
from assistant.parse.sheet import Piece, Sheet
from assistant.parse.title import find_title
from assistant.records import Block, Document

if TYPE_CHECKING:
    from assistant.parse.recognition import Recogniser

_WRAPPED = 0.6  # of all words: no paper has as many in its figures
_SIDEWAYS_WORDS = 25
_SIDEWAYS_SHARE = 0.3  # of the upright words
_SIDEWAYS_LINES = 3
_MAX_ABSTRACT_PARTS = 6
_MIN_ABSTRACT = 100  # Latin characters
_ABSTRACT = re.compile(
    r"(?:(?:abstract|summary)\s*[.:—–-]+|(?:摘\s*要|要\s*旨|概\s*要)(?:\s*[.:：—–-]+|\s))\s*",
    re.IGNORECASE,
)
_PDFIUM_PASSWORD = re.compile("password", re.IGNORECASE)


def read_pdf(
    path: Path, *, max_pages: int = 1000, recogniser: "Recogniser | None" = None
) -> Document:
    """Read a PDF's text in reading order.

    Args:
        path: The file.
        max_pages: More pages than this are refused.
        recogniser: Reads scanned pages; without it they are only named, and of a PDF that is scanned
            from first to last the text is empty.

    Raises:
        PdfError: The file is encrypted, damaged, too long, or empty.
    """
    try:
        pdf = pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError) as error:
        raise PdfError(_reason(error)) from error
    try:
        count = len(pdf)
        if count > max_pages:
            raise PdfError(f"has {count} pages, over the limit of {max_pages}: split it")
        if not count:
            raise PdfError("has no pages: fetch the PDF again")
        sheets = [_sheet(pdf, index) for index in range(count)]
        unread = recogniser.read(pdf, sheets) if recogniser else None
    finally:
        pdf.close()
    document = _document(sheets)
    if recogniser:
        recognised = tuple(sheet.number for sheet in sheets if sheet.recognised)
        update = {"scanned": (), "recognised": recognised, "unread": unread}
        return document.model_copy(update=update)
    return document


def _reason(error: Exception) -> str:
    if _PDFIUM_PASSWORD.search(str(error)):
        return "is encrypted: save a copy without password and add that"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return "is damaged or not a PDF: fetch it again"


def _sheet(pdf: pypdfium2.PdfDocument, index: int) -> Sheet:
    """Read a page; one that is damaged is noted and left out."""
    try:
        return read_sheet(pdf, index)
    except pypdfium2.PdfiumError:
        return Sheet(number=index + 1, width=0, height=0, notes=["damaged: left out"])


def _unwrap_forms(sheets: Sequence[Sheet]) -> None:
    """Take a document whose pages are each one form for what they hold."""
    words = [word for sheet in sheets for word in sheet.words]
    if sum(word.nested for word in words) > _WRAPPED * len(words):
        for word in words:
            word.nested = False
        for sheet in sheets:
            sheet.forms.clear()


def _document(sheets: Sequence[Sheet]) -> Document:
    _unwrap_forms(sheets)
    raw = [_pieces(sheet) for sheet in sheets]
    gone = furniture(raw, sheets)
    kept = [[piece for piece in pieces if id(piece) not in gone] for pieces in raw]
    turned = [pieces_of(sheet.turned, sheet.number, turned=True) for sheet in sheets]
    profile = profile_of(kept if any(kept) else turned)
    parts: list[Part] = []
    notes: list[str] = []
    for sheet, pieces, beside in zip(sheets, kept, turned, strict=True):
        page = Page(sheet.number, sheet.width, sheet.height)
        lay_out(pieces, page=page, sheet=sheet, profile=profile)
        parts.extend(parts_of(page, profile))
        parts.extend(_sideways(sheet, beside, profile, notes))
        notes.extend(f"page {sheet.number}: {note}" for note in sheet.notes)
        if len(pieces) > MOST_PIECES:
            notes.append(f"page {sheet.number}: too many scattered words to order")
        if page.dropped:
            notes.append(f"page {sheet.number}: {page.dropped} words inside figures dropped")
        if not sheet.words and not sheet.turned and not sheet.scanned:
            notes.append(f"page {sheet.number} has no text")
    scanned = tuple(sheet.number for sheet in sheets if sheet.scanned)
    if not parts and not scanned:
        raise PdfError("has no text: its pages are empty")
    mark_headings(parts, profile)
    parts = merge_over_breaks(split_references(parts))
    title = find_title(parts, profile)
    written = Assembler(parts, sheets)
    return Document(
        text=written.text,
        blocks=tuple(written.blocks),
        lines=tuple(written.lines),
        pages=tuple((round(sheet.width, 2), round(sheet.height, 2)) for sheet in sheets),
        title=title,
        abstract=_abstract(parts, written.blocks, written.text),
        arxiv=arxiv_stamp(sheets),
        scanned=scanned,
        notes=tuple(notes),
    )


def _pieces(sheet: Sheet) -> list[Piece]:
    """The upright words of a page as pieces."""
    mirror(sheet)
    pieces = pieces_of(without_line_numbers(sheet.words), sheet.number, bars=sheet.bars)
    if sheet.mirrored:
        set_in_order(pieces)
    return pieces


def _sideways(
    sheet: Sheet, pieces: Sequence[Piece], profile: Profile, notes: list[str]
) -> list[Part]:
    """The sideways text of a page, where it is more than a stamp or the label of an axis."""
    words = sheet.turned
    enough = len(words) >= _SIDEWAYS_WORDS and len(words) >= _SIDEWAYS_SHARE * len(sheet.words)
    if not enough or len(pieces) < _SIDEWAYS_LINES:
        if words:
            notes.append(f"page {sheet.number}: {len(words)} sideways words dropped")
        return []
    turned = turned_sheet(sheet)
    page = Page(sheet.number, turned.width, turned.height)
    lay_out(pieces, page=page, sheet=turned, profile=profile)
    return parts_of(page, profile)


def _abstract(parts: Sequence[Part], blocks: Sequence[Block], text: str) -> tuple[int, int] | None:
    """Where the abstract stands in the text."""
    for index, part in enumerate(parts):
        if is_abstract(part):
            end = index + 1
            while (
                end < len(parts)
                and parts[end].kind == "text"
                and end - index <= _MAX_ABSTRACT_PARTS
            ):
                end += 1
            if end > index + 1:
                return blocks[index + 1].start, blocks[end - 1].end
        block = blocks[index]
        lead = _ABSTRACT.match(text, block.start, block.end) if part.kind == "text" else None
        if lead and letter_count(text[lead.end() : block.end]) > _MIN_ABSTRACT:
            return lead.end(), block.end
    return None
