"""A claim is supported if it is a quote that stands in its source."""

import pytest

from assistant.answer.citations import cite
from assistant.records import Chunk, Citation, Claim, Passage
from assistant.text import Span
from assistant.verify import check_quotes

TEXT = "DAPO reaches 50 points. It is open."
QUOTE = "DAPO reaches 50 points."
CHUNK = Chunk(id="c", paper_id="p", source="abstract", text=TEXT, start=0, end=len(TEXT))
PASSAGE = Passage(rank=1, chunk=CHUNK, title="DAPO", url=None, score=1.0)
CITATION = cite(PASSAGE, Span(0, len(QUOTE)), number=1)


def verdict(text: str, *, numbers: tuple[int, ...] = (1,), citation: Citation = CITATION) -> str:
    claim = Claim(text=text, verdict="unchecked", citations=numbers)
    (checked,) = check_quotes([claim], [citation], [PASSAGE])
    return checked.verdict


def test_a_quote_of_its_citation_is_supported() -> None:
    assert verdict(QUOTE) == "supported"


@pytest.mark.parametrize(
    "text", ["DAPO reaches 51 points.", "DAPO reaches 50 points", "It is open.", ""]
)
def test_any_other_text_is_unchecked(text: str) -> None:
    assert verdict(text) == "unchecked"


@pytest.mark.parametrize("numbers", [(), (2,)])
def test_a_claim_without_its_citation_is_unchecked(numbers: tuple[int, ...]) -> None:
    assert verdict(QUOTE, numbers=numbers) == "unchecked"


def test_one_of_several_citations_is_enough() -> None:
    assert verdict(QUOTE, numbers=(2, 1)) == "supported"


def test_a_quote_that_its_passage_does_not_hold_is_unchecked() -> None:
    forged = CITATION.model_copy(update={"quote": "DAPO fails."})
    assert verdict("DAPO fails.", citation=forged) == "unchecked"


def test_a_quote_of_a_passage_that_was_not_found_is_unchecked() -> None:
    assert verdict(QUOTE, citation=CITATION.model_copy(update={"chunk_id": "x"})) == "unchecked"


def test_claims_keep_order_and_text() -> None:
    claims = [Claim(text=text, verdict="unchecked", citations=(1,)) for text in ("No.", QUOTE)]
    assert [claim.text for claim in check_quotes(claims, [CITATION], [PASSAGE])] == ["No.", QUOTE]
