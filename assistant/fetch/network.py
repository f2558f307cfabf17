"""One HTTP request: to a checked address, within limits, without cookies, redirects or credentials.

httpcore, the engine of httpx, is used by itself: it lets us make the connections, and so pin the address
and bound the time of everything that a server can draw out, headers included.
"""

import ssl
import time
import urllib.request
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

import httpcore
import httpx

from assistant.errors import FetchError
from assistant.fetch.addresses import is_loopback, is_public, resolve
from assistant.text import one_line

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_DECODED = 65_536  # bytes of one block; a decompression bomb unfolds no faster
MAX_MESSAGE = 300
"""Characters of a text from outside that a message has room for."""


class FetchLimits(NamedTuple):
    """What one download may take."""

    max_bytes: int = 200_000_000
    seconds: float = 600.0
    connect_seconds: float = 10.0
    silent_seconds: float = 30.0
    bytes_per_second: float = 1_000.0
    """The least on average, once bytes have come for ``silent_seconds``."""
    tries: int = 4
    backoff_seconds: float = 1.0
    """Pause after the first failure, on average; doubled after each further one."""
    longest_pause: float = 120.0
    """Seconds. A server that asks for more is left alone."""


class Response(NamedTuple):
    """An answer: names of headers in lower case, the body as it comes in."""

    status: int
    headers: Mapping[str, str]
    body: Iterator[bytes]


class CutError(Exception):
    """A request broke off in a way that may go well the next time. The message names the host."""


class Network:
    """Sends requests.

    Args:
        allow_hosts: hosts, as ``host`` or ``host:port``, that may have addresses of a private network.
        user_agent: what to call ourselves.
        limits: what one request may take.
    """

    def __init__(
        self, *, allow_hosts: Collection[str], user_agent: str, limits: FetchLimits
    ) -> None:
        self._allow_hosts = {host.lower() for host in allow_hosts}
        self._user_agent = user_agent
        self._limits = limits

    @contextmanager
    def get(self, url: httpx.URL, headers: Mapping[str, str]) -> Iterator[Response]:
        """Request a URL; the body is to be read inside the context.

        Raises:
            FetchError: if the URL may not be called, or the request failed for good.
            CutError: if it broke off.
        """
        check_url(url)
        addresses = self._addresses(url)
        proxy = None if all(map(is_loopback, addresses)) and addresses else _proxy(url)
        pace = _Pace(site_of(url), self._limits)
        tls = self._tls if url.scheme == "https" else None
        backend = _Backend([] if proxy else addresses, pace)
        sent = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": self._user_agent,
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        }
        with (
            _translated(site_of(url)),
            httpcore.ConnectionPool(tls, proxy=proxy, network_backend=backend) as pool,
            pool.stream(
                "GET", _raw(url), headers=list(sent.items()), extensions=self._timeouts()
            ) as response,
        ):
            received = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            body = _decoded(response.iter_stream(), received.get("content-encoding", ""))
            yield Response(response.status, received, body)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def _timeouts(self) -> dict[str, Any]:
        silent = self._limits.silent_seconds
        return {
            "timeout": {
                "connect": self._limits.connect_seconds,
                "read": silent,
                "write": silent,
                "pool": None,
            }
        }

    def _addresses(self, url: httpx.URL) -> list[str]:
        """Resolve and check the host; none if only a proxy can resolve it."""
        try:
            addresses = resolve(url.raw_host.decode("ascii"), port_of(url))
        except FetchError:
            if _proxy(url) is None:
                raise
            return []
        if self._allow_hosts.isdisjoint({url.host.lower(), site_of(url)}):
            for address in addresses:
                if not is_public(address):
                    raise FetchError(
                        f"{site_of(url)} is not on the public internet ({address}): allow the host if"
                        " you trust it"
                    )
        return addresses


def check_url(url: httpx.URL) -> None:
    """Refuse what is no plain web link. Raises ``FetchError``."""
    if url.scheme not in _DEFAULT_PORTS or not _host_of(url):
        raise FetchError(
            f"{one_line(str(url), MAX_MESSAGE)} is no http(s) link: give one to the PDF"
        )
    if url.userinfo:
        raise FetchError(f"the link to {site_of(url)} holds a login: give one without")


def _host_of(url: httpx.URL) -> str:
    """Name the host in Unicode; empty if it is none, such as xn--a, which stands for no name."""
    try:
        return url.host
    except ValueError:
        return ""


