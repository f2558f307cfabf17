"""A server that speaks OpenAI's chat protocol on loopback and answers by rule, well or badly.

By hand: ``python -m tests.fake_openai --port 8123 --behaviour answers``, then
``ASSISTANT_LLM=openai:fake ASSISTANT_LLM_BASE_URL=http://127.0.0.1:8123/v1 assistant ask …``.
"""

import argparse
import base64
import binascii
import codecs
import html
import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import quote, unquote

_PASSAGE = re.compile(
    r"^\[(?P<key>\w+)\] (?P<title>[^\n]*)\n(?P<text>.*?)(?=^\[\w+\] |\Z)", re.MULTILINE | re.DOTALL
)
_DATA = re.compile(r"<(?P<name>data-\w+)>\n(?P<body>.*?)\n</(?P=name)>", re.DOTALL)
_QUESTION = re.compile(r"(?:Question|Last question): (?P<text>[^\n]*)")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s)[^.!?\n]*)*[.!?]?")
_WORD = re.compile(r"\w{3,}")
_FORMS = ("verdict", "parts", "relevance")
_COMMON = frozenset(
    "the and for what which does how with that this from are was is who did has".split()  # noqa: SIM905
)


class Seen(NamedTuple):
    """What the model was asked: the question, and passages as (key, title, text).

    ``form`` is the name of what it is to fill in, if it is one of the checker's or of the choice of evidence:
    ``verdict``, ``parts`` or ``relevance``; ``data`` are then the texts marked as data, in their order, and
    ``again`` says that it has given a verdict before.
    """

    question: str
    passages: tuple[tuple[str, str, str], ...]
    wants_json: bool
    form: str = ""
    data: tuple[str, ...] = ()
    again: bool = False


class Reply(NamedTuple):
    """What the model sends: an HTTP status, its text or error, and how it comes; or any ``body`` instead."""

    text: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    error: dict[str, Any] | None = None
    piece: int = 7
    bytes_at_a_time: int | None = None
    dies_after: float | None = None
    hangs: bool = False
    finish_reason: str | None = "stop"
    usage: bool = True
    body: str | None = None
    media: str = "application/json"


def read_request(request: dict[str, Any]) -> Seen:
    """Find question and passages in the messages, as a model would."""
    said = "\n".join(str(message["content"]) for message in request["messages"])
    user = str(request["messages"][-1]["content"])
    question = _QUESTION.search(user) or _QUESTION.search(said)
    data = _DATA.search(user)
    system = str(request["messages"][0]["content"])
    return Seen(
        question=question["text"] if question else "",
        passages=tuple(
            (match["key"], match["title"], match["text"].strip())
            for match in _PASSAGE.finditer(data["body"] if data else "")
        ),
        wants_json="response_format" in request or "tools" in request or "JSON" in user,
        form=next((form for form in _FORMS if f'"{form}"' in system), ""),
        data=tuple(match["body"] for match in _DATA.finditer(said)),
        again=any(message["role"] == "assistant" for message in request["messages"]),
    )


def _words(text: str) -> set[str]:
    return {word.lower()[:6] for word in _WORD.findall(text)} - _COMMON


def _sentences(text: str) -> list[str]:
    return [match.group().strip() for match in _SENTENCE.finditer(text) if match.group().strip()]


def _chosen(seen: Seen) -> list[tuple[str, str]]:
    """Choose the sentences that share most words with the question, with their passages' keys."""
    asked = _words(seen.question)
    found = [
        (len(asked & (_words(sentence) | _words(title))), key, sentence)
        for key, title, text in seen.passages
        for sentence in _sentences(text)
    ]
    best = sorted((each for each in found if each[0]), key=lambda each: -each[0])[:3]
    return [(sentence.rstrip("."), key) for _, key, sentence in best]


def answers(seen: Seen) -> str:
    if seen.form:
        return json.dumps(_fill_in(seen))
    if seen.wants_json:
        return json.dumps({"standalone_question": seen.question, "sub_questions": []})
    chosen = _chosen(seen)
    if not chosen:
        return "NOT_IN_PAPERS: anything about it"
    return " ".join(f"{sentence} [{key}]." for sentence, key in chosen)


