"""Follow-up questions into questions that stand alone, without a model."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from assistant.records import Turn
from assistant.text import STOPWORDS, fold, words

_WORK = (
    r"(?:paper|work|study|article|model|method|system|approach|framework|benchmark|dataset|library"
    r"|algorithm|technique|tool|survey|one)"
)
_POSSESSIVE = re.compile(r"\b(?:its|their|whose)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    rf"\b(?:it|they|them|(?:this|that|the same|said) {_WORK}|(?:these|those|both|the two) {_WORK}s)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    rf"\b(?:the (?:paper|work|study|authors?|{_WORK})|the others?|this|these|those|he|she|that(?=\W*$)"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )there(?! (?:is|are|was|were)\b))\b",
    re.IGNORECASE,
)
_CONTINUING = re.compile(r"^\s*(?:and|but|so|or|also|then|ok(?:ay)?|thanks)\b[\s,]*", re.IGNORECASE)
_ELLIPSIS = re.compile(
    r"^\s*(?:and|but|or|so)?[\s,]*(?:what about|how about|and|what of|same for|also)\b",
    re.IGNORECASE,
)
_BELONGING = re.compile(
    r"\b(?:the|any) (?:(?:source|training|evaluation) )?(?:code|data|weights|checkpoints?|implementation"
    r"|repo(?:sitory)?|results?|experiments?|evaluation|training|baselines?|hyper-?parameters?"
    r"|limitations?|abstract|licen[cs]e)\b",
    re.IGNORECASE,
)
"""What a paper has: asked without a name, it is the last paper's."""
_GENERAL = re.compile(
    r"\b(?:papers|works|studies|articles|anything else|which (?:paper|work|study|article))\b",
    re.IGNORECASE,
)
_TURNING = re.compile(
    r"\b(?:something else|another (?:topic|question|subject)|new topic)\b", re.IGNORECASE
)
_FEW_WORDS = 3
_INDEPENDENT_SCORE = 1.0
_STRANGE = 0.65


class Topic(NamedTuple):
    """What a text is about: the short names of papers, best first, and how well the first fits.

    ``mentions`` are the words of the text that name them; empty where they merely fit it. ``strange`` is
    the share in [0, 1] of its content, by weight, that no paper holds.
    """

    names: tuple[str, ...]
    mentions: tuple[str, ...]
    score: float
    strange: float = 0.0

    @property
    def named(self) -> bool:
        """Whether the text names its papers."""
        return bool(self.mentions)

    @property
    def label(self) -> str:
        """The names as they can stand in a sentence."""
        return " and ".join(self.names)


def stand_alone(
    question: str, history: Sequence[Turn], *, find_topic: Callable[[str], Topic | None]
) -> str:
    """Rewrite a follow-up so that it can be understood without the conversation.

    Pronouns are replaced by the name of the paper the last exchange was about; an elliptical question
    ("and PyGDA?") takes over the last question with the new name; a question that depends on the
    exchange without saying so gets the name in brackets. Others stay as they are.

    Args:
        question: the question as asked.
        history: earlier turns, oldest first.
        find_topic: finds what a text is about in the library, or None.
    """
    previous = _last(history, "user")
    if previous is None:
        return question
    own = find_topic(question)
    pointing = any(pattern.search(question) for pattern in (_POSSESSIVE, _PRONOUN))
    if own is not None and own.named and not pointing:
        return _take_over(question, previous, own, find_topic)
    if _is_independent(question, own, pointing=pointing):
        return question
    topic = _topic_of_exchange(history, find_topic)
    if topic is None:
        return question
    return _with_topic(_CONTINUING.sub("", question), topic.label)


def _is_independent(question: str, own: Topic | None, *, pointing: bool) -> bool:
    if _TURNING.search(question):
        return True
    if pointing or any(each.search(question) for each in (_CONTINUING, _ELLIPSIS, _POINTING)):
        return False
    if _GENERAL.search(question):
        return True
    # Nothing says that it depends on the exchange, and most of it is about what no paper mentions.
    if own is not None and own.strange >= _STRANGE:
        return True
    fits = own is not None and own.score >= _INDEPENDENT_SCORE
    return fits and not _BELONGING.search(question)


def _take_over(
    question: str, previous: Turn, own: Topic, find_topic: Callable[[str], Topic | None]
) -> str:
    """Put a newly named paper into the last question, if the new question is no more than its name."""
    named = {fold(word) for name in own.names for word in words(name)}
    rest = [word for word in words(question) if fold(word) not in STOPWORDS | named]
    if not _ELLIPSIS.search(question) or len(rest) > _FEW_WORDS:
        return question
    before = find_topic(previous.content)
    if before is None or not before.named:
        return _append(previous.content, own.label)
    mentioned = "|".join(map(re.escape, sorted(before.mentions, key=len, reverse=True)))
    pattern = rf"(?<!\w)(?:{mentioned})(?!\w)"
    first, *others = re.split(pattern, previous.content, flags=re.IGNORECASE)
    if not others:
        return _append(previous.content, own.label)
    return f"{first}{own.label}{''.join(others)}"


def _topic_of_exchange(
    history: Sequence[Turn], find_topic: Callable[[str], Topic | None]
) -> Topic | None:
    """Find what the last exchange is about: what its user named, or the one before, else what it fits."""
    asked = [turn.content for turn in history if turn.role == "user"]
    for question in asked[:-3:-1]:
        topic = find_topic(question)
        if topic is not None and topic.named:
            return topic
    topic = find_topic(" ".join(turn.content for turn in history[-2:]))
    return topic._replace(names=topic.names[:1]) if topic is not None else None


def _with_topic(question: str, label: str) -> str:
    for pattern, replacement in ((_PRONOUN, label), (_POSSESSIVE, f"{label}'s")):
        replaced = pattern.sub(lambda _match, text=replacement: text, question, count=1)  # type: ignore[misc]
        if replaced != question:
            return replaced
    return _append(question, label)


def _append(question: str, label: str) -> str:
    body = question.rstrip().rstrip("?").rstrip()
    return f"{body} ({label})?"


def _last(history: Sequence[Turn], role: str) -> Turn | None:
    return next((turn for turn in reversed(history) if turn.role == role), None)
