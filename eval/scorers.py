"""What is measured of one answer. A scorer is pure; None means that a measure does not apply."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from assistant.records import Answer
from eval.cases import Case
from eval.matching import normalise, states

Scores = dict[str, float | None]


class Outcome(NamedTuple):
    """One case answered.

    ``texts`` are those of the papers cited, by id: abstract, title and full text; ``seconds`` is
    what the answer took.
    """

    case: Case
    answer: Answer
    texts: Mapping[str, Sequence[str]]
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
    """The share of quotes that stand in the paper cited to the letter."""
    found = [
        any(citation.quote in text for text in outcome.texts.get(citation.paper_id, ()))
        for citation in outcome.answer.citations
    ]
    return {"verbatim_quotes": sum(found) / len(found) if found else None}


def page_hit(outcome: Outcome) -> Scores:
    """Whether a page on which the answer stands is among those cited of an expected paper."""
    case = outcome.case
    if not (case.answerable and case.pages):
        return {"page_hit": None}
    cited = {
        page
        for citation in outcome.answer.citations
        if citation.paper_id in case.papers and citation.page_first and citation.page_last
        for page in range(citation.page_first, citation.page_last + 1)
    }
    return {"page_hit": float(bool(cited & set(case.pages)))}


def seconds(outcome: Outcome) -> Scores:
    """How long the answer took."""
    return {"seconds": outcome.seconds}


SCORERS: tuple[Scorer, ...] = (
    expected_papers,
    citation_precision,
    fact_recall,
    abstention,
    page_hit,
    verbatim_quotes,
    seconds,
)


def score(outcome: Outcome) -> Scores:
    """Apply all scorers."""
    return {name: value for scorer in SCORERS for name, value in scorer(outcome).items()}
