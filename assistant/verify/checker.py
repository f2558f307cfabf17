"""The claim checker: a verdict on a claim from the text of its evidence, without a language model."""

from collections.abc import Generator, Sequence
from typing import NamedTuple

from assistant.english import is_foreign
from assistant.models import TokenEmbedder
from assistant.records import Verdict
from assistant.text import sentences
from assistant.verify import reading
from assistant.verify.conflicts import Conflict
from assistant.verify.reading import Unit
from assistant.verify.signals import Agreement, Coverage, Measured, Model, measure, probability
from assistant.verify.wording import Wording

MODEL = Model(
    Coverage(closeness=3.0, held=1.55, together=2.09, numbers=-0.48, names=-0.84),
    -2.87,
    Agreement(slant=0.6, opposites=-0.77, denial=-1.11, contrary=-1.15),
    1.38,
)
"""Fitted by ``python -m eval.targets.claims --fit``, as are the two confidences a verdict takes at least."""
SUPPORTED = 0.55
PARTIAL = 0.32
CEILINGS = {Conflict.NONE: 1.0, Conflict.MISSING: 0.1, Conflict.CONTRARY: 0.02}
"""The most confidence that a conflict leaves."""
_UNKNOWN = 0.5
_LONGEST_CLAIM = 2_000
_LONGEST_EVIDENCE = 20_000
_CLAIM_UNIT = 800


class Check(NamedTuple):
    """A claim to check, and the texts it is to rest on."""

    claim: str
    evidence: tuple[str, ...]


class Judgement(NamedTuple):
    """What checking a claim gave.

    ``confidence`` is the probability that the evidence supports the claim; ``quote`` the sentence of
    the evidence that is nearest to the claim, verbatim, empty if there is none. ``disputable`` says that
    no rule decided: the claim is not there to the letter, and nothing in it is in conflict.
    """

    verdict: Verdict
    confidence: float
    quote: str
    disputable: bool = False


class _Prepared(NamedTuple):
    """A claim cut into units, the units of its evidence to embed, and every sentence of it."""

    claim: tuple[Unit, ...]
    evidence: tuple[Unit, ...]
    sentences: tuple[Wording, ...]


class Checker:
    """Checks claims against texts. Keeps nothing from call to call."""

    def __init__(self, reader: TokenEmbedder) -> None:
        """Read with ``reader``, the local embedder."""
        self._reader = reader

    def check(self, claims: Sequence[Check]) -> list[Judgement]:
        """Judge each claim by its evidence.

        Raises:
            EmbedderUnavailableError: if the reader's weights are missing.
        """
        found = [_find_verbatim(each) for each in claims]
        rest = [each for each, done in zip(claims, found, strict=True) if not done]
        judged = map(_judge, rest, self.measure(rest))
        return [done or next(judged) for done in found]

    def judge(self, claims: Sequence[Check]) -> Generator[Judgement, None, tuple[str, ...]]:
        """Judge each claim in order; there is never anything to note.

        Raises:
            EmbedderUnavailableError: if the reader's weights are missing.
        """
        yield from self.check(claims)
        return ()

    def measure(self, claims: Sequence[Check]) -> list[Measured | None]:
        """Measure each claim against its evidence; ``None`` where either has no words.

        Raises:
            EmbedderUnavailableError: if the reader's weights are missing.
        """
        prepared = _prepare(claims)
        texts = (unit.text for each in prepared for unit in (*each.claim, *each.evidence))
        embedded = reading.embed(texts, self._reader)
        return [
            measure(
                reading.assemble(each.claim, embedded),
                reading.assemble(each.evidence, embedded),
                each.sentences,
            )
            for each in prepared
        ]


def _find_verbatim(check: Check) -> Judgement | None:
    """Find the claim among the evidence's sentences, or several in a row, as it is written.

    A part of a sentence is not enough: "it is open" stands in "nobody says it is open".
    """
    claim = check.claim.strip()
    for text in check.evidence:
        start = text.find(claim) if claim else -1
        if start >= 0:
            spans = sentences(text)
            starts, ends = {span.start for span in spans}, {span.end for span in spans}
            while start >= 0:
                if start in starts and start + len(claim) in ends:
                    return Judgement("supported", 1.0, claim)
                start = text.find(claim, start + len(claim))
    return None


def _prepare(checks: Sequence[Check]) -> list[_Prepared]:
    """Cut claims and evidence into units, a text that serves several claims once."""
    units: dict[str, list[Unit]] = {}
    prepared = []
    for claim, evidence in checks:
        for text in evidence:
            if text not in units:
                units[text] = reading.split(text[:_LONGEST_EVIDENCE])
        everything = [unit for text in dict.fromkeys(evidence) for unit in units[text]]
        parts = reading.split(claim[:_LONGEST_CLAIM], size=_CLAIM_UNIT)
        words = [word for part in parts for sentence in part.sentences for word in sentence.content]
        prepared.append(
            _Prepared(
                tuple(parts),
                tuple(reading.select(everything, {word.stem for word in words})),
                tuple(sentence for unit in everything for sentence in unit.sentences),
            )
        )
    return prepared


def _judge(check: Check, measured: Measured | None) -> Judgement:
    if measured is None:
        return Judgement("unsupported", 0.0, "")
    if is_foreign(check.claim) and not any(map(is_foreign, check.evidence)):
        return _judge_foreign(measured)
    confidence = min(
        probability(measured.coverage, measured.agreement, MODEL), CEILINGS[measured.conflict]
    )
    return Judgement(
        _verdict(confidence, measured.conflict),
        confidence,
        measured.nearest[0].text,
        disputable=measured.conflict == Conflict.NONE,
    )


def _judge_foreign(measured: Measured) -> Judgement:
    """Judge a claim in another language than its evidence: only its numbers can be compared."""
    if measured.coverage.numbers:
        return Judgement("unsupported", 0.0, measured.nearest[0].text)
    return Judgement("unchecked", _UNKNOWN, measured.nearest[0].text, disputable=True)


def _verdict(confidence: float, conflict: Conflict) -> Verdict:
    if conflict == Conflict.CONTRARY:
        return "contradicted"
    if confidence >= SUPPORTED:
        return "supported"
    return "partial" if confidence >= PARTIAL else "unsupported"
