"""Questions to ask next: what the papers cited also state, seen in the passages at hand. No model."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest

from assistant.compare.aspects import Aspect, read_aspects
from assistant.names import short_title
from assistant.records import Answer, Passage
from assistant.text import fold, sentences, words

MOST = 3
"""Questions offered."""

_QUESTIONS = {
    "headline result": "What is the best result of {name}?",
    "method": "How does {name} work?",
    "limitations": "What are the limitations of {name}?",
    "benchmarks": "On which benchmarks is {name} evaluated?",
    "data": "Which data does {name} use?",
    "base model": "Which base model does {name} build on?",
    "problem": "Which problem does {name} address?",
    "code": "Where is the code of {name}?",
}
_OTHERS = 3
"""Papers found but not cited that are asked about, the nearest ones."""

_NEAR = 0.8
"""Share of the best passage's score from which on a paper not cited is about the same."""

_MAX_NAME_WORDS, _MAX_NAME = 2, 40
"""What is longer, in words or characters, is a title or a sentence, not a name to ask by."""


def follow_ups(
    answer: Answer, passages: Sequence[Passage], *, asked: Sequence[str] = ()
) -> tuple[str, ...]:
    """Suggest questions that the passages found can answer and the answer did not: of the papers cited first.

    Args:
        answer: the finished answer; a refusal suggests nothing.
        passages: what it could rest on.
        asked: earlier questions, which are not suggested again.
    """
    if answer.refused:
        return ()
    cited_ids = {citation.paper_id for citation in answer.citations}
    near = _NEAR * max((each.score for each in passages), default=0.0)
    others = {
        each.title: None
        for each in passages
        if each.chunk.paper_id not in cited_ids and each.score >= near
    }
    introducing = (
        f"What is {name}?" for title in islice(others, _OTHERS) if (name := _name(title))
    )
    before = {fold(each) for each in (*asked, answer.question)}
    questions = chain(_of_cited(answer, passages), introducing)
    fresh = dict.fromkeys(each for each in questions if fold(each) not in before)
    return tuple(islice(fresh, MOST))


def _of_cited(answer: Answer, passages: Sequence[Passage]) -> Iterator[str]:
    """Go through questions about the papers cited: one of each, then another of each, and so on."""
    titles = {citation.paper_id: citation.title for citation in answer.citations}
    by_paper = [
        _questions(name, _unquoted(paper_id, answer, passages))
        for paper_id, title in titles.items()
        if (name := _name(title))
    ]
    return (each for each in chain.from_iterable(zip_longest(*by_paper)) if each is not None)


def _name(title: str) -> str | None:
    """Return what a paper is called, if its title says so in a few words before a colon."""
    name = short_title(title)
    is_name = name != title and len(name) <= _MAX_NAME and len(name.split()) <= _MAX_NAME_WORDS
    return name if is_name and words(name) else None


def _unquoted(paper_id: str, answer: Answer, passages: Sequence[Passage]) -> list[str]:
    """Cut a paper's passages into sentences; those that the answer quotes are left out."""
    quotes = [citation.quote for citation in answer.citations if citation.paper_id == paper_id]
    found: list[str] = []
    for passage in passages:
        if passage.chunk.paper_id == paper_id:
            text = passage.chunk.text
            found += (text[span.start : span.end] for span in sentences(text))
    return [each for each in found if not any(each in quote or quote in each for quote in quotes)]


def _questions(name: str, texts: Sequence[str]) -> Iterator[str]:
    for aspect in read_aspects(list(_QUESTIONS)):
        if any(_states(aspect, text) for text in texts):
            yield _QUESTIONS[aspect.name].format(name=name)


def _states(aspect: Aspect, text: str) -> bool:
    cues = aspect.cues
    assert cues is not None, "the aspects asked about are known ones"
    return cues.wanted.search(text) is not None and cues.strength(text) >= cues.least
