"""Passages as a model is shown them: marked as data, each under a key, as many as the budget allows.

Marking untrusted text off with what it cannot guess is "spotlighting" (Hines et al., arXiv 2403.14720, 3.1).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assistant import tokens
from assistant.keys import KeyMaker
from assistant.records import Passage
from assistant.text import sentences
from assistant.untrusted import harmless

_FEWEST_TOKENS = 50
_LONGEST_TITLE = 200


class Shown(NamedTuple):
    """What a model is shown: passages by key in their order, the text of them, and how many did not fit."""

    passages: dict[str, Passage]
    text: str
    delimiter: str
    left_out: int


def show(
    passages: Sequence[Passage],
    question: str,
    *,
    budget: int,
    secret: bytes | None = None,
    excerpts: Mapping[str, str] | None = None,
) -> Shown:
    """Write passages for a model, best first, until ``budget`` tokens are used up.

    Of the best passage as much is shown as fits, whatever the budget.

    Args:
        passages: passages, best first.
        question: the question, which keys must not occur in either.
        budget: tokens for all passages together.
        secret: what keys are drawn from; by default one of this process.
        excerpts: by the id of a passage's chunk, what is shown of it instead of all.
    """
    texts = [question, *(f"{each.title}\n{each.chunk.text}" for each in passages)]
    maker = KeyMaker(texts, secret=secret)
    keys = maker.keys(len(passages))
    shown: dict[str, Passage] = {}
    written: list[str] = []
    left = budget
    for key, passage in zip(keys, passages, strict=True):
        text = _write(key, passage, (excerpts or {}).get(passage.chunk.id, passage.chunk.text))
        needed = tokens.count(text)
        if needed > left:
            if shown:
                break
            text = _cut(text, max(left, _FEWEST_TOKENS))
        shown[key] = passage
        written.append(text)
        left -= needed
    return Shown(shown, "\n\n".join(written), maker.delimiter(), len(passages) - len(shown))


def _write(key: str, passage: Passage, shown: str) -> str:
    chunk = passage.chunk
    title = harmless(passage.title).replace("\n", " ")[:_LONGEST_TITLE]
    place = "" if chunk.page_first is None else f", page {chunk.page_first}"
    section = (
        f", {harmless(chunk.section)}".replace("\n", " ")[:_LONGEST_TITLE] if chunk.section else ""
    )
    return f"[{key}] {title}{place}{section}\n{harmless(shown)}"


def _cut(text: str, budget: int) -> str:
    """Keep the first sentences that fit."""
    end = 0
    for span in sentences(text):
        if end and tokens.count(text[: span.end]) > budget:
            break
        end = span.end
    return text[: max(end, 1)] if tokens.count(text[:end]) <= 2 * budget else text[: 2 * budget]
