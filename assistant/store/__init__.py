"""The storage room: catalog, vectors and lexical index behind one façade."""

from assistant.store.model import Hit, IndexedPaper, IndexFingerprint, Problem
from assistant.store.store import Store
from assistant.store.writer import Writer

__all__ = ["Hit", "IndexFingerprint", "IndexedPaper", "Problem", "Store", "Writer"]
