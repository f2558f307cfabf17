"""Models: the local embedder, and those of the providers that LangChain knows."""

from assistant.models.embedders import Array, Embedder, ProviderEmbedder

__all__ = ["Array", "Embedder", "ProviderEmbedder"]
