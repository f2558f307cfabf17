"""Verdicts into the text of an answer: what its sources do not carry is marked, or taken out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from assistant.answer.draft import REFUSAL
from assistant.records import Claim, Verdict
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
_AFTER = re.compile(r"[^\w\s\[]*(?:\s?\[\d{1,3}\])*[.!?]?")
NOTHING_LEFT = f"{REFUSAL} No sentence of the model's answer was carried by the text it cited."


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
        text = f"{text[: span.end]}{_mark(claim)}{text[span.end :]}"
    missed = [claim for claim in bad if claim not in {each.claim for each in found}]
    lines = [f"\n\n> {' '.join(words(claim.text))}{_mark(claim)}" for claim in missed]
    return "".join([text, *lines])


def drop(text: str, claims: Sequence[Claim]) -> str:
    """Take out the sentences whose claims their sources do not carry."""
    found = list(_find(text, claims))
    if any(doubt(claim) and claim not in {each.claim for each in found} for claim in claims):
        return mark(text, claims)  # what cannot be found cannot be cut out
    for claim, span in reversed(found):
        if doubt(claim):
            before, after = text[: span.start].rstrip(" "), text[span.end :]
            if before.endswith(_TITLE_END):  # it stands at the head of what is left of the paper
                after = _NEXT_PARAGRAPH.sub(" ", after)
            text = before + after
    return text.strip() if words(text) else NOTHING_LEFT


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
