"""Scripts that are not as Latin: written without blanks, or from right to left."""

import re
import unicodedata
from collections.abc import Sequence

_IDEOGRAPH = (
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
IDEOGRAPH = f"[{_IDEOGRAPH}]"
"""A pattern for one character of Chinese or Japanese."""

_IDEOGRAPHS = re.compile(IDEOGRAPH)
_SOLID = re.compile(f"[{_IDEOGRAPH}\u3001-\u303f\uff01-\uff65]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_FORMS = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]")
_PER_WORD = 2  # ideographs that say as much as a word


def word_count(text: str) -> int:
    """How many words stand between two blanks: two ideographs are as good as one."""
    if text.isascii():
        return 1
    return max(1, len(_IDEOGRAPHS.findall(text)) // _PER_WORD)


def letter_count(text: str) -> int:
    """How many Latin characters say as much as a text."""
    return len(text) if text.isascii() else len(text) + 2 * len(_IDEOGRAPHS.findall(text))


def has_ideographs(text: str) -> bool:
    """Whether there is any Chinese or Japanese in a text."""
    return not text.isascii() and bool(_IDEOGRAPHS.search(text))


def parted(before: str, after: str) -> bool:
    """Whether a blank stands between what ends one line and what begins the next."""
    return before.isascii() or not (_SOLID.match(before[-1:]) and _SOLID.match(after))


def joined(lines: Sequence[str]) -> str:
    """Lines as one, with blanks between them where their script has any."""
    text = "".join(lines[:1])
    for line in lines[1:]:
        text += f" {line}" if parted(text, line) else line
    return text


def is_right_to_left(char: str) -> bool:
    """Whether a character is of Hebrew, Arabic or another script that reads from right to left."""
    return char >= "\u0590" and bool(_RIGHT_TO_LEFT.match(char))


def without_forms(char: str) -> str:
    """A Hebrew or Arabic letter for the shape it is drawn in."""
    return unicodedata.normalize("NFKC", char) if _FORMS.match(char) else char
