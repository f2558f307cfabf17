"""The backend that lets a language model write, from passages it is shown."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from assistant.answer import abstain, evidence
from assistant.answer.citations import escape_markdown
from assistant.answer.draft import REFUSAL, Piece, Written
from assistant.answer.extract import assess
from assistant.answer.generate import Length, generate
from assistant.answer.restate import Rewritten, rewrite_with_model
from assistant.models import Array, TokenEmbedder
from assistant.models.chat import NO_USAGE, ChatModel
from assistant.query import Query, Vocabulary
from assistant.records import Passage, Turn


class Reader(TokenEmbedder, Protocol):
    """The local embedder: it tells what is off topic, and which sentence carries a citation."""

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed whole texts."""


class Generative:
    """Answers in a model's words, each sentence with citations.

    Args:
        chat: writes the answers.
        small: makes questions stand alone; may be the same.
        reader: the local embedder.
        vocabulary: tells which words are rare.
        secret: what the passages' keys are drawn from.
        passage_tokens: how much of the passages is shown at most.
        length: how much to write.
        language: the answers' language, or None for that of the question.
    """

    def __init__(
        self,
        chat: ChatModel,
        small: ChatModel,
        *,
        reader: Reader,
        vocabulary: Vocabulary,
        secret: bytes,
        passage_tokens: int,
        length: Length,
        language: str | None,
    ) -> None:
        self._chat = chat
        self._small = small
        self._reader = reader
        self._vocabulary = vocabulary
        self._secret = secret
        self._passage_tokens = passage_tokens
        self._length = length
        self._language = language

    @property
    def name(self) -> str:
        """The model, as ``provider:model``."""
        return self._chat.name

    def rewrite(self, question: str, history: Sequence[Turn]) -> Rewritten:
        """Let the small model make a follow-up stand alone, and take apart what asks several things."""
        return rewrite_with_model(question, history, self._small, secret=self._secret)

    def write(
        self, query: Query, passages: Sequence[Passage], *, follow_up: bool
    ) -> Iterator[Piece | Written]:
        """Let the model answer; what no passage is about is refused without asking it."""
        weighed = evidence.weigh(query, passages, self._reader)
        found = assess(query, weighed, self._vocabulary)
        off_topic = found is None or abstain.is_off_topic(found.signals, named=found.named)
        if off_topic and not follow_up:
            reason = abstain.reason(query, found.evidence if found else (), named=False)
            text = f"{REFUSAL} {escape_markdown(reason)}"
            yield Piece(text, None)
            yield Written(text, (), (), reason, NO_USAGE, self.name)
            return
        yield from generate(
            query.text,
            passages,
            self._chat,
            budget=self._passage_tokens,
            length=self._length,
            language=self._language,
            embed=self._reader.embed,
            secret=self._secret,
        )
