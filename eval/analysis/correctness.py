"""One number per case: how far the answer is what a right one is, by the key facts and refusals alone."""

from eval.runs.results import Result
from eval.scores.scorers import Scores

NAME = "correct"


def correctness(scores: Scores) -> float | None:
    """Return how right an answer is, from 0 to 1, by the first of the measures that applies to its case.

    An unanswerable case: whether it is refused. An answerable one: the share of its key facts that are
    stated; if none are known, whether an expected paper is cited; else whether it is answered at all.
    """
    order = ("refused_correctly", "fact_recall", "expected_paper_cited", "answered")
    return next((value for name in order if (value := scores.get(name)) is not None), None)


def measured(result: Result, measure: str) -> float | None:
    """Return a case's score; ``correct`` is that of :func:`correctness`."""
    return correctness(result.scores) if measure == NAME else result.scores.get(measure)
