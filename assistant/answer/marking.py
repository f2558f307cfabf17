"""Verdicts into the text of an answer: what its sources do not carry is marked, or taken out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from assistant.answer.draft import REFUSAL
from assistant.records import Citation, Claim, Verdict
from assistant.text import Span, words

DOUBTS: dict[Verdict, str] = {
    "unsupported": "not supported by the text cited",
    "contradicted": "contradicted by the text cited",
}
"""What is said of a claim that its sources do not carry."""

UNSOURCED = "no source given"
"""What is said of it if it has none."""

_BETWEEN = r"(?:[^\w]|\[\d{1,3}\])+?"
_TITLE_END = "**:"
_NEXT_PARAGRAPH = re.compile(r"^\n\n(?!\*\*)")
_AFTER = re.compile(r"(?:[^\w\s\[|\\]|\\(?!\|))*(?:\s?\[\d{1,3}\])*[.!?。！？]?")
_STRESS_BEFORE = re.compile(r"(?<![^\s(\"“])[*_]+\Z")
_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_BEGIN = re.compile(r"(?:\s|[-*+•_|\\]|\d{1,3}[.)](?=\s))*")
_LINE_END = re.compile(r"[^\w\[\n]*")
_MARKER = re.compile(r"(?<!\\)\[(\d{1,3})\]")

WHY_NOTHING = "No sentence of the model's answer was carried by the text it cited."
"""Why the papers do not say, where all that a model wrote is taken out."""

NOTHING_LEFT = f"{REFUSAL} {WHY_NOTHING}"


class Marked(NamedTuple):
    """An answer with its verdicts in it, and what it still cites.

    ``refusal`` says why nothing is left of it; None if something is.
    """

    text: str
    citations: tuple[Citation, ...]
    refusal: str | None = None


class _Found(NamedTuple):
    """A claim and its place in the answer, its markers included."""

    claim: Claim
    span: Span


def doubt(claim: Claim) -> str | None:
    """Say what there is to doubt of a claim; None if its sources carry it."""
    if claim.verdict not in DOUBTS:
        return None
    return DOUBTS[claim.verdict] if claim.citations else UNSOURCED


def mark(text: str, claims: Sequence[Claim]) -> str:
    """Mark the sentences whose claims their sources do not carry; those not found are listed at the end."""
    bad = [claim for claim in claims if doubt(claim)]
    if not bad:
        return text
    found = list(_find(text, claims))
    for claim, span in reversed([each for each in found if doubt(each.claim)]):
        after = text[span.end :]
        space = " " if after[:1].isalnum() else ""
        text = f"{text[: span.end]}{_mark(claim)}{space}{after}"
    missed = [claim for claim in bad if claim not in {each.claim for each in found}]
    lines = [f"\n\n> {' '.join(words(claim.text))}{_mark(claim)}" for claim in missed]
    return "".join([text, *lines])


def drop(text: str, claims: Sequence[Claim]) -> str:
    """Take out the sentences whose claims their sources do not carry."""
    found = list(_find(text, claims))
    if any(doubt(claim) and claim not in {each.claim for each in found} for claim in claims):
        return mark(text, claims)  # what cannot be found cannot be cut out
    if claims and all(map(doubt, claims)):
        return NOTHING_LEFT
    for claim, span in reversed(found):
        if doubt(claim):
            text = _cut(text, span)
    return text.strip() if words(text) else NOTHING_LEFT


def apply(
    text: str, claims: Sequence[Claim], citations: Sequence[Citation], *, drops: bool
) -> Marked:
    """Mark what its sources do not carry, or drop it with the citations that nothing refers to then."""
    if not drops:
        return Marked(mark(text, claims), tuple(citations))
    left = drop(text, claims)
    if left == NOTHING_LEFT:
        return Marked(left, (), WHY_NOTHING)
    numbers = {int(number) for number in _MARKER.findall(left)}
    return Marked(left, tuple(each for each in citations if each.number in numbers))


def _cut(text: str, span: Span) -> str:
    """Take out a sentence; with it its line, if that holds nothing else."""
    begin = text.rfind("\n", 0, span.start) + 1
    newline = text.find("\n", span.end)
    end = newline if newline >= 0 else len(text)
    if _LINE_BEGIN.fullmatch(text, begin, span.start) and _LINE_END.fullmatch(text, span.end, end):
        return _BLANK_LINES.sub("\n\n", text[:begin] + text[end + 1 :])
    stress = _STRESS_BEFORE.search(text[: span.start])
    if stress is not None and text[slice(*span)].count(stress.group()) % 2:  # it ends within
        span = span._replace(start=stress.start())
    before, after = text[: span.start].rstrip(" "), text[span.end :]
    if not before or before.endswith("\n"):
        after = after.lstrip(" ")
    if before.endswith(_TITLE_END):  # it stands at the head of what is left of the paper
        after = _NEXT_PARAGRAPH.sub(" ", after)
    return before + after


def _mark(claim: Claim) -> str:
    return f" ⚠ *{doubt(claim)}*"


def _find(text: str, claims: Iterable[Claim]) -> Iterator[_Found]:
    """Find claims in order by their words: between them stand marks of Markdown and citations."""
    start = 0
    for claim in claims:
        looked_for = words(claim.text)
        pattern = _BETWEEN.join(map(re.escape, looked_for))
        match = re.compile(rf"(?<!\w){pattern}(?!\w)").search(text, start) if looked_for else None
        if match is not None:
            after = _AFTER.match(text, match.end())
            start = after.end() if after else match.end()
            yield _Found(claim, Span(match.start(), start))
