"""What a language model thinks of a claim: a verdict, how sure it is, and a quote that code has found.

A verdict counts when it is given twice in a row, each time after a fresh look at the text (temporal
consistency; Guo et al., arXiv 2503.14495).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from assistant import prompts
from assistant.models.chat import ChatModel, Message
from assistant.models.form import Form
from assistant.models.request import request
from assistant.models.stop import Stop
from assistant.records import Verdict
from assistant.verbatim import locate
from assistant.verify.checker import Check

MOST_READINGS = 3

_SCALES = (1.0, 10.0, 100.0)
"""What models say how sure they are out of."""


class Opinion(NamedTuple):
    """A verdict, how sure the model is of it in [0, 1], and a verbatim stretch of the evidence, if any."""

    verdict: Verdict
    confidence: float
    quote: str


class _Reply(Form):
    """What the model is asked to fill in."""

    quote: str = Field(description="the sentence of the text that decides it, copied exactly")
    verdict: Literal["supported", "partial", "contradicted", "unsupported"]
    confidence: float = Field(description="how sure you are, from 0.0 to 1.0")


def form_opinion(check: Check, chat: ChatModel, stop: Stop, *, secret: bytes) -> Opinion | None:
    """Let a model read the evidence until two readings in a row agree; None if they never do.

    Args:
        check: the claim and its evidence.
        chat: a small model will do.
        stop: ends it.
        secret: what the marks around the texts are drawn from.

    Raises:
        SettingsError: if the model's package, key or name are missing.
        ModelUnavailableError: if the model does not answer.
        BudgetError: if a reading could cost more than may be spent.
        StoppedError: if it was ended.
    """
    messages = request(
        "verify",
        {"claim": check.claim, "text": "\n\n".join(dict.fromkeys(check.evidence))},
        secret=secret,
    )
    last: Opinion | None = None
    for _ in range(MOST_READINGS):
        reply = chat.structured(messages, _Reply, stop=stop).value
        opinion = _checked(reply, check.evidence)
        if opinion is not None and last is not None and opinion.verdict == last.verdict:
            sure = (opinion.confidence + last.confidence) / 2
            return opinion._replace(confidence=sure)
        last = opinion
        again = prompts.render("verify.again", verdict=reply.verdict)
        messages = [*messages[:2], Message("assistant", _said(reply)), Message("user", again)]
    return None


def _checked(reply: _Reply, evidence: Sequence[str]) -> Opinion | None:
    """Return what the model thinks, or None if it rests on a quote that the evidence does not have."""
    quote = next(
        (text[slice(*span)] for text in evidence if (span := locate(reply.quote, text))), ""
    )
    if not quote and reply.verdict != "unsupported":
        return None
    scale = next(top for top in _SCALES if reply.confidence <= top or top == _SCALES[-1])
    sure = reply.confidence / scale
    return Opinion(reply.verdict, min(max(sure, 0.0), 1.0), quote)


def _said(reply: _Reply) -> str:
    """Write a reply as the model's own turn, without its quote, which may be anything."""
    return reply.model_dump_json(exclude={"quote"})
