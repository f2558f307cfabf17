"""The sentences of an answer in Markdown, and which of them state something."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from assistant.records import Claim
from assistant.text import Span, sentences, words

_CJK_STOP = re.compile(r"[。！？｡][。！？｡\"'”’」』）)*_]*(?=[^\s。！？｡\"'”’」』）)*_])")
_EMPHASIS_STOP = re.compile(r"(?<=[.!?])[\"'”’)]*[*_]+[\"'”’)]*\s+(?=[^a-z\s])")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)]|#{1,6})\s+")
_NUMBER = re.compile(r"[\s>*_+-]*\d{1,3}[.)][*_]*")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)")
_BARS = re.compile(r"^\s*\|\s*|\s*\|\s*$")
_RULER = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
_QUANTITY = re.compile(r"(?<![\w.-])(?!(?:19|20)\d\d\b)\d")
_HEADING_WORDS, _LEAD_WORDS, _CELL_WORDS = 5, 15, 4
_COURTESY = re.compile(
    r"(?:I hope (?:this|that|it) helps"
    r"|(?:please )?let me know if you (?:have|need)(?: any| more| other| further)*"
    r" (?:questions|details|information)|(?:please )?feel free to ask(?: me)?(?: any| more| other| further)*"
    r"(?: questions)?|sure|certainly|of course)[.!]*",
    re.IGNORECASE,
)


class _Line(NamedTuple):
    """A line of an answer: whether it was a heading, and whether it cites something."""

    span: Span
    text: str
    heading: bool
    cites: bool

    @property
    def is_item(self) -> bool:
        """Whether it is an item of a list, or a row of a table."""
        return bool(_BULLET.match(self.text)) or self.text.lstrip().startswith("|")

    @property
    def is_title(self) -> bool:
        """Whether it is a heading, or looks like one."""
        text = self.text.strip()
        return self.heading or (text.startswith("**") and text.endswith("**"))

    @property
    def leads_in(self) -> bool:
        """Whether it ends in a colon."""
        return self.text.rstrip("*_ ").endswith((":", "："))


def split(line: str) -> list[Span]:
    """Find the sentences of a line.

    Beyond :func:`assistant.text.sentences`, a Chinese or Japanese full stop ends one, and so does a stop
    within emphasis; the number of a list's item ends none.
    """
    found: list[Span] = []
    for span in sentences(line):
        start = span.start
        text = line[slice(*span)]
        ends = sorted(
            match.end() for each in (_CJK_STOP, _EMPHASIS_STOP) for match in each.finditer(text)
        )
        for end in (*ends, len(text)):
            piece = line[start : span.start + end]
            found.append(Span(start, start + len(piece.rstrip())))
            start = span.start + end
    if len(found) > 1 and _NUMBER.fullmatch(line[: found[0].end]):
        found[:2] = [Span(found[0].start, found[1].end)]
    return found


def ends(line: str) -> bool:
    """Tell whether a line's last sentence is over."""
    return bool(line.strip()) and len(split(f"{line.rstrip()} X")) > len(split(line))


def last(plain: str) -> str:
    """Return the sentence that a text ends with, without marks of Markdown."""
    line = plain.rstrip().rpartition("\n")[2]
    spans = split(line)
    return bare(line[slice(*spans[-1])]) if spans else ""


def bare(sentence: str) -> str:
    """Return a sentence without the marks of lists, tables, headings and emphasis."""
    return _EMPHASIS.sub("", _BARS.sub("", _BULLET.sub("", sentence))).strip()


def claims(
    plain: str, marks: Sequence[tuple[int, int]], headings: Collection[int] = ()
) -> Iterator[Claim]:
    """Make each sentence a claim, with the numbers that stand in it or right after it.

    What cites nothing and states nothing is none: courtesies, the heads of tables, and headings and lines
    that lead to a list or to what cites something.

    Args:
        plain: the answer's text without markers.
        marks: where in it which number stands.
        headings: where in it headings begin.
    """
    lines = [
        _Line(span, match.group(), span.start in headings, _cites(span, marks))
        for match in re.finditer(r"[^\n]+", plain)
        if (span := Span(*match.span()))
    ]
    placed = [
        (Span(line.span.start + a, line.span.start + b), index)
        for index, line in enumerate(lines)
        for a, b in split(line.text)
    ]
    stops = [span.start for span, _ in placed[1:]] + [len(plain) + 1]
    for (span, index), stop in zip(placed, stops, strict=True):
        numbers = dict.fromkeys(number for place, number in marks if span.start < place <= stop)
        text = bare(plain[slice(*span)])
        if words(text) and (numbers or not _states_nothing(text, lines, index)):
            yield Claim(text=text, verdict="unchecked", citations=tuple(numbers))


def _cites(span: Span, marks: Sequence[tuple[int, int]]) -> bool:
    return any(span.start < place <= span.end for place, _ in marks)


def _states_nothing(text: str, lines: Sequence[_Line], index: int) -> bool:
    """Tell whether a sentence without a source only leads to others."""
    line = lines[index]
    if _COURTESY.fullmatch(text):
        return True
    if "|" in line.text and index + 1 < len(lines) and _RULER.fullmatch(lines[index + 1].text):
        return all(len(words(cell)) <= _CELL_WORDS for cell in text.split("|"))
    if _QUANTITY.search(text) or not _leads_to_sources(lines[index + 1 :]):
        return False
    if line.leads_in and line.text.rstrip("*_ ").endswith(text[-3:]):
        return len(words(text)) <= _LEAD_WORDS
    return line.is_title and text == bare(line.text) and len(words(text)) <= _HEADING_WORDS


def _leads_to_sources(rest: Sequence[_Line]) -> bool:
    """Tell whether what comes next is a list, a table, or cites something."""
    for line in rest:
        if line.is_item or line.cites:
            return True
        if not (line.is_title or line.leads_in):
            return False
    return False
