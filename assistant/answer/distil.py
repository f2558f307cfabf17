"""Evidence chosen by a small model: which passages matter, and which of their sentences.

What is shown on is the source's own text: a sentence counts only if the passage has it to the letter.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from pydantic import Field

from assistant.errors import BudgetError, ModelUnavailableError
from assistant.models.chat import ChatModel
from assistant.models.form import Form
from assistant.models.parallel import in_parallel
from assistant.models.request import request
from assistant.models.stop import Stop
from assistant.records import Passage
from assistant.text import Span, sentences
from assistant.verbatim import locate

RELEVANT = 3
"""The relevance, of 10, below which a passage is left out."""

_GAP = " … "


class Distilled(NamedTuple):
    """Passages that matter, the most relevant first, and by their chunk's id what is to be shown of each.

    ``notes`` are lines for the user about what was left out or could not be chosen from.
    """

    passages: tuple[Passage, ...]
    excerpts: dict[str, str]
    notes: tuple[str, ...]


class _Reply(Form):
    """What the model is asked to fill in."""

    relevance: float = Field(description="from 0 (not at all) to 10 (says exactly what is asked)")
    sentences: list[str] = Field(description="sentences of the passage that help, copied exactly")


class _Weighed(NamedTuple):
    """A passage, its relevance, and what is to be shown of it; or why the model did not say."""

    passage: Passage
    relevance: float
    excerpt: str
    failure: str | None = None


def distil(
    question: str, passages: Sequence[Passage], chat: ChatModel, *, workers: int, secret: bytes
) -> Distilled:
    """Let a model choose from each passage by itself, several at a time; one that it fails on stays whole.

    Args:
        question: the question, standing alone.
        passages: passages, best first.
        chat: a small model will do.
        workers: how many passages at a time.
        secret: what the marks around the texts are drawn from.

    Raises:
        SettingsError: if the model's package, key or name are missing.
    """
    weigh = partial(_weigh, question, chat, secret)
    weighed = list(in_parallel(weigh, passages, workers=workers))
    kept = sorted(
        (each for each in weighed if each.failure is not None or each.relevance >= RELEVANT),
        key=lambda each: (-each.relevance, each.passage.rank),
    )
    return Distilled(
        passages=tuple(each.passage for each in kept),
        excerpts={each.passage.chunk.id: each.excerpt for each in kept},
        notes=tuple(_notes(weighed, kept)),
    )


def _weigh(question: str, chat: ChatModel, secret: bytes, passage: Passage, stop: Stop) -> _Weighed:
    text = passage.chunk.text
    shown = f"{passage.title}\n{text}"
    messages = request("evidence", {"question": question, "passage": shown}, secret=secret)
    try:
        reply = chat.structured(messages, _Reply, stop=stop).value
    except (ModelUnavailableError, BudgetError) as error:
        return _Weighed(passage, RELEVANT, text, str(error))
    return _Weighed(passage, reply.relevance, _excerpt(reply.sentences, text))


def _excerpt(quotes: Iterable[str], text: str) -> str:
    """Join the whole sentences of a text in which quotes stand; the whole text if none does."""
    found = [span for quote in quotes if (span := locate(quote, text)) is not None]
    chosen = [
        each
        for each in sentences(text)
        if any(span.start < each.end and each.start < span.end for span in found)
    ]
    if not chosen:
        return text
    runs: list[Span] = []
    for span in chosen:
        if runs and not text[runs[-1].end : span.start].strip():
            runs[-1] = Span(runs[-1].start, span.end)
        else:
            runs.append(span)
    return _GAP.join(text[slice(*run)] for run in runs)


def _notes(weighed: Sequence[_Weighed], kept: Sequence[_Weighed]) -> Iterable[str]:
    failures = [each.failure for each in weighed if each.failure is not None]
    if failures:
        yield f"{len(failures)} of {len(weighed)} passages are shown whole: {failures[0]}"
    if kept and len(kept) < len(weighed):
        yield f"{len(weighed) - len(kept)} of {len(weighed)} passages were left out as beside the question"
