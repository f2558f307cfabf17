"""Text from outside, made fit to stand in a message to a model."""

import re

from assistant.text import clean

# What chat formats use to mark who speaks: many servers read them in a message's text, too.
_SPEAKER = r"(?:data|s|system|user|assistant|think|im_|start_of|end_of)\b"
_SPEAKER_MARKS = (
    (re.compile(r"<\|"), "‹|"),
    (re.compile(r"\|>"), "|›"),
    (re.compile(r"<<+"), "‹‹"),
    (re.compile(r">>+"), "››"),
    (re.compile(rf"<(?=/?\s*{_SPEAKER})", re.IGNORECASE), "‹"),
    (re.compile(r"\[(?=/?\s*(?:INST|SYS))"), "("),
    (re.compile(r"^\[", re.MULTILINE), "("),
    (re.compile(rf"^#+\s*(?={_SPEAKER})", re.IGNORECASE | re.MULTILINE), ""),
)
_SPACES = re.compile(r"\s*\n\s*")


def harmless(text: str) -> str:
    """Take from a text what could pass for the end of the data, or for another speaker."""
    text = clean(text)
    for pattern, replacement in _SPEAKER_MARKS:
        text = pattern.sub(replacement, text)
    return _SPACES.sub("\n", text).strip()
