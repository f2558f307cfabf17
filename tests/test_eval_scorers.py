"""Scorers: what each measures of one answer, and where it does not apply."""

from collections.abc import Sequence
from typing import Any

import pytest

from assistant.records import Answer, Citation, Timings, Usage
from eval import scorers
from eval.cases import Case
from eval.scorers import Outcome

TEXTS = {
    "p1": ("It scores 50 points. It uses verl.", "One: a study"),
    "p2": ("It is fast.", "Two", "Its full text says how fast."),
}


def case(**fields: Any) -> Case:
    return Case.model_validate(
        {"id": "c", "kind": "named", "question": "Why?", "answerable": True} | fields
    )


UNANSWERABLE = case(answerable=False)


def citation(paper_id: str, quote: str = "It scores 50 points.", **fields: Any) -> Citation:
    return Citation.model_validate(
        {
            "number": 1, "paper_id": paper_id, "title": "T", "url": None, "source": "abstract",
            "page_first": None, "page_last": None, "section": None, "quote": quote, "boxes": (),
            "chunk_id": "x", "score": 1.0,
        } | fields
    )  # fmt: skip


def outcome(
    asked: Case, text: str = "", *, cited: Sequence[Citation] = (), refused: bool = False
) -> Outcome:
    answer = Answer(
        question="Why?", standalone_question="Why?", answer=text, refused=refused,
        refusal_reason="Because." if refused else None, citations=tuple(cited), claims=(),
        backend="extractive", usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Outcome(asked, answer, TEXTS, 1.5)


def test_one_expected_paper_cited_is_enough_but_the_share_counts_all() -> None:
    asked = case(papers=("p1", "p2"))
    assert scorers.expected_papers(outcome(asked, cited=[citation("p1"), citation("p9")])) == {
        "expected_paper_cited": 1.0,
        "expected_papers_share": 0.5,
    }


def test_no_expected_paper_cited() -> None:
    scores = scorers.expected_papers(outcome(case(papers=("p1",)), cited=[citation("p2")]))
    assert scores == {"expected_paper_cited": 0.0, "expected_papers_share": 0.0}


def test_citation_precision_counts_citations_not_papers() -> None:
    cited = [citation("p1"), citation("p1"), citation("p1"), citation("p2")]
    scores = scorers.citation_precision(outcome(case(papers=("p1",)), cited=cited))
    assert scores == {"citation_precision": 0.75}


def test_an_answer_without_citations_has_no_precision() -> None:
    scores = scorers.citation_precision(outcome(case(papers=("p1",)), refused=True))
    assert scores == {"citation_precision": None}


@pytest.mark.parametrize(
    ("text", "recall"),
    [("50 Points with VERL", 1.0), ("a score of 50 [1]", 0.5), ("nothing", 0.0)],
)
def test_fact_recall_is_the_share_of_facts_stated(text: str, recall: float) -> None:
    asked = case(facts=(("50 points", "score of 50"), ("verl",)))
    assert scorers.fact_recall(outcome(asked, text)) == {"fact_recall": recall}


def test_a_refusal_states_no_facts_even_where_its_words_do() -> None:
    scores = scorers.fact_recall(outcome(case(facts=(("verl",),)), "No verl here.", refused=True))
    assert scores == {"fact_recall": 0.0}


@pytest.mark.parametrize("refused", [True, False])
def test_abstention_tells_the_answerable_from_the_unanswerable(refused: bool) -> None:
    assert scorers.abstention(outcome(case(), refused=refused)) == {
        "answered": float(not refused),
        "refused_correctly": None,
    }
    assert scorers.abstention(outcome(UNANSWERABLE, refused=refused)) == {
        "answered": None,
        "refused_correctly": float(refused),
    }


@pytest.mark.parametrize(
    ("paper_id", "quote", "verbatim"),
    [
        ("p1", "It uses verl.", 1.0),
        ("p1", "One: a study", 1.0),
        ("p1", "it uses verl.", 0.0),
        ("p2", "It uses verl.", 0.0),
        ("p9", "It uses verl.", 0.0),
    ],
)
def test_a_quote_stands_in_its_paper_to_the_letter(
    paper_id: str, quote: str, verbatim: float
) -> None:
    scores = scorers.verbatim_quotes(outcome(case(), cited=[citation(paper_id, quote)]))
    assert scores == {"verbatim_quotes": verbatim}


def test_quotes_of_full_texts_are_looked_for_there() -> None:
    cited = [citation("p2", "Its full text says how fast.", source="pdf")]
    assert scorers.verbatim_quotes(outcome(case(), cited=cited)) == {"verbatim_quotes": 1.0}


@pytest.mark.parametrize(
    ("first", "last", "paper_id", "hit"),
    [(3, 3, "p1", 1.0), (2, 4, "p1", 1.0), (4, 4, "p1", 0.0), (3, 3, "p2", 0.0)],
)
def test_a_page_counts_in_the_right_paper_alone(
    first: int, last: int, paper_id: str, hit: float
) -> None:
    asked = case(papers=["p1"], pages=[3, 9])
    cited = [citation(paper_id, source="pdf", page_first=first, page_last=last)]
    assert scorers.page_hit(outcome(asked, cited=cited)) == {"page_hit": hit}


def test_pages_are_not_scored_where_none_are_known() -> None:
    assert scorers.page_hit(outcome(case(papers=["p1"]))) == {"page_hit": None}


def test_nothing_but_abstention_applies_to_the_unanswerable() -> None:
    scores = scorers.score(outcome(UNANSWERABLE, refused=True))
    applicable = {name for name, value in scores.items() if value is not None}
    assert applicable == {"refused_correctly", "seconds"}
