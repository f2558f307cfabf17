"""Whether a text holds a key fact, without regard to case, white space or typographic variants."""

import re
from collections.abc import Sequence
from functools import lru_cache

from assistant.text import clean, fold

_MARKDOWN_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKDOWN = re.compile(r"\s*\[\d{1,3}\]|(?<!\\)(?:\*\*|[*`])|^#+ |^> ", re.MULTILINE)
_VARIANTS = str.maketrans(
    dict.fromkeys("‐‑‒–—―−﹣－", "-")
    | dict.fromkeys("‘’‚‛′ʼ´`", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | {"…": "...", "×": "x", "⁄": "/"}
)


def plain(markdown: str) -> str:
    """Return an answer's words alone: no citation markers, emphasis or escapes."""
    return unescape(_MARKDOWN.sub("", markdown))


def unescape(markdown: str) -> str:
    """Return text without the escapes of Markdown."""
    return _MARKDOWN_ESCAPE.sub(r"\1", markdown)


def normalise(text: str) -> str:
    """Return text with variants made one: case, accents, dashes, quotes, escapes, white space."""
    unescaped = unescape(clean(text))
    return " ".join(fold(unescaped.translate(_VARIANTS)).translate(_VARIANTS).split())


def states(text: str, fact: Sequence[str]) -> bool:
    """Tell whether a normalised text holds one of a fact's alternatives."""
    return any(_pattern(alternative).search(text) is not None for alternative in fact)


@lru_cache(maxsize=10_000)
def _pattern(alternative: str) -> re.Pattern[str]:
    """Match with white space anywhere or nowhere; a number is not part of a longer one."""
    wanted = normalise(alternative).replace(" ", "")
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if wanted[-1:].isdigit() else ""
    return re.compile(before + r"\s*".join(map(re.escape, wanted)) + after)
