"""What an answer's statements rest on, checked anew: an assistant's own verdicts are not taken over."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assistant.library import Library
from assistant.records import Answer, Claim, Passage, Verdict
from assistant.text import words
from assistant.verify import Check
from eval.cases.matching import plain

_MARKER = re.compile(r"\[(\d{1,3})\]")


class Statement(NamedTuple):
    """One statement of an answer and what it rests on.

    ``cited`` is the verdict by all quotes it cites, ``retrieved`` that by the passages retrieved, None
    where none are known. ``alone`` and ``without`` have an entry a citation: whether its quote carries
    the statement by itself, and whether the others carry it without.
    """

    cited: Verdict
    retrieved: Verdict | None
    alone: tuple[bool, ...]
    without: tuple[bool, ...]


Support = tuple[Statement, ...]
Evidence = tuple[str, ...]


def statements(answer: Answer) -> list[Claim]:
    """Return what an answer states: its claims, or all of its text where it says that it has none."""
    if answer.refused:
        return []
    text = plain(answer.answer)
    if answer.claims or not words(text):
        return list(answer.claims)
    numbers = dict.fromkeys(int(number) for number in _MARKER.findall(answer.answer))
    return [Claim(text=text, verdict="unchecked", citations=tuple(numbers))]


def check(answer: Answer, passages: Sequence[Passage], library: Library) -> Support:
    """Check an answer's statements with the local checker.

    Args:
        answer: the answer.
        passages: those retrieved for it; none if they are not known.
        library: whose checker judges.

    Raises:
        EmbedderUnavailableError: if the checker's weights are missing.
    """
    quotes = {each.number: (each.quote, each.title) for each in answer.citations}
    retrieved = tuple(text for each in passages for text in (each.chunk.text, each.title))
    claims = statements(answer)
    cited = [[quotes[each] for each in claim.citations if each in quotes] for claim in claims]
    checks = [
        Check(claim.text, evidence)
        for claim, own in zip(claims, cited, strict=True)
        for evidence in (*_evidence(own), retrieved)
    ]
    verdicts = iter([judgement.verdict for judgement in library.check(checks)])
    return tuple(_statement(own, verdicts, has_passages=bool(passages)) for own in cited)


def _evidence(quotes: Sequence[Evidence]) -> Iterator[Evidence]:
    """List what to check a statement by: all it cites, and, of several, each alone and all but each."""
    yield _joined(quotes)
    if len(quotes) > 1:
        yield from quotes
        for place in range(len(quotes)):
            yield _joined([*quotes[:place], *quotes[place + 1 :]])


def _statement(
    quotes: Sequence[Evidence], verdicts: Iterator[Verdict], *, has_passages: bool
) -> Statement:
    """Take the verdicts on one statement, in the order of ``_evidence``."""
    cited, count = next(verdicts), len(quotes)
    if count > 1:
        alone = tuple(next(verdicts) == "supported" for _ in range(count))
        without = tuple(next(verdicts) == "supported" for _ in range(count))
    else:
        alone, without = (cited == "supported",) * count, (False,) * count
    retrieved = next(verdicts)
    return Statement(cited, retrieved if has_passages else None, alone, without)


def _joined(quotes: Sequence[Evidence]) -> Evidence:
    return tuple(text for quote in quotes for text in quote)
