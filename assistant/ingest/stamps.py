"""Whose paper a PDF from this machine is, as arXiv's stamp on its first page says."""

from rapidfuzz.fuzz import token_set_ratio
from rapidfuzz.utils import default_process

from assistant.ingest.full_text import ALIKE, Read, other_title
from assistant.ingest.shelf import Shelf, has_own_abstract
from assistant.records import Paper, SourceFailure
from assistant.sources import ArxivId, find_arxiv_id, parse_arxiv_id
from assistant.sources.failures import excerpt, failure
from assistant.sources.identity import has_placeholder_title


def identified(item: Read, shelf: Shelf) -> Paper | SourceFailure:
    """Give a paper the id and version on its PDF's stamp, unless it has another arXiv id already.

    A stamp proves little: anyone can print one. Where the library holds another paper under its id,
    with which the PDF's title has nothing in common, the PDF is a failure, and that paper stays as it is.
    """
    paper, pdf, stamp = item.paper, item.wanted.pdf, _stamp(item)
    if pdf is None or stamp is None:
        return paper
    known = shelf.change(paper, pdf).paper
    holder = known if parse_arxiv_id(known.id) else shelf.paper(stamp.base)
    if holder is known:
        if known.id != stamp.base or (known.version or 0) >= (stamp.version or 0):
            return paper
    elif holder and (title := other_title(holder, item.document)):
        return failure(
            item.wanted.location,
            f"is stamped arXiv:{stamp.base}, which is {excerpt(holder.title)} in the library, but is "
            f"titled {excerpt(title)}: remove that paper if its id is wrong, or the stamp",
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


def newer_version(item: Read, paper: Paper, shelf: Shelf) -> Paper | None:
    """Find the paper in the library if what was read of it is a newer version than this PDF's stamp says."""
    stamp, pdf = _stamp(item), item.wanted.pdf
    held = shelf.change(paper, pdf).known
    if pdf is None or stamp is None or held is None or held.full_text is None:
        return None
    is_other = held.id == stamp.base and held.full_text.sha256 != pdf.sha256
    return held if is_other and (stamp.version or 0) < (held.version or 0) else None


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
