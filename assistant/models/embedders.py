"""What an embedder is, and those of the providers that LangChain knows."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from assistant.errors import EmbedderUnavailableError

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Array = npt.NDArray[np.float32]

# LangChain would send token ids of OpenAI's own models, whose vocabulary it downloads first; servers that
# speak the same protocol take text alone.
_OPTIONS: dict[str, dict[str, Any]] = {"openai": {"check_embedding_ctx_length": False}}
_PIECE = re.compile(r"\w{1,4}|[^\w\s]")


class Embedder(Protocol):
    """Turns texts into unit vectors; texts close in meaning get vectors with a large dot product."""

    @property
    def name(self) -> str:
        """The name the settings know it by; stored with the index it made."""

    @property
    def dimension(self) -> int:
        """The length of its vectors."""

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed ``texts`` into an array of shape ``(len(texts), dimension)``, rows of length 1."""

    def count_tokens(self, text: str) -> int:
        """Count the tokens of ``text`` as the embedder sees them, or an upper estimate."""


class TokenVectors(Protocol):
    """Word pieces of a text: unit vectors of shape ``(pieces, dimension)`` and places in the text."""

    @property
    def vectors(self) -> Array:
        """The unit vectors."""

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """The places in the text, in characters."""


class TokenEmbedder(Protocol):
    """Embeds each word piece of a text in its context."""

    def embed_tokens(self, texts: Sequence[str]) -> Sequence[TokenVectors]:
        """Embed each text's word pieces."""


class ProviderEmbedder:
    """An embedder of a provider that LangChain knows, such as ``openai:text-embedding-3-small``."""

    def __init__(self, spec: str) -> None:
        self.name = spec

    @cached_property
    def dimension(self) -> int:
        """The length of its vectors, found by embedding one word."""
        return int(self.embed(["dimension"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed ``texts`` into an array of shape ``(len(texts), dimension)``, rows of length 1.

        Raises:
            EmbedderUnavailableError: if the provider does not answer, or not with usable vectors.
        """
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        model = self._model
        try:
            vectors = np.asarray(model.embed_documents(list(texts)), dtype=np.float32)
        except Exception as error:
            raise EmbedderUnavailableError(
                f"the embedder {self.name} does not answer ({type(error).__name__}): check its key "
                "and address, or set ASSISTANT_EMBEDDINGS=minilm"
            ) from error
        if (
            vectors.ndim != 2
            or len(vectors) != len(texts)
            or not np.isfinite(vectors).all()
            or not vectors.any(axis=1).all()  # a vector of zeros has no direction
        ):
            raise EmbedderUnavailableError(f"the embedder {self.name} sent unusable vectors")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Array = vectors / np.maximum(norms, np.float32(1e-12))
        return unit

    def count_tokens(self, text: str) -> int:
        """Estimate from above: a token per four letters of each word and per mark."""
        return len(_PIECE.findall(text))

    @cached_property
    def _model(self) -> "Embeddings":
        from langchain.embeddings import init_embeddings

        try:
            return init_embeddings(self.name, **_OPTIONS.get(self.name.partition(":")[0], {}))
        except ImportError as error:
            raise EmbedderUnavailableError(
                f"{self.name} needs another package: run `pip install {_package(error)}`"
            ) from error
        except Exception as error:
            raise EmbedderUnavailableError(
                f"the embedder {self.name} cannot be used: {_first_line(error)}"
            ) from error


def _package(error: ImportError) -> str:
    match = re.search(r"langchain[-_][\w-]+", str(error))
    return match.group().replace("_", "-") if match else str(error.name)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
