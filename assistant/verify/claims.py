"""The claims of a finished answer, and the passages they cite, as things to check."""

from collections.abc import Sequence

from assistant.records import Citation, Claim, Passage
from assistant.verify.checker import Check, Checker
from assistant.verify.model_checker import ModelChecker


def checks_of(
    claims: Sequence[Claim], citations: Sequence[Citation], passages: Sequence[Passage]
) -> list[Check]:
    """Pair each claim with the text and title of the passages it cites.

    A claim that cites no passage that was found has no evidence, and is unsupported.
    """
    found = {passage.chunk.id: passage for passage in passages}
    cited = {each.number: found[each.chunk_id] for each in citations if each.chunk_id in found}
    return [
        Check(
            claim.text,
            tuple(
                text
                for number in claim.citations
                if number in cited
                for text in (cited[number].chunk.text, cited[number].title)
            ),
        )
        for claim in claims
    ]


def check_claims(
    claims: Sequence[Claim],
    citations: Sequence[Citation],
    passages: Sequence[Passage],
    *,
    checker: Checker | ModelChecker,
) -> list[Claim]:
    """Give each claim its verdict.

    Raises:
        EmbedderUnavailableError: if the reader's weights are missing.
    """
    judged = checker.judge(checks_of(claims, citations, passages))
    return [
        claim.model_copy(update={"verdict": judgement.verdict})
        for claim, judgement in zip(claims, judged, strict=True)
    ]
