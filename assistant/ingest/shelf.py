"""The papers of the library as an ingest finds and changes them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rapidfuzz.fuzz import partial_ratio, ratio

from assistant.records import Paper, PdfFile
from assistant.sources import parse_arxiv_id
from assistant.sources.identity import FILE_ID_PREFIX, content_key, has_placeholder_title, title_key
from assistant.sources.merge import merge
from assistant.text import fold

_TELLING_TITLE_WORDS = 4
OPENING = 1_000
"""Characters by which two PDFs are compared; a journal's own words on the first page are fewer."""

_ALIKE = 90.0
"""Of 100: beginnings more alike, letter by letter, are of one paper, mended here and there."""


class Change(NamedTuple):
    """A paper as it is to be stored, and as the library held it, if it did.

    ``twin`` is the same paper once more, as the library held it by its PDF alone.
    """

    paper: Paper
    known: Paper | None
    twin: Paper | None = None

    @property
    def replaces(self) -> tuple[str, ...]:
        """The other ids it was stored under: it has an arXiv id now."""
        held = (self.known, self.twin)
        return tuple(each.id for each in held if each and each.id != self.paper.id)


class Shelf:
    """Finds which stored paper a record is of.

    Args:
        stored: the papers of the library.
        opening: gives what the PDF of one of them begins with.
    """

    def __init__(self, stored: Iterable[Paper], opening: Callable[[str], str]) -> None:
        self._papers: dict[str, Paper] = {}
        self._by_key: dict[str, str] = {}
        self._openings: dict[str, str] = {}
        self._opening = opening
        for paper in stored:
            self.put(paper)

    def put(self, paper: Paper, opening: str = "") -> None:
        """Note how a paper is stored now, or about to be, when ``opening`` is what its PDF begins with."""
        self._papers[paper.id] = paper
        if opening:
            self._openings[paper.id] = opening
        keys = [*_keys(paper), *_title_keys(paper)]
        if paper.full_text is not None:
            keys += [f"file {paper.full_text.sha256}", f"path {paper.full_text.path}"]
        self._by_key |= dict.fromkeys(keys, paper.id)

    def paper(self, paper_id: str) -> Paper | None:
        """Return the paper that is stored under an id or an alias."""
        return self._find(f"id {paper_id}")

    def holder(self, sha256: str) -> Paper | None:
        """Return the paper that was read from this very PDF."""
        return self._find(f"file {sha256}")

    def drop(self, paper_id: str) -> None:
        """Forget a paper that another took the place of."""
        self._papers.pop(paper_id, None)

    def change(self, paper: Paper, pdf: PdfFile | None = None, *, opening: str = "") -> Change:
        """Merge a record with the paper the library holds of it.

        A paper is found by its ids and its content; one that came as a PDF also by its file's content, by
        its title, and by the file's place on the disk if the title there is still the same. What passes
        for the title can be a journal's: where it is all there is, two PDFs have to begin alike as well.

        Args:
            paper: the record.
            pdf: its file, if it came as one.
            opening: what that begins with, once it is read.
        """
        known = self._known(paper, pdf, opening)
        if known is None:
            return Change(paper, None)
        if _is_file_id(paper):
            title = known.title if has_placeholder_title(paper) else paper.title
            paper = paper.model_copy(update={"id": known.id, "title": title})
        merged = merge(known, paper)
        if pdf is None and paper.abstract:
            merged = _with_own_abstract(merged, paper.abstract)
        elif pdf is not None and has_own_abstract(known):
            merged = _with_own_abstract(merged, known.abstract, title=known.title)
        twin = self.holder(pdf.sha256) if pdf else None
        if twin is None or twin.id == known.id or not _is_file_id(twin):
            return Change(merged, known)
        ids = dict.fromkeys((*merged.aliases, twin.id, *twin.aliases))
        return Change(merged.model_copy(update={"aliases": tuple(ids)}), known, twin)

    def _known(self, paper: Paper, pdf: PdfFile | None, opening: str) -> Paper | None:
        keys = [*_keys(paper), f"file {pdf.sha256}"] if pdf else _keys(paper)
        for key in keys:
            if found := self._find(key):
                return found
        by_title = _title_keys(paper) if pdf or not _is_file_id(paper) else []
        for found in map(self._find, by_title):
            if found and (self._is_like(found, paper, pdf, opening) if pdf else _is_file_id(found)):
                return found
        found = self._find(f"path {pdf.path}") if pdf else None
        is_same = found and title_key(found.title) == title_key(paper.title)
        return found if is_same else None

    def _is_like(self, found: Paper, paper: Paper, pdf: PdfFile, opening: str) -> bool:
        """Tell whether a PDF may be the paper that has its title."""
        if found.full_text is None:
            return True
        if parse_arxiv_id(found.id) or parse_arxiv_id(paper.id):
            return not (parse_arxiv_id(found.id) and parse_arxiv_id(paper.id))
        if found.full_text.sha256 == pdf.sha256:
            return True
        if found.abstract and ratio(fold(found.abstract), fold(paper.abstract)) >= _ALIKE:
            return True
        held = (self._openings.get(found.id) or self._opening(found.id))[:OPENING]
        begins_alike = partial_ratio(fold(held), fold(opening[: 4 * OPENING])) >= _ALIKE
        return bool(held and opening) and begins_alike

    def _find(self, key: str) -> Paper | None:
        return self._papers.get(self._by_key.get(key, ""))


def _keys(paper: Paper) -> list[str]:
    keys = [f"id {name}" for name in (paper.id, *paper.aliases)]
    if paper.abstract:
        keys.append(f"content {content_key(paper.title, paper.abstract)}")
    return keys


def _title_keys(paper: Paper) -> list[str]:
    """A PDF that says its title is that paper; a short title is no sign."""
    telling = len(paper.title.split()) >= _TELLING_TITLE_WORDS
    return [f"title {title_key(paper.title)}"] if telling else []


def has_own_abstract(paper: Paper) -> bool:
    """Tell whether the abstract came with a record, not out of the PDF."""
    return bool(paper.abstract) and not (paper.full_text and paper.full_text.gave_abstract)


def _with_own_abstract(paper: Paper, abstract: str, *, title: str | None = None) -> Paper:
    full_text = paper.full_text
    if full_text is not None:
        full_text = full_text.model_copy(update={"gave_abstract": False})
    kept = {"abstract": abstract, "full_text": full_text, "title": title or paper.title}
    return paper.model_copy(update=kept)


def _is_file_id(paper: Paper) -> bool:
    return paper.id.startswith(FILE_ID_PREFIX)
