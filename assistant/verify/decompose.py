"""A claim taken apart by a language model into statements that can be checked one by one."""

from pydantic import Field

from assistant.models.chat import ChatModel
from assistant.models.form import Form
from assistant.models.request import request
from assistant.models.stop import Stop
from assistant.text import fold, one_line, words
from assistant.verify.quantities import unbacked
from assistant.verify.wording import Wording

MOST_PARTS = 4

_FEWEST_WORDS = 6


class _Reply(Form):
    """What the model is asked to fill in."""

    parts: list[str] = Field(description="the statements the sentence makes, each by itself")


def split(claim: str, chat: ChatModel, stop: Stop, *, secret: bytes) -> tuple[str, ...]:
    """Let a model take a claim apart: two to four parts, or none if it cannot be.

    Parts with a number or name that the claim does not have, or that leave one out, are not taken.

    Args:
        claim: the claim.
        chat: a small model will do.
        stop: ends it.
        secret: what the marks around the claim are drawn from.

    Raises:
        SettingsError: if the model's package, key or name are missing.
        ModelUnavailableError: if the model does not answer.
        BudgetError: if it could cost more than may be spent.
        StoppedError: if it was ended.
    """
    if len(words(claim)) < _FEWEST_WORDS:
        return ()
    reply = chat.structured(request("split", {"claim": claim}, secret=secret), _Reply, stop=stop)
    found = map(one_line, reply.value.parts)
    parts = tuple(dict.fromkeys(part for part in found if words(part)))
    return parts if 2 <= len(parts) <= MOST_PARTS and _say_the_same(claim, parts) else ()


def _say_the_same(claim: str, parts: tuple[str, ...]) -> bool:
    """Tell whether the numbers and names of the parts are those of the claim, and each is less than it."""
    whole, pieces = Wording(claim), [Wording(part) for part in parts]
    own = _names(whole)
    numbers = [number for piece in pieces for number in piece.quantities]
    return (
        all(fold(part) != fold(claim) for part in parts)
        and not unbacked(numbers, whole.quantities)
        and not unbacked(whole.quantities, numbers)
        and own == frozenset().union(*map(_names, pieces))
    )


def _names(wording: Wording) -> frozenset[str]:
    return frozenset(word.folded for word in wording.content if word.name)
