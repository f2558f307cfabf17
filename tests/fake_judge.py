"""Judges that a fake server plays: an honest one that goes by shared words, and ones that fail as judges do.

Each is a behaviour for :class:`tests.fake_openai.FakeOpenAI`. What is judged is told by the number of texts:
claims come with 3 (claim, text, earlier), answers with 4 (question, reference, answer, earlier), pairs
with 5 (question, reference, first, second, earlier).
"""

import json
import re
from collections.abc import Callable

from tests.fake_openai import Seen

_WORD = re.compile(r"[\w.%]+")
CLAIM, ANSWER, PAIR = 3, 4, 5


def honest(seen: Seen) -> str:
    """Judge by the share of words that stand in the text, or in what a right answer holds."""
    *texts, _earlier = seen.data
    if len(seen.data) == CLAIM:
        claim, text = texts
        support = "supported" if _share(claim, text) == 1 else "unsupported"
        return json.dumps({"reason": "by words", "support": support})
    if len(seen.data) == ANSWER:
        _, reference, answer = texts
        grade = round(2 * _share(reference, answer))
        return json.dumps({"reason": "by words", "correctness": grade, "completeness": grade})
    _, reference, first, second = texts
    one, other = _share(reference, first), _share(reference, second)
    better = "tie" if one == other else "first" if one > other else "second"
    return json.dumps({"reason": "by words", "better": better})


def always(**verdict: object) -> Callable[[Seen], str]:
    """Say one thing, whatever is judged."""
    return lambda _seen: json.dumps({"reason": "always", **verdict})


def wavering(first: dict[str, object], second: dict[str, object]) -> Callable[[Seen], str]:
    """Say the other of two things each time it is shown what it said before."""

    def reply(seen: Seen) -> str:
        return json.dumps(second if json.loads(_or_null(seen.data[-1])) == first else first)

    return reply


def _or_null(earlier: str) -> str:
    return "null" if earlier == "(none)" else earlier


def _share(wanted: str, given: str) -> float:
    words = set(_WORD.findall(wanted.lower()))
    return len(words & set(_WORD.findall(given.lower()))) / len(words)