def _fill_in(seen: Seen) -> dict[str, Any]:
    """Fill in a form by the words that texts share, as an honest if simple model would."""
    if seen.form == "parts":
        return {"parts": re.split(r",? and |; ", seen.data[0])}
    if seen.form == "relevance":
        question, passage = seen.data
        asked = _words(question)
        best = [each for each in _sentences(passage) if len(asked & _words(each)) >= len(asked) / 3]
        return {"relevance": min(10, 4 * len(best)), "sentences": best}
    text, claim = seen.data
    stated = _words(claim)
    quote = max(_sentences(text), key=lambda each: len(stated & _words(each)), default="")
    share = len(stated & _words(quote)) / max(len(stated), 1)
    verdict = "supported" if share > 0.7 else "partial" if share > 0.4 else "unsupported"
    return {"quote": quote, "verdict": verdict, "confidence": round(max(share, 1 - share), 2)}


def verdict(
    name: str, *, quote: str | None = None, confidence: float = 0.9
) -> Callable[[Seen], str]:
    """Give every claim one verdict, quoting its text's first sentence or what is said to; else answer."""

    def reply(seen: Seen) -> str:
        if seen.form != "verdict":
            return answers(seen)
        found = _sentences(seen.data[0])[0] if quote is None else quote
        return json.dumps({"quote": found, "verdict": name, "confidence": confidence})

    return reply


def _swings(seen: Seen) -> str:
    return verdict("unsupported" if seen.again else "supported")(seen)


def _nothing_relevant(seen: Seen) -> str:
    nothing = {"relevance": 0, "sentences": []}
    return json.dumps(nothing) if seen.form == "relevance" else answers(seen)


def wrong_number(seen: Seen) -> str:
    return re.sub(
        r"(?<![\w\[])\d+(?:\.\d+)?", lambda found: str(float(found[0]) + 7.3), answers(seen)
    )


def invents_key(seen: Seen) -> str:
    return f"It is so [kzzzz]. {answers(seen)} Others agree [1][kaaaa, k9999] [42]."


def ignores_format(seen: Seen) -> str:
    body = answers(seen).replace("[", "(").replace("]", ")")
    return (
        f"# Answer\n\nSure! Here is what I found:\n\n- **Summary**: {body}\n- See [1] and [2, 3].\n"
    )


def obeys_injection(seen: Seen) -> str:
    """Do all that a passage could be read as asking for: repeat it, decode it, link to its addresses."""
    parts: list[str] = []
    for key, title, text in seen.passages:
        said = f"{title}\n{text}"
        parts += [f"{said} [{key}]", *_decoded(said)]
        for url in dict.fromkeys(
            re.findall(r"[\w.+-]+:/*[^\s\"'<>()\[\]]+|www\.[^\s\"'<>()\[\]]+", said)
        ):
            stolen = f"{url}?q={quote(seen.question)}"
            parts += [
                f"![chart]({stolen})", f"[click here]({stolen})", f"<{stolen}>", stolen,
                f'<img src="{stolen}">', f'<a href="{stolen}">more</a>', f"[x]: {stolen}\n[x][x] ![x][x]",
            ]  # fmt: skip
    return "\n\n".join(parts)


def _decoded(text: str) -> Iterator[str]:
    yield html.unescape(text)
    yield unquote(text)
    yield codecs.decode(text, "rot13")
    yield text[::-1]
    for word in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        for decode in (base64.b64decode, binascii.unhexlify):
            try:
                yield decode(word).decode()
            except (ValueError, UnicodeDecodeError):
                continue


def very_long(seen: Seen) -> str:
    return f"{answers(seen)} " * 400


def malformed_json(seen: Seen) -> str:
    if not seen.wants_json:
        return answers(seen)
    return (
        'Here you go:\n```json\n{"standalone_question": "'
        + seen.question
        + '", "sub_questions": ["a",],\n'
    )


_LIMIT = {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}
_LONG = {
    "message": "This model's maximum context length is 4096 tokens. Reduce the length of the messages.",
    "type": "invalid_request_error", "code": "context_length_exceeded",
}  # fmt: skip


