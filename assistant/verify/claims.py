"""The claims of a finished answer, each checked against the passages it cites."""

from collections.abc import Sequence

from assistant.records import Citation, Claim, Passage
from assistant.verify.checker import Check, Checker


def check_claims(
    claims: Sequence[Claim],
    citations: Sequence[Citation],
    passages: Sequence[Passage],
    *,
    checker: Checker,
) -> list[Claim]:
    """Give each claim a verdict from the text and title of the passages it cites.

    A claim that cites no passage that was found is unsupported.

    Raises:
        EmbedderUnavailableError: if the reader's weights are missing.
    """
    found = {passage.chunk.id: passage for passage in passages}
    cited = {each.number: found[each.chunk_id] for each in citations if each.chunk_id in found}
    checks = [
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
    judged = checker.check(checks)
    return [
        claim.model_copy(update={"verdict": judgement.verdict})
        for claim, judgement in zip(claims, judged, strict=True)
    ]
