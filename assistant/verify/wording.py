"""Words of a claim or of a sentence: stems, what negates them, names, and how much they say."""

import re
from functools import cached_property
from typing import NamedTuple

from assistant.query import looks_like_name
from assistant.text import STOPWORDS, Span, fold, stem, word_spans
from assistant.verify.polarity import direction, is_negator
from assistant.verify.quantities import Quantity, quantities

_PART = re.compile(r"[^\W_]+")
_CLAUSE_END = re.compile(r"[,;:.!?()\[\]—–]")
_MEASURE = re.compile(
    r"^\d+(?:\.\d+)?(?:ms|mins?|hrs?|h|kb|mb|gb|tb|mm|cm|km|mg|kg|g)$", re.IGNORECASE
)
_BREAKS = frozenset(
    """but although though while whereas however yet which who that because since than unless
    if except""".split()  # noqa: SIM905 - a word list reads best as prose
)
_ONLY = frozenset(["only", "just", "merely"])
_NEGATED_WORDS = 4
_PREFIX = 5
_PREFIX_MATCH = 0.7
"""What it counts that a word of the same family is there, known by its first letters."""


class Word(NamedTuple):
    """A word: where it stands, folded and stemmed, and whether it says something.

    ``negated`` words are all that a negation reaches, ``denied`` the first two of them.
    """

    span: Span
    folded: str
    stem: str
    content: bool
    negator: bool
    negated: bool
    denied: bool
    name: bool


class Wording:
    """A text as words and numbers."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = _analyse(text)

    @cached_property
    def content(self) -> tuple[Word, ...]:
        """The words that say something: no stop words, negations or bare numbers."""
        return tuple(word for word in self.words if word.content)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all words, of compounds also the parts and the whole without marks."""
        return frozenset(form for word in self.words for form in forms(word))

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """The beginnings of long stems: related words share them."""
        return frozenset(form[:_PREFIX] for form in self.stems if len(form) >= _PREFIX)

    @cached_property
    def initials(self) -> str:
        """The first letters of all words and parts of compounds, in which an acronym may be found."""
        return "".join(part[0] for word in self.words for part in _PART.findall(word.folded))

    @cached_property
    def sequence(self) -> str:
        """All parts of all words in order, each between blanks."""
        found = " ".join(part for word in self.words for part in _PART.findall(word.folded))
        return f" {found} "

    @cached_property
    def negates(self) -> bool:
        """Whether anything is negated, or said to be without or to fail."""
        return any(word.negator or word.denied for word in self.words) or any(
            direction(word.stem) < 0 for word in self.words
        )

    @cached_property
    def affirmed(self) -> frozenset[str]:
        """The stems that stand somewhere out of reach of any negation."""
        return frozenset(word.stem for word in self.words if not word.negated)

    @cached_property
    def denied(self) -> frozenset[str]:
        """The stems that are denied wherever they stand."""
        return frozenset(word.stem for word in self.words if word.denied) - self.affirmed

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers."""
        return tuple(quantities(self.text))


def forms(word: Word) -> tuple[str, ...]:
    """Return the stems under which a word may be found elsewhere."""
    parts = _PART.findall(word.folded)
    if len(parts) < 2:
        return (word.stem,)
    return (word.stem, stem("".join(parts)), *(stem(part) for part in parts))


def held(word: Word, wording: Wording) -> float:
    """Return how much of a word a sentence holds as such: a compound may be there in part."""
    whole, *others = forms(word)
    if whole in wording.stems:
        return 1.0
    if others:
        joined, *parts = others
        if joined in wording.stems:
            return 1.0
        return sum(part in wording.stems for part in parts) / len(parts)
    if len(whole) >= _PREFIX and whole[:_PREFIX] in wording.prefixes:
        return _PREFIX_MATCH
    return 0.0


def holds_version(word: Word, wording: Wording) -> bool:
    """Tell whether a sentence has a name up to its last number: ``Llama-3.1-8B`` is no ``Llama-3.2-8B``."""
    parts = _PART.findall(word.folded)
    numbered = [index for index, part in enumerate(parts) if any(map(str.isdigit, part))]
    if not numbered or "".join(parts) in wording.stems:
        return True
    return f" {' '.join(parts[: numbered[-1] + 1])} " in wording.sequence


def _analyse(text: str) -> tuple[Word, ...]:
    spans = word_spans(text)
    folded = [fold(text[span.start : span.end]) for span in spans]
    negated = _negated(text, spans, folded)
    found = []
    for index, (span, form) in enumerate(zip(spans, folded, strict=True)):
        surface = text[span.start : span.end]
        first = index == 0 or text[: span.start].rstrip()[-1:] in {".", "!", "?", ":"}
        negator = is_negator(form)
        found.append(
            Word(
                span=span,
                folded=form,
                stem=stem(form),
                content=not negator and form not in STOPWORDS and not _is_number(form),
                negator=negator,
                negated=bool(negated[index]),
                denied=negated[index] >= _NEGATED_WORDS - 1,
                name=_is_name(surface, first=first),
            )
        )
    return tuple(found)


def _is_number(word: str) -> bool:
    return word.replace(".", "").replace("-", "").isdigit()


def _is_name(surface: str, *, first: bool) -> bool:
    return (
        len(surface) > 1 and not _MEASURE.match(surface) and looks_like_name(surface, first=first)
    )


def _negated(text: str, spans: list[Span], folded: list[str]) -> list[int]:
    """Find the words that a negation reaches: the next few of its clause that say something.

    The first that is reached counts most; what two negations reach is not negated.
    """
    reached = [0] * len(folded)
    for index, form in enumerate(folded):
        if not is_negator(form) or (index + 1 < len(folded) and folded[index + 1] in _ONLY):
            continue
        left = _NEGATED_WORDS
        for later in range(index + 1, len(folded)):
            gap = text[spans[later - 1].end : spans[later].start]
            if not left or folded[later] in _BREAKS or _CLAUSE_END.search(gap):
                break
            if folded[later] not in STOPWORDS:
                reached[later] = 0 if reached[later] else left
                left -= 1
    return reached
