"""BibTeX files, parsed by bibtexparser, a stretch of entries at a time."""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bibtexparser.entrypoint import parse_string
from bibtexparser.library import Library
from bibtexparser.middlewares.names import (
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    Entry,
    ParsingFailedBlock,
)

from assistant.records import SourceFailure
from assistant.sources.arxiv import ArxivId, find_arxiv_id, parse_arxiv_id
from assistant.sources.draft import Draft, build_paper
from assistant.sources.failures import Item, failure, location
from assistant.sources.latex import plain_bibtex, plain_text
from assistant.sources.lines import Line, read_lines
from assistant.sources.links import doi_link, web_link

# The start of a block at the start of a line: there the parser gives up a block that is not closed,
# so a file that is cut there parses as it would in one piece.
_BLOCK_START = re.compile(r"\s*@\w*[ \t]*[{(]")

_STRETCH = 250_000  # characters that are parsed at once
_MAX_STRETCH = 1_000_000  # one entry can reach it; what is longer is cut and does not parse
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")

_LINK_FIELDS = ("url", "doi", "pdf", "file", "howpublished")
_REFERENCE_FIELDS = ("journal", "volume", "number", "note", "howpublished")

# What it warns of is reported as a failure of the record.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)


def read_bibtex(blocks: Iterable[bytes], path: Path) -> Iterator[Item]:
    """Read entries; one that does not parse, or has no title, is one failure and the next goes on.

    Two entries with one key are both read: whether they are one paper is for merging to say.
    """
    strings: list[Block] = []
    for stretch in _stretches(read_lines(blocks)):
        library = parse_string(stretch.text, library=Library(strings))
        strings = list(library.strings)
        for number, problem in stretch.problems.items():
            yield failure(location(path, number), problem)
        yield from _once_per_line(
            item for block in library.blocks for item in _read_block(block, stretch, path)
        )


def _once_per_line(items: Iterable[Item]) -> Iterator[Item]:
    """Drop failures beyond the first of a line: a line of ``@{@{@{`` is one mistake, not many."""
    last = ""
    for item in items:
        if isinstance(item, SourceFailure) and item.source == last:
            continue
        last = item.source if isinstance(item, SourceFailure) else ""
        yield item


class _Stretch:
    """Lines of a file that hold whole blocks, and what is wrong with some of these lines."""

    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.problems: dict[int, str] = {}
        self.size = 0
        self._lines: list[str] = []

    def add(self, line: Line) -> None:
        """Take a line; beyond the limit only its number counts."""
        if line.problem:
            self.problems[line.number] = line.problem
        self._lines.append(line.text[: max(0, _MAX_STRETCH - self.size)])
        self.size += len(line.text)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def lines_of(self, block: Block) -> range:
        """Numbers of the lines that a block stands on."""
        first = self.first_line + (block.start_line or 0)
        return range(first, first + (block.raw or "").count("\n") + 1)


def _stretches(lines: Iterable[Line]) -> Iterator[_Stretch]:
    stretch = _Stretch(1)
    for line in lines:
        if stretch.size > _STRETCH and _BLOCK_START.match(line.text):
            yield stretch
            stretch = _Stretch(line.number)
        stretch.add(line)
    yield stretch


def _read_block(block: Block, stretch: _Stretch, path: Path) -> Iterator[Item]:
    """Yield the paper or the failure of a block; comments, strings and preambles give neither."""
    lines = stretch.lines_of(block)
    if any(number in stretch.problems for number in lines):
        return  # reported with its line
    if isinstance(block, DuplicateBlockKeyBlock):
        block = block.ignore_error_block or block
    place = location(path, lines.start)
    if isinstance(block, Entry):
        yield build_paper(_draft(block), place)
    elif isinstance(block, DuplicateFieldKeyBlock):
        names = ", ".join(sorted(block.duplicate_keys))
        yield failure(place, f"the entry has a field twice ({names}): keep one")
    elif isinstance(block, ParsingFailedBlock) and not isinstance(block, DuplicateBlockKeyBlock):
        yield failure(
            place, "the entry is not BibTeX: check its braces, quotation marks and commas"
        )


def _draft(entry: Entry) -> Draft:
    fields = {key.lower(): value for key, value in entry.items() if isinstance(value, str)}
    links = {name: plain_text(fields.get(name, "")).strip("{} ") for name in _LINK_FIELDS}
    url = links["url"] or doi_link(links["doi"]) or links["howpublished"]
    pdf = next((links[name] for name in ("pdf", "file") if web_link(links[name])), "")
    return Draft(
        title=plain_bibtex(fields.get("title", "")),
        abstract=plain_bibtex(fields.get("abstract", "")),
        id=plain_bibtex(entry.key),
        authors=_authors(fields.get("author", "")),
        year=_year(fields.get("year", "") or fields.get("date", "")),
        arxiv=_arxiv_id(fields),
        url=url,
        pdf=pdf or (url if url.lower().endswith(".pdf") else ""),
    )


def _arxiv_id(fields: dict[str, str]) -> ArxivId | None:
    """Find the id where arXiv, DBLP, Zotero and Google Scholar put it."""
    archive = fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv"
    eprint = fields.get("eprint", "") if archive.lower() == "arxiv" else ""
    archived = [eprint, f"{fields.get('primaryclass', '')}/{eprint}"]
    texts = archived + [fields.get(name, "") for name in _REFERENCE_FIELDS]
    found = (parse_arxiv_id(plain_bibtex(text)) for text in texts)
    return next(filter(None, found), None) or find_arxiv_id(fields.get("doi", ""))


def _authors(value: str) -> tuple[str, ...]:
    names = [name for name in split_multiple_persons_names(value) if name.lower() != "others"]
    parts = (parse_single_name_into_parts(name, strict=False) for name in names)
    return tuple(plain_bibtex(name.merge_first_name_first) for name in parts)


def _year(value: str) -> int | None:
    match = _YEAR.search(value)
    return int(match[0]) if match else None
