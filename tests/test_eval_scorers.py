"""Scorers: what each measures of one answer, and where it does not apply."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from assistant.records import Answer, Chunk, Citation, Passage, Timings, Usage
from eval.cases.dataset import Case
from eval.scores import scorers
from eval.scores.measures import MEASURES
from eval.scores.scorers import Outcome
from eval.scores.support import Statement

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
    asked: Case,
    text: str = "",
    *,
    cited: Sequence[Citation] = (),
    refused: bool = False,
    usage: tuple[int, int, float | None] = (0, 0, 0.0),
    **known: Any,
) -> Outcome:
    answer = Answer(
        question="Why?", standalone_question="Why?", answer=text, refused=refused,
        refusal_reason="Because." if refused else None, citations=tuple(cited), claims=(),
        backend="extractive",
        usage=Usage(input_tokens=usage[0], output_tokens=usage[1], cost_usd=usage[2]),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Outcome(asked, answer, TEXTS, **known)


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
    assert scorers.abstention(outcome(case(), "Because.", refused=refused)) == {
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


def test_nothing_but_abstention_and_length_applies_to_a_refusal_of_the_unanswerable() -> None:
    scores = scorers.score(outcome(UNANSWERABLE, refused=True))
    applicable = {name for name, value in scores.items() if value is not None}
    assert applicable == {"refused_correctly", "words"}


def test_every_measure_is_described_and_every_description_measured() -> None:
    described = {name for name in MEASURES if not name.startswith("judge_")}
    assert set(scorers.score(outcome(case()))) == described


def test_an_empty_answer_is_neither_an_answer_nor_a_refusal() -> None:
    assert scorers.abstention(outcome(case(), " "))["answered"] == 0.0


def statement(cited: str, alone: Sequence[bool] = (), without: Sequence[bool] = ()) -> Statement:
    return Statement(cited, "unsupported", tuple(alone), tuple(without))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statements", "recall", "precision"),
    [
        ([statement("supported", [True], [False])], 1.0, 1.0),
        ([statement("supported", [True], [False]), statement("unsupported")], 0.5, 1.0),
        ([statement("partial", [False], [False])], 0.0, 0.0),
        ([statement("supported", [True, False], [False, True])], 1.0, 0.5),
        ([statement("supported", [False, False], [False, False])], 1.0, 1.0),
        ([statement("unsupported")], 0.0, None),
    ],
    ids=["carried", "one cites nothing", "not carried", "one idle", "only together", "no citation"],
)
def test_citations_have_to_carry_statements(
    statements: list[Statement], recall: float, precision: float | None
) -> None:
    assert scorers.citation_support(outcome(case(), support=statements)) == {
        "alce_citation_recall": recall,
        "alce_citation_precision": precision,
    }


def test_statements_that_were_not_checked_are_not_scored() -> None:
    assert set(scorers.citation_support(outcome(case())).values()) == {None}
    assert scorers.groundedness(outcome(case())) == {"groundedness": None}


def test_groundedness_is_by_what_was_retrieved() -> None:
    known = Statement("unsupported", "supported", (), ())
    unknown = Statement("supported", None, (), ())
    bad = Statement("supported", "contradicted", (), ())
    scored = scorers.groundedness(outcome(case(), support=[known, unknown, bad]))
    assert scored == {"groundedness": 0.5}


@pytest.mark.parametrize(
    ("text", "f1", "rouge"),
    [
        ("It scores 50 points.", 1.0, 1.0),
        ("points 50 scores it", 1.0, 0.25),
        ("**It** scores [1]", 2 * 2 / (2 + 4), 2 * 2 / (2 + 4)),
        ("Nothing alike", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_overlap_with_the_reference(text: str, f1: float, rouge: float) -> None:
    scored = scorers.reference_overlap(outcome(case(reference="It scores 50 points."), text))
    assert scored == {
        "reference_f1": pytest.approx(f1),
        "reference_rouge_l": pytest.approx(rouge),
    }


def test_models_that_were_not_used_took_nothing_to_score() -> None:
    free = scorers.effort(outcome(case(), "Two words [1]"))
    assert free == {"words": 2.0, "input_tokens": None, "output_tokens": None, "cost_usd": None}
    paid = scorers.effort(outcome(case(), usage=(100, 20, None)))
    assert (paid["input_tokens"], paid["output_tokens"], paid["cost_usd"]) == (100.0, 20.0, None)


def passage(rank: int, paper_id: str, text: str = "", page: int | None = None) -> Passage:
    chunk = Chunk(
        id=f"{paper_id}:{rank}", paper_id=paper_id, source="pdf" if page else "abstract", text=text,
        start=0, end=len(text), page_first=page, page_last=page,
    )  # fmt: skip
    return Passage(rank=rank, chunk=chunk, title="T", url=None, score=1.0 / rank)


def test_papers_rank_by_their_best_passage() -> None:
    found = [passage(1, "p9"), passage(2, "p9"), passage(3, "p1"), passage(4, "p8")]
    scored = scorers.retrieval(outcome(case(papers=["p1", "p2"]), passages=found))
    assert scored["retrieval_mrr"] == 0.5
    assert scored["retrieval_recall_5"] == 0.5
    ideal = 1 + 1 / math.log2(3)
    assert scored["retrieval_ndcg_10"] == pytest.approx((1 / math.log2(3)) / ideal)


def test_passages_tell_by_fact_or_page() -> None:
    found = [passage(1, "p9", "50 points"), passage(2, "p1", "no"), passage(3, "p1", "50 points")]
    asked = case(papers=["p1"], facts=[["50 points"], ["verl"]])
    scored = scorers.retrieval(outcome(asked, passages=found))
    assert scored["passage_mrr"] == pytest.approx(1 / 3)
    assert scored["retrieved_facts"] == 0.5
    paged = [passage(1, "p1", "50 points", page=2), passage(2, "p1", "", page=7)]
    asked = case(papers=["p1"], facts=[["50 points"]], pages=[7])
    assert scorers.retrieval(outcome(asked, passages=paged))["passage_mrr"] == 0.5


def test_nothing_retrieved_is_zero_but_unknown_is_unscored() -> None:
    asked = case(papers=["p1"], facts=[["x"]])
    assert set(scorers.retrieval(outcome(asked, passages=[])).values()) == {0.0}
    assert set(scorers.retrieval(outcome(asked)).values()) == {None}
