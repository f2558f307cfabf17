"""Aspects that a language model proposes: short names, or the default ones where it has none."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, Field

from assistant import tokens
from assistant.compare.aspects import DEFAULTS
from assistant.records import Paper
from assistant.text import clean, fold, one_line, words

FEWEST, MOST = 3, 8
PROMPT = "aspects"

_MOST_WORDS = 6
_LONGEST = 60
_ABSTRACT = 600
"""Characters of each abstract that are shown."""
_NAME = re.compile(r"[^\W_][\w ,/&+'’().\-]*")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")


class Proposed(BaseModel):
    """What the model answers with."""

    aspects: list[str] = Field(
        description="three to eight names of aspects, one to five words each"
    )


class Proposal(NamedTuple):
    """Aspects to compare papers by; ``note`` says why they are the default ones, if they are."""

    aspects: tuple[str, ...]
    note: str | None = None


def describe(papers: Sequence[Paper], *, budget: int) -> str:
    """Write papers for the model, title and beginning of the abstract, within ``budget`` tokens."""
    lines: list[str] = []
    for paper in papers:
        line = one_line(f"{paper.title}: {paper.abstract[:_ABSTRACT]}")
        budget -= tokens.count(line)
        if budget < 0 and lines:
            break
        lines.append(line)
    return "\n".join(lines)


def choose(proposed: Sequence[str]) -> Proposal:
    """Keep the names that can be aspects, each once; the default ones if too few are left."""
    found: dict[str, str] = {}
    for name in proposed:
        cleaned = one_line(_BULLET.sub("", clean(name))).strip(" .:;\"'")
        if _is_name(cleaned):
            found.setdefault(fold(cleaned), cleaned)
    if len(found) < FEWEST:
        return default("the model proposed no usable aspects")
    return Proposal(tuple(found.values())[:MOST])


def default(reason: str) -> Proposal:
    """Propose the default aspects, and say why."""
    return Proposal(DEFAULTS, f"{reason}: the default aspects are compared")


def _is_name(text: str) -> bool:
    return (
        len(text) <= _LONGEST
        and 0 < len(words(text)) <= _MOST_WORDS
        and _NAME.fullmatch(text) is not None
        and re.search(r"[^\W\d_]", text) is not None
        and re.search(r"\w\.\w+/|www\.", text) is None
    )
