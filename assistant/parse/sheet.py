"""What stands on one page, before any layout: words, rules and figures, in points as displayed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from assistant.parse.scripts import word_count


class Rect(NamedTuple):
    """A rectangle, origin at the bottom left."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """From left to right edge."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """From lower to upper edge."""
        return self.y1 - self.y0

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


class Face(NamedTuple):
    """What a font looks like."""

    bold: bool
    italic: bool
    math: bool
    capitals: bool  # small capitals


@dataclass(slots=True)
class Word:
    """Characters without white space between them, on one baseline but for scripts."""

    text: str
    x0: float
    x1: float
    base: float  # the baseline's height
    size: float
    face: Face
    nested: bool = False  # drawn inside a form, as included figures are


@dataclass(slots=True)
class Piece:
    """Words side by side: a line of a column, a cell, a heading, a part of a formula."""

    words: list[Word]
    page: int
    x0: float = 0.0
    x1: float = 0.0
    base: float = 0.0
    size: float = 0.0
    bold: float = 0.0  # share of characters
    italic: float = 0.0
    math: float = 0.0
    word_count: int = 0  # of scripts without blanks as well
    turned: bool = False  # on a sideways part of the page

    def __post_init__(self) -> None:
        """Measure the words."""
        self.measure()

    def measure(self) -> None:
        """Take edges, baseline, size and looks from the words."""
        by_style: dict[tuple[float, float], int] = {}
        letters = bold = italic = math = count_words = 0
        for word in self.words:
            count = len(word.text)
            letters += count
            count_words += word_count(word.text)
            bold += count * word.face.bold
            italic += count * word.face.italic
            math += count * word.face.math
            key = (word.size, word.base)
            by_style[key] = by_style.get(key, 0) + count
        self.size, self.base = max(by_style, key=lambda key: (by_style[key], key))
        self.word_count = count_words
        self.x0 = min(word.x0 for word in self.words)
        self.x1 = max(word.x1 for word in self.words)
        self.bold, self.italic, self.math = bold / letters, italic / letters, math / letters

    @property
    def y0(self) -> float:
        """The lower edge: below it only the tips of descenders."""
        return self.base - 0.21 * self.size

    @property
    def y1(self) -> float:
        """The upper edge."""
        return self.base + 0.73 * self.size

    @property
    def width(self) -> float:
        """From left to right edge."""
        return self.x1 - self.x0

    @property
    def text(self) -> str:
        """The words, parted by spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(slots=True)
class Sheet:
    """One page as drawn."""

    number: int  # from 1
    width: float
    height: float
    words: list[Word] = field(default_factory=list)
    turned: list[Word] = field(default_factory=list)  # sideways, in the turned page's coordinates
    turn: int = 0  # quarter turns, anticlockwise, that set the sideways words upright
    rules: list[Rect] = field(default_factory=list)  # horizontal lines
    bars: list[Rect] = field(default_factory=list)  # vertical lines
    frames: list[Rect] = field(default_factory=list)  # drawn boxes
    forms: list[Rect] = field(default_factory=list)  # included figures; may reach beyond what shows
    figures: list[Rect] = field(default_factory=list)
    mirrored: bool = (
        False  # read from right to left; all but turned words is in mirrored coordinates
    )
    notes: list[str] = field(default_factory=list)
    scanned: bool = False  # a picture of a page, without text
    recognised: bool = False  # a picture of a page, whose words were read off it


def hull(pieces: Sequence[Piece]) -> Rect:
    """The smallest rectangle around pieces."""
    return Rect(
        min(piece.x0 for piece in pieces),
        min(piece.y0 for piece in pieces),
        max(piece.x1 for piece in pieces),
        max(piece.y1 for piece in pieces),
    )
