"""The claim checker that asks a language model, where the rules leave room for it."""

from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import NamedTuple

from assistant.errors import BudgetError, ModelUnavailableError, SettingsError
from assistant.models.chat import ChatModel
from assistant.models.parallel import in_parallel
from assistant.models.stop import Stop
from assistant.verify.checker import Check, Checker, Judgement
from assistant.verify.decompose import split
from assistant.verify.opinion import Opinion, form_opinion

SURE = 0.8
"""The confidence from which a claim is not taken apart."""
DEEPEST = 2
"""How often a part is taken apart again."""
LEAST = 0.2
"""The probability by the rules below which no model can carry a claim; one true claim in 200 is there."""

_FAILURES = (ModelUnavailableError, SettingsError, BudgetError)


class _Disputable(NamedTuple):
    """A claim to ask the model about, and what the rules make of it."""

    check: Check
    by_rules: Judgement


class _Judged(NamedTuple):
    """A judgement, and why it is that of the rules alone where the model should have been asked."""

    judgement: Judgement
    failure: str | None = None


class ModelChecker:
    """Checks claims by the rules, and lets a model judge those that the rules do not decide.

    A claim that the model is unsure of is taken apart, and its parts again, as long as that makes the model
    surer (dynamic decomposition; Lu et al., arXiv 2503.15354). Numbers, names and negations are compared by
    the rules, of each part too: no model can overrule them.
    """

    def __init__(
        self,
        rules: Checker,
        chat: ChatModel,
        *,
        workers: int,
        secret: bytes,
        within: Stop | None = None,
    ) -> None:
        """Ask ``chat``, ``workers`` claims at a time, until ``within`` ends it.

        Args:
            rules: decide what they can.
            chat: judges the rest.
            workers: claims at a time.
            secret: makes the marks around texts.
            within: ends calls that run.
        """
        self._rules = rules
        self._chat = chat
        self._workers = workers
        self._secret = secret
        self._within = within

    def judge(self, claims: Sequence[Check]) -> Generator[Judgement, None, tuple[str, ...]]:
        """Judge each claim in order, as they are done; return notes for the user, a line each.

        Closing the generator ends the calls that run. Where the model fails the rules' judgement stands.

        Raises:
            EmbedderUnavailableError: if the reader's weights are missing.
        """
        by_rules = self._rules.check(claims)
        failures: list[str] = []
        pairs = [_Disputable(*pair) for pair in zip(claims, by_rules, strict=True)]
        asked = [each for each in pairs if each.by_rules.disputable]
        judged = in_parallel(self._ask, asked, workers=self._workers, within=self._within)
        try:
            for rules in by_rules:
                if not rules.disputable:
                    yield rules
                    continue
                found = next(judged)
                if found.failure is not None:
                    failures.append(found.failure)
                yield found.judgement
        finally:
            judged.close()
        return _notes(failures, len(claims))

    def _ask(self, disputable: _Disputable, stop: Stop) -> _Judged:
        check, by_rules = disputable
        try:
            opinion = self._form(check, by_rules, stop)
        except _FAILURES as error:
            return _Judged(by_rules, str(error))
        if opinion is None:
            return _Judged(by_rules, "the model did not settle on a verdict that a quote bears out")
        if opinion.confidence < SURE:
            with suppress(*_FAILURES):  # the opinion of the whole stands
                opinion = self._take_apart(check, opinion, stop, depth=DEEPEST)
        return _Judged(_judgement(opinion))

    def _form(self, check: Check, by_rules: Judgement, stop: Stop) -> Opinion | None:
        """Ask the model, unless the rules decide; what they all but rule out it cannot carry."""
        if not by_rules.disputable:
            sure = (
                by_rules.confidence if by_rules.verdict == "supported" else 1 - by_rules.confidence
            )
            return Opinion(by_rules.verdict, sure, by_rules.quote)
        opinion = form_opinion(check, self._chat, stop, secret=self._secret)
        carried = opinion is not None and opinion.verdict in {"supported", "partial"}
        if opinion is not None and carried and by_rules.confidence < LEAST:
            return Opinion("unsupported", 1 - by_rules.confidence, "")
        return opinion

    def _take_apart(self, check: Check, whole: Opinion, stop: Stop, *, depth: int) -> Opinion:
        """Judge a claim by its parts, if that gives a surer judgement than the whole did."""
        parts = split(check.claim, self._chat, stop, secret=self._secret) if depth else ()
        checks = [Check(part, check.evidence) for part in parts]
        opinions = []
        for each, by_rules in zip(checks, self._rules.check(checks), strict=True):
            opinion = self._form(each, by_rules, stop)
            if opinion is None:
                return whole
            if opinion.confidence < SURE:
                opinion = self._take_apart(each, opinion, stop, depth=depth - 1)
            opinions.append(opinion)
        if not opinions or min(each.confidence for each in opinions) <= whole.confidence:
            return whole
        return _combine(opinions)


def _combine(parts: Sequence[Opinion]) -> Opinion:
    """Judge a whole by its parts: as sure as the least sure, and no better than they are together."""
    verdicts = {part.verdict for part in parts}
    sure = min(part.confidence for part in parts)
    if len(verdicts) > 1 and "contradicted" not in verdicts:
        return Opinion("partial", sure, next((part.quote for part in parts if part.quote), ""))
    deciding = next((part for part in parts if part.verdict == "contradicted"), parts[0])
    return deciding._replace(confidence=sure)


def _judgement(opinion: Opinion) -> Judgement:
    """Turn an opinion's confidence in its verdict into the probability that the claim is supported."""
    sure = opinion.confidence
    probability = {"supported": sure, "partial": 0.5}.get(opinion.verdict, 1 - sure)
    return Judgement(opinion.verdict, probability, opinion.quote)


def _notes(failures: Sequence[str], claims: int) -> tuple[str, ...]:
    if not failures:
        return ()
    return (f"{len(failures)} of {claims} claims were checked by rules alone: {failures[0]}",)
