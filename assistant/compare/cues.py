"""What a sentence that answers a known aspect looks like, read from ``cues.toml``."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from assistant.query import is_coined
from assistant.text import word_spans

_TABLE = Path(__file__).parent / "cues.toml"
_PART = re.compile(r"\{([a-z_]+)\}")
_LEADING = r"(?:the |their |its |main |key |which |what )*"

Focus = Literal["facts", "cue"]


class Cue(NamedTuple):
    """A pattern, and what a sentence gains or loses that holds it."""

    pattern: re.Pattern[str]
    weight: float


class Cues(NamedTuple):
    """A sentence answers if it holds ``wanted`` and its cues add up to ``least``.

    ``place`` is what its place in an abstract adds: that much at the end, or taken away there if
    negative. ``sections`` are headings under which such a sentence stands in a full text. ``focus`` says
    what of the sentence is kept: all ``facts``, or the clauses that hold what is wanted.
    """

    names: re.Pattern[str]
    question: str
    wanted: re.Pattern[str]
    cues: tuple[Cue, ...]
    least: float
    place: float
    sections: re.Pattern[str] | None
    focus: Focus

    def strength(self, text: str) -> float:
        """Add up the cues that a sentence holds."""
        return sum(cue.weight for cue in self.cues if cue.pattern.search(text) is not None)


@lru_cache(maxsize=1)
def known() -> tuple[Cues, ...]:
    """Return the known aspects."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    parts: dict[str, str] = {}
    for name, alternatives in table["parts"].items():
        parts[name] = f"(?:{_join(alternatives, parts)})"
    return tuple(_read(aspect, parts) for aspect in table["aspects"])


def names(text: str) -> list[str]:
    """List the coined names of a text, such as Qwen2.5-32B, in order, each once."""
    found = (text[span.start : span.end] for span in word_spans(text))
    return list(dict.fromkeys(word for word in found if is_coined(word)))


def _read(aspect: Mapping[str, Any], parts: Mapping[str, str]) -> Cues:
    sections = aspect.get("sections")
    return Cues(
        names=_compile([f"{_LEADING}(?:{'|'.join(aspect['names'])})(?: used)?"], parts),
        question=aspect["question"],
        wanted=_compile(aspect["wanted"], parts, exact=aspect.get("exact", False)),
        cues=tuple(
            Cue(_compile(cue["pattern"], parts, exact=cue.get("exact", False)), cue["weight"])
            for cue in aspect["cues"]
        ),
        least=aspect["least"],
        place=aspect.get("place", 0.0),
        sections=_compile(sections, parts) if sections else None,
        focus=aspect.get("focus", "facts"),
    )


def _compile(
    alternatives: list[str], parts: Mapping[str, str], *, exact: bool = False
) -> re.Pattern[str]:
    return re.compile(_join(alternatives, parts), 0 if exact else re.IGNORECASE)


def _join(alternatives: list[str], parts: Mapping[str, str]) -> str:
    return _PART.sub(lambda match: parts[match[1]], "|".join(alternatives))
