"""A question as retrieval sees it: weighted terms, names, and typing errors mended."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from rapidfuzz.distance import OSA

from assistant.english import chunk_share
from assistant.text import STOPWORDS, Span, fold, terms, word_spans

_PRIOR_CHUNKS = 300
"""Chunks of English at large that are counted beside those of the library."""

_SHORTEST_CORRECTED = 5
_SHORTEST_SUBSTITUTED = 7
_SHORTEST_TWICE_CORRECTED = 9
_ACRONYM = re.compile(r"^[A-Z]{2,}s?$")
_MIXED = re.compile(r"[a-z0-9φ][A-Z]|[A-Z]{2,}|[A-Za-z][-.]?\d|\d[A-Za-z]")
_COUNTED = re.compile(r"^\d+(?:st|nd|rd|th|s|d|x|k|px)$", re.IGNORECASE)

# Words of questions about papers in general: they say what is wanted, not what it is about.
_ASKING = frozenset(
    """achieve achieved achieves approach approaches article articles author authors available based
    basically brief briefly call clarify called came claim collection come comes compare compared
    comparison contain contained contains describe described describes detail details difference
    differences different digest discuss discusses do does effect elaborate enumerate exactly explain
    explained explanation find finds found get gets give given gives go goal goes going good happen happens
    help helps here idea include included includes introduce introduced introduces kind kinds know
    library list main mainly make makes many mean means mention mentioned much name named names
    new obtain overview paper papers perform plain please present presented presents problem
    propose proposed proposes publication put puts reach reached reaches relies rely rephrase report
    reported reports say says sentence short show shown shows stand stands studies study summarise
    summarize summary system systems take taken takes tell term terms thing things together took
    type types use used uses using want way ways went word words work works""".split()  # noqa: SIM905 - a word list reads best as prose
)


class Vocabulary(Protocol):
    """What the lexical index knows about words."""

    def chunk_count(self, *, papers: Collection[str] | None = None) -> int:
        """Count the chunks indexed, of these papers or of all."""

    def document_frequency(self, term: str, *, papers: Collection[str] | None = None) -> int:
        """Count the chunks that hold a term, in their text or what it stands under."""

    def words_with_prefix(self, prefix: str) -> list[str]:
        """List the folded words of all chunks that begin with ``prefix``."""


class QueryWord(NamedTuple):
    """A content word of a question.

    ``span`` is its place in the query's text; ``terms`` are its index terms; ``weight`` is their
    inverse document frequency in [0, 1], in the library and in English at large; ``known`` says
    whether the library holds it; ``asking`` marks words such as "paper" that say nothing about the
    subject.
    """

    span: Span
    surface: str
    terms: tuple[str, ...]
    weight: float
    known: bool
    name: bool
    asking: bool


class Query(NamedTuple):
    """An analysed question; ``text`` has its typing errors mended."""

    text: str
    words: tuple[QueryWord, ...]

    @property
    def weights(self) -> Mapping[str, float]:
        """The terms to search for, each with its weight."""
        return {term: 1.0 for word in self.words for term in word.terms}

    @property
    def unknown_names(self) -> tuple[str, ...]:
        """The names in the question that no paper holds."""
        return tuple(word.surface for word in self.words if word.name and not word.known)


def analyse(question: str, vocabulary: Vocabulary) -> Query:
    """Analyse a question against the words of the library."""
    text = mend(question, vocabulary)
    total = max(vocabulary.chunk_count(), 1)
    found: dict[str, QueryWord] = {}
    for position, span in enumerate(word_spans(text)):
        folded = fold(text[span.start : span.end])
        if folded not in STOPWORDS and folded not in found and terms(folded):
            found[folded] = _query_word(text, span, vocabulary, total, first=position == 0)
    return Query(text, tuple(found.values()))


def mend(question: str, vocabulary: Vocabulary) -> str:
    """Replace each word the library does not hold by the one it is most likely a misspelling of."""
    pieces: list[str] = []
    end = 0
    for span in word_spans(question):
        surface = question[span.start : span.end]
        correction = _correct(surface, vocabulary)
        pieces += [question[end : span.start], correction or surface]
        end = span.end
    return "".join([*pieces, question[end:]])


def looks_like_name(word: str, *, first: bool) -> bool:
    """Tell whether a word is written as names are: ``DAPO``, ``MetaLadder``, ``RWKV-7``, ``Florenz``.

    A capital letter at the beginning of a sentence (``first``) says nothing.
    """
    return is_coined(word) or (word[0].isupper() and not first and not _is_number(word))


def is_coined(word: str) -> bool:
    """Tell whether a word is written as no word of the language is: ``DAPO``, ``iPhone``, ``RWKV-7``."""
    if _is_number(word):
        return False
    return bool(_ACRONYM.match(word) or _MIXED.search(word))


def _is_number(word: str) -> bool:
    return bool(_COUNTED.match(word)) or word.replace(".", "").isdigit()


def _query_word(
    text: str, span: Span, vocabulary: Vocabulary, total: int, *, first: bool
) -> QueryWord:
    surface = text[span.start : span.end]
    found = tuple(terms(surface))
    frequencies = [vocabulary.document_frequency(term) for term in found]
    known = frequencies[-1] > 0 or (len(found) > 1 and all(frequencies[:-1]))
    return QueryWord(
        span=span,
        surface=surface,
        terms=found,
        weight=_weight(found, frequencies, total),
        known=known,
        name=looks_like_name(surface, first=first),
        asking=fold(surface) in _ASKING,
    )


def _weight(found: Sequence[str], frequencies: Sequence[int], total: int) -> float:
    """Weigh a word by its rarity: inverse document frequency, 1 for what is neither here nor there."""
    blended = [
        count + _PRIOR_CHUNKS * share
        for count, share in zip(frequencies, map(chunk_share, found), strict=True)
    ]
    # The rarest part of a compound says how rare it is; its joined form need not occur.
    rarest = min((count for count in blended if count), default=0.0)
    chunks = total + _PRIOR_CHUNKS
    return math.log(1 + chunks / (rarest + 0.5)) / math.log(1 + chunks / 0.5)


def _correct(word: str, vocabulary: Vocabulary) -> str | None:
    """Return the library's word that ``word`` is most likely a misspelling of, if it needs one."""
    folded = fold(word)
    if len(folded) < _SHORTEST_CORRECTED or not folded.isalpha() or folded in STOPWORDS:
        return None
    if any(vocabulary.document_frequency(term) for term in terms(word)):
        return None
    return _nearest(folded, vocabulary)


def _nearest(word: str, vocabulary: Vocabulary) -> str | None:
    """Find the closest word of the library, no further than typing errors go.

    Another word of the language is often as close as a misspelt one ("among" and "along"), so short
    words may only lose, gain or swap letters, and two errors are believed of long words alone.
    """
    allowed = 1 if len(word) < _SHORTEST_TWICE_CORRECTED else 2
    found = [
        (distance, candidate)
        for candidate in vocabulary.words_with_prefix(word[:allowed])
        if 0 < (distance := OSA.distance(word, candidate, score_cutoff=allowed)) <= allowed
        and not (len(word) < _SHORTEST_SUBSTITUTED and _is_substitution(word, candidate))
    ]
    return min(found)[1] if found else None


def _is_substitution(word: str, candidate: str) -> bool:
    return len(word) == len(candidate) and sorted(word) != sorted(candidate)
