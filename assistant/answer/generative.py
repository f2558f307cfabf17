"""The backend that lets a language model write, from passages it is shown."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from assistant.answer import abstain
from assistant.answer.align import Embed
from assistant.answer.distil import Distilled, distil
from assistant.answer.draft import Piece, Written
from assistant.answer.evidence import weigh
from assistant.answer.extract import Assessment, assess
from assistant.answer.generate import Length, Style, generate, refuse
from assistant.answer.restate import Rewritten, rewrite_with_model
from assistant.answer.rewrite import Topic, stand_alone
from assistant.english import is_foreign
from assistant.models import TokenEmbedder
from assistant.models.chat import ChatModel
from assistant.names import NameMatcher
from assistant.query import Query, Vocabulary
from assistant.records import Passage, Turn

Evidence = Literal["passages", "distilled"]

_READ_FIRST = 3


class Generative:
    """Answers in a model's words, each sentence with citations.

    Args:
        chat: writes the answers.
        small: makes questions stand alone, and chooses evidence; may be the same.
        reader: the local embedder, which tells what is off topic.
        embed: makes unit vectors of texts, which tell what sentence carries a citation.
        vocabulary: tells which words are rare.
        find_topic: finds what a text is about, for follow-ups that ``small`` cannot make stand alone.
        secret: what the passages' keys are drawn from.
        passage_tokens: how much of the passages is shown at most.
        length: how much to write.
        style: how to write it.
        language: the answers' language, or None for that of the question.
        evidence: whether passages are shown whole, or what ``small`` chooses from them.
        workers: how many passages ``small`` chooses from at a time.
    """

    def __init__(
        self,
        chat: ChatModel,
        small: ChatModel,
        *,
        reader: TokenEmbedder,
        embed: Embed,
        vocabulary: Vocabulary,
        find_topic: Callable[[str], Topic | None],
        secret: bytes,
        passage_tokens: int,
        length: Length,
        style: Style,
        language: str | None,
        evidence: Evidence,
        workers: int,
    ) -> None:
        self._chat = chat
        self._small = small
        self._reader = reader
        self._embed = embed
        self._vocabulary = vocabulary
        self._find_topic = find_topic
        self._secret = secret
        self._passage_tokens = passage_tokens
        self._length = length
        self._style = style
        self._language = language
        self._evidence = evidence
        self._workers = workers

    @property
    def name(self) -> str:
        """The model, as ``provider:model``."""
        return self._chat.name

    def rewrite(self, question: str, history: Sequence[Turn]) -> Rewritten:
        """Let the small model make a follow-up stand alone, and take apart what asks several things.

        Where it fails, rules make it stand alone, as without a model.
        """
        found = rewrite_with_model(question, history, self._small, secret=self._secret)
        return found or Rewritten(stand_alone(question, history, find_topic=self._find_topic), ())

    def write(
        self, query: Query, passages: Sequence[Passage], *, follow_up: bool
    ) -> Iterator[Piece | Written]:
        """Let the model answer; what no passage is about is refused without asking it.

        Of a question in another language than English only a model can tell.
        """
        is_open = follow_up or is_foreign(query.text)
        beside = None if is_open else self._why_off_topic(query, passages)
        if beside is not None:
            yield from refuse(beside, self.name)
            return
        shown = self._choose(query.text, passages)
        if passages and not shown.passages:
            reason = f"None of the {len(passages)} passages found is on the question."
            yield from refuse(reason, self.name)
            return
        yield from generate(
            query.text,
            shown.passages,
            self._chat,
            budget=self._passage_tokens,
            length=self._length,
            style=self._style,
            language=self._language,
            embed=self._embed,
            secret=self._secret,
            excerpts=shown.excerpts,
            notes=shown.notes,
        )

    def _why_off_topic(self, query: Query, passages: Sequence[Passage]) -> str | None:
        """Say why no model need be asked; None where passages are about what the question names or asks.

        The first passages mostly tell; only if they don't are all of them read, which takes longer.
        """
        names = NameMatcher(query, self._vocabulary)
        if any(names.names_of(each.title, each.chunk.text) for each in passages):
            return None
        found: Assessment | None = None
        for read in (passages[:_READ_FIRST], passages):
            weighed = weigh(query, read, self._reader)
            found = assess(query, weighed, self._vocabulary, None)
            if found and not abstain.is_off_topic(found.signals, named=found.named):
                return None
        return abstain.reason(query, found.evidence if found else (), named=False)

    def _choose(self, question: str, passages: Sequence[Passage]) -> Distilled:
        if self._evidence == "passages":
            return Distilled(tuple(passages), {}, ())
        return distil(question, passages, self._small, workers=self._workers, secret=self._secret)
