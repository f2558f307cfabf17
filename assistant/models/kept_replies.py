"""Replies worth keeping, and those that were kept."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.models.chat import NO_USAGE, Completion, Message
from assistant.models.thinking import without_thinking
from assistant.text import words

if TYPE_CHECKING:
    from langchain_core.caches import BaseCache


class KeptReplies:
    """What one model replied, in a file that models share. Thread-safe."""

    def __init__(self, path: Path | None, *, model: str, base_url: str | None) -> None:
        """Keep replies in the file ``path``, or none.

        Args:
            path: the file.
            model: ``provider:model``.
            base_url: address of its server, if it is not the provider's own.
        """
        self._path = path
        self._model = model
        self._base_url = base_url

    def find(self, messages: Sequence[Message], kind: str) -> Completion | None:
        """Return what was replied to messages; ``kind`` names the form that was asked for."""
        if self._cache is None:
            return None
        found = self._cache.lookup(json.dumps(messages), self._parameters(kind))
        if not found or not _says_something(found[0].text):
            return None
        if (found[0].generation_info or {}).get("cut"):  # kept by an earlier version
            return None
        return Completion(found[0].text, NO_USAGE, self._model, cached=True)

    def keep(self, messages: Sequence[Message], kind: str, reply: Completion) -> None:
        """Keep a reply, if it is whole and says something besides what the model thought aloud."""
        if self._cache is None or reply.cached or reply.end != "whole":
            return
        if not _says_something(reply.text):
            return
        from langchain_core.outputs import Generation

        kept = [Generation(text=reply.text)]
        self._cache.update(json.dumps(messages), self._parameters(kind), kept)

    @cached_property
    def _cache(self) -> "BaseCache | None":
        if self._path is None:
            return None
        from assistant.models.cache import ReplyCache

        return ReplyCache(self._path)

    def _parameters(self, kind: str) -> str:
        return json.dumps([self._model, self._base_url, {"temperature": 0.0}, kind])


def _says_something(text: str) -> bool:
    return bool(words(without_thinking(text)))
