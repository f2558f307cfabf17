"""Token counts: tiktoken's where its encodings are to be had, else an estimate from above."""

import logging
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

ENCODING = "o200k_base"
"""The vocabulary texts are counted with. Other makers' models differ from it by some tens of per cent."""

_LOAD_SECONDS = 3.0
_PIECE = re.compile(r"[A-Za-z]+|[0-9]{1,3}|\s+|[^\W\d_\x00-\x7f\u3000-\U0010ffff]+|[^\x00-\x7f]|.")
_LETTERS = 4
_OTHER_LETTERS = 2
_LOG = logging.getLogger(__name__)
_LOADING = threading.Lock()


def count(text: str) -> int:
    """Count the tokens of ``text``; special tokens in it count as the plain text they are."""
    with _LOADING:
        encoding = _encoding()
    return estimate(text) if encoding is None else len(encoding.encode_ordinary(text))


def estimate(text: str) -> int:
    """Estimate the tokens of ``text`` from above.

    A token per four letters of an English word, per two of one with other letters, per three digits,
    per other mark; two per Chinese, Japanese or Korean character, three per character beyond the first
    plane. A single space costs nothing, as it joins the word after it.
    """
    return sum(_cost(piece) for piece in _PIECE.findall(text))


def _cost(piece: str) -> int:
    if piece.isspace():
        return 0 if piece == " " else 1
    if piece.isascii():
        return -(-len(piece) // _LETTERS)
    if piece[0] < "\u3000":
        return -(-len(piece) // _OTHER_LETTERS)
    return 2 if piece < "\U00010000" else 3


@lru_cache(maxsize=1)
def _encoding() -> "Encoding | None":
    """Load the encoding, once; tiktoken downloads it where it is not cached, with no limit of time."""
    found: list[Encoding] = []

    def load() -> None:
        import tiktoken

        try:
            found.append(tiktoken.get_encoding(ENCODING))
        except Exception as error:  # noqa: BLE001 - of the network, the disk or a damaged file
            _LOG.debug("tiktoken's %s cannot be loaded: %s", ENCODING, type(error).__name__)

    loader = threading.Thread(target=load, daemon=True)
    loader.start()
    loader.join(_LOAD_SECONDS)
    if not found:
        _LOG.warning("tokens are estimated: tiktoken's %s is not to be had here", ENCODING)
    return found[0] if found else None
