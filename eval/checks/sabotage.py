"""Whether the harness is honest: ``python -m eval.checks.sabotage``.

Eight assistants that fail in a way of their own are made from one real run by spoiling its answers. All are
scored alike, and each has to come out below the real one on the measure that should catch it.
"""

import argparse
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from assistant.library import Library
from assistant.records import Answer, Citation, Claim, Paper
from assistant.text import sentences
from assistant.verify.quantities import quantities
from eval import surroundings
from eval.cases.dataset import Case, cluster, load
from eval.checks.german import to_german
from eval.runs.asking import Texts, ask
from eval.runs.summary import align
from eval.scores.scorers import Outcome, score
from eval.scores.support import check
from eval.statistics.means import Difference, paired_difference
from eval.terminal import say

LEVEL = 0.01
"""The p-value that a sabotaged assistant has to stay below."""

_BY_SUPPORT = "alce_citation_recall"
_MARKER = re.compile(r"\s*\[\d+\]")


class Asked(NamedTuple):
    """A case and what the assistant answered."""

    case: Case
    answer: Answer


class Source(NamedTuple):
    """What answers are spoiled with: chance, the sentences of every paper, and answers to other questions."""

    random: random.Random
    papers: Mapping[str, tuple[str, ...]]
    answers: Sequence[Answer]


Spoil = Callable[[Asked, Source], Answer]


class Sabotage(NamedTuple):
    """An assistant that fails: its name, the measure that should catch it, and how it spoils an answer."""

    name: str
    measure: str
    spoil: Spoil


class Caught(NamedTuple):
    """How far a sabotaged assistant falls below the real one on the measure that should catch it."""

    sabotage: Sabotage
    real: float
    spoilt: float
    difference: Difference
    cases: int

    @property
    def passed(self) -> bool:
        """Whether it is ranked below, beyond chance."""
        return self.difference.mean < 0 and self.difference.p_value < LEVEL


# How answers are spoiled


def _random_paper(asked: Asked, source: Source) -> Answer:
    """Cite a sentence of any other paper instead."""

    def other(citation: Citation) -> Citation:
        others = sorted(source.papers.keys() - {citation.paper_id} - set(asked.case.papers))
        paper_id = source.random.choice(others)
        quote = source.random.choice(source.papers[paper_id])
        return citation.model_copy(update={"paper_id": paper_id, "quote": quote})

    return _with_citations(asked.answer, other)


def _wrong_quote(asked: Asked, source: Source) -> Answer:
    """Cite another sentence of the right paper."""

    def other(citation: Citation) -> Citation:
        others = [each for each in source.papers[citation.paper_id] if each != citation.quote]
        return citation.model_copy(update={"quote": source.random.choice(others or ["Thanks."])})

    return _with_citations(asked.answer, other)


def _number_altered(asked: Asked, _source: Source) -> Answer:
    return _reworded(asked.answer, _alter_numbers)


def _always_refuses(asked: Asked, _source: Source) -> Answer:
    update = {"answer": "", "citations": (), "claims": (), "refused": True, "refusal_reason": "-"}
    return asked.answer.model_copy(update=update)


def _never_refuses(asked: Asked, source: Source) -> Answer:
    """Give the answer to some other question instead of a refusal."""
    if not asked.answer.refused:
        return asked.answer
    other = source.random.choice([each for each in source.answers if not each.refused])
    return other.model_copy(update={"question": asked.answer.question})


def _copies_question(asked: Asked, _source: Source) -> Answer:
    """Give the question back as the answer, still with its citations."""
    if asked.answer.refused:
        return asked.answer
    numbers = tuple(citation.number for citation in asked.answer.citations)
    claim = Claim(text=asked.case.question, verdict="unchecked", citations=numbers)
    marked = asked.case.question + "".join(f" [{number}]" for number in numbers)
    return asked.answer.model_copy(update={"answer": marked, "claims": (claim,)})


def _half_missing(asked: Asked, source: Source) -> Answer:
    """Say nothing at all every other time."""
    if source.random.random() < 0.5:
        return asked.answer
    return asked.answer.model_copy(update={"answer": "", "citations": (), "claims": ()})


def _another_language(asked: Asked, _source: Source) -> Answer:
    return _reworded(asked.answer, to_german)


SABOTAGES = (
    Sabotage("a random paper cited", "citation_precision", _random_paper),
    Sabotage("the right paper, a wrong quote", _BY_SUPPORT, _wrong_quote),
    Sabotage("numbers altered", _BY_SUPPORT, _number_altered),
    Sabotage("always refuses", "answered", _always_refuses),
    Sabotage("never refuses", "refused_correctly", _never_refuses),
    Sabotage("copies the question", "fact_recall", _copies_question),
    Sabotage("half the answers missing", "answered", _half_missing),
    Sabotage("answers in another language", "same_language", _another_language),
)


