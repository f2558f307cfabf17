"""Text as retrieval and citation see it: cleaning, folding, terms, names and sentences."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import Stemmer

_STEMMER = Stemmer.Stemmer("english", 0)  # stem() keeps the cache

# Control characters (ANSI escapes begin with one), zero-width and bidirectional marks. Tabs and line
# breaks survive; what a terminal or a page would act on does not.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_ANSI_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")

# A word, with inner marks that belong to it: Qwen2.5-32B, GPT-4o, O(log N) gives O, log, N.
_WORD = re.compile(r"[^\W_]+(?:(?:[.\-_+]|['’](?!s\b))[^\W_]+)*")
_LONGEST_KEPT = 40
"""Characters of a piece whose analysis is kept; where there are no blanks a piece is a sentence."""
_PART = re.compile(r"[^\W_]+", re.UNICODE)

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_GREEK_TABLE = str.maketrans(_GREEK)

STOPWORDS = frozenset(
    """a about above after again all also am among an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further had has
    have having he her here hers him his how i if in into is it its itself just let me more most my
    no nor not now of off on once only or other our ours out over own please s same shall she should
    so some such t than that the their theirs them then there these they this those through to too
    under until up upon us very was we were what when where whether which while who whom whose why
    will with within would you your yours""".split()  # noqa: SIM905 - a word list reads best as prose
)


class Span(NamedTuple):
    """A half-open range of characters in a text."""

    start: int
    end: int


def clean(text: str) -> str:
    """Drop characters that are invisible or that a terminal would act on; normalise to NFC."""
    # Normalised last: an invisible character can stand between a letter and its accent.
    return unicodedata.normalize("NFC", _UNPRINTABLE.sub("", _ANSI_SEQUENCE.sub("", text)))


def one_line(text: str, most: int | None = None) -> str:
    """:func:`clean` a text and collapse its white space, line breaks included.

    Args:
        text: the text, from outside.
        most: characters after which to cut it; an ellipsis says so.
    """
    # Cut first: to clean what is huge, only to drop it, takes long.
    head = text if most is None else text.lstrip()[: 4 * most]
    # Collapsed before as well: cleaning drops form feeds, and would glue words together.
    line = " ".join(clean(" ".join(head.split())).split())
    return line if most is None or len(line) <= most else line[:most].rstrip() + "…"


def fold(text: str) -> str:
    """Fold case, accents, ligatures and Greek letters: ``φ-Décoding`` becomes ``phi-decoding``."""
    if text.isascii():
        return text.lower()
    # Decomposed before and after: ℌ is a capital once decomposed, and case folding can compose.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return plain.translate(_GREEK_TABLE)


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Stem one folded English word (Porter2)."""
    return str(_STEMMER.stemWord(word))


def words(text: str) -> list[str]:
    """Split into words, compounds whole: ``SWEET-RL``, ``Qwen2.5-32B``, ``o1``."""
    return _WORD.findall(text)


def word_spans(text: str) -> list[Span]:
    """Find the :func:`words` of a text as spans."""
    return [Span(*match.span()) for match in _WORD.finditer(text)]


def _terms_of_piece(piece: str) -> tuple[str, ...]:
    """Analyse what stands between two blanks, or a part of it; no word goes beyond it."""
    return (_kept_terms if len(piece) <= _LONGEST_KEPT else _analysed)(piece)


@lru_cache(maxsize=200_000)
def _kept_terms(piece: str) -> tuple[str, ...]:
    return _analysed(piece)


def _analysed(piece: str) -> tuple[str, ...]:
    return tuple(term for word in words(piece) for term in _terms_of_word(word))


def _terms_of_word(word: str) -> tuple[str, ...]:
    parts = _PART.findall(fold(word))
    stems = tuple(stem(part) for part in parts)
    # A compound is also one term, so that SWEETRL, SWEET-RL and "sweet rl" can meet.
    return (*stems, "".join(parts)) if len(parts) > 1 else stems


def terms(text: str) -> list[str]:
    """Analyse into the terms that index and queries share: folded, stemmed, compounds also joined.

    Stop words stay: the index keeps them, queries drop them (see :data:`STOPWORDS`).
    """
    return [term for piece in text.split() for term in _terms_of_piece(piece)]


def content_terms(text: str) -> list[str]:
    """:func:`terms` without those of stop words, in order, each once."""
    kept = (word for word in words(text) if fold(word) not in STOPWORDS)
    return list(dict.fromkeys(term for word in kept for term in _terms_of_piece(word)))


_SENTENCE_END = re.compile(
    r"(?<=[.!?])[\"'”’)\]]*[^\S\t]+(?=[^a-z\s])|(?<=[.!?])(?=[A-Z][a-z]+\s)|\n+"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|et al|al|fig|figs|eq|eqs|sec|tab|ref|refs|resp|approx|no|dr|prof|mr|mrs|st"
    r"|ca|w\.r\.t|a\.k\.a|inc|ltd|jr|vol|pp|ed|eds|dept|univ)|(?:^|[\s(])(?:[A-Za-z]\.)*[A-Za-z])\.$",
    re.IGNORECASE,
)


def sentences(text: str) -> list[Span]:
    """Find the sentences of a text as spans without surrounding white space.

    Full stops in numbers, abbreviations, initials, names and links do not end a sentence; a line
    break does, so that each row of a table is one.
    """
    spans: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        before = text[start : match.start()]
        in_line = "\n" not in match.group()
        if in_line and (
            _ABBREVIATION.search(before[-12:]) or (not match.group() and _is_link(before))
        ):
            continue
        _append_stripped(spans, text, start, match.end())
        start = match.end()
    _append_stripped(spans, text, start, len(text))
    return spans


def _is_link(before: str) -> bool:
    """Whether the text breaks off inside a link: no white space since its scheme."""
    return "://" in before.rsplit(None, 1)[-1]


def _append_stripped(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + len(piece) - len(piece.lstrip())
        spans.append(Span(begin, begin + len(stripped)))
