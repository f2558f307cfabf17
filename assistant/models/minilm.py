"""The local default embedder: all-MiniLM-L6-v2 on ONNX Runtime, without torch and without network.

Reimers and Gurevych, "Sentence-BERT", 2019; Wang et al., "MiniLM", 2020. The graph is written here with
ONNX Runtime's fused operators; the weights are the published ones, mapped into memory, not copied.
"""

import json
import mmap
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.models import weights as model_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

Array = npt.NDArray[np.float32]

NAME = "minilm"
DIMENSION = 384
MAX_TOKENS = 256
"""Word pieces per text, the published limit; what goes beyond is cut."""

_LAYERS = 6
_HEADS = 12
_EPSILON = 1e-12
_GRAPH_VERSION = 2
_BATCH_TOKENS = 4096


class TokenVectors(NamedTuple):
    """The word pieces of a text in context.

    ``vectors`` has shape ``(pieces, 384)``, rows of length 1; ``spans`` are the pieces' places in the
    text, in characters; ``pieces`` the pieces as written, continuations marked ``##``.
    """

    vectors: Array
    spans: tuple[tuple[int, int], ...]
    pieces: tuple[str, ...]


class MiniLM:
    """Embeds texts as unit vectors of 384 float32. Thread-safe; the model loads at first use."""

    name = NAME
    dimension = DIMENSION
    version = f"{NAME}-{_GRAPH_VERSION}"

    def __init__(
        self, cache: Path, *, announce: Callable[[str], None] = lambda _: None, threads: int = 0
    ) -> None:
        """Keep the built graph, and weights that have to be installed, in the folder ``cache``."""
        self._cache = cache
        self._announce = announce
        self._threads = threads
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None
        self._tokenizer: Tokenizer | None = None

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed ``texts`` into an array of shape ``(len(texts), 384)``, rows of length 1.

        Raises:
            EmbedderUnavailableError: if the weights are missing or not the published ones.
        """
        self.load()
        assert self._tokenizer is not None
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        # Texts of one length share a batch, so hardly any padding is computed.
        order = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
        for batch in _batches(order, encodings):
            (vectors[batch],) = self._run([encodings[index] for index in batch], "embeddings")
        return vectors

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed each word piece of each text in its context, up to the limit of a text.

        Raises:
            EmbedderUnavailableError: if the weights are missing or not the published ones.
        """
        return self.embed_both(texts)[1]

    def embed_both(self, texts: Sequence[str]) -> tuple[Array, list[TokenVectors]]:
        """Embed texts, as :meth:`embed` does, and their word pieces in the same go.

        Raises:
            EmbedderUnavailableError: if the weights are missing or not the published ones.
        """
        self.load()
        assert self._tokenizer is not None
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))
        results: dict[int, TokenVectors] = {}
        order = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
        for batch in _batches(order, encodings):
            chosen = [encodings[index] for index in batch]
            vectors[batch], hidden = self._run(chosen, "embeddings", "tokens")
            for index, states in zip(batch, hidden, strict=True):
                results[index] = _without_markers(encodings[index], states)
        return vectors, [results[index] for index in range(len(texts))]

    def count_tokens(self, text: str) -> int:
        """Count the word pieces of ``text``, without limit and without the two markers."""
        self.load()
        assert self._tokenizer is not None
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return len(encoding.ids) + sum(len(rest.ids) for rest in encoding.overflowing)

    def load(self) -> None:
        """Load tokenizer and model now rather than at first use."""
        with self._lock:
            if self._session is not None:
                return
            files = model_weights.locate(self._cache, announce=self._announce)
            model_weights.verify(files.weights)
            self._tokenizer = _load_tokenizer(files.tokenizer)
            self._session = _load_session(_map_weights(files.weights), self._cache, self._threads)

    def _run(self, encodings: "Sequence[Encoding]", *outputs: str) -> list[Array]:
        longest = max(len(encoding.ids) for encoding in encodings)
        ids = np.zeros((len(encodings), longest), dtype=np.int32)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        assert self._session is not None
        inputs = {"input_ids": ids, "mask": mask, "segment_ids": np.zeros_like(ids)}
        results: list[Array] = self._session.run(outputs, inputs)
        return results


