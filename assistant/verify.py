"""Claims of a finished answer against the passages they cite."""

from collections.abc import Mapping, Sequence

from assistant.records import Citation, Claim, Passage


def check_quotes(
    claims: Sequence[Claim], citations: Sequence[Citation], passages: Sequence[Passage]
) -> list[Claim]:
    """Check claims that are to be verbatim quotes of what they cite.

    A claim is supported if it is the quote of one of its citations and that quote stands in the cited
    passage to the letter; anything else stays unchecked.
    """
    texts = {passage.chunk.id: passage.chunk.text for passage in passages}
    by_number = {citation.number: citation for citation in citations}
    return [
        claim.model_copy(update={"verdict": "supported"})
        if _is_quoted(claim, by_number, texts)
        else claim
        for claim in claims
    ]


def _is_quoted(claim: Claim, citations: Mapping[int, Citation], texts: Mapping[str, str]) -> bool:
    cited = (citations[number] for number in claim.citations if number in citations)
    return any(
        claim.text == citation.quote and citation.quote in texts.get(citation.chunk_id, "")
        for citation in cited
    )
