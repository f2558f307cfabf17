"""A language model as judge: of answers against a rubric, of claims against what they cite, of two answers.

A judge is shown its last verdict and asked again until two in a row agree, three times at most (temporal
consistency, Guo et al., arXiv 2503.14495). A judgement that does not settle is unscored, which is not zero.
"""

import hashlib
from collections.abc import Callable, Hashable
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel, Field

from assistant import prompts
from assistant.models.stop import Stop
from assistant.records import Answer
from assistant.text import one_line
from eval.cases.dataset import Case

Better = Literal["first", "second", "tie"]

BEST = 2
"""The highest grade of the rubric."""

_ROUNDS = 3
_PROMPTS = tuple(
    f"judge.{kind}.{part}" for kind in ("answer", "claim", "pair") for part in ("system", "user")
)
_NONE = "(none)"
_LONGEST_REASON = 300


class _Verdict(BaseModel):
    """What a judge says, and why."""

    reason: str = ""


class Grade(_Verdict):
    """An answer by the rubric: 2 is all, 1 a part, 0 nothing."""

    correctness: int = Field(ge=0, le=BEST)
    completeness: int = Field(ge=0, le=BEST)


class Support(_Verdict):
    """A claim by the text it cites."""

    support: Literal["supported", "unsupported", "contradicted"]


class Preference(_Verdict):
    """Two answers to one question."""

    better: Better


V = TypeVar("V", bound=_Verdict)


class Model(Protocol):
    """Replies in a form about texts marked off as data; the library does."""

    def reply(self, prompt: str, schema: type[V], *, data: dict[str, str], stop: Stop | None) -> V:
        """Ask once; ``stop`` ends it."""


def fingerprint() -> str:
    """Return twelve hex digits that change whenever a prompt of the judge does."""
    together = "".join(map(prompts.fingerprint, _PROMPTS))
    return hashlib.sha256(together.encode()).hexdigest()[:12]


def asked(case: Case) -> str:
    """Return a case's question, after the earlier turns of its conversation if there are any."""
    turns = [f"{turn.role}: {turn.content}" for turn in case.history]
    return "\n".join([*turns, f"user: {case.question}"] if turns else [case.question])


def expected(case: Case) -> str:
    """Say what a right answer to a case holds; empty if nothing is known of it."""
    if not case.answerable:
        return "The papers do not answer this question: a right answer is a refusal that says so."
    facts = [f"- {' / '.join(fact)}" for fact in case.facts]
    listed = ["Key facts, with other ways to put each:", *facts] if facts else []
    return "\n".join([case.reference, *listed]).strip()


def shown(answer: Answer) -> str:
    """Return an answer as a judge sees it: a refusal says that it is one."""
    if answer.refused:
        return f"The assistant refuses to answer: {answer.refusal_reason or answer.answer}"
    return answer.answer or "(an empty answer)"


class Judge:
    """Judges with a model. Its errors are those of the model: ``ReplyFormError`` leaves one unjudged."""

    def __init__(self, model: Model, stop: Stop | None = None) -> None:
        """Judge with ``model``, until ``stop`` ends it."""
        self._model = model
        self._stop = stop

    def grade(self, question: str, reference: str, answer: str) -> Grade | None:
        """Grade an answer by what a right one holds; ``None`` if the judge does not settle."""
        data = {"question": question, "reference": reference, "answer": answer}
        return self._settled(
            "judge.answer", Grade, data, lambda each: (each.correctness, each.completeness)
        )

    def support(self, claim: str, text: str) -> Support | None:
        """Check a claim against the text it cites; ``None`` if the judge does not settle."""
        data = {"claim": claim, "text": text}
        return self._settled("judge.claim", Support, data, lambda each: each.support)

    def prefer(self, question: str, reference: str, first: str, second: str) -> Better | None:
        """Compare two answers in both orders; what only one order prefers is a tie.

        ``None`` if the judge does not settle on one of the orders.
        """
        one = self._preference(question, reference, first, second)
        other = self._preference(question, reference, second, first)
        if one is None or other is None:
            return None
        turned: dict[Better, Better] = {"first": "second", "second": "first", "tie": "tie"}
        return one.better if one.better == turned[other.better] else "tie"

    def _preference(
        self, question: str, reference: str, first: str, second: str
    ) -> Preference | None:
        data = {"question": question, "reference": reference, "first": first, "second": second}
        return self._settled("judge.pair", Preference, data, lambda each: each.better)

    def _settled(
        self, prompt: str, schema: type[V], data: dict[str, str], verdict: Callable[[V], Hashable]
    ) -> V | None:
        """Ask until two verdicts in a row agree."""
        last: V | None = None
        for _ in range(_ROUNDS):
            earlier = _NONE if last is None else last.model_dump_json()
            found = self._model.reply(
                prompt, schema, data={**data, "earlier": earlier}, stop=self._stop
            )
            found = found.model_copy(update={"reason": _reason(found.reason)})
            if last is not None and verdict(found) == verdict(last):
                return found
            last = found
        return None


def _reason(text: str) -> str:
    return one_line(text)[:_LONGEST_REASON]