def port_of(url: httpx.URL) -> int:
    """The port that a URL means."""
    return url.port or _DEFAULT_PORTS[url.scheme]


def site_of(url: httpx.URL) -> str:
    """Name the server of a URL: ``host``, or ``host:port`` where the port is unusual."""
    return one_line(url.netloc.decode("ascii", "replace").rpartition("@")[2].lower(), MAX_MESSAGE)


class _Pace:
    """Keeps count of time and bytes of one request, and ends one that is drawn out."""

    def __init__(self, site: str, limits: FetchLimits) -> None:
        self._site = site
        self._limits = limits
        self._start = time.monotonic()
        self._first_byte: float | None = None
        self._bytes = 0

    def left(self, timeout: float | None) -> float:
        """Seconds that the next operation may take. Raises ``FetchError`` if none are left."""
        limits, now = self._limits, time.monotonic()
        elapsed = now - self._start
        flowing = now - self._first_byte if self._first_byte is not None else 0.0
        if elapsed > limits.seconds:
            raise FetchError(f"{self._site} takes more than {limits.seconds:g} s: try again later")
        if flowing > limits.silent_seconds and self._bytes < flowing * limits.bytes_per_second:
            raise FetchError(
                f"{self._site} sends less than {limits.bytes_per_second / 1000:g} kB/s: try again later"
            )
        return min(limits.seconds - elapsed + 0.01, timeout or limits.silent_seconds)

    def count(self, data: bytes) -> bytes:
        """Count what came in."""
        self._bytes += len(data)
        if self._first_byte is None:
            self._first_byte = time.monotonic()
        return data


class _Stream(httpcore.NetworkStream):
    """A connection that keeps pace."""

    def __init__(self, stream: httpcore.NetworkStream, pace: _Pace) -> None:
        self._stream = stream
        self._pace = pace

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._pace.count(self._stream.read(max_bytes, self._pace.left(timeout)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._pace.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secure = self._stream.start_tls(ssl_context, server_hostname, self._pace.left(timeout))
        return _Stream(secure, self._pace)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as the base class has it
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects to the given addresses, whatever the name resolves to by now; without any, by name."""

    def __init__(self, addresses: list[str], pace: _Pace) -> None:
        self._addresses = addresses
        self._pace = pace
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses or [host]:
            try:
                stream = self._network.connect_tcp(
                    address, port, self._pace.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._pace)
        raise failure


@contextmanager
def _translated(site: str) -> Iterator[None]:
    """Translate httpcore's exceptions into ours."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise CutError(f"{site} does not answer") from error
    except httpcore.ConnectError as error:
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
            reason = "its certificate is not valid"
        else:
            reason = one_line(str(error), MAX_MESSAGE) or "no connection"
        raise FetchError(f"{site} cannot be reached ({reason}): check the link") from error
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise CutError(
            f"{site} broke off ({one_line(str(error), MAX_MESSAGE) or 'no reason given'})"
        ) from error
    except (httpcore.ProxyError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise FetchError(f"{site} cannot be called: {one_line(str(error), MAX_MESSAGE)}") from error


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Unpack what a server compressed although asked not to, a bounded block at a time."""
    if encoding.strip().lower() in {"", "identity"}:
        yield from blocks
        return
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        raise FetchError(
            f"the server sends it packed as {one_line(encoding, MAX_MESSAGE)}: fetch it by hand"
        )
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its header says
    try:
        for block in blocks:
            while block:
                yield unpacker.decompress(block, _MAX_DECODED)
                block = unpacker.unconsumed_tail  # noqa: PLW2901 - the rest of it
    except zlib.error as error:
        raise FetchError(f"the server sends it packed, and damaged ({error})") from error


def _raw(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _proxy(url: httpx.URL) -> httpcore.Proxy | None:
    """Find the proxy that the environment names for a URL."""
    proxies = urllib.request.getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address or urllib.request.proxy_bypass(url.host):
        return None
    try:
        proxy = httpx.Proxy(address)
    except (ValueError, httpx.InvalidURL) as error:
        raise FetchError("the proxy that the environment names is no link: correct it") from error
    if proxy.url.scheme not in _DEFAULT_PORTS:
        raise FetchError(f"a {proxy.url.scheme} proxy cannot be used: name one of http")
    return httpcore.Proxy(url=_raw(proxy.url), auth=proxy.raw_auth)
