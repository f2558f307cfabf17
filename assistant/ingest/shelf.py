"""The papers of the library as an ingest finds and changes them."""

from collections.abc import Iterable
from typing import NamedTuple

from assistant.records import Paper, PdfFile
from assistant.sources.identity import FILE_ID_PREFIX, content_key, has_placeholder_title, title_key
from assistant.sources.merge import merge

_TELLING_TITLE_WORDS = 4


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
    """Finds which stored paper a record is of."""

    def __init__(self, stored: Iterable[Paper]) -> None:
        self._papers: dict[str, Paper] = {}
        self._by_key: dict[str, str] = {}
        for paper in stored:
            self.put(paper)

    def put(self, paper: Paper) -> None:
        """Note how a paper is stored now."""
        self._papers[paper.id] = paper
        keys = [*_keys(paper), *_title_keys(paper)]
        if paper.full_text is not None:
            keys += [f"file {paper.full_text.sha256}", f"path {paper.full_text.path}"]
        self._by_key |= dict.fromkeys(keys, paper.id)

    def paper(self, paper_id: str) -> Paper | None:
        """Return the paper that is stored under an id or an alias."""
        return self._find(f"id {paper_id}")

    def drop(self, paper_id: str) -> None:
        """Forget a paper that another took the place of."""
        self._papers.pop(paper_id, None)

    def change(self, paper: Paper, pdf: PdfFile | None = None) -> Change:
        """Merge a record with the paper the library holds of it.

        A paper is found by its ids and its content; one that came as a PDF also by its file's content, by
        its title, and by the file's place on the disk if the title there is still the same.
        """
        known = self._known(paper, pdf)
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
        twin = self._find(f"file {pdf.sha256}") if pdf else None
        if twin is None or twin.id == known.id or not _is_file_id(twin):
            return Change(merged, known)
        ids = dict.fromkeys((*merged.aliases, twin.id, *twin.aliases))
        return Change(merged.model_copy(update={"aliases": tuple(ids)}), known, twin)

    def _known(self, paper: Paper, pdf: PdfFile | None) -> Paper | None:
        keys = [*_keys(paper), f"file {pdf.sha256}"] if pdf else _keys(paper)
        for key in keys:
            if found := self._find(key):
                return found
        for found in map(self._find, _title_keys(paper)):
            if found and (pdf is not None or _is_file_id(found)):
                return found
        found = self._find(f"path {pdf.path}") if pdf else None
        is_same = found and title_key(found.title) == title_key(paper.title)
        return found if is_same else None

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
