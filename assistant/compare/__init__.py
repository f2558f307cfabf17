"""From papers and aspects to a table: each cell what a paper states on an aspect, cited, or "not stated"."""

from assistant.compare.choice import MAX_PAPERS, matching
from assistant.compare.comparer import Comparer
from assistant.compare.extractive import ExtractiveFiller
from assistant.compare.saved import SavedComparison, Shelf

__all__ = ["MAX_PAPERS", "Comparer", "ExtractiveFiller", "SavedComparison", "Shelf", "matching"]
