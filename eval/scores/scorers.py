"""What is measured of one answer. A scorer is pure; None means that a measure does not apply."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from assistant.records import Answer, Passage
from assistant.text import words
from eval.cases.dataset import Case
from eval.cases.matching import normalise, plain, states
from eval.scores import ranking
from eval.scores.language import language
from eval.scores.support import Support

Score = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
"""A number whose sums and squares are finite as well."""
Scores = dict[str, Score | None]


class Outcome(NamedTuple):
    """One case answered.

    ``texts`` are those of the papers cited, by id: abstract, title and full text; ``passages`` those
    retrieved, best first, and ``support`` what checking the answer's statements gave: None where they
    are not known.
    """

    case: Case
    answer: Answer
    texts: Mapping[str, Sequence[str]]
    passages: Sequence[Passage] | None = None
    support: Support | None = None


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
    """Whether the answerable is answered, the unanswerable refused; an empty answer is neither."""
    answer = outcome.answer
    if outcome.case.answerable:
        said = bool(answer.answer.strip()) and not answer.refused
        return {"answered": float(said), "refused_correctly": None}
    return {"answered": None, "refused_correctly": float(answer.refused)}


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


def same_language(outcome: Outcome) -> Scores:
    """Whether the answer is in the question's language; unscored where either cannot be told."""
    asked = language(outcome.answer.standalone_question)
    answered = None if outcome.answer.refused else language(outcome.answer.answer)
    if asked is None or answered is None:
        return {"same_language": None}
    return {"same_language": float(asked == answered)}


def citation_support(outcome: Outcome) -> Scores:
    """Citation recall and precision of Gao et al. (ALCE, EMNLP 2023), by what the quotes cited say.

    Recall is the share of statements that all they cite carries; a statement that cites nothing is not
    carried. A citation is precise if its statement is carried, by it alone or not without it.
    """
    support = outcome.support
    if not support:
        return {"alce_citation_recall": None, "alce_citation_precision": None}
    precise = [
        each.cited == "supported" and (alone or not without)
        for each in support
        for alone, without in zip(each.alone, each.without, strict=True)
    ]
    return {
        "alce_citation_recall": _share([each.cited == "supported" for each in support]),
        "alce_citation_precision": _share(precise) if precise else None,
    }


def groundedness(outcome: Outcome) -> Scores:
    """The share of statements that the passages retrieved carry, whatever is cited."""
    verdicts = [each.retrieved for each in outcome.support or () if each.retrieved is not None]
    carried = [verdict == "supported" for verdict in verdicts]
    return {"groundedness": _share(carried) if carried else None}


def reference_overlap(outcome: Outcome) -> Scores:
    """Words in common with the reference answer: F1 as in SQuAD, and ROUGE-L (Lin, 2004)."""
    expected = _tokens(outcome.case.reference)
    if not (outcome.case.answerable and expected):
        return {"reference_f1": None, "reference_rouge_l": None}
    said = [] if outcome.answer.refused else _tokens(outcome.answer.answer)
    shared = (Counter(said) & Counter(expected)).total()
    common = _longest_common_subsequence(said, expected)
    return {
        "reference_f1": _f1(shared, len(said), len(expected)),
        "reference_rouge_l": _f1(common, len(said), len(expected)),
    }


def retrieval(outcome: Outcome) -> Scores:
    """How well papers and passages were ranked for the question."""
    case = outcome.case
    known = outcome.passages is not None and case.answerable and case.papers
    return ranking.score(case, outcome.passages or ()) if known else dict.fromkeys(ranking.NAMES)


def effort(outcome: Outcome) -> Scores:
    """Words of the answer; tokens and money that models took, unscored where there was no model."""
    usage = outcome.answer.usage
    used = bool(usage.input_tokens or usage.output_tokens)
    return {
        "words": float(len(words(plain(outcome.answer.answer)))),
        "input_tokens": float(usage.input_tokens) if used else None,
        "output_tokens": float(usage.output_tokens) if used else None,
        "cost_usd": usage.cost_usd if used else None,
    }


SCORERS: tuple[Scorer, ...] = (
    expected_papers,
    citation_precision,
    fact_recall,
    abstention,
    page_hit,
    verbatim_quotes,
    citation_support,
    groundedness,
    reference_overlap,
    same_language,
    retrieval,
    effort,
)


_OF_PAPERS = (
    "expected_paper_cited", "expected_papers_share", "citation_precision", *ranking.NAMES,
)  # fmt: skip
_NEEDS: dict[str, Callable[[Case], bool]] = {
    **dict.fromkeys(_OF_PAPERS, lambda case: case.answerable and bool(case.papers)),
    "fact_recall": lambda case: case.answerable and bool(case.facts),
    "retrieved_facts": lambda case: case.answerable and bool(case.papers and case.facts),
    "answered": lambda case: case.answerable,
    "refused_correctly": lambda case: not case.answerable,
    "page_hit": lambda case: case.answerable and bool(case.pages),
    "reference_f1": lambda case: case.answerable and bool(_tokens(case.reference)),
    "reference_rouge_l": lambda case: case.answerable and bool(_tokens(case.reference)),
}
"""What a case has to have for a measure; judges' scores come later, and the others may apply to any case."""


def score(outcome: Outcome) -> Scores:
    """Apply all scorers."""
    return {name: value for scorer in SCORERS for name, value in scorer(outcome).items()}


def can_score(measure: str, cases: Sequence[Case]) -> bool:
    """Tell whether an answer to one of these cases can have a measure, by what is known of right answers."""
    needs = _NEEDS.get(measure, lambda _case: not measure.startswith("judge_"))
    return any(map(needs, cases))


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def _tokens(text: str) -> list[str]:
    return words(normalise(plain(text)))


def _f1(common: int, said: int, expected: int) -> float:
    return 2 * common / (said + expected) if common else 0.0


def _longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Return its length."""
    row = [0] * (len(second) + 1)
    for token in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if token == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]
