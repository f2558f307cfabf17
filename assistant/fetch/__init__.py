"""Papers from the web: the only package that fetches from it. PDFs, and arXiv's metadata."""

from assistant.fetch.atom import Metadata
from assistant.fetch.copies import FetchedPdf
from assistant.fetch.fetcher import Fetcher
from assistant.fetch.network import FetchLimits

__all__ = ["FetchLimits", "FetchedPdf", "Fetcher", "Metadata"]
