"""Receiving one PDF: continued where it broke off, and believed only when it is whole."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO

import httpx

from assistant.errors import FetchError, StorageError
from assistant.fetch.copies import Copies, Copy
from assistant.fetch.network import CutError, Response, site_of
from assistant.text import one_line

_MAGIC = b"%PDF-"
_HEAD = 1024  # bytes; readers allow for junk before the header (PDF 1.7, annex H.3.4.1)
_END = b"%%EOF"
_TAIL = 2048  # bytes
_BLOCK = 65_536  # bytes
_PADDING = b"\0 \t\r\n\f"
_HTML = re.compile(rb"<!doctype\s+html|<html|<head|<body", re.IGNORECASE)
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")
_MAX_VALIDATOR = 500  # characters


class Download:
    """The download of one link, over as many tries and redirects as it takes.

    Args:
        copies: where it goes.
        url: the link as asked for.
        known: the copy there is, to be fetched again only if it changed.
        max_bytes: the largest PDF.
    """

    def __init__(self, copies: Copies, url: str, *, known: Copy | None, max_bytes: int) -> None:
        self._copies = copies
        self._url = url
        self._known = known
        self._max_bytes = max_bytes

    def headers(self, url: httpx.URL) -> Mapping[str, str]:
        """Say what is there already: the whole of an older copy, or the beginning of this one."""
        headers = {"Accept": "application/pdf,*/*;q=0.1"}
        # Looked up again: another process may have fetched it while this one waited for its turn.
        known = self._known = self._known or self._copies.find(self._url)
        if known is not None and known.final_url == str(url):
            if known.etag:
                headers["If-None-Match"] = known.etag
            if known.last_modified:
                headers["If-Modified-Since"] = known.last_modified
        if (part := self._copies.resumable(str(url))) is not None:
            headers["Range"] = f"bytes={self._size(url)}-"
            headers["If-Range"] = part.validator
        return headers

    def receive(self, url: httpx.URL, response: Response) -> Copy:
        """Take in an answer.

        Raises:
            FetchError: if it is not a PDF, or too large, or cut short.
            CutError: if it does not fit what is there already, which is then forgotten.
        """
        if response.status == 304 and self._known is not None:
            return self._known.model_copy(update={"fetched": datetime.now(UTC)})
        if response.status == 206:
            self._check_continuation(url, response)
        elif response.status == 200:
            self._copies.begin(str(url), _validator(response))
        elif response.status == 416:
            self._copies.discard(str(url))
            raise CutError(f"{site_of(url)} cannot continue the download")
        else:
            raise FetchError(f"{site_of(url)} answers {response.status} instead of a PDF")
        self._take_body(url, response)
        self._check_end(url, response)
        headers = response.headers
        return Copy(
            url=self._url,
            final_url=str(url),
            sha256=self._copies.complete(str(url)),
            etag=_short(headers.get("etag")),
            last_modified=_short(headers.get("last-modified")),
            fetched=datetime.now(UTC),
        )

    def _check_continuation(self, url: httpx.URL, response: Response) -> None:
        match = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
        fits = match is not None and int(match[1]) == self._size(url)
        if not fits or response.headers.get("content-encoding", "identity") != "identity":
            self._copies.discard(str(url))
            raise CutError(f"{site_of(url)} sends another part than was asked for")

    def _take_body(self, url: httpx.URL, response: Response) -> None:
        """Write the body as it comes in, unless it turns out not to be a PDF."""
        declared = response.headers.get("content-length", "")
        size = self._size(url)
        self._check_size(url, size + (int(declared[:15]) if declared.isdigit() else 0))
        checked = False
        with self._copies.appending(str(url)) as descriptor:
            for block in response.body:
                size += len(block)
                self._check_size(url, size)
                _write(descriptor, block)
                if not checked and size >= _HEAD:
                    self._check_head(url)
                    checked = True
        self._check_head(url)

    def _check_size(self, url: httpx.URL, size: int) -> None:
        if size > self._max_bytes:
            self._copies.discard(str(url))
            raise FetchError(
                f"the PDF from {site_of(url)} is over {self._max_bytes / 1_000_000:g} MB: too large"
            )

    def _check_head(self, url: httpx.URL) -> None:
        with self._copies.part(str(url)).open("rb") as file:
            head = file.read(_HEAD)
        if _MAGIC in head:
            return
        self._copies.discard(str(url))
        if not head:
            raise FetchError(f"{site_of(url)} sends an empty file: try again later")
        if _HTML.search(head):
            raise FetchError(
                f"{site_of(url)} sends a web page, not a PDF: give the link to the PDF"
            )
        raise FetchError(f"{site_of(url)} sends something that is not a PDF: check the link")

    def _check_end(self, url: httpx.URL, response: Response) -> None:
        with self._copies.part(str(url)).open("rb") as file:
            if _END in _last_bytes(file, self._size(url)):
                return
        self._copies.discard(str(url))
        if "content-length" in response.headers or "transfer-encoding" in response.headers:
            raise FetchError(
                f"the PDF from {site_of(url)} is cut short at its source: tell its owner"
            )
        raise CutError(f"{site_of(url)} broke off")

    def _size(self, url: httpx.URL) -> int:
        try:
            return self._copies.part(str(url)).stat().st_size
        except FileNotFoundError:
            return 0


def _last_bytes(file: BinaryIO, size: int) -> bytes:
    """Read the last bytes of a file before the NULs and blanks that some servers fill it up with."""
    end = size
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        if content := file.read(end - start).rstrip(_PADDING):
            end = start + len(content)
            break
        end = start
    file.seek(max(0, end - _TAIL))
    return file.read(min(end, _TAIL))


def _write(descriptor: int, block: bytes) -> None:
    try:
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise StorageError(f"cannot store the PDF: {error.strerror or error}") from error


def _validator(response: Response) -> str | None:
    """What a download can be continued by: a strong entity tag or a date (RFC 9110, 13.1.5)."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return None
    etag = _short(response.headers.get("etag"))
    return (
        etag
        if etag and not etag.startswith("W/")
        else _short(response.headers.get("last-modified"))
    )


def _short(value: str | None) -> str | None:
    """Keep a header's value if it can be sent back."""
    if value and len(value) <= _MAX_VALIDATOR and value.isascii() and one_line(value) == value:
        return value
    return None
