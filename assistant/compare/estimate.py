"""What filling a table with a language model is likely to take at most."""

from collections.abc import Callable, Sequence
from heapq import nlargest
from typing import Protocol

from assistant import tokens
from assistant.compare.table import Wanted
from assistant.records import Chunk, Usage

_PROMPT, _CELL = 700, 80
_SUMMARY_PROMPT, _CELL_SHOWN, _SUMMARY = 900, 70, 600
"""Tokens around a cell's passages and in a cell; around the cells summed up, in each, and in a summary."""
_PASSAGES = 11
"""Passages that a cell is filled from at most."""
_READINGS, _READING, _VERDICT = 3, 900, 80
"""How often a model that checks reads a cell, and tokens of a reading and of what it says."""
_SENTENCES = 12
"""Of a summary, each of which is checked."""


class Price(Protocol):
    """Gives the US dollars that tokens sent and received cost, or None if that is not known."""

    def __call__(self, *, input_tokens: int, output_tokens: int) -> float | None:
        """Reckon."""


def expect(
    missing: Sequence[Wanted],
    *,
    chunks_of: Callable[[str], Sequence[Chunk]],
    passage_tokens: int,
    price: Price,
) -> Usage:
    """Estimate what filling cells, and summing the table up, takes at most: one call each.

    Args:
        missing: the cells to fill.
        chunks_of: lists a paper's chunks.
        passage_tokens: tokens of passages that are shown at a time.
        price: what tokens cost.
    """
    sent = received = 0
    by_paper: dict[str, int] = {}
    for paper, _ in missing:
        if paper.id not in by_paper:
            longest = nlargest(_PASSAGES, (chunk.text for chunk in chunks_of(paper.id)), key=len)
            by_paper[paper.id] = min(passage_tokens, sum(map(tokens.count, longest)))
        sent += _PROMPT + by_paper[paper.id]
        received += _CELL
    if missing:
        sent += _SUMMARY_PROMPT + min(passage_tokens, _CELL_SHOWN * len(missing))
        received += _SUMMARY
    return _usage(sent, received, price)


def expect_checks(cells: int, *, price: Price) -> Usage:
    """Estimate what a model takes at most that checks cells, and the summary of them.

    Args:
        cells: how many are to be filled.
        price: what tokens cost.
    """
    readings = _READINGS * (cells + _SENTENCES) if cells else 0
    return _usage(readings * _READING, readings * _VERDICT, price)


def _usage(sent: int, received: int, price: Price) -> Usage:
    cost = price(input_tokens=sent, output_tokens=received)
    return Usage(input_tokens=sent, output_tokens=received, cost_usd=cost)
