"""Which papers a table compares."""

from collections.abc import Sequence

from assistant.answer.evidence import Evidence
from assistant.errors import InputError
from assistant.records import Paper

MIN_PAPERS = 2
MAX_PAPERS = 50

_REACH = 0.7
"""A paper matches whose score is at least that share of the best paper's."""


def check_papers(papers: Sequence[Paper]) -> list[Paper]:
    """Return the papers, each once.

    Raises:
        InputError: if they are too few or too many to compare.
    """
    distinct = list({paper.id: paper for paper in papers}.values())
    if len(distinct) < MIN_PAPERS:
        raise InputError(
            f"a comparison takes {MIN_PAPERS} papers at least, this is {len(distinct)}: add ids, "
            "or a --question that more papers match"
        )
    if len(distinct) > MAX_PAPERS:
        raise InputError(
            f"a comparison takes {MAX_PAPERS} papers at most, these are {len(distinct)}: choose"
        )
    return distinct


def matching(evidence: Sequence[Evidence]) -> list[str]:
    """Return the ids of the papers that match a question, best first.

    Args:
        evidence: each paper's best passage, weighed for the question.
    """
    if not evidence:
        return []
    # How well a passage says the question's words, not its rank: names lift one paper far above the rest.
    scores = {each.passage.chunk.paper_id: each.score for each in evidence}
    least = _REACH * max(scores.values())
    ranked = sorted(scores, key=lambda paper_id: (-scores[paper_id], paper_id))
    return [paper_id for paper_id in ranked if scores[paper_id] >= least]
