"""What is measured of one answer. A scorer is pure; None means that a measure does not apply."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from assistant.records import Answer, Paper
from eval.cases import Case
from eval.matching import normalise, states

Scores = dict[str, float | None]


class Outcome(NamedTuple):
    """One case answered: ``papers`` are those cited, by id; ``seconds`` is what the answer took."""

    case: Case
    answer: Answer
    papers: Mapping[str, Paper]
    seconds: float


Scorer = Callable[[Outcome], Scores]


def expected_papers(outcome: Outcome) -> Scores:
    """Whether an expected paper is cited, and the share of the expected papers that are."""
    expected = set(outcome.case.papers)
    if not (outcome.case.answerable and expected):
        return {"expected_paper_cited": None, "expected_papers_share": None}
    found = expected & {citation.paper_id for citation in outcome.answer.citations}
    return {
        "expected_paper_cited": float(bool(found)),
        "expected_papers_share": len(found) / len(expected),
    }


def citation_precision(outcome: Outcome) -> Scores:
    """The share of citations that point to an expected paper; unscored without citations."""
    cited = [citation.paper_id for citation in outcome.answer.citations]
    if not (outcome.case.answerable and outcome.case.papers and cited):
        return {"citation_precision": None}
    right = sum(paper_id in outcome.case.papers for paper_id in cited)
    return {"citation_precision": right / len(cited)}


def fact_recall(outcome: Outcome) -> Scores:
    """The share of the key facts that the answer's text states; a refusal states none."""
    facts = outcome.case.facts
    if not (outcome.case.answerable and facts):
        return {"fact_recall": None}
    if outcome.answer.refused:
        return {"fact_recall": 0.0}
    text = normalise(outcome.answer.answer)
    return {"fact_recall": sum(states(text, fact) for fact in facts) / len(facts)}


def abstention(outcome: Outcome) -> Scores:
    """Whether the answerable is answered, the unanswerable refused."""
    refused = float(outcome.answer.refused)
    if outcome.case.answerable:
        return {"answered": 1.0 - refused, "refused_correctly": None}
    return {"answered": None, "refused_correctly": refused}


def verbatim_quotes(outcome: Outcome) -> Scores:
    """The share of quotes of abstracts and titles that stand there to the letter."""
    found = [
        any(citation.quote in text for text in _texts(outcome.papers.get(citation.paper_id)))
        for citation in outcome.answer.citations
        if citation.source == "abstract"
    ]
    return {"verbatim_quotes": sum(found) / len(found) if found else None}


def seconds(outcome: Outcome) -> Scores:
    """How long the answer took."""
    return {"seconds": outcome.seconds}


SCORERS: tuple[Scorer, ...] = (
    expected_papers,
    citation_precision,
    fact_recall,
    abstention,
    verbatim_quotes,
    seconds,
)


def score(outcome: Outcome) -> Scores:
    """Apply all scorers."""
    return {name: value for scorer in SCORERS for name, value in scorer(outcome).items()}


def _texts(paper: Paper | None) -> tuple[str, ...]:
    return (paper.abstract, paper.title) if paper is not None else ()