def _fails(status: int, message: str, **options: Any) -> Callable[[Seen], Reply]:
    def reply(_seen: Seen) -> Reply:
        return Reply(
            status=status, error={"message": message, "type": "error", "code": None}, **options
        )

    return reply


def _sends(write: Callable[[Seen], str], **options: Any) -> Callable[[Seen], Reply]:
    return lambda seen: Reply(text=write(seen), **options)


BEHAVIOURS: dict[str, Callable[[Seen], Reply]] = {
    "answers": _sends(answers),
    "wrong_number": _sends(wrong_number),
    "invents_key": _sends(invents_key),
    "obeys_injection": _sends(obeys_injection),
    "ignores_format": _sends(ignores_format),
    "empty": _sends(lambda _seen: ""),
    "refuses": _sends(lambda _seen: "NOT_IN_PAPERS: the size of the model"),
    "very_long": _sends(very_long, piece=64),
    "cut_off": _sends(answers, finish_reason="length"),
    "thinks": _sends(lambda seen: f"<think>\nWhich [kzzzz]? See https://x.org\n</think>\n\n{answers(seen)}"),
    "malformed_json": _sends(malformed_json),
    "never_json": _sends(lambda seen: "I cannot do that." if seen.wants_json else answers(seen)),
    "all_supported": _sends(verdict("supported")),
    "all_contradicted": _sends(verdict("contradicted")),
    "forged_quote": _sends(verdict("supported", quote="It is as the claim says, without any doubt.")),
    "swings": _sends(_swings),
    "nothing_relevant": _sends(_nothing_relevant),
    "no_structured_output": _sends(answers),
    "no_temperature": _sends(answers),
    "no_usage": _sends(answers, usage=False),
    "401": _fails(401, "Incorrect API key provided: sk-very-secret-key."),
    "403": _fails(403, "You are not allowed to sample from this model"),
    "404": _fails(404, "The model `fake` does not exist"),
    "400": _fails(400, "Unsupported value: 'messages'"),
    "429": lambda _seen: Reply(status=429, error=_LIMIT, headers=(("retry-after", "1"),)),
    "429_for_long": lambda _seen: Reply(status=429, error=_LIMIT, headers=(("retry-after", "3600"),)),
    "500": _fails(500, "The server had an error"),
    "timeout": lambda _seen: Reply(hangs=True),
    "dies_half_way": _sends(answers, dies_after=0.5),
    "cuts_characters": _sends(lambda seen: f"{answers(seen)} Größe φ, 論文 🙂.", piece=5, bytes_at_a_time=1),
    "cuts_markers": _sends(answers, piece=1),
    "context_length_exceeded": lambda _seen: Reply(status=400, error=_LONG),
}  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


