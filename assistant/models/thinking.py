"""What a model thinks aloud before it answers, told from its answer."""

import re
from collections.abc import Iterator
from typing import NamedTuple

PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|channel|>commentary<|message|>", "<|end|>"),
)
"""What models put before and after their thinking, in any case of letters."""

_FINAL = "<|channel|>final<|message|>"
"""What some put before the answer, whatever came before it."""

_FRAMES = ("<|start|>assistant", "<|end|>", "<|return|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>")


def _any(marks: Iterator[str] | tuple[str, ...]) -> str:
    return "|".join(map(re.escape, dict.fromkeys(marks)))


_CLOSINGS = tuple(close for _, close in PAIRS)
_MARK = re.compile(
    rf"(?P<final>{_any((_FINAL,))})|(?P<open>{_any(opening for opening, _ in PAIRS)})"
    rf"|(?P<frame>{_any(_FRAMES)})|(?P<close>{_any(_CLOSINGS)})",
    re.IGNORECASE,
)
_END = re.compile(_any((_FINAL, *_CLOSINGS)), re.IGNORECASE)
_ALL = tuple(
    mark.lower() for mark in (_FINAL, *(each for pair in PAIRS for each in pair), *_FRAMES)
)
_LONGEST = max(map(len, _ALL))
_FIRST = re.compile(r"[<\[◁]")
_SENTENCE_END = re.compile(r"(?:\A|\n|[\w*%)\]]{2}[.!?]|[。！？\]>])[\"'”’)*_]*\s*\Z")
_BEFORE = 60


class Heard(NamedTuple):
    """The next piece of an answer; if it ``restarts``, all before it was thinking."""

    text: str
    restarts: bool = False


class Thinking:
    """Takes a reply piece by piece and gives what is answer. Feed it, then finish.

    A mark counts at the beginning, or where a sentence has ended: answers can be about such marks.
    What closes thinking without having opened it says that all before was thinking; so does what opens
    the answer proper.
    """

    def __init__(self) -> None:
        self.going_on = False
        """Whether the model is thinking, as far as is known."""
        self._held = ""
        self._before = ""  # the end of what was given
        self._parted = True  # white space is not to come next

    def feed(self, piece: str) -> Iterator[Heard]:
        """Take the next piece."""
        self._held += piece
        return self._read(final=False)

    def finish(self) -> Iterator[Heard]:
        """Give what was held back."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[Heard]:
        while self._held:
            match = (_END if self.going_on else _MARK).search(self._held)
            if match is None:
                yield from self._give(self._certain(final=final))
                return
            if not final and match.end() == len(self._held) and self._goes_on(match.group()):
                return
            yield from self._give(match.start())
            self._held = self._held[len(match.group()) :]
            yield from self._act(match)

    def _act(self, match: re.Match[str]) -> Iterator[Heard]:
        """Do what a mark says, or give it as words."""
        if self.going_on:
            self.going_on = False
            self._parted = not self._before or self._before[-1].isspace()
            return
        kind = match.lastgroup
        if kind == "frame":
            return
        if kind == "final" or (kind == "close" and _SENTENCE_END.search(self._before)):
            if self._before.strip():
                yield Heard("", restarts=True)
            self._before = ""
            self._parted = True
        elif kind == "open" and _SENTENCE_END.search(self._before):
            self.going_on = True
        else:
            yield from self._said(match.group())

    def _give(self, length: int) -> Iterator[Heard]:
        """Give as much of what is held, or drop it if it is thinking."""
        text, self._held = self._held[:length], self._held[length:]
        if text and not self.going_on:
            yield from self._said(text)

    def _said(self, text: str) -> Iterator[Heard]:
        if self._parted:
            text = text.lstrip()
        if not text:
            return
        self._parted = False
        self._before = (self._before + text)[-_BEFORE:]
        yield Heard(text)

    def _certain(self, *, final: bool) -> int:
        """Say how much of what is held cannot be the beginning of a mark."""
        if final:
            return len(self._held)
        start = max(0, len(self._held) - _LONGEST)
        for first in _FIRST.finditer(self._held, start):
            tail = self._held[first.start() :].lower()
            if any(mark.startswith(tail) for mark in _ALL):
                return first.start()
        return len(self._held)

    @staticmethod
    def _goes_on(found: str) -> bool:
        """Whether a mark may be the beginning of a longer one."""
        low = found.lower()
        return any(mark != low and mark.startswith(low) for mark in _ALL)


def without_thinking(text: str) -> str:
    """Return a whole reply without what the model thought aloud."""
    thinking = Thinking()
    answer = ""
    for heard in (*thinking.feed(text), *thinking.finish()):
        answer = heard.text if heard.restarts else answer + heard.text
    return answer
