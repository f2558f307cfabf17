"""PDFs and metadata of papers, from arXiv and elsewhere."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import httpx

from assistant import __version__
from assistant.errors import FetchError
from assistant.fetch.atom import Metadata, read_feed
from assistant.fetch.copies import Copies, Copy, FetchedPdf
from assistant.fetch.download import Download
from assistant.fetch.network import (
    MAX_MESSAGE,
    FetchLimits,
    Network,
    Response,
    check_url,
    site_of,
)
from assistant.fetch.session import Session
from assistant.text import one_line

ARXIV_URL = "https://arxiv.org"

_API_URL = "https://export.arxiv.org"
_ARXIV_SITES = frozenset({"arxiv.org", "www.arxiv.org", "export.arxiv.org"})
_ID = re.compile(
    r"(?P<base>[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})(?:v(?P<version>[1-9][0-9]{0,2}))?",
    re.ASCII,
)
_ARXIV_PATH = re.compile(rf"/(?:abs|pdf|html)/({_ID.pattern})(?:\.pdf)?/?", re.ASCII)
_VERSION = re.compile(r"[0-9]v([1-9][0-9]{0,2})(?:\.pdf)?\"?$", re.ASCII)
_BATCH = 100  # ids; arXiv asks for slices of a result no larger than some thousand
_MAX_FEED = 10_000_000  # bytes


class Fetcher:
    """Fetches papers; for use by many threads, and by many processes that share the folder.

    Args:
        folder: of the PDFs; also how processes take turns.
        arxiv_url: base URL of arXiv or of a mirror with the same paths; links to arXiv go there too.
        contact: an address under which arXiv can complain, sent along.
        allow_hosts: hosts, as ``host`` or ``host:port``, that may have private addresses. That of a
            mirror always may.
        interval: seconds between two requests to a site; arXiv asks for 3.
        limits: what one download may take.
    """

    def __init__(
        self,
        folder: Path,
        *,
        arxiv_url: str = ARXIV_URL,
        contact: str | None,
        allow_hosts: Collection[str] = (),
        interval: float = 3.0,
        limits: FetchLimits = FetchLimits(),  # noqa: B008 - immutable
    ) -> None:
        self._base = _parse(arxiv_url.rstrip("/"))
        mirrored = str(self._base).rstrip("/") != ARXIV_URL
        own = site_of(self._base)
        self._api = str(self._base).rstrip("/") if mirrored else _API_URL
        self._limits = limits
        self._copies = Copies(folder)
        self._session = Session(
            folder / "turns",
            network=Network(
                allow_hosts=[*allow_hosts, own] if mirrored else allow_hosts,
                user_agent=_user_agent(contact),
                limits=limits,
            ),
            limits=limits,
            interval=interval,
            arxiv=frozenset({own, *_ARXIV_SITES}),
        )

    def pdf(self, source: str, *, refresh: bool = False) -> FetchedPdf:
        """Fetch a paper's PDF, unless it is there.

        Args:
            source: an http(s) link to a PDF, a link to a paper on arXiv, or an arXiv id.
            refresh: ask whether there is a newer one; nothing is downloaded if not. What has a
                version in its id never changes, and is not asked for again.

        Raises:
            FetchError: if it cannot be had.
            StorageError: if the folder cannot be written.
        """
        url = self._locate(source)
        known = self._copies.find(str(url))
        if known is not None and not (refresh and self._may_change(url)):
            return self._copies.as_fetched(known)
        download = Download(self._copies, str(url), known=known, max_bytes=self._limits.max_bytes)
        versions: list[int] = []

        def receive(final: httpx.URL, response: Response) -> Copy:
            if self._session.is_arxiv(final):
                versions.extend(_versions(final, response))
            return download.receive(final, response)

        copy = self._session.get(url, headers=download.headers, receive=receive)
        version = copy.version or next(iter(versions), None)
        return self._copies.keep(copy.model_copy(update={"version": version}))

    def metadata(self, arxiv_ids: Iterable[str]) -> Mapping[str, Metadata]:
        """Ask arXiv about papers.

        Args:
            arxiv_ids: with or without version; what is no arXiv id is passed over.

        Returns:
            What arXiv knows, by id as given; papers it does not know are missing.

        Raises:
            FetchError: if arXiv does not answer.
        """
        ids = [each for each in dict.fromkeys(arxiv_ids) if _ID.fullmatch(each)]
        found: dict[str, Metadata] = {}
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            url = _parse(f"{self._api}/api/query").copy_merge_params(
                {"id_list": ",".join(batch), "max_results": str(len(batch))}
            )
            feed = read_feed(self._session.get(url, headers=_feed_headers, receive=_receive_feed))
            found |= {each: feed[_base(each)] for each in batch if _base(each) in feed}
        return found

    def _locate(self, source: str) -> httpx.URL:
        """Find the link of a paper's PDF. Links to arXiv lead to the mirror that is set."""
        text = source.strip()
        if _ID.fullmatch(text):
            return _parse(f"{str(self._base).rstrip('/')}/pdf/{text}")
        url = _parse(text)
        check_url(url)
        if site_of(url) in _ARXIV_SITES and (match := _ARXIV_PATH.fullmatch(url.path)):
            return _parse(f"{str(self._base).rstrip('/')}/pdf/{match[1]}")
        return url.copy_with(fragment=None)

    def _may_change(self, url: httpx.URL) -> bool:
        match = _ID.search(url.path) if self._session.is_arxiv(url) else None
        return match is None or match["version"] is None


def _parse(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise FetchError(
            f"{one_line(text, MAX_MESSAGE)} is no http(s) link: give one to the PDF"
        ) from error


def _base(arxiv_id: str) -> str:
    match = _ID.fullmatch(arxiv_id)
    assert match is not None
    return match["base"]


def _versions(url: httpx.URL, response: Response) -> list[int]:
    """Read the version from where arXiv shows it: the link, or the name it proposes for the file."""
    shown = (url.path, response.headers.get("content-disposition", ""))
    return [int(match[1]) for text in shown if (match := _VERSION.search(text[-500:]))]


def _user_agent(contact: str | None) -> str:
    name = f"paper-assistant/{__version__}"
    address = one_line(contact or "", MAX_MESSAGE).encode("ascii", "ignore").decode()
    return f"{name} ({address})" if address else name


def _feed_headers(_: httpx.URL) -> Mapping[str, str]:
    return {"Accept": "application/atom+xml"}


def _receive_feed(url: httpx.URL, response: Response) -> bytes:
    if response.status != 200:
        raise FetchError(f"{site_of(url)} answers {response.status} instead of metadata")
    content = b""
    for block in response.body:
        content += block
        if len(content) > _MAX_FEED:
            raise FetchError(f"{site_of(url)} sends more metadata than can be: check the mirror")
    return content
