"""Sources: what a user names ─► papers. Digests, JSONL, BibTeX, PDF files, folders, arXiv ids."""

from assistant.sources.arxiv import ArxivId, find_arxiv_id, parse_arxiv_id
from assistant.sources.identity import content_key
from assistant.sources.merge import merge, merge_papers
from assistant.sources.read import read_source

__all__ = [
    "ArxivId",
    "content_key",
    "find_arxiv_id",
    "merge",
    "merge_papers",
    "parse_arxiv_id",
    "read_source",
]