def _without_markers(encoding: "Encoding", states: Array) -> TokenVectors:
    """Keep the states of the pieces between the two markers, at length 1."""
    inner = slice(1, len(encoding.ids) - 1)
    vectors = states[inner]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return TokenVectors(vectors, tuple(encoding.offsets[inner]), tuple(encoding.tokens[inner]))


def _batches(order: Sequence[int], encodings: "Sequence[Encoding]") -> list[list[int]]:
    """Cut ``order`` (short texts first) into batches of a bounded number of padded word pieces."""
    batches: list[list[int]] = []
    for index in order:
        if not batches or (len(batches[-1]) + 1) * len(encodings[index].ids) > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(index)
    return batches


def _load_tokenizer(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=MAX_TOKENS)
    return tokenizer


def _map_weights(path: Path) -> dict[str, Array]:
    """Map a safetensors file: an 8-byte header length, a JSON header, then the raw tensors."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    (length,) = struct.unpack("<Q", mapped[:8])
    header: dict[str, Any] = json.loads(mapped[8 : 8 + length])
    tensors: dict[str, Array] = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(mapped, np.float32, (end - begin) // 4, 8 + length + begin)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def _load_session(tensors: Mapping[str, Array], cache: Path, threads: int) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Threads that spin while they wait gain little alone and cost much where processes share cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The graph is made of fused operators already; looking for more to fuse only costs time.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    initializers = _initializers(tensors)
    options.add_external_initializers(
        list(initializers),
        [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in initializers.values()],
    )
    graph = _cached_graph(cache, {name: array.shape for name, array in initializers.items()})
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _initializers(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Arrange the weights as the graph wants them: linear layers transposed, Q, K and V as one."""
    arranged = {
        "word": tensors["embeddings.word_embeddings.weight"],
        "position": tensors["embeddings.position_embeddings.weight"],
        "segment": tensors["embeddings.token_type_embeddings.weight"],
        "norm.gamma": tensors["embeddings.LayerNorm.weight"],
        "norm.beta": tensors["embeddings.LayerNorm.bias"],
    }
    for layer in range(_LAYERS):
        source, target = f"encoder.layer.{layer}", f"layer{layer}"
        attention = [f"{source}.attention.self.{part}" for part in ("query", "key", "value")]
        stacked = np.concatenate([tensors[f"{part}.weight"].T for part in attention], axis=1)
        arranged[f"{target}.qkv.weight"] = stacked
        arranged[f"{target}.qkv.bias"] = np.concatenate(
            [tensors[f"{part}.bias"] for part in attention]
        )
        for name, dense in (
            ("attention", "attention.output.dense"),
            ("up", "intermediate.dense"),
            ("down", "output.dense"),
        ):
            arranged[f"{target}.{name}.weight"] = tensors[f"{source}.{dense}.weight"].T
            arranged[f"{target}.{name}.bias"] = tensors[f"{source}.{dense}.bias"]
        for name, norm in (("norm1", "attention.output"), ("norm2", "output")):
            arranged[f"{target}.{name}.gamma"] = tensors[f"{source}.{norm}.LayerNorm.weight"]
            arranged[f"{target}.{name}.beta"] = tensors[f"{source}.{norm}.LayerNorm.bias"]
    return {name: np.ascontiguousarray(array) for name, array in arranged.items()}


