"""Papers to their full texts: which PDFs are to be read, from where, and what they say of the paper."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rapidfuzz.fuzz import token_set_ratio

from assistant.errors import FetchError, PdfError, StorageError
from assistant.ingest.ahead import ahead
from assistant.records import Document, FullText, Paper, PdfFile, SourceFailure
from assistant.sources import ArxivId, find_arxiv_id, parse_arxiv_id
from assistant.sources.failures import excerpt, failure
from assistant.sources.identity import file_id, has_placeholder_title, link_id, title_key
from assistant.text import fold

if TYPE_CHECKING:
    from assistant.fetch import Fetcher

_AHEAD = 8  # PDFs that wait to be read
_FIRST_PAGE = 5_000
ALIKE = 60.0
"""Of 100: titles less alike have nothing in common."""

_CURRENT = timedelta(days=1)
"""How long a fetched PDF counts as the newest one."""


class Parsed(Protocol):
    """A PDF and what became of it."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def outcome(self) -> Document | PdfError:
        """What it says, or why that cannot be read."""


class Reader(Protocol):
    """Reads PDFs side by side."""

    def parse_all(self, paths: Iterable[Path]) -> Iterator[Parsed]:
        """Read PDFs, each handed over when it is done."""


class Wanted(NamedTuple):
    """A paper whose full text is to be indexed, and its PDF if that is on this machine."""

    paper: Paper
    location: str
    pdf: PdfFile | None
    newest: int | None = None
    """The newest version, as arXiv says."""


class Found(NamedTuple):
    """A paper and its PDF on this machine by now, with the arXiv version that the server says it is."""

    wanted: Wanted
    pdf: PdfFile
    version: int | None = None


class Read(NamedTuple):
    """A paper with its PDF as read."""

    wanted: Wanted
    paper: Paper
    document: Document


class FullTexts:
    """Fetches and reads PDFs.

    Args:
        folder: where the PDFs of the library are kept, by content.
        reader: reads them.
        fetcher: fetches those that are not on this machine; without it only files may be asked for.
        version: of the reader; what another version read is read again.
        recognised: the version that counts in its place where text recognition read scanned pages.
        reads_scans: whether the reader reads scanned pages; then what has some that are not read yet is
            read again, too.
    """

    def __init__(
        self,
        folder: Path,
        reader: Reader,
        fetcher: "Fetcher | None",
        *,
        version: str,
        recognised: str,
        reads_scans: bool,
    ) -> None:
        self._reads_scans = reads_scans
        self._folder = folder
        self._reader = reader
        self._version = version
        self._recognised = recognised
        self._fetcher = fetcher

    def is_current(self, paper: Paper, sha256: str) -> bool:
        """Tell whether this very file is in the library, read by this very reader."""
        held = paper.full_text
        if held is None or (held.scanned and self._reads_scans):
            return False
        is_read = held.sha256 == sha256 and held.reader in {self._version, self._recognised}
        return is_read and (self._folder / f"{sha256}.pdf").is_file()

    def read(self, wanted: Iterable[Wanted]) -> Iterator[Read | SourceFailure]:
        """Read what is not in the library yet, in the order in which it is done."""
        waiting: dict[Path, list[Found]] = {}
        failures: list[SourceFailure] = []
        with closing(ahead(self._find_all(wanted), most=_AHEAD)) as found:
            for parsed in self._reader.parse_all(self._paths(found, waiting, failures)):
                yield from failures
                failures.clear()
                for each in waiting.pop(parsed.path):
                    yield self._outcome(each, parsed.outcome)
        yield from failures

    def _outcome(self, found: Found, outcome: Document | PdfError) -> Read | SourceFailure:
        item = found.wanted
        problem = _problem(item.paper, outcome)
        if problem or isinstance(outcome, PdfError):
            return failure(item.location, problem or str(outcome))
        return Read(item, self._describe(found, outcome), outcome)

    def _paths(
        self,
        found: Iterable[Found | SourceFailure],
        waiting: dict[Path, list[Found]],
        failures: list[SourceFailure],
    ) -> Iterator[Path]:
        """Name the files to be read, each once, and note the papers that wait for it."""
        for each in found:
            if isinstance(each, SourceFailure):
                failures.append(each)
                continue
            sha256 = each.pdf.sha256
            path = self._folder / f"{sha256}.pdf"
            if path in waiting:
                waiting[path].append(each)
            elif not self.is_current(each.wanted.paper, sha256):
                waiting[path] = [each]
                yield path

    def _find_all(self, wanted: Iterable[Wanted]) -> Iterator[Found | SourceFailure]:
        """Copy or fetch PDFs; what goes wrong with one concerns no other."""
        for item in wanted:
            try:
                yield Found(item, self._keep(item.pdf)) if item.pdf else self._fetch(item)
            except StorageError:
                raise  # there is no room for the others either
            except FetchError as error:
                said = failure(item.location, str(error))
                yield said.model_copy(update={"unavailable": True})
            except PdfError as error:
                yield failure(item.location, str(error))
            except Exception as error:  # noqa: BLE001 - a link or an answer that nobody thought of
                yield failure(item.location, f"cannot be fetched ({error!r}): check its link")

    def _fetch(self, item: Wanted) -> Found:
        assert self._fetcher is not None
        source = _source(item.paper)
        if source is None:
            raise FetchError("has no link to a PDF: add one to its record")
        fetched = self._fetcher.pdf(source)
        if datetime.now(UTC) - fetched.fetched > _CURRENT:
            fetched = self._fetcher.pdf(source, refresh=True)
        return Found(item, PdfFile(path=str(fetched.path), sha256=fetched.sha256), fetched.version)

    def _keep(self, pdf: PdfFile) -> PdfFile:
        """Copy a PDF into the library, so that its pages can be shown when it has moved."""
        target = self._folder / f"{pdf.sha256}.pdf"
        if target.is_file():
            return pdf
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".new", delete=False) as new:
                fresh = Path(new.name)
            try:
                shutil.copyfile(pdf.path, fresh)
                with fresh.open("rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != pdf.sha256:
                        raise PdfError("changed while it was read: ingest it again")
                fresh.replace(target)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"cannot copy {pdf.path} into the library ({error.strerror or error}): "
                "make room, or check the file"
            ) from error
        return pdf

    def _describe(self, found: Found, document: Document) -> Paper:
        """Add to the paper what its PDF says: title and abstract where it has none of its own."""
        item, pdf = found.wanted, found.pdf
        paper = item.paper
        held = paper.full_text
        own_abstract = paper.abstract and not (held and held.gave_abstract)
        abstract = _abstract(document)
        full_text = FullText(
            sha256=pdf.sha256,
            reader=self._recognised if document.recognised else self._version,
            pages=len(document.pages),
            path=item.pdf.path if item.pdf else None,
            gave_abstract=bool(abstract and not own_abstract),
            scanned=document.scanned,
            notes=(*document.notes, document.unread) if document.unread else document.notes,
        )
        titled = bool(document.title) and (
            has_placeholder_title(paper) or bool(held and held.gave_abstract)
        )
        return paper.model_copy(
            update={
                "title": document.title if titled else paper.title,
                "abstract": paper.abstract if own_abstract else abstract,
                "full_text": full_text,
                "version": _version(found, document) or paper.version,
                **_ids(paper, pdf),
            }
        )


