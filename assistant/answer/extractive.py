"""The backend that needs no model: it quotes the sentences that answer."""

from collections.abc import Callable, Iterator, Sequence

from assistant.answer import draft, evidence, extract, rewrite
from assistant.answer.draft import Piece, Written
from assistant.answer.restate import Rewritten
from assistant.models import TokenEmbedder
from assistant.models.answer_head import AnswerHead
from assistant.query import Query, Vocabulary
from assistant.records import Passage, Turn

NAME = "extractive"


class Extractive:
    """Answers in sentences quoted from the papers."""

    name = NAME

    def __init__(
        self,
        *,
        reader: TokenEmbedder,
        head: AnswerHead,
        vocabulary: Vocabulary,
        find_topic: Callable[[str], rewrite.Topic | None],
        one_paper: bool,
    ) -> None:
        self._reader = reader
        self._head = head
        self._vocabulary = vocabulary
        self._find_topic = find_topic
        self._one_paper = one_paper

    def rewrite(self, question: str, history: Sequence[Turn]) -> Rewritten:
        """Make a follow-up stand alone."""
        standalone = rewrite.stand_alone(question, history, find_topic=self._find_topic)
        return Rewritten(standalone, ())

    def write(
        self, query: Query, passages: Sequence[Passage], *, follow_up: bool
    ) -> Iterator[Piece | Written]:
        """Quote what answers, or refuse."""
        weighed = evidence.weigh(query, passages, self._reader)
        found = extract.extract(
            query,
            weighed,
            self._vocabulary,
            self._head,
            follow_up=follow_up,
            one_paper=self._one_paper,
        )
        drafted = draft.draft(found)
        yield from drafted.pieces
        yield Written(
            text=drafted.text,
            citations=drafted.citations,
            claims=drafted.claims,
            refusal=found.refusal,
            model=NAME,
        )
