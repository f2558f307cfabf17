"""From papers and aspects to a table: each cell what a paper states on an aspect, cited, or "not stated"."""

from assistant.compare import proposal
from assistant.compare.choice import MAX_PAPERS, matching
from assistant.compare.comparer import Comparer, Opened, opened
from assistant.compare.estimate import expect, expect_checks
from assistant.compare.extractive import ExtractiveFiller
from assistant.compare.generative import GenerativeFiller
from assistant.compare.passages import PassageFinder
from assistant.compare.saved import Listed, Shelf
from assistant.compare.table import Key, Wanted
from assistant.compare.writing import Manner, Models, Writer
from assistant.compare.written_summary import WrittenSummary

__all__ = [
    "MAX_PAPERS",
    "Comparer",
    "ExtractiveFiller",
    "GenerativeFiller",
    "Key",
    "Listed",
    "Manner",
    "Models",
    "Opened",
    "PassageFinder",
    "Shelf",
    "Wanted",
    "Writer",
    "WrittenSummary",
    "expect",
    "expect_checks",
    "matching",
    "opened",
    "proposal",
]
