"""Records of one paper made one: the same id, another version of it, or the same content."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

from assistant.records import Paper, SourcedPaper, SourceFailure
from assistant.sources.arxiv import parse_arxiv_id
from assistant.sources.failures import Item, excerpt, failure
from assistant.sources.identity import (
    SHORT_HASH,
    content_id,
    content_key,
    has_placeholder_title,
    title_key,
)


def merge(old: Paper, new: Paper) -> Paper:
    """Bring a stored paper up to date with a record that came in later.

    What the new record says wins, unless it is of an older arXiv version; what it leaves out stays.
    Where the two have different ids, the result has the preferred one and the other is an alias.
    """
    is_older = bool(old.version and new.version and new.version < old.version)
    return _merged(old, new, top=old if is_older else new)


def merge_papers(items: Iterable[Item]) -> list[Item]:
    """Merge the records of one batch, in the order in which papers first came.

    Records with one id become one paper: the newer arXiv version wins field by field, of equals the
    first. So do records with the same title and abstract under different ids. Two records of one
    id whose titles no change of version explains are two papers by mistake: the first stays, the
    second is a failure. Failures pass through.
    """
    batch = _Batch()
    for item in items:
        batch.add(item)
    return batch.items()


@dataclass(slots=True)
class _Entry:
    """A paper of the batch, with all ids and contents by which it is found, or a failure."""

    position: int
    item: Item | None
    keys: set[str] = field(default_factory=set)


class _Batch:
    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._by_key: dict[str, _Entry] = {}

    def items(self) -> list[Item]:
        """List what the records came to."""
        return [entry.item for entry in self._entries if entry.item is not None]

    def add(self, item: Item) -> None:
        """Take the next record: as a new paper, as part of a known one, or as a failure."""
        if isinstance(item, SourceFailure):
            self._append(item)
            return
        namesake = self._by_key.get(_id_key(item.paper.id))
        if namesake and isinstance(namesake.item, SourcedPaper):
            problem = _contradiction(namesake.item, item)
            if problem:
                self._append(problem)
                return
        self._join(item)

    def _append(self, item: Item | None) -> _Entry:
        entry = _Entry(len(self._entries), item)
        self._entries.append(entry)
        return entry

    def _join(self, item: SourcedPaper) -> None:
        """Put the record, and all entries that it proves to be one paper, into one entry."""
        keys, joined, entries = _keys(item.paper), item, list[_Entry]()
        # What is joined can have the content of a further entry that no record had by itself.
        while len(found := self._found(keys)) > len(entries):
            entries = found
            members = [entry.item for entry in entries if isinstance(entry.item, SourcedPaper)]
            joined = reduce(_joined, [*members, item])
            keys |= _keys(joined.paper).union(*(entry.keys for entry in entries))
        target = entries[0] if entries else self._append(None)
        for entry in entries:
            entry.item = None
        target.item, target.keys = joined, keys
        self._by_key |= dict.fromkeys(keys, target)

    def _found(self, keys: set[str]) -> list[_Entry]:
        positions = {entry.position for key in keys if (entry := self._by_key.get(key))}
        return [self._entries[position] for position in sorted(positions)]


def _joined(first: SourcedPaper, second: SourcedPaper) -> SourcedPaper:
    is_newer = (second.paper.version or 0) > (first.paper.version or 0)
    top = second.paper if is_newer else first.paper
    paper = _merged(first.paper, second.paper, top=top)
    return first.model_copy(update={"paper": paper, "pdf": first.pdf or second.pdf})


def _contradiction(first: SourcedPaper, second: SourcedPaper) -> SourceFailure | None:
    """Report a record whose id another record has with a title that is really different."""
    old, new = first.paper, second.paper
    versions_differ = old.version and new.version and old.version != new.version
    if versions_differ or has_placeholder_title(old) or has_placeholder_title(new):
        return None
    if _same_title(old.title, new.title):
        return None
    return failure(
        second.location,
        f"{excerpt(new.title)} has the id {new.id} that {excerpt(old.title)} at {first.location} "
        "has: correct one of them",
    )


def _same_title(first: str, second: str) -> bool:
    """Whether two titles are one but for typography, or one leaves out the other's subtitle."""
    keys = {title_key(first), title_key(second)}
    heads = {title_key(first.partition(":")[0]), title_key(second.partition(":")[0])}
    return len(keys) == 1 or (len(heads) == 1 and heads < keys)


def _merged(first: Paper, second: Paper, *, top: Paper) -> Paper:
    """Lay what ``top``, one of the two, says over the other; ids, links and version go together."""
    base = first if top is second else second
    keeper, other = sorted((top, base), key=_id_rank)
    ids = dict.fromkeys((*first.aliases, *second.aliases, other.id))
    # A version is one of the keeper's id, and a link to a PDF may be one to that version.
    if keeper.id == other.id and not keeper.version:
        keeper, other = (base, top) if base.version else (top, base)
    titled = [paper for paper in (top, base) if not has_placeholder_title(paper)]
    return keeper.model_copy(
        update={
            "title": titled[0].title if titled else first.title,
            "abstract": top.abstract or base.abstract,
            "authors": top.authors or base.authors,
            "year": top.year or base.year,
            "categories": top.categories or base.categories,
            "full_text": top.full_text or base.full_text,
            "url": keeper.url or other.url,
            "pdf_url": keeper.pdf_url or other.pdf_url,
            "aliases": tuple(alias for alias in ids if alias != keeper.id),
        }
    )


def _id_rank(paper: Paper) -> tuple[bool, bool, str]:
    """Order ids by preference: arXiv's, those that papers came with, hashes of content."""
    is_hash = len(paper.id) == SHORT_HASH and paper.id == content_id(paper.title, paper.abstract)
    return parse_arxiv_id(paper.id) is None, is_hash, paper.id


def _keys(paper: Paper) -> set[str]:
    keys = {_id_key(name) for name in (paper.id, *paper.aliases)}
    if paper.abstract:
        keys.add(f"content {content_key(paper.title, paper.abstract)}")
    return keys


def _id_key(name: str) -> str:
    return f"id {name}"
