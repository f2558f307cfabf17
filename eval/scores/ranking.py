"""Retrieval measures of one question: of the papers retrieved, and of the passages."""

from collections.abc import Sequence

from assistant.records import Passage
from eval.cases.dataset import Case
from eval.cases.matching import normalise, states

_CUTOFFS = (5, 10)
NAMES = (
    "retrieval_recall_5",
    "retrieval_recall_10",
    "retrieval_mrr",
    "retrieval_ndcg_10",
    "passage_mrr",
    "retrieved_facts",
)


def score(case: Case, passages: Sequence[Passage]) -> dict[str, float | None]:
    """Score the passages retrieved for an answerable case that names papers.

    Args:
        case: the case.
        passages: best first; a paper's rank is that of its best passage among papers.
    """
    papers = list(dict.fromkeys(passage.chunk.paper_id for passage in passages))
    return {**_paper_measures(case.papers, papers), **_passage_measures(case, passages)}


def _paper_measures(expected: Sequence[str], found: Sequence[str]) -> dict[str, float | None]:
    import ir_measures  # takes its time to load

    mrr, ndcg = ir_measures.RR, ir_measures.nDCG @ 10
    recall = {cutoff: ir_measures.R @ cutoff for cutoff in _CUTOFFS}
    wanted = {"": dict.fromkeys(expected, 1)}
    ranked = {"": {paper_id: -float(rank) for rank, paper_id in enumerate(found)}}
    values = {
        each.measure: float(each.value)
        for each in ir_measures.iter_calc([mrr, ndcg, *recall.values()], wanted, ranked)
    }
    return {
        **{f"retrieval_recall_{cutoff}": values.get(recall[cutoff], 0.0) for cutoff in _CUTOFFS},
        "retrieval_mrr": values.get(mrr, 0.0),
        "retrieval_ndcg_10": values.get(ndcg, 0.0),
    }


def _passage_measures(case: Case, passages: Sequence[Passage]) -> dict[str, float | None]:
    own = [passage for passage in passages if passage.chunk.paper_id in case.papers]
    texts = {passage.rank: normalise(passage.chunk.text) for passage in own}
    telling = (each.rank for each in own if _is_telling(each, texts[each.rank], case))
    facts = [any(states(text, fact) for text in texts.values()) for fact in case.facts]
    return {
        "passage_mrr": next((1 / rank for rank in telling), 0.0)
        if case.facts or case.pages
        else None,
        "retrieved_facts": sum(facts) / len(facts) if facts else None,
    }


def _is_telling(passage: Passage, text: str, case: Case) -> bool:
    """Whether a passage of an expected paper lies on a page expected, or else states a key fact."""
    chunk = passage.chunk
    if case.pages and chunk.page_first and chunk.page_last:
        return any(chunk.page_first <= page <= chunk.page_last for page in case.pages)
    return any(states(text, fact) for fact in case.facts)
