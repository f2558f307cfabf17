"""Chroma's own ONNX MiniLM class on our weights: what the local embedder is compared with.

The class looks for a graph with the inputs ``input_ids``, ``attention_mask`` and ``token_type_ids``. It is
given ours, fused operators and all, with the weights inside; so what differs is how texts are batched
and padded. A graph of plain operators would only make Chroma slower.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assistant.models import weights
from assistant.models.minilm import _build_graph, _initializers, _map_weights

_INPUTS = {"input_ids": "input_ids", "segment_ids": "token_type_ids", "mask": "attention_mask"}
_UNUSED_FILES = ("config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt")
"""Files that Chroma wants to see before it believes that nothing is to be downloaded."""


def embedder(folder: Path) -> Callable[[Sequence[str]], Any]:
    """Return Chroma's embedder, its files built in ``folder``."""
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    _write_files(folder / ONNXMiniLM_L6_V2.EXTRACTED_FOLDER_NAME)
    found = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])
    found.DOWNLOAD_PATH = folder
    return lambda texts: found(list(texts))


def _write_files(folder: Path) -> None:
    folder.mkdir(parents=True)
    files = weights.locate(folder)
    shutil.copy(files.tokenizer, folder / "tokenizer.json")
    for name in _UNUSED_FILES:
        (folder / name).touch()
    (folder / "model.onnx").write_bytes(_graph(files.weights))


def _graph(path: Path) -> bytes:
    """Put the weights into the local embedder's graph and give it the inputs that Chroma's class feeds."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tensors = _initializers(_map_weights(path))
    shapes = {name: array.shape for name, array in tensors.items()}
    model = onnx.ModelProto.FromString(_build_graph(shapes))
    graph = model.graph
    constants = [each for each in graph.initializer if each.name not in tensors]
    for node in graph.node:
        node.input[:] = [f"{name}.int32" if name in _INPUTS else name for name in node.input]
    casts = [
        helper.make_node("Cast", [theirs], [f"{ours}.int32"], to=TensorProto.INT32)
        for ours, theirs in _INPUTS.items()
    ]
    nodes = [*casts, *graph.node]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in _INPUTS.values()
    ]
    # The class pools the hidden states itself, so the graph need not.
    outputs = [each for each in graph.output if each.name == "tokens"]
    weighed = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    whole = helper.make_graph(nodes, graph.name, inputs, outputs, [*constants, *weighed])
    serialised: bytes = helper.make_model(
        whole, opset_imports=model.opset_import, ir_version=model.ir_version
    ).SerializeToString()
    return serialised
