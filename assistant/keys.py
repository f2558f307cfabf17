"""Keys and marks that a passage cannot guess: drawn from a secret, and the same for the same input."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"  # no vowels, no l, nothing that reads as another
_KEY_LETTERS = 4
KEY = re.compile(rf"\bk[{_ALPHABET}]{{{_KEY_LETTERS}}}\b")
_SECRET_BYTES = 32
_PROCESS_SECRET = secrets.token_bytes(_SECRET_BYTES)


def read_secret(path: Path) -> bytes:
    """Read the secret kept at ``path``, made on first use; one of this process where that cannot be.

    That it stays the same is what lets a reply be found in the cache again.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
    except OSError:
        pass  # there is one already, or the home is read-only
    try:
        kept = path.read_bytes()
    except OSError:
        return _PROCESS_SECRET
    return kept if len(kept) == _SECRET_BYTES else _PROCESS_SECRET


class KeyMaker:
    """Draws keys and a delimiter that do not occur in the texts they are to be told from."""

    def __init__(self, texts: Sequence[str], *, secret: bytes | None = None) -> None:
        """Draw for ``texts``, such as a question and its passages."""
        self._texts = texts
        digest = hashlib.sha256()
        for text in texts:
            digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        self._seed = hmac.digest(secret or _PROCESS_SECRET, digest.digest(), "sha256")
        self._drawn = 0

    def keys(self, count: int) -> list[str]:
        """Draw ``count`` different keys, such as ``k7f2m``."""
        found: dict[str, None] = {}
        while len(found) < count:
            key = "k" + "".join(
                _ALPHABET[byte % len(_ALPHABET)] for byte in self._draw(_KEY_LETTERS)
            )
            if not any(key in text for text in self._texts):
                found[key] = None
        return list(found)

    def delimiter(self) -> str:
        """Draw a name for what encloses the texts, such as ``data-9f3a2c51``."""
        while True:
            name = self._draw(8).hex()
            if not any(name in text for text in self._texts):
                return f"data-{name}"

    def _draw(self, length: int) -> bytes:
        self._drawn += 1
        return hmac.digest(self._seed, str(self._drawn).encode(), "sha256")[:length]
