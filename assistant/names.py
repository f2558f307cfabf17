"""Names: the words of a question that single out papers."""

import re
from collections.abc import Collection, Iterable
from functools import cached_property

from assistant.english import chunk_share
from assistant.query import Query, QueryWord, Vocabulary
from assistant.text import terms

_NAME_WORDS = 3
_RARE = 4
"""A word in this many chunks at most can stand for the papers that hold it."""
_SHORT_TITLE_WORDS = 6
_MARKS = ".-_+'’"
_MARK = f"[{re.escape(_MARKS)}]"


class NameMatcher:
    """Finds a question's names in papers."""

    def __init__(self, query: Query, vocabulary: Vocabulary) -> None:
        self._words = [
            (word, is_rare)
            for word in query.words
            if word.known
            and not word.asking
            and ((is_rare := _is_rare(word, vocabulary)) or word.name or _is_coined(word))
        ]

    def weigh(self, title: str, text: str) -> float:
        """Add up the weight of names: in full if the paper is named so, half if its text has them."""
        if not self._words:
            return 0.0
        named, body = _name_terms(title), _Body(text)
        total = 0.0
        for word, _ in self._words:
            if _is_held(word, named):
                total += word.weight
            elif word.name and body.mentions(word):
                total += word.weight / 2
        return total

    def calls(self, title: str) -> bool:
        """Tell whether the question calls a paper by the whole name its title gives it."""
        return _name(title) in self.terms

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The terms by which papers may be called."""
        return tuple(dict.fromkeys(word.terms[-1] for word, _ in self._words))

    def uncalled(self, titles: Iterable[str]) -> tuple[str, ...]:
        """Return the terms by which no paper of these titles is called."""
        called = set(map(_name, titles))
        return tuple(term for term in self.terms if term not in called)

    def names_of(self, title: str, text: str) -> tuple[QueryWord, ...]:
        """Return the rare words that name the paper, or that are written as names and in its text.

        The full text of one paper holds its own name many times, which makes it no less a name: whoever
        calls the paper by the whole of it means that paper.
        """
        named, name, body = _name_terms(title), _name(title), _Body(text)
        return tuple(
            word
            for word, is_rare in self._words
            if word.terms[-1] == name
            or (is_rare and (_is_held(word, named) or (word.name and body.mentions(word))))
        )


class _Body:
    """A text to look for words in; most can be told to be there, or not, without analysing it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lower = text.lower()

    def mentions(self, word: QueryWord) -> bool:
        """Tell whether the text holds a word, in whatever form."""
        written = re.escape(word.surface.lower())
        # What stands before it is asked last, so that the search is one for plain letters.
        alone = rf"(?!{_MARK}?[^\W_])(?<![^\W_]{written})(?<![^\W_]{_MARK}{written})"
        if re.search(written + alone, self._lower):
            return True
        if self._text.isascii() and any(_root(part) not in self._letters for part in _parts(word)):
            return False
        return _is_held(word, self._terms)

    @cached_property
    def _letters(self) -> str:
        letters = self._lower
        for mark in _MARKS:
            letters = letters.replace(mark, "")
        return letters

    @cached_property
    def _terms(self) -> set[str]:
        return set(terms(self._text))


def _name_terms(title: str) -> set[str]:
    """Return the terms of the name a title gives its paper: a few words before a colon."""
    name, colon, _ = title.partition(":")
    return set(terms(name)) if colon and len(name.split()) <= _NAME_WORDS else set()


def _name(title: str) -> str | None:
    """Return the whole name a title gives its paper as one term; small capitals may have come apart."""
    if not _name_terms(title):
        return None
    joined = terms("".join(title.partition(":")[0].split()))
    return joined[-1] if joined else None


def _is_rare(word: QueryWord, vocabulary: Vocabulary) -> bool:
    # The joined form of a compound need not occur: "RL-trained" is as rare as "rl", not rarer.
    frequencies = map(vocabulary.document_frequency, word.terms)
    return min((count for count in frequencies if count), default=0) <= _RARE


def _is_coined(word: QueryWord) -> bool:
    """Tell whether English at large has no such word, however it is written: ``dapo``."""
    return not chunk_share(word.terms[-1])


def _is_held(word: QueryWord, held: Collection[str]) -> bool:
    return word.terms[-1] in held or all(part in held for part in _parts(word))


def _parts(word: QueryWord) -> tuple[str, ...]:
    return word.terms[:-1] or word.terms


def _root(stem: str) -> str:
    """Return what all words of a stem begin with (but dying and what rhymes with it)."""
    return stem[:-1] if stem.endswith(("e", "i", "y", "bl")) else stem


def short_title(title: str) -> str:
    """Return what a paper is called in a sentence or a table: its title up to a colon, if that is short."""
    head = title.partition(":")[0]
    return head if len(head.split()) <= _SHORT_TITLE_WORDS else title