def _with_citations(answer: Answer, change: Callable[[Citation], Citation]) -> Answer:
    return answer.model_copy(update={"citations": tuple(map(change, answer.citations))})


def _reworded(answer: Answer, reword: Callable[[str], str]) -> Answer:
    """Change the wording of an answer and of its claims, and leave its markers and quotes."""
    if answer.refused:
        return answer
    claims = tuple(claim.model_copy(update={"text": reword(claim.text)}) for claim in answer.claims)
    return answer.model_copy(
        update={"answer": _outside_markers(answer.answer, reword), "claims": claims}
    )


def _outside_markers(text: str, reword: Callable[[str], str]) -> str:
    pieces, end = [], 0
    for match in _MARKER.finditer(text):
        pieces += [reword(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*pieces, reword(text[end:])])


def _alter_numbers(text: str) -> str:
    """Replace every number written in digits, but not those in names, by about twice as much."""
    for quantity in reversed(quantities(text)):
        written = text[quantity.span.start : quantity.span.end]
        altered = re.sub(r"\d+", lambda digits: str(2 * int(digits[0]) + 3), written, count=1)
        text = text[: quantity.span.start] + altered + text[quantity.span.end :]
    return text


# How they are scored


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the digest's questions, sabotage the answers, print what the harness makes of them."""
    parser = argparse.ArgumentParser(prog="python -m eval.checks.sabotage", description=__doc__)
    parser.add_argument("--dataset", type=Path, default=surroundings.DATASETS / "digest.yaml")
    dataset = load(parser.parse_args(arguments).dataset)
    digest = surroundings.digest()
    say(f"Questions of {dataset.name} on {digest.label}.")
    with surroundings.digest_library(digest) as library:
        caught = compare(ask_all(dataset.cases, library), library)
    say(table(caught))
    missed = [each.sabotage.name for each in caught if not each.passed]
    say(f"\n{'missed: ' + ', '.join(missed) if missed else 'All are ranked below the real one.'}")


def ask_all(cases: Sequence[Case], library: Library) -> list[Asked]:
    """Ask every case."""
    return [Asked(case, ask(case, library).answer) for case in cases]


def compare(asked: Sequence[Asked], library: Library, *, seed: int = 0) -> list[Caught]:
    """Spoil a real run's answers in each way, score both alike, and compare.

    Args:
        asked: cases and the real answers.
        library: what was asked; its checker judges every statement anew by what it cites.
        seed: of what is left to chance.
    """
    papers = {paper.id: _sentences(paper) for paper in library.papers()}
    texts = Texts(library)
    answers = [each.answer for each in asked]
    caught = []
    for sabotage in SABOTAGES:
        source = Source(random.Random(seed), papers, answers)  # noqa: S311 - guards nothing
        spoilt = [Asked(each.case, sabotage.spoil(each, source)) for each in asked]
        real, other = (
            [_measure(sabotage.measure, each, texts, library) for each in run]
            for run in (asked, spoilt)
        )
        caught.append(_caught(sabotage, [each.case for each in asked], real=real, spoilt=other))
    return caught


def table(caught: Sequence[Caught]) -> str:
    """Lay out what became of each sabotaged assistant."""
    rows = [["sabotaged assistant", "measure", "cases", "real", "sabotaged", "p"]]
    rows += [
        [
            each.sabotage.name,
            each.sabotage.measure,
            str(each.cases),
            f"{each.real:.3f}",
            f"{each.spoilt:.3f}",
            f"{each.difference.p_value:.4f}{'' if each.passed else ' MISSED'}",
        ]
        for each in caught
    ]
    return align(rows)


def _sentences(paper: Paper) -> tuple[str, ...]:
    return tuple(paper.abstract[span.start : span.end] for span in sentences(paper.abstract))


def _measure(name: str, asked: Asked, texts: Texts, library: Library) -> float | None:
    """Score an answer; its statements are checked, which takes long, where the measure rests on that."""
    case, answer = asked
    support = check(answer, (), library) if name == _BY_SUPPORT else None
    return score(Outcome(case, answer, texts.of(answer), support=support))[name]


def _caught(
    sabotage: Sabotage,
    cases: Sequence[Case],
    *,
    real: Sequence[float | None],
    spoilt: Sequence[float | None],
) -> Caught:
    """Compare a sabotaged run with the real one on the cases that the measure applies to in the real one.

    A case that it no longer applies to counts as 0: there is nothing left to measure.
    """
    measured = [
        (cluster(case), value, other or 0.0)
        for case, value, other in zip(cases, real, spoilt, strict=True)
        if value is not None
    ]
    first = [value for _, value, _ in measured]
    second = [other for _, _, other in measured]
    difference = paired_difference(first, second, [name for name, _, _ in measured])
    return Caught(sabotage, fmean(first), fmean(second), difference, len(measured))


if __name__ == "__main__":
    main()
