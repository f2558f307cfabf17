"""Models: the local embedder, and those of the providers that LangChain knows."""

from assistant.models.embedders import (
    Array,
    Embedder,
    ProviderEmbedder,
    TokenEmbedder,
    TokenVectors,
)

__all__ = ["Array", "Embedder", "ProviderEmbedder", "TokenEmbedder", "TokenVectors"]