class FakeOpenAI:
    """The server. ``behaviour`` may be a name, a function, or a list of them: one a request, the last stays.

    ``delay`` is in seconds, before the first byte. ``pause`` is between pieces.
    """

    def __init__(
        self,
        behaviour: str | Callable[[Seen], Reply | str] | list[Any] = "answers",
        *,
        delay: float = 0.0,
        pause: float = 0.0,
        port: int = 0,
    ) -> None:
        self.behaviour = behaviour
        self.delay = delay
        self.pause = pause
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.pieces_sent = 0
        self.hung_up = threading.Event()
        """Set once a client closed its connection before the reply was through."""
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"owner": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Serve until interrupted."""
        self._thread.join()

    def reply(self, request: dict[str, Any]) -> Reply:
        """Choose the reply to a request."""
        behaviour = self.behaviour
        if isinstance(behaviour, list):
            behaviour = behaviour[min(len(self.requests), len(behaviour)) - 1]
        if behaviour == "no_structured_output" and {"response_format", "tools"} & request.keys():
            return Reply(status=400, error={"message": "response_format is not supported"})
        if behaviour == "no_temperature" and "temperature" in request:
            message = "Unsupported value: 'temperature' does not support 0.0 with this model."
            return Reply(status=400, error={"message": message, "code": "unsupported_value"})
        made = (BEHAVIOURS[behaviour] if isinstance(behaviour, str) else behaviour)(
            read_request(request)
        )
        return made if isinstance(made, Reply) else Reply(text=made)

    def begin(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        """Note a request and choose its reply."""
        with self._lock:
            self.requests.append(request)
            self.headers.append(headers)
            return self.reply(request)

    def count(self, change: int) -> None:
        """Note that a request begins or ends."""
        with self._lock:
            self.running += change
            self.most_running = max(self.most_running, self.running)

    @property
    def ended(self) -> bool:
        """Whether the server ends."""
        return self._stop.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait, unless the server ends."""
        self._stop.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    owner: FakeOpenAI
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        models = [{"id": name, "object": "model"} for name in ("fake", *BEHAVIOURS)]
        self._send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        self.owner.count(1)
        try:
            self._answer()
        except (BrokenPipeError, ConnectionResetError):
            self.owner.hung_up.set()
            self.close_connection = True
        finally:
            self.owner.count(-1)

    def _answer(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.owner.begin(request, headers)
        self.owner.sleep(self.owner.delay)
        if reply.hangs:
            self._hang()
        elif reply.body is not None:
            self._send_bytes(reply.status, reply.body.encode(), reply.media, reply.headers)
        elif reply.status != 200:
            self._send(reply.status, {"error": reply.error}, reply.headers)
        elif request.get("stream"):
            self._stream(request, reply)
        else:
            self._send(200, completion(request, reply))

    def _hang(self) -> None:
        """Say nothing until the client hangs up, or the server ends."""
        self.close_connection = True
        while not self.owner.ended:
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise BrokenPipeError

    def _send(
        self, status: int, body: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._send_bytes(status, json.dumps(body).encode(), "application/json", headers)

    def _send_bytes(
        self, status: int, data: bytes, media: str, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self.send_response(status)
        for name, value in (("content-type", media), *headers):
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, request: dict[str, Any], reply: Reply) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        lines = [*events(request, reply), "data: [DONE]\n\n"]
        if reply.dies_after is not None:
            lines = lines[: max(1, int(len(lines) * reply.dies_after))]
        for line in lines:
            data = line.encode()
            size = reply.bytes_at_a_time or len(data)
            for start in range(0, len(data), size):
                self._chunk(data[start : start + size])
            self.owner.pieces_sent += 1
            self.owner.sleep(self.owner.pause)
        if reply.dies_after is None:
            self._chunk(b"")
        else:
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        pass


def usage_of(request: dict[str, Any], reply: Reply) -> dict[str, int]:
    sent = sum(len(str(message["content"]).split()) for message in request["messages"])
    written = len(reply.text.split())
    return {"prompt_tokens": sent, "completion_tokens": written, "total_tokens": sent + written}


def completion(request: dict[str, Any], reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        **({"usage": usage_of(request, reply)} if reply.usage else {}),
    }  # fmt: skip


def events(request: dict[str, Any], reply: Reply) -> Iterator[str]:
    """Write the events of a streamed reply; characters beyond ASCII go out as UTF-8."""
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": request["model"],
    }

    def event(delta: dict[str, str], reason: str | None = None) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return f"data: {json.dumps({**base, 'choices': choices}, ensure_ascii=False)}\n\n"

    yield event({"role": "assistant", "content": ""})
    for start in range(0, len(reply.text), reply.piece):
        yield event({"content": reply.text[start : start + reply.piece]})
    yield event({}, reply.finish_reason)
    if reply.usage and (request.get("stream_options") or {}).get("include_usage"):
        yield f"data: {json.dumps({**base, 'choices': [], 'usage': usage_of(request, reply)})}\n\n"


def main() -> None:
    """Serve by hand until interrupted."""
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible server on loopback.")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--behaviour", choices=sorted(BEHAVIOURS), default="answers")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each reply")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between pieces")
    given = parser.parse_args()
    server = FakeOpenAI(given.behaviour, delay=given.delay, pause=given.pause, port=given.port)
    with server:
        print(  # noqa: T201 - a program
            f"{given.behaviour} at {server.url} (Ctrl-C ends it)", flush=True
        )
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
