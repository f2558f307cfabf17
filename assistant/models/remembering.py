"""A reader that remembers what it has read: the same passages are weighed for question after question."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from assistant.models.embedders import TokenEmbedder, TokenVectors

_MOST_PIECES = 40_000
"""Word pieces that are remembered: 61 MB of the local embedder's, or some 170 full passages."""


class Remembering:
    """A token embedder over another that embeds a text it remembers no second time. Thread-safe."""

    def __init__(self, reader: TokenEmbedder, *, most_pieces: int = _MOST_PIECES) -> None:
        """Remember what ``reader`` reads, up to ``most_pieces`` word pieces of it."""
        self._reader = reader
        self._most_pieces = most_pieces
        self._known: OrderedDict[str, TokenVectors] = OrderedDict()
        self._pieces = 0
        self._lock = threading.Lock()

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed each text's word pieces.

        Raises:
            EmbedderUnavailableError: if the reader cannot.
        """
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
            for text in found:
                self._known.move_to_end(text)
        new = [text for text in dict.fromkeys(texts) if text not in found]
        read = dict(zip(new, self._reader.embed_tokens(new), strict=True)) if new else {}
        with self._lock:
            for text, tokens in read.items():
                self._remember(text, tokens)
        known = {**read, **found}
        return [known[text] for text in texts]

    def read_ahead(self, texts: Iterable[str]) -> None:
        """Embed texts, one at a time, until they take up half of what is remembered.

        Raises:
            EmbedderUnavailableError: if the reader cannot.
        """
        room = self._most_pieces // 2
        for text in texts:
            if room <= 0:
                return
            (read,) = self.embed_tokens([text])
            room -= len(read.spans)

    def _remember(self, text: str, tokens: TokenVectors) -> None:
        if text in self._known:
            return
        self._known[text] = tokens
        self._pieces += len(tokens.spans)
        while self._pieces > self._most_pieces and len(self._known) > 1:
            _, forgotten = self._known.popitem(last=False)
            self._pieces -= len(forgotten.spans)