def _cached_graph(cache: Path, shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Return the serialised graph, a few kilobytes without weights, built once per home."""
    path = cache / f"minilm-graph-{_GRAPH_VERSION}.onnx"
    try:
        return path.read_bytes()
    except OSError:
        graph = _build_graph(shapes)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as staging:
            fresh = Path(staging) / path.name
            fresh.write_bytes(graph)
            fresh.replace(path)
    except OSError:
        pass  # a read-only home builds the graph anew each time
    return graph


def _build_graph(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Write BERT as fused operators, mean pooling over the mask, and L2 normalisation."""
    from onnx import TensorProto, helper

    fused = "com.microsoft"
    inputs = ["input_ids", "segment_ids", "word", "position", "segment", "norm.gamma", "norm.beta"]
    nodes = [
        helper.make_node(
            "EmbedLayerNormalization",
            [*inputs, "mask"],
            ["hidden", "lengths"],
            domain=fused,
            epsilon=_EPSILON,
        )
    ]
    hidden = "hidden"
    for layer in range(_LAYERS):
        output = "tokens" if layer == _LAYERS - 1 else f"layer{layer}.out"
        nodes += _layer_nodes(f"layer{layer}", hidden, output)
        hidden = output
    nodes += [
        helper.make_node("Cast", ["mask"], ["mask.float"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask.float", "axis"], ["mask.row"]),
        # Summing over the mask is a product of a row and a matrix; the norm undoes the missing mean.
        helper.make_node("MatMul", ["mask.row", hidden], ["sum"]),
        helper.make_node("Squeeze", ["sum", "axis"], ["pooled"]),
        helper.make_node("LpNormalization", ["pooled"], ["embeddings"], axis=-1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "all-MiniLM-L6-v2",
        [
            helper.make_tensor_value_info(name, TensorProto.INT32, ["batch", "length"])
            for name in ("input_ids", "segment_ids", "mask")
        ],
        [
            helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", DIMENSION]),
            helper.make_tensor_value_info(
                "tokens", TensorProto.FLOAT, ["batch", "length", DIMENSION]
            ),
        ],
        [*(_external(name, shape) for name, shape in shapes.items()), _axis()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(fused, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    serialised: bytes = model.SerializeToString()
    return serialised


def _layer_nodes(layer: str, hidden: str, output: str) -> list[Any]:
    from onnx import helper

    fused = "com.microsoft"

    def name(part: str) -> str:
        return f"{layer}.{part}"

    return [
        helper.make_node(
            "Attention",
            [hidden, name("qkv.weight"), name("qkv.bias"), "lengths"],
            [name("context")],
            domain=fused,
            num_heads=_HEADS,
        ),
        helper.make_node("MatMul", [name("context"), name("attention.weight")], [name("mixed")]),
        helper.make_node(
            "SkipLayerNormalization",
            [name("mixed"), hidden, name("norm1.gamma"), name("norm1.beta"), name("attention.bias")],
            [name("attended")],
            domain=fused,
            epsilon=_EPSILON,
        ),
        helper.make_node("MatMul", [name("attended"), name("up.weight")], [name("widened")]),
        helper.make_node(
            "BiasGelu", [name("widened"), name("up.bias")], [name("gelu")], domain=fused
        ),
        helper.make_node("MatMul", [name("gelu"), name("down.weight")], [name("narrowed")]),
        helper.make_node(
            "SkipLayerNormalization",
            [name("narrowed"), name("attended"), name("norm2.gamma"), name("norm2.beta"), name("down.bias")],
            [output],
            domain=fused,
            epsilon=_EPSILON,
        ),
    ]  # fmt: skip


def _external(name: str, shape: tuple[int, ...]) -> Any:  # noqa: ANN401 - onnx has no types
    """Declare a tensor whose data the session is handed from memory."""
    from onnx import TensorProto, external_data_helper

    tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT, raw_data=b"")
    external_data_helper.set_external_data(tensor, location="memory")
    tensor.ClearField("raw_data")
    return tensor


def _axis() -> Any:  # noqa: ANN401 - onnx has no types
    from onnx import TensorProto, helper

    return helper.make_tensor("axis", TensorProto.INT64, [1], [1])
