"""What statements rest on, checked anew with the real checker."""

import json
from collections.abc import Iterator

import pytest

from assistant.config import load_settings
from assistant.library import Library
from assistant.records import Answer, Chunk, Citation, Claim, Passage, Timings, Usage
from eval.scores.support import check, statements

QUOTE = "TideNet reaches an error of 3.1 cm on the Gauges benchmark."
OTHER = "BirdCall recognises 412 species of birds from recordings."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("support")
    paper = {"id": "p1", "title": "TideNet", "abstract": QUOTE}
    (folder / "papers.jsonl").write_text(json.dumps(paper), encoding="utf-8")
    library = Library(load_settings({"home": folder / "home"}, {}))
    yield library
    library.close()


def citation(number: int, quote: str) -> Citation:
    return Citation(
        number=number, paper_id="p1", title="T", url=None, source="abstract", page_first=None,
        page_last=None, section=None, quote=quote, boxes=(), chunk_id="x", score=1.0,
    )  # fmt: skip


def answer(text: str, *, claims: tuple[Claim, ...] = (), refused: bool = False) -> Answer:
    return Answer(
        question="?", standalone_question="?", answer=text, refused=refused, refusal_reason=None,
        citations=(citation(1, QUOTE), citation(2, OTHER)), claims=claims, backend="x",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=None),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip


def claim(text: str, *numbers: int) -> Claim:
    return Claim(text=text, verdict="supported", citations=numbers)


def passage(text: str) -> Passage:
    chunk = Chunk(id="x", paper_id="p1", source="abstract", text=text, start=0, end=len(text))
    return Passage(rank=1, chunk=chunk, title="TideNet", url=None, score=1.0)


def test_the_assistants_own_verdicts_are_not_taken_over(library: Library) -> None:
    said = answer("x", claims=(claim("TideNet reaches an error of 9.7 cm on Gauges.", 1),))
    (found,) = check(said, [passage(QUOTE)], library)
    assert found.cited != "supported"
    assert found.retrieved != "supported"


def test_what_a_quote_does_not_say_may_still_have_been_retrieved(library: Library) -> None:
    (found,) = check(answer("x", claims=(claim(QUOTE, 2),)), [passage(QUOTE)], library)
    assert (found.cited, found.retrieved, found.alone) == ("unsupported", "supported", (False,))


def test_each_of_several_citations_is_tried_alone_and_left_out(library: Library) -> None:
    (found,) = check(answer("x", claims=(claim(QUOTE, 1, 2),)), (), library)
    assert found.cited == "supported"
    assert found.retrieved is None
    assert found.alone == (True, False)
    assert found.without == (False, True)


def test_a_statement_without_citation_rests_on_nothing(library: Library) -> None:
    (found,) = check(answer("x", claims=(claim(QUOTE),)), (), library)
    assert (found.cited, found.alone) == ("unsupported", ())


def test_an_answer_that_hides_its_claims_is_one_claim(library: Library) -> None:
    hidden = answer(f"**T**: {QUOTE} [1]")
    assert statements(hidden) == [Claim(text=f"T: {QUOTE}", verdict="unchecked", citations=(1,))]
    assert statements(answer("")) == []
    assert statements(answer("No.", claims=(claim("No."),), refused=True)) == []
