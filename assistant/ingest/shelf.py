"""The papers of the library as an ingest finds and changes them."""

from collections.abc import Iterable
from typing import NamedTuple

from assistant.records import Paper, PdfFile
from assistant.sources.identity import content_key, title_key
from assistant.sources.merge import merge

_TELLING_TITLE_WORDS = 4


class Change(NamedTuple):
    """A paper as it is to be stored, and as the library held it, if it did."""

    paper: Paper
    known: Paper | None

    @property
    def replaces(self) -> str | None:
        """The id it was stored under, if that is another: it has an arXiv id now."""
        return self.known.id if self.known and self.known.id != self.paper.id else None


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
        self._by_key |= dict.fromkeys(keys, paper.id)

    def drop(self, paper_id: str) -> None:
        """Forget a paper that another took the place of."""
        self._papers.pop(paper_id, None)

    def change(self, paper: Paper, pdf: PdfFile | None = None) -> Change:
        """Merge a record with the paper the library holds of it.

        A paper is found by its ids, its content, and one that came as a PDF by its file's content and
        place on the disk, and by its title.
        """
        keys = _keys(paper)
        if pdf is not None:
            keys += [f"file {pdf.sha256}", f"path {pdf.path}", *_title_keys(paper)]
        known = next((found for key in keys if (found := self._find(key))), None)
        if known is None:
            return Change(paper, None)
        if pdf is not None and known.full_text and known.full_text.path == pdf.path:
            # The file changed; the paper stays what it was called when it came.
            paper = paper.model_copy(update={"id": known.id} if _is_file_id(paper) else {})
        return Change(merge(known, paper), known)

    def _find(self, key: str) -> Paper | None:
        return self._papers.get(self._by_key.get(key, ""))


def _keys(paper: Paper) -> list[str]:
    keys = [f"id {name}" for name in (paper.id, *paper.aliases)]
    if paper.abstract:
        keys.append(f"content {content_key(paper.title, paper.abstract)}")
    if paper.full_text is not None:
        keys.append(f"file {paper.full_text.sha256}")
        if paper.full_text.path:
            keys.append(f"path {paper.full_text.path}")
    return keys


def _title_keys(paper: Paper) -> list[str]:
    """A PDF that says its title is that paper; a short title is no sign."""
    telling = len(paper.title.split()) >= _TELLING_TITLE_WORDS and paper.abstract
    return [f"title {title_key(paper.title)}"] if telling else []


def _is_file_id(paper: Paper) -> bool:
    return paper.id.startswith("pdf-")
