"""A request as arXiv wants it: in turn, tried again with pauses, redirects followed by hand."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import httpx

from assistant.errors import FetchError
from assistant.fetch.network import MAX_MESSAGE, CutError, FetchLimits, Network, Response, site_of
from assistant.fetch.turns import Turn
from assistant.text import one_line

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_REASONS = {
    401: "wants a login: fetch the PDF by hand",
    403: "refuses to answer: fetch the PDF by hand",
    404: "does not have it: check the link",
    410: "does not have it any more: check the link",
    451: "may not show it, for legal reasons",
}

Result = TypeVar("Result")


class Session:
    """Fetches from sites, politely.

    Args:
        folder: what processes share to take turns.
        network: sends the requests.
        limits: tries and pauses.
        interval: seconds between two requests to a site.
        arxiv: names of the sites that are arXiv's. They share one turn; when one refuses to answer,
            none of them is called again by this session.
    """

    def __init__(
        self,
        folder: Path,
        *,
        network: Network,
        limits: FetchLimits,
        interval: float,
        arxiv: frozenset[str],
    ) -> None:
        self._folder = folder
        self._network = network
        self._limits = limits
        self._interval = interval
        self._arxiv = arxiv
        self._refusal: str | None = None

    def get(
        self,
        url: httpx.URL,
        *,
        headers: Callable[[httpx.URL], Mapping[str, str]],
        receive: Callable[[httpx.URL, Response], Result],
    ) -> Result:
        """Fetch a URL, following redirects.

        Args:
            url: http or https.
            headers: makes what to send; asked before each try.
            receive: reads an answer that is neither an error nor a redirect. It may raise
                ``CutError`` for one that has to be tried again.

        Raises:
            FetchError: if the site does not answer, or not with what was asked for.
        """
        for _ in range(_MAX_REDIRECTS + 1):
            outcome = self._persist(url, headers, receive)
            if not isinstance(outcome, httpx.URL):
                return outcome
            url = outcome
        raise FetchError(
            f"{site_of(url)} redirects more than {_MAX_REDIRECTS} times: check the link"
        )

    def is_arxiv(self, url: httpx.URL) -> bool:
        """Tell whether a URL is arXiv's, or its mirror's."""
        return site_of(url) in self._arxiv

    def _persist(
        self,
        url: httpx.URL,
        headers: Callable[[httpx.URL], Mapping[str, str]],
        receive: Callable[[httpx.URL, Response], Result],
    ) -> Result | httpx.URL:
        """Try until there is an answer, with growing pauses that hold for everybody."""
        turn = self._turn(url)
        reason = ""
        for attempt in range(self._limits.tries):
            self._check_welcome(url)
            with turn.hold():
                self._check_welcome(url)  # another thread may have been refused meanwhile
                try:
                    with self._network.get(url, headers(url)) as response:
                        turn.count_from_now()
                        return self._read(url, response, receive)
                except _BusyError as busy:
                    reason = str(busy)
                    pause = busy.pause if busy.pause is not None else self._pause(attempt)
                except CutError as cut:
                    reason, pause = str(cut), self._pause(attempt)
                turn.postpone(pause)
                if pause > self._limits.longest_pause:
                    raise FetchError(f"{reason} and asks to wait {pause:.0f} s: try again then")
        raise FetchError(f"{reason}; gave up after {self._limits.tries} tries")

    def _read(
        self,
        url: httpx.URL,
        response: Response,
        receive: Callable[[httpx.URL, Response], Result],
    ) -> Result | httpx.URL:
        status, site = response.status, site_of(url)
        if status in _REDIRECTS:
            return _target(url, response.headers.get("location", ""))
        if status in _RETRIED:
            raise _BusyError(f"{site} answers {status}", _pause_asked_for(response))
        if status < 400 or status == 416:
            return receive(url, response)
        reason = f"{site} answers {status}"
        if status == 403 and self.is_arxiv(url):
            self._refusal = f"{reason}: it is not called again in this run; try again tomorrow"
            raise FetchError(self._refusal)
        raise FetchError(f"{site} {_REASONS[status]}" if status in _REASONS else reason)

    def _check_welcome(self, url: httpx.URL) -> None:
        if self._refusal and self.is_arxiv(url):
            raise FetchError(self._refusal)

    def _turn(self, url: httpx.URL) -> Turn:
        return Turn(
            self._folder,
            "arxiv" if self.is_arxiv(url) else site_of(url),
            interval=self._interval,
            longest_pause=self._limits.longest_pause,
        )

    def _pause(self, attempt: int) -> float:
        # Jitter, so that those who failed together do not come back together.
        return self._limits.backoff_seconds * 2.0**attempt * random.uniform(0.5, 1.5)  # noqa: S311


class _BusyError(Exception):
    """A server that cannot answer now; ``pause`` is how many seconds it asks for, if it does."""

    def __init__(self, message: str, pause: float | None) -> None:
        super().__init__(message)
        self.pause = pause


def _target(url: httpx.URL, location: str) -> httpx.URL:
    try:
        target = url.join(location)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise FetchError(
            f"{site_of(url)} redirects to {one_line(location, MAX_MESSAGE)}, which is no link"
        ) from error
    if not location or target.scheme not in {"http", "https"}:
        raise FetchError(
            f"{site_of(url)} redirects to {one_line(location, MAX_MESSAGE)!r}, which is no web link"
        )
    return target


def _pause_asked_for(response: Response) -> float | None:
    """Read ``Retry-After``: seconds, or an HTTP date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):  # no date, or one that no calendar has
        return None