def _abstract(document: Document) -> str:
    if document.abstract is None:
        return ""
    start, end = document.abstract
    return " ".join(document.text[start:end].split())


def _problem(paper: Paper, outcome: Document | PdfError) -> str | None:
    """Report a PDF that says on its first page that it is another paper than its name or link promised."""
    title = None if isinstance(outcome, PdfError) else other_title(paper, outcome)
    if title is None:
        return None
    return (
        f"is titled {excerpt(title)}, not {excerpt(paper.title)}: rename the file, or correct "
        "the record's link"
    )


def other_title(paper: Paper, document: Document) -> str | None:
    """Find the title of a PDF that is another paper; None if it may well be this one."""
    if not document.title or has_placeholder_title(paper):
        return None
    promised, found = title_key(paper.title), title_key(document.title)
    if promised in title_key(document.text[:_FIRST_PAGE]) or found in promised:
        return None
    if token_set_ratio(fold(paper.title), fold(document.title)) >= ALIKE:
        return None
    return document.title


def _ids(paper: Paper, pdf: PdfFile) -> dict[str, object]:
    """Name a paper that was known by a link alone after its content; it is found by the link, too."""
    if not paper.pdf_url or paper.id != link_id(paper.pdf_url):
        return {}
    return {"id": file_id(pdf.sha256), "aliases": (*paper.aliases, paper.id)}


def _source(paper: Paper) -> str | None:
    """Say where to fetch a paper from: arXiv has it in its newest version, unless one was named.

    The paper's link names the version that its user named; ``version`` alone may have been learnt.
    """
    if parse_arxiv_id(paper.id) is None:
        return paper.pdf_url
    named = _arxiv_link(paper)
    version = named.version if named else paper.version
    return f"{paper.id}v{version}" if version else paper.id


def _version(found: Found, document: Document) -> int | None:
    """Tell the version of a paper that was fetched from arXiv: the server says it, the stamp, or arXiv."""
    paper, stamp = found.wanted.paper, parse_arxiv_id(document.arxiv or "")
    if found.wanted.pdf is not None or _arxiv_link(paper) is None:
        return None
    stamped = stamp.version if stamp and stamp.base == paper.id else None
    return found.version or stamped or found.wanted.newest


def _arxiv_link(paper: Paper) -> ArxivId | None:
    """Read a paper's link to its PDF on arXiv, if it has an arXiv id and no link elsewhere."""
    link = find_arxiv_id(paper.pdf_url or "")
    return link if link and link.base == paper.id else None
