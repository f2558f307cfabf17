"""The measures of an answer: what each says, and whether more of it is better."""

from typing import Literal, NamedTuple

Better = Literal["higher", "lower", "neither"]


class About(NamedTuple):
    """What a measure says of a case in a line, and which way is better.

    ``is_share`` says that it lies between 0 and 1.
    """

    meaning: str
    better: Better = "higher"
    is_share: bool = True


MEASURES: dict[str, About] = {
    "expected_paper_cited": About("an expected paper is cited"),
    "expected_papers_share": About("share of the expected papers that are cited"),
    "citation_precision": About("share of citations that point to an expected paper"),
    "fact_recall": About("share of the key facts that the answer states"),
    "answered": About("the answerable is answered"),
    "refused_correctly": About("the unanswerable is refused"),
    "page_hit": About("a page on which the answer stands is cited"),
    "verbatim_quotes": About("share of quotes that stand in their paper to the letter"),
    "alce_citation_recall": About("share of statements that the quotes they cite carry"),
    "alce_citation_precision": About("share of citations that their statement rests on"),
    "groundedness": About("share of statements that the passages retrieved carry"),
    "reference_f1": About("words shared with the reference, F1"),
    "reference_rouge_l": About("longest common subsequence with the reference, F1"),
    "same_language": About("the answer is in the question's language"),
    "judge_correctness": About("how correct the answer is, by the judge model"),
    "judge_completeness": About("how complete the answer is, by the judge model"),
    "judge_faithfulness": About("share of statements that their quotes carry, by the judge model"),
    "retrieval_recall_5": About("share of the expected papers among the first 5 retrieved"),
    "retrieval_recall_10": About("share of the expected papers among the first 10 retrieved"),
    "retrieval_mrr": About("reciprocal rank of the first expected paper retrieved"),
    "retrieval_ndcg_10": About("nDCG@10 of the papers retrieved"),
    "passage_mrr": About("reciprocal rank of the first passage that holds a fact or its page"),
    "retrieved_facts": About("share of the key facts in the expected papers' passages retrieved"),
    "words": About("words of the answer", "neither", is_share=False),
    "input_tokens": About("tokens that models read", "neither", is_share=False),
    "output_tokens": About("tokens that models wrote", "neither", is_share=False),
    "cost_usd": About("US dollars that models took", "neither", is_share=False),
}
"""In the order of the tables."""

_USUAL = {
    "recall 5": "recall@5", "recall 10": "recall@10", "ndcg 10": "nDCG@10", "mrr": "MRR", "alce": "ALCE",
    "rouge l": "ROUGE-L", "f1": "F1", "usd": "USD",
}  # fmt: skip

COMPLETED = "completed"
"""Whether a case was answered at all; no scorer's, as a case that failed has no scores."""


def about(name: str) -> About:
    """Describe a measure; one that is not known here is reported and judged by nobody."""
    if name == COMPLETED:
        return About("the case did not fail")
    return MEASURES.get(name, About("", "neither", is_share=False))


def label(name: str) -> str:
    """Return a measure's name as people read it."""
    words = name.replace("_", " ")
    for written, usual in _USUAL.items():
        words = words.replace(written, usual)
    return words
