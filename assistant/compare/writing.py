"""How a language model is asked for a cell or a summary, and how what it writes is checked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import NamedTuple

from assistant.answer.align import Embed
from assistant.answer.draft import Written
from assistant.answer.generate import Length, generate
from assistant.answer.marking import DOUBTS
from assistant.models.chat import ChatModel
from assistant.models.stop import Stop
from assistant.records import Citation, Claim, Passage
from assistant.verify import Checker, ModelChecker, check_claims


class Models(NamedTuple):
    """What answers one question: a model that writes, and what checks it; None where it is trusted."""

    chat: ChatModel
    checker: Checker | ModelChecker | None


class Manner(NamedTuple):
    """How models are asked.

    ``asking`` opens them for one question, which may be ended, and books what that took. ``drop`` says that
    claims that their sources do not carry are left out, not marked. Of passages ``passage_tokens`` are shown
    at a time, under keys drawn from ``secret``; ``language`` is None for that of the question.
    """

    asking: Callable[[Stop], AbstractContextManager[Models]]
    drop: bool
    passage_tokens: int
    language: str | None
    embed: Embed
    secret: bytes


class Writer:
    """Has questions answered from passages, several at a time if need be, until it is stopped."""

    def __init__(self, manner: Manner) -> None:
        """Ask in this manner."""
        self.drops = manner.drop
        self._manner = manner
        self._stop = Stop()

    @contextmanager
    def asking(self) -> Iterator["Asking"]:
        """Open the models for one question."""
        with self._manner.asking(self._stop) as models:
            yield Asking(models, self._manner, self._stop)

    def stop(self) -> None:
        """End what is being written or checked."""
        self._stop.set()


class Asking:
    """One question."""

    def __init__(self, models: Models, manner: Manner, stop: Stop) -> None:
        self.checks = models.checker is not None
        self._models = models
        self._manner = manner
        self._stop = stop

    def write(self, question: str, passages: Sequence[Passage], *, length: Length) -> Written:
        """Let the model answer from passages.

        Raises:
            BudgetError: if it could cost more than may be spent.
            ModelUnavailableError: if the model does not answer.
            SettingsError: if the model cannot be used.
            StoppedError: if it was stopped.
        """
        reply = generate(
            question,
            passages,
            self._models.chat,
            budget=self._manner.passage_tokens,
            length=length,
            language=self._manner.language,
            embed=self._manner.embed,
            secret=self._manner.secret,
        )
        with closing(reply):  # which ends the connection
            for piece in reply:
                if isinstance(piece, Written):
                    return piece
                self._stop.sleep(0)
        raise AssertionError("a reply ends with the whole of it")

    def check(
        self, claims: Sequence[Claim], citations: Sequence[Citation], passages: Sequence[Passage]
    ) -> list[Claim]:
        """Give claims their verdicts from the passages they cite."""
        checker = self._models.checker
        if checker is None:
            return list(claims)
        return check_claims(claims, citations, passages, checker=checker)


def is_doubted(claim: Claim) -> bool:
    """Tell whether a claim's sources do not carry it."""
    return claim.verdict in DOUBTS
