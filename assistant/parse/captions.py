"""What a caption looks like: a label such as "Figure 3:", then what it says."""

import re
from typing import NamedTuple

from assistant.parse.sheet import Piece

_LABEL = re.compile(
    r"(?P<word>(?:extended data|supplementary|supp\.|appendix)?\s*"
    r"(?P<kind>figure|fig\.?|table|tab\.|algorithm|listing|scheme|box|plate|chart|exhibit|prompt|example))"
    r"\s*(?P<number>[A-Z]?\.?\d{1,3}(?:\.\d{1,3})?[a-z]?|[A-Z]\.\d{1,3}|[IVX]{1,6}|S\d{1,3})"
    r"(?![A-Za-z0-9])\s*(?P<mark>[.:|–—]|$)?",
    re.IGNORECASE,
)
_ALWAYS = frozenset({"figure", "fig", "table", "tab"})


class Label(NamedTuple):
    """What a caption's label says: ``table``, ``figure`` or another kind."""

    kind: str


def caption_label(piece: Piece) -> Label | None:
    """The label with which a line begins as captions do, or nothing."""
    first = piece.words[0]
    if not first.text[0].isupper():
        return None
    match = _LABEL.match(" ".join(word.text for word in piece.words[:6]))
    if not match:
        return None
    kind = match["kind"].lower().rstrip(".")
    label = Label({"fig": "figure", "tab": "table"}.get(kind, kind))
    marked = match["mark"] is not None
    distinct = first.face != piece.words[-1].face and (first.face.bold or first.face.capitals)
    if kind in _ALWAYS:
        return label if marked or distinct else None
    return label if (marked and match["mark"] in ".:|") or distinct else None
