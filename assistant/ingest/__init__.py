"""Sources into the library: read, merge, fetch, parse, chunk, embed, store."""

from assistant.ingest.ingest import Ingest, Progress

__all__ = ["Ingest", "Progress"]
