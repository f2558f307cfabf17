"""A paper as a format gives it, and the one way from there to a record."""

from dataclasses import dataclass

from pydantic import ValidationError

from assistant.records import Paper, SourcedPaper
from assistant.sources.arxiv import ArxivId, find_arxiv_id, parse_arxiv_id
from assistant.sources.failures import Item, excerpt, failure
from assistant.sources.identity import content_id
from assistant.sources.links import web_link
from assistant.text import one_line

MAX_TITLE = 2_000  # characters
MAX_ABSTRACT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Fields as text, LaTeX already rendered; an empty text is a field that is not there."""

    title: str
    abstract: str = ""
    id: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    arxiv: ArxivId | None = None
    url: str = ""
    pdf: str = ""


def build_paper(draft: Draft, location: str) -> Item:
    """Make the record, or say what is wrong with it."""
    title, abstract = one_line(draft.title), one_line(draft.abstract)
    given_id = one_line(draft.id)
    arxiv = _arxiv_id(draft)
    problem = _problem(title, abstract)
    if problem:
        return failure(location, problem)
    pdf_url = _pdf_url(draft, arxiv)
    try:
        paper = Paper(
            id=arxiv.base if arxiv else given_id or content_id(title, abstract),
            title=title,
            abstract=abstract,
            authors=tuple(name for name in map(one_line, draft.authors) if name),
            year=draft.year,
            url=arxiv.abs_url if arxiv else web_link(draft.url) or pdf_url,
            pdf_url=pdf_url,
            version=arxiv.version if arxiv else None,
        )
    except ValidationError as error:
        first = error.errors()[0]
        problem = first["msg"].replace("String", f"its {first['loc'][0]}")
        return failure(location, f"{excerpt(title)} cannot be taken: {problem}")
    return SourcedPaper(paper=paper, location=location)


def _problem(title: str, abstract: str) -> str | None:
    if not title:
        return "the record has no title: add one"
    if len(title) > MAX_TITLE:
        return f"the title is over {MAX_TITLE:,} characters: shorten it"
    if len(abstract) > MAX_ABSTRACT:
        return f"the abstract of {excerpt(title)} is over {MAX_ABSTRACT:,} characters: shorten it"
    return None


def _arxiv_id(draft: Draft) -> ArxivId | None:
    """Take the arXiv id from the field that is surest, and the version from any that gives one."""
    candidates = (
        draft.arxiv,
        parse_arxiv_id(draft.id),
        find_arxiv_id(draft.pdf),
        find_arxiv_id(draft.url),
    )
    found = [candidate for candidate in candidates if candidate]
    if not found:
        return None
    versions = [other.version for other in found if other.base == found[0].base and other.version]
    return ArxivId(found[0].base, max(versions, default=None))


def _pdf_url(draft: Draft, arxiv: ArxivId | None) -> str | None:
    """Keep a link to a PDF elsewhere; one that is arXiv's own, or missing, is made from the id."""
    link, linked = web_link(draft.pdf), find_arxiv_id(draft.pdf)
    if arxiv is None or (link and (linked is None or linked.base != arxiv.base)):
        return link
    return arxiv.pdf_url
