"""arXiv's answers about papers: an Atom feed (https://info.arxiv.org/help/api/user-manual.html)."""

import re
from typing import Any
from xml.parsers import expat

from pydantic import Field

from assistant.errors import FetchError
from assistant.records import CleanText, Record

_ATOM = "http://www.w3.org/2005/Atom "
_ID = re.compile(r"/abs/(?P<base>[\w.-]+(?:/[0-9]{7})?)v(?P<version>[0-9]{1,3})$", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}(?=-)", re.ASCII)
_MAX_FIELD = 100_000  # characters
_MAX_DEPTH = 50


class Metadata(Record):
    """What arXiv knows of a paper; ``year`` is that of its first version."""

    title: CleanText = Field(min_length=1)
    abstract: CleanText
    authors: tuple[CleanText, ...]
    year: int | None
    categories: tuple[CleanText, ...]
    version: int | None


def read_feed(content: bytes) -> dict[str, Metadata]:
    """Read the papers of a feed, by arXiv id without version; what is malformed is left out.

    Raises:
        FetchError: if it is no XML, or XML with a document type, which may hold entities that unfold
            without end or name files of this machine.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)  # noqa: FBT003 - the API's own
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FetchError(f"arXiv's answer cannot be read ({error}): try again later") from error
    return reader.papers


def _refuse_doctype(*_: object) -> None:
    raise FetchError("arXiv's answer holds a document type: not read, check the mirror")


class _Reader:
    """Collects the entries of a feed as the parser walks through it."""

    def __init__(self) -> None:
        self.papers: dict[str, Metadata] = {}
        self._path: list[str] = []
        self._fields: dict[str, list[str]] = {}
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.removeprefix(_ATOM))
        if len(self._path) > _MAX_DEPTH:
            raise FetchError("arXiv's answer is nested too deeply: not read, check the mirror")
        self._pieces = []
        match self._path[1:]:
            case ["entry"]:
                self._fields = {}
            case ["entry", "category"]:
                self._add("category", attributes.get("term", ""))

    def text(self, piece: str) -> None:
        self._pieces.append(piece)

    def end(self, _: str) -> None:
        match self._path[1:]:
            case ["entry"]:
                self._finish()
            case ["entry", "id" | "title" | "summary" | "published" as field]:
                self._add(field, "".join(self._pieces))
            case ["entry", "author", "name"]:
                self._add("author", "".join(self._pieces))
        self._path.pop()
        self._pieces = []

    def _add(self, field: str, value: str) -> None:
        if line := " ".join(value[:_MAX_FIELD].split()):
            self._fields.setdefault(field, []).append(line)

    def _finish(self) -> None:
        match = _ID.search(self._first("id"))
        title = self._first("title")
        if match is None or not title:
            return  # such as the entry by which the API reports an error
        year = _YEAR.match(self._first("published"))
        found: dict[str, Any] = {
            "title": title,
            "abstract": self._first("summary"),
            "authors": tuple(self._fields.get("author", ())),
            "year": int(year[0]) if year else None,
            "categories": tuple(self._fields.get("category", ())),
            "version": int(match["version"]),
        }
        self.papers[match["base"]] = Metadata(**found)

    def _first(self, field: str) -> str:
        return self._fields.get(field, [""])[0]
