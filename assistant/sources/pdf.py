"""PDFs: one paper each, known by name and content, or by its link, until its text is read."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assistant.errors import SourceError
from assistant.records import PdfFile, SourcedPaper
from assistant.sources.arxiv import parse_arxiv_id
from assistant.sources.draft import Draft, build_paper
from assistant.sources.failures import Item, location
from assistant.sources.identity import arxiv_title, file_id, link_id
from assistant.sources.links import web_link
from assistant.text import one_line

MAX_PDF_BYTES = 200_000_000

_MAGIC = b"%PDF-"
_MAGIC_WITHIN = 1024  # bytes; readers allow for junk before the header (PDF 1.7, annex H.3.4.1)
_COPY_NUMBER = re.compile(r"\s*\([0-9]{1,3}\)$")  # as browsers name a second download
_SEPARATORS = re.compile(r"[\s_+]+|%20")


def read_pdf(blocks: Iterable[bytes], path: Path) -> Iterator[Item]:
    """Make the paper that a PDF stands for. Raises ``SourceError`` for what is not a PDF."""
    place = str(path.absolute())
    if not _is_text(place):
        raise SourceError("its name is not UTF-8: rename it, or the folder it lies in")
    digest = _checked_digest(blocks)
    stem = _COPY_NUMBER.sub("", path.stem)
    arxiv = parse_arxiv_id(stem)
    draft = Draft(
        title=arxiv_title(arxiv.base) if arxiv else _title(stem),
        id=file_id(digest),
        arxiv=arxiv,
    )
    item = build_paper(draft, location(path))
    if isinstance(item, SourcedPaper):
        item = item.model_copy(update={"pdf": PdfFile(path=place, sha256=digest)})
    yield item


def linked_pdf(link: str) -> Item:
    """Make the paper that the link to a PDF stands for. Raises ``SourceError`` for what is no web link."""
    url = link.strip().partition("#")[0]
    if web_link(url) != url:
        raise SourceError(
            "is no http(s) link: give one to a PDF, or download the file and name that"
        )
    stem = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2].removesuffix(".pdf")
    draft = Draft(title=_title(stem), id=link_id(url), pdf=url)
    return build_paper(draft, location(link.strip()))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked_digest(blocks: Iterable[bytes]) -> str:
    """Hash the content, in hex, on the way checking that it is a PDF."""
    digest, size, head = hashlib.sha256(), 0, b""
    for block in blocks:
        size += len(block)
        if size > MAX_PDF_BYTES:
            raise SourceError(f"is over {MAX_PDF_BYTES // 1_000_000} MB: ingest a smaller PDF")
        head += block[: _MAGIC_WITHIN - len(head)]
        digest.update(block)
    if not size:
        raise SourceError("is empty: fetch the PDF again")
    if _MAGIC not in head:
        raise SourceError("is not a PDF: it has no %PDF- header")
    return digest.hexdigest()


def _title(stem: str) -> str:
    title = one_line(_SEPARATORS.sub(" ", stem))
    # attention-is-all-you-need: hyphens part words where nothing else does.
    return title.replace("-", " ").strip() or "PDF" if " " not in title else title
