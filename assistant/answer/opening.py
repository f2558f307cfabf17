"""The beginning of a reply, held until it is clear that it answers: it may refuse, or be thinking."""

import re
from collections.abc import Collection, Iterator

from assistant.keys import KEY
from assistant.models.thinking import Heard

_LONGEST_HELD = 600
"""Characters without a key after which a reply is shown all the same."""

_BEFORE_SENTINEL = r"[\s*_\"'`>#\-\[({「『【（“]*"
_SENTINEL_FIRST = re.compile(
    rf"{_BEFORE_SENTINEL}(?:answer\W{{1,4}})?{_BEFORE_SENTINEL}NOT[ _-]IN[ _-]PAPERS\b",
    re.IGNORECASE,
)
_SENTINEL = re.compile(r"(?i:NOT[_-]IN[_-]PAPERS)|\bNOT IN PAPERS\b")
_MONOLOGUE = re.compile(
    r"\A\W*(?:ok(?:ay)?|alright|all right|h+m+|let's|let us|wait|first,? (?:i|we|let)|looking at|to answer"
    r"|好的|嗯|首先|用户|让我|我们)(?![a-z])"
    r"|\bthe user\b|\blet me\b|\b(?:I|we) (?:need|should|must|have) to\b"
    r"|\bI (?:think|recall|should|will|must|can)\b"
    r"|\bI'll\b|\bwait,",
    re.IGNORECASE,
)
"""What sounds like thinking aloud: it is not shown before the reply is over, lest it end in ``</think>``."""


class Opening:
    """Holds a reply until its first key; one that sounds like thinking, until its end."""

    def __init__(self, keys: Collection[str]) -> None:
        """Name the keys that a citation can have."""
        self._keys = frozenset(keys)
        self._held = ""
        self._said = ""  # all of the answer
        self._is_clear = False
        self._restarts = False

    def feed(self, heard: Heard) -> Iterator[Heard]:
        """Take the next piece; give what is clear to be answer."""
        if heard.restarts:
            self._restarts = self._restarts or self._is_clear
            self._held = self._said = ""
            self._is_clear = False
            return
        self._said += heard.text
        self._held += heard.text
        if self._is_clear or self._can_be_told():
            yield from self._give()

    def finish(self) -> Iterator[Heard]:
        """Give what was held."""
        yield from self._give()

    def refusal(self, *, cites: bool | None = None) -> str | None:
        """Return what a refusal says is missing; None if the reply is an answer.

        It is one if it begins with the sentinel, or holds it and ``cites`` nothing: by default, no key.
        """
        first = _SENTINEL_FIRST.match(self._said)
        if first is not None:
            return self._said[first.end() :]
        found = _SENTINEL.search(self._said)
        if found is None or (self._holds_key(self._said) if cites is None else cites):
            return None
        return self._said[found.end() :]

    def sounds_like_thinking(self) -> bool:
        """Tell whether what is held sounds like thinking aloud."""
        return _MONOLOGUE.search(self._held) is not None

    def _can_be_told(self) -> bool:
        if _SENTINEL_FIRST.match(self._held) or self.sounds_like_thinking():
            return False
        return len(self._held) > _LONGEST_HELD or self._holds_key(self._held)

    def _holds_key(self, text: str) -> bool:
        return not self._keys.isdisjoint(KEY.findall(text.lower()))

    def _give(self) -> Iterator[Heard]:
        if not self._held:
            return
        if self._restarts and self._held.strip():
            self._restarts = False
            yield Heard("", restarts=True)
        self._is_clear = True
        held, self._held = self._held, ""
        yield Heard(held)
