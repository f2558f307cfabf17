"""Whose paper a PDF from this machine is, as arXiv's stamp on its first page says."""

from rapidfuzz.fuzz import ratio, token_set_ratio
from rapidfuzz.utils import default_process

from assistant.ingest.full_text import ALIKE, Read, other_title
from assistant.ingest.shelf import Shelf, has_own_abstract
from assistant.records import Document, Line, Paper, SourceFailure
from assistant.sources import ArxivId, find_arxiv_id, parse_arxiv_id
from assistant.sources.failures import excerpt, failure
from assistant.sources.identity import has_placeholder_title, title_key

_SAME = 65.0
"""Of 100: titles more alike, letter by letter and in order, are of one paper; half a title is too little."""

_TELLING = 16  # characters of a title that nobody writes by chance


def identified(item: Read, shelf: Shelf) -> Paper | SourceFailure:
    """Give a paper the id and version on its PDF's stamp, unless it has another arXiv id already.

    A stamp proves little: anyone can print one. Where the library holds another paper under its id,
    and nothing but the stamp says that the PDF is of that paper, it is a failure, and the paper stays
    as it is.
    """
    paper, pdf, stamp = item.paper, item.wanted.pdf, _stamp(item)
    if problem := _misnamed(item, shelf):
        return problem
    if pdf is None or stamp is None:
        return paper
    known = shelf.change(paper, pdf, opening=item.document.text).paper
    holder = known if parse_arxiv_id(known.id) else shelf.paper(stamp.base)
    if holder is known:
        if known.id != stamp.base or (known.version or 0) >= (stamp.version or 0):
            return paper
    elif holder and not _is_of(holder, item.document, is_known=holder.id == known.id):
        title = item.document.title
        said = f"is titled {excerpt(title)}" if title else "does not say so on its first page"
        return failure(
            item.wanted.location,
            f"is stamped arXiv:{stamp.base}, which is {excerpt(holder.title)} in the library, but "
            f"{said}: remove that paper if its id is wrong, or the stamp",
        )
    elsewhere = holder.pdf_url if holder and not find_arxiv_id(holder.pdf_url or "") else None
    return paper.model_copy(
        update={
            "id": stamp.base,
            "version": stamp.version,
            "url": stamp.abs_url,
            "pdf_url": elsewhere or stamp.pdf_url,
        }
    )


def _misnamed(item: Read, shelf: Shelf) -> SourceFailure | None:
    """Report a bare arXiv id whose PDF is, byte for byte, that of another one: no two papers share it."""
    paper = item.paper
    holder = shelf.holder(paper.full_text.sha256) if paper.full_text else None
    if holder is None or paper.id in (holder.id, *holder.aliases):
        return None
    if not (parse_arxiv_id(paper.id) and parse_arxiv_id(holder.id)):
        return None
    if not has_placeholder_title(item.wanted.paper):
        return None
    return failure(
        item.wanted.location,
        f"comes with the very PDF of {excerpt(holder.title)}, which is {holder.id} in the library: "
        "check the id",
    )


def _is_of(holder: Paper, document: Document, *, is_known: bool) -> bool:
    """Tell whether a document is of the paper that has its stamp's id.

    ``is_known`` says that more than the stamp has it so; then only another title speaks against it.
    """
    if is_known:
        return other_title(holder, document) is None
    if has_placeholder_title(holder):
        return holder.full_text is None  # with no title and no text, there is nothing to contradict
    promised = title_key(holder.title)
    first = [title_key(document.text[each.start : each.end]) for each in _first_page(document)]
    if promised in first or (len(promised) >= _TELLING and promised in "".join(first)):
        return True
    return bool(document.title) and ratio(promised, title_key(document.title or "")) >= _SAME


def _first_page(document: Document) -> list[Line]:
    return [line for line in document.lines if line.page == 1]


def newer_version(item: Read, paper: Paper, shelf: Shelf) -> Paper | None:
    """Find the paper in the library if what was read of it is a newer version than this PDF.

    A PDF from this machine has the version on its stamp, one from arXiv that which arXiv gives it.
    """
    pdf = item.wanted.pdf
    held = shelf.change(paper, pdf, opening=item.document.text).known
    this = _stamp(item) if pdf else ArxivId(paper.id, paper.version)
    if this is None or held is None or held.full_text is None or paper.full_text is None:
        return None
    is_other = held.id == this.base and held.full_text.sha256 != paper.full_text.sha256
    return held if is_other and (this.version or 0) < (held.version or 0) else None


def disowned(paper: Paper, known: Paper | None, location: str) -> SourceFailure | None:
    """Report a record whose id a PDF has taken that, going by its title, is another paper."""
    full_text = known.full_text if known else None
    if (
        known is None
        or full_text is None
        or full_text.path is None
        or known.id != paper.id
        or has_own_abstract(known)
        or has_placeholder_title(known)
        or has_placeholder_title(paper)
        or token_set_ratio(known.title, paper.title, processor=default_process) >= ALIKE
    ):
        return None
    return failure(
        location,
        f"{excerpt(paper.title)} has the id {paper.id} of {excerpt(known.title)}, which was read from "
        f"{full_text.path}: correct the id, or remove that paper first",
    )


def _stamp(item: Read) -> ArxivId | None:
    return parse_arxiv_id(item.document.arxiv or "")
