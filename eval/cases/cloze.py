"""Cloze questions from a paper's key sentences: a number or a name is taken out, and asked for."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.chunk import SECTION_SEPARATOR
from assistant.names import short_title
from assistant.query import is_coined
from assistant.records import Chunk, Paper
from assistant.text import Span, sentences, word_spans
from assistant.verify.quantities import Quantity, quantities
from eval.cases.dataset import Case

Array = npt.NDArray[np.float32]

KIND = "cloze"
GAP = "…"

_SHORTEST, _LONGEST = 8, 45
"""Words of a sentence that makes a question."""
_SHORTEST_ACRONYM = 4
"""Letters. Shorter ones are the field's, such as RL."""
_LETTERS = 0.6
"""Share of letters; below it is a formula or a row of a table."""
_BROKEN = re.compile(
    r"[^.!?]$|^[a-z\d]|\b(?:Fig|Tab|TABLE|Eq|Equation|Figure|Table|Section|Appendix)\b|[{}]|\[\d|\S{40,}|…|\([a-z\d]{1,3}\)"
)
_LEANS = re.compile(r"(?:It|They|This|These|That|Those|He|She|Here|Such|However|Moreover)\b")


_ASIDE = re.compile(r"[\W\d]*(?:references|bibliography|acknowledge?ments?)\b", re.IGNORECASE)
_JOINTS = frozenset("/-_@^")


class Candidate(NamedTuple):
    """A sentence, the part of it that is taken out, and the section that it stands in."""

    sentence: str
    gap: Span
    section: str
    page: int | None

    @property
    def fact(self) -> str:
        """What is taken out."""
        return self.sentence[self.gap.start : self.gap.end]

    @property
    def clipped(self) -> str:
        """The sentence with a gap."""
        return f"{self.sentence[: self.gap.start]}{GAP}{self.sentence[self.gap.end :]}"


def candidates(chunks: Sequence[Chunk], is_telling: Callable[[str], bool]) -> Iterator[Candidate]:
    """Find the sentences of a paper that hold a number or a name to ask for, one gap in each.

    Args:
        chunks: the paper's.
        is_telling: whether a name is worth asking for: not that of the paper, nor of half the field.
    """
    seen: set[str] = set()
    for chunk in chunks:
        section = (chunk.section or chunk.source).partition(SECTION_SEPARATOR)[0]
        if is_aside(section):
            continue
        for span in sentences(chunk.text):
            sentence = chunk.text[span.start : span.end]
            if sentence in seen or not _is_whole(sentence):
                continue
            seen.add(sentence)
            gap = _gap(sentence, is_telling)
            if gap is not None:
                page = chunk.page_first if chunk.page_first == chunk.page_last else None
                yield Candidate(sentence, gap, section, page)


def is_aside(section: str) -> bool:
    """Tell whether a section says nothing of the paper's own: its references, its thanks."""
    return _ASIDE.match(section) is not None


def choose(found: Sequence[Candidate], closeness: Array, count: int) -> list[Candidate]:
    """Choose the sentences closest to what the paper is about, from each section in turn.

    Args:
        found: candidates.
        closeness: of each, to the paper's title and abstract.
        count: how many, at most.
    """
    by_section: dict[str, list[int]] = {}
    for index in np.argsort(-closeness, kind="stable"):
        by_section.setdefault(found[index].section, []).append(int(index))
    chosen: list[Candidate] = []
    facts: set[str] = set()
    while by_section and len(chosen) < count:
        for section in list(by_section):
            candidate = found[by_section[section].pop(0)]
            if candidate.fact not in facts and len(chosen) < count:
                facts.add(candidate.fact)
                chosen.append(candidate)
            if not by_section[section]:
                del by_section[section]
    return chosen


def question(candidate: Candidate, paper: Paper, *, number: int) -> Case:
    """Make a case of a candidate."""
    return Case(
        id=f"{KIND}-{paper.id}-{number}",
        kind=KIND,
        question=f"In “{short_title(paper.title)}”, what belongs in the gap: “{candidate.clipped}”",
        papers=(paper.id,),
        facts=((candidate.fact,),),
        pages=() if candidate.page is None else (candidate.page,),
        reference=candidate.sentence,
        answerable=True,
    )


def _is_whole(sentence: str) -> bool:
    """Tell whether a sentence is one, and can be understood alone."""
    letters = sum(character.isalpha() for character in sentence)
    return (
        _SHORTEST <= len(sentence.split()) <= _LONGEST
        and letters >= _LETTERS * len(sentence)
        and not _BROKEN.search(sentence)
        and not _LEANS.match(sentence)
    )


def _gap(sentence: str, is_telling: Callable[[str], bool]) -> Span | None:
    """Choose what to take out: a number with its unit if there is one, else a name that says something.

    It has to stand in the sentence once; else the sentence gives it away.
    """
    spans = [
        _with_unit(sentence, each.span)
        for each in quantities(sentence)
        if not (_is_part_of_name(sentence, each) or _is_year(sentence, each))
    ]
    spans.sort(key=lambda span: not sentence[span.start].isdigit())
    spans += [
        span
        for span in word_spans(sentence)
        if is_coined(word := sentence[span.start : span.end])
        and not word[0].isdigit()
        and not (word.isupper() and word.isalpha() and len(word) < _SHORTEST_ACRONYM)
        and is_telling(word)
        and sentence[span.start - 1 : span.start] != "("  # the short form of what stands before it
    ]
    for span in spans:
        text, after = sentence[span.start : span.end], sentence[span.end : span.end + 1]
        before = sentence[max(span.start - 1, 0) : span.start]
        inside = after.isalnum() or {before, after} & _JOINTS  # part of a longer word
        if sentence.count(text) == 1 and not inside:
            return span
    return None


def _is_part_of_name(sentence: str, quantity: Quantity) -> bool:
    """Tell whether a number without a unit follows a name, as in AIME 2024 or Claude 3.7."""
    before = sentence[: quantity.span.start].split()
    return not quantity.kind and bool(before) and before[-1][0].isupper() and len(before) > 1


def _is_year(sentence: str, quantity: Quantity) -> bool:
    written = sentence[quantity.span.start : quantity.span.end]
    return len(written) == 4 and written.startswith(("19", "20"))  # most often of a citation


def _with_unit(sentence: str, span: Span) -> Span:
    """Leave a unit that is a mark at the number, so that what is asked for is all of it."""
    return Span(span.start, span.end + 1) if sentence[span.end : span.end + 1] == "%" else span
