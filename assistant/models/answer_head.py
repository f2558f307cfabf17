"""How likely a sentence is to state what a question asks: attention, learned.

Decomposable attention (Parikh et al., "A Decomposable Attention Model for Natural Language Inference",
EMNLP 2016) over the word pieces that the local embedder has in context: each piece of the question attends
to the sentence, is compared with what it finds there, and the comparisons are summed up. The embedder stays
as it is; the head is trained by ``python -m eval.training`` on texts and questions written for it.
"""

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assistant.models.embedders import Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_GRAPH = "answer_head.onnx"


class Inputs(NamedTuple):
    """A question beside sentences, in the order and under the names that the graph has.

    ``question`` has shape ``(sentences, asked, 384)``, ``sentence`` ``(sentences, width, 384)``, each with
    a mask that is 0 on padding; ``anywhere``, ``(sentences, asked)``, how well each piece of the question is
    matched in the whole passage; ``closeness``, ``(sentences, 2)``, the sentence's cosine with the
    question, and how much closer the passage's closest is.
    """

    question: Array
    question_mask: Array
    sentence: Array
    sentence_mask: Array
    anywhere: Array
    closeness: Array


class AnswerHead:
    """Reads a question beside the sentences of a passage. Thread-safe; it loads at first use."""

    def log_odds(self, question: Array, passage: Array, sentences: Sequence[Array]) -> Array:
        """Return the log-odds that each sentence of a passage states what is asked.

        Args:
            question: the word pieces of the question, shape ``(pieces, 384)``, rows of length 1.
            passage: those of the passage, with the title it is read under.
            sentences: those of its sentences; there is at least one, and none is empty.
        """
        # A passage at a time: padded to one length, many would take much memory.
        laid_out = inputs(question, passage, sentences)._asdict()
        found: Array = self._session.run(["log_odds"], laid_out)[0]
        return found

    def load(self) -> None:
        """Load the graph now rather than at first use."""
        _ = self._session

    @cached_property
    def _session(self) -> "InferenceSession":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = (files("assistant.data") / _GRAPH).read_bytes()
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def inputs(question: Array, passage: Array, sentences: Sequence[Array]) -> Inputs:
    """Lay out what :meth:`AnswerHead.log_odds` takes as the graph reads it."""
    width = max(map(len, sentences))
    padded = np.zeros((len(sentences), width, question.shape[1]), dtype=np.float32)
    mask = np.zeros((len(sentences), width), dtype=np.float32)
    for row, pieces in enumerate(sentences):
        padded[row, : len(pieces)] = pieces
        mask[row, : len(pieces)] = 1
    whole = _unit(question.sum(axis=0))
    cosines = np.array(
        [_unit(pieces.sum(axis=0)) @ whole for pieces in sentences], dtype=np.float32
    )
    anywhere = (question @ passage.T).max(axis=1)
    return Inputs(
        question=np.broadcast_to(question, (len(sentences), *question.shape)),
        question_mask=np.ones((len(sentences), len(question)), dtype=np.float32),
        sentence=padded,
        sentence_mask=mask,
        anywhere=np.broadcast_to(anywhere, (len(sentences), len(question))),
        closeness=np.stack([cosines, cosines.max() - cosines], axis=1),
    )


def _unit(vector: Array) -> Array:
    unit: Array = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit
