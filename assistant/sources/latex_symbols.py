"""The characters that LaTeX commands stand for, and letters with their accents."""

import unicodedata
from functools import lru_cache

_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306",
    ".": "\u0307", '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323",
    "c": "\u0327", "k": "\u0328", "b": "\u0331",
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303",
    "bar": "\u0304", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7",
}  # fmt: skip

# What pylatexenc lacks, or renders by a character that no reader would search for.
_OWN_SYMBOLS = {
    "deg": "°", "degree": "°", "textdegree": "°", "sim": "~", "ast": "*", "ne": "≠", "gets": "←",
    "S": "§", "P": "¶", "colon": ":", "LaTeX": "LaTeX", "TeX": "TeX", "argmax": "argmax",
    "argmin": "argmin", "Pr": "Pr", "det": "det", "textquotedbl": '"', "textendash": "–",
    "textemdash": "—", "quad": " ", "qquad": " ",
}  # fmt: skip
_SYMBOL_SETS = ("latex-base", "latex-approximations", "advanced-symbols")
_MAX_SYMBOL = 6  # characters; what is longer stands for a part of a document, not for a symbol
_MARKUP = frozenset("%<[\n")  # in a replacement, these too tell a part of a document


def accented(letter: str, accent: str) -> str | None:
    """Put a LaTeX accent on a letter; ``None`` where the two make no letter of any language."""
    marked = unicodedata.normalize("NFC", letter + _ACCENTS[accent])
    # Named accents such as \\hat belong to mathematics, where any letter takes them.
    return marked if len(marked) == 1 or len(accent) > 1 else None


def symbol(name: str) -> str | None:
    r"""Look up the character that ``\name`` stands for; ``None`` where it is not a plain symbol."""
    return _OWN_SYMBOLS.get(name) or _library_symbols().get(name)


@lru_cache(maxsize=1)
def _library_symbols() -> dict[str, str]:
    from pylatexenc.latex2text import (  # type: ignore[import-untyped]  # it ships no types
        get_default_latex_context_db,
    )

    specs = get_default_latex_context_db().iter_macro_specs(_SYMBOL_SETS)
    replacements = {spec.macroname: spec.simplify_repl for spec in specs}
    return {name: text for name, text in replacements.items() if _is_symbol(text)}


def _is_symbol(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _MAX_SYMBOL and not _MARKUP.intersection(text)
