"""Embedders of providers, against a real server on loopback that speaks OpenAI's protocol."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np
import pytest

from assistant.errors import EmbedderUnavailableError
from assistant.models import ProviderEmbedder

SPEC = "openai:text-embedding-3-small"
KEY = "sk-very-secret"

Respond = Callable[[list[Any]], tuple[int, Any]]


class EmbeddingServer:
    """An OpenAI-compatible server: ``respond`` makes status and body for a list of inputs."""

    def __init__(self) -> None:
        self.respond: Respond = lambda inputs: (200, embeddings([[3.0, 4.0]] * len(inputs)))
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                owner.requests.append({"path": self.path, **request})
                owner.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, body = owner.respond(request["input"])
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def embeddings(vectors: list[Any]) -> dict[str, Any]:
    return {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as running:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def test_vectors_are_in_the_order_of_the_texts(server: EmbeddingServer) -> None:
    server.respond = lambda inputs: (
        200, embeddings([[1.0, 0.0] if text == "a" else [0.0, 1.0] for text in inputs]),
    )  # fmt: skip
    vectors = ProviderEmbedder(SPEC).embed(["b", "a", "b"])
    assert vectors.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_vectors_have_length_one_and_single_precision(server: EmbeddingServer) -> None:
    vectors = ProviderEmbedder(SPEC).embed(["text"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[0.6, 0.8]], atol=1e-6)


def test_the_server_gets_model_text_and_key(server: EmbeddingServer) -> None:
    ProviderEmbedder(SPEC).embed(["φ-Decoding"])
    (request,) = server.requests
    assert (request["path"], request["model"]) == ("/v1/embeddings", "text-embedding-3-small")
    assert request["input"] == ["φ-Decoding"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_the_dimension_is_that_of_a_vector(server: EmbeddingServer) -> None:
    embedder = ProviderEmbedder(SPEC)
    assert (embedder.dimension, embedder.dimension) == (2, 2)
    assert len(server.requests) == 1


def test_no_texts_give_no_vectors(server: EmbeddingServer) -> None:
    assert ProviderEmbedder(SPEC).embed([]).shape == (0, 2)


def test_many_texts_are_embedded(server: EmbeddingServer) -> None:
    assert ProviderEmbedder(SPEC).embed(["text"] * 2100).shape == (2100, 2)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_error_of_the_server_says_what_to_check(status: int, server: EmbeddingServer) -> None:
    server.respond = lambda _inputs: (status, {"error": {"message": f"no, {KEY} is bad"}})
    with pytest.raises(
        EmbedderUnavailableError, match=r"does not answer .*check its key and address"
    ):
        ProviderEmbedder(SPEC).embed(["text"])


def test_a_passing_error_is_tried_again(server: EmbeddingServer) -> None:
    server.respond = lambda inputs: (
        (500, {}) if len(server.requests) == 1 else (200, embeddings([[1.0, 0.0]] * len(inputs)))
    )
    assert ProviderEmbedder(SPEC).embed(["text"]).shape == (1, 2)


def test_an_error_names_the_embedder_and_its_cause(server: EmbeddingServer) -> None:
    server.respond = lambda _inputs: (401, {"error": {"message": "bad key"}})
    with pytest.raises(EmbedderUnavailableError, match=f"{SPEC} .*AuthenticationError") as raised:
        ProviderEmbedder(SPEC).embed(["text"])
    assert raised.value.__cause__ is not None


def test_a_key_never_gets_into_a_message(server: EmbeddingServer) -> None:
    server.respond = lambda _inputs: (401, {"error": {"message": f"wrong key {KEY}"}})
    with pytest.raises(EmbedderUnavailableError) as raised:
        ProviderEmbedder(SPEC).embed(["text"])
    assert KEY not in str(raised.value)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddingServer() as gone:
        pass
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", gone.url)
    with pytest.raises(EmbedderUnavailableError, match="APIConnectionError"):
        ProviderEmbedder(SPEC).embed(["text"])


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the client's, about nesting
@pytest.mark.parametrize(
    "vectors",
    [
        [[1.0, 0.0]],
        [[1.0, 0.0]] * 3,
        [[1.0, float("nan")], [1.0, 0.0]],
        [[1.0, float("inf")], [1.0, 0.0]],
        [[], []],
        [[[1.0]], [[1.0]]],
        [[0.0, 0.0], [1.0, 0.0]],
    ],
    ids=["too few", "too many", "nan", "infinite", "empty", "nested", "zero"],
)
def test_vectors_that_cannot_be_used_are_refused(
    vectors: list[Any], server: EmbeddingServer
) -> None:
    server.respond = lambda _inputs: (200, embeddings(vectors))
    with pytest.raises(EmbedderUnavailableError, match=f"{SPEC} sent unusable vectors"):
        ProviderEmbedder(SPEC).embed(["one", "two"])


@pytest.mark.parametrize(
    "body",
    [embeddings([[1.0], [1.0, 2.0]]), embeddings(["x", "y"]), embeddings([]), {}, b"<html>"],
    ids=["ragged", "words", "none", "no data", "html"],
)
def test_an_answer_that_is_none_is_an_error(body: object, server: EmbeddingServer) -> None:
    server.respond = lambda _inputs: (200, body)
    with pytest.raises(EmbedderUnavailableError, match="ASSISTANT_EMBEDDINGS=minilm"):
        ProviderEmbedder(SPEC).embed(["one", "two"])


def test_a_missing_key_is_an_error_of_one_line() -> None:
    with pytest.raises(
        EmbedderUnavailableError, match=r"cannot be used: .*OPENAI_API_KEY"
    ) as raised:
        ProviderEmbedder(SPEC).embed(["text"])
    assert "\n" not in str(raised.value)


def test_a_missing_package_is_named() -> None:
    with pytest.raises(EmbedderUnavailableError, match="run `pip install langchain-cohere`"):
        ProviderEmbedder("cohere:embed-v4").embed(["text"])


def test_an_unknown_provider_is_an_error_of_one_line() -> None:
    with pytest.raises(EmbedderUnavailableError, match="'nosuch' is not supported") as raised:
        ProviderEmbedder("nosuch:model").embed(["text"])
    assert "\n" not in str(raised.value)


def test_making_one_asks_nobody() -> None:
    assert ProviderEmbedder("nosuch:model").name == "nosuch:model"


@pytest.mark.parametrize("text", ["", "GPT-4o", "antidisestablishmentarianism", "φ = 3.5, 論文!"])
def test_tokens_are_estimated_from_above_per_letters_and_marks(text: str) -> None:
    count = ProviderEmbedder(SPEC).count_tokens(text)
    assert len(text) / 4 - text.count(" ") <= count <= len(text)
