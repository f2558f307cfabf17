"""A web server on loopback that behaves as badly as it is told to; helper of the tests that fetch."""

import gzip
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

PDF = (
    b"%PDF-1.7\n"
    + b"".join(b"%% line %d of a paper\n" % number for number in range(3000))
    + b"%%EOF\n"
)
"""Some 70 kB that pass for a PDF."""


class Request(NamedTuple):
    """What a client asked for; names of headers in lower case."""

    path: str
    headers: Mapping[str, str]
    time: float


Reply = Callable[[Request, socket.socket], None]


class Web:
    """A server whose replies are set by path, one for each request; the last repeats."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._replies: dict[str, list[Reply]] = {}
        self._scheme = "https" if tls else "http"
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.web = self
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def on(self, path: str, *replies: Reply) -> str:
        """Set the replies to a path, query aside. Returns its URL."""
        self._replies[path] = list(replies)
        return self.url + path

    def asked(self, path: str) -> list[Request]:
        """The requests for a path so far."""
        return [request for request in self.requests if request.path.partition("?")[0] == path]

    def reply(self, request: Request, connection: socket.socket) -> None:
        self.requests.append(request)
        replies = self._replies.get(request.path.partition("?")[0], [answer(404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        reply(request, connection)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    web: Web


class _Handler(socketserver.BaseRequestHandler):
    """Reads one request, lets the web reply, and closes the connection."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        received = b""
        try:
            while b"\r\n\r\n" not in received:
                block = self.request.recv(65_536)
                if not block:
                    return
                received += block
            first, *lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            self.server.web.reply(
                Request(first.split()[1], headers, time.monotonic()), self.request
            )
        except OSError:
            return  # the client has had enough


def head(status: int, headers: Mapping[str, object]) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answer(
    status: int = 200, body: bytes = b"", headers: Mapping[str, object] | None = None
) -> Reply:
    """Answer as a good server does."""

    def reply(_: Request, connection: socket.socket) -> None:
        sent = {"Content-Length": len(body), **(headers or {})}
        connection.sendall(head(status, sent) + body)

    return reply


def pdf(
    body: bytes = PDF, *, etag: str = '"one"', headers: Mapping[str, object] | None = None
) -> Reply:
    """Serve a PDF with all that a good server knows of: ranges, entity tags, 304."""

    def reply(request: Request, connection: socket.socket) -> None:
        sent = {"Content-Type": "application/pdf", "ETag": etag, **(headers or {})}
        if request.headers.get("if-none-match") == etag:
            connection.sendall(head(304, sent))
            return
        start = request.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
        if not start or request.headers.get("if-range", etag) != etag:
            connection.sendall(head(200, {**sent, "Content-Length": len(body)}) + body)
            return
        rest = body[int(start) :]
        place = f"bytes {start}-{len(body) - 1}/{len(body)}"
        connection.sendall(
            head(206, {**sent, "Content-Length": len(rest), "Content-Range": place}) + rest
        )

    return reply


def cut(at: int, body: bytes = PDF, *, etag: str = '"one"') -> Reply:
    """Close the connection in the middle."""

    def reply(_: Request, connection: socket.socket) -> None:
        connection.sendall(head(200, {"Content-Length": len(body), "ETag": etag}) + body[:at])

    return reply


def unmeasured(body: bytes) -> Reply:
    """Do not say how long the body is: it ends with the connection."""

    def reply(_: Request, connection: socket.socket) -> None:
        connection.sendall(head(200, {"Content-Type": "application/pdf"}) + body)

    return reply


def drip(start: bytes, rest: bytes = b"x" * 2000, *, pause: float = 0.02) -> Reply:
    """Send the rest a byte at a time."""

    def reply(_: Request, connection: socket.socket) -> None:
        connection.sendall(start)
        for position in range(len(rest)):
            connection.sendall(rest[position : position + 1])
            time.sleep(pause)

    return reply


def endless(start: bytes) -> Reply:
    """Send as fast as possible, without end."""

    def reply(_: Request, connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(bytes(65_536))

    return reply


def silent(_: Request, connection: socket.socket) -> None:
    """Accept the request and never answer."""
    connection.recv(1)


def hang_up(_: Request, connection: socket.socket) -> None:
    """Close the connection without a word."""


def nonsense(_: Request, connection: socket.socket) -> None:
    """Speak something that is not HTTP."""
    connection.sendall(b"220 mail.example ESMTP\r\n\r\n" * 10)


def redirect(location: str, status: int = 302) -> Reply:
    return answer(status, headers={"Location": location})


def packed_bomb(size: int) -> Reply:
    """Unfold a few bytes to many, although nobody asked for compression."""
    return answer(200, gzip.compress(b"%PDF-1.7\n" + bytes(size)), {"Content-Encoding": "gzip"})


def raw(content: bytes) -> Reply:
    """Send exactly this."""

    def reply(_: Request, connection: socket.socket) -> None:
        connection.sendall(content)

    return reply
