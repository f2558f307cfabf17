"""One question answered: with which backend and checker, and what it takes booked."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from assistant.answer import extractive, rewrite
from assistant.answer.evidence import prefix
from assistant.answer.generative import Generative
from assistant.asking import Asker, Backend
from assistant.errors import AssistantError
from assistant.library.language_models import LanguageModels
from assistant.library.parts import Parts
from assistant.library.search import MAX_QUESTION, Search
from assistant.models.meter import Meter
from assistant.models.stop import Stop
from assistant.names import NameMatcher, short_title
from assistant.query import Query
from assistant.records import Event, Passage, Turn

_PROMPT_TOKENS = 1_500
"""What a question takes at most beside its passages, to check budgets with."""

_TOPIC_PASSAGES = 4


class Answering:
    """Answers questions from a library."""

    def __init__(self, parts: Parts, models: LanguageModels, search: Search) -> None:
        self._parts = parts
        self._models = models
        self._search = search

    def begin_loading(self) -> None:
        """Load models in the background: mostly outside Python, so that the store can open meanwhile."""
        _in_background(self._parts.reader.load)
        _in_background(self._parts.answer_head.load)
        if self._models.wanted:
            _in_background(self._models.chat.load)

    def read_ahead(self, stop: Stop) -> None:
        """Read the newest papers' abstracts, which questions then find read.

        Raises:
            StoppedError: when it is stopped.
        """
        if not self._models.wanted:  # a model reads for itself
            self._parts.remembering_reader.read_ahead(self._abstracts(stop))

    def _abstracts(self, stop: Stop) -> Iterator[str]:
        """Yield abstracts as they are read for a question, those of the newest papers first."""
        store = self._parts.store
        for paper in reversed(store.papers()):
            stop.sleep(0)
            for chunk in store.paper_chunks(paper.id):
                if chunk.source == "abstract":
                    yield prefix(paper.title, chunk) + chunk.text

    def ask(
        self,
        question: str,
        history: Sequence[Turn],
        *,
        papers: Sequence[str] | None,
        stop: Stop | None,
    ) -> Iterator[Event]:
        """Answer a checked question from all papers or those with these ids; see :meth:`Library.ask`."""
        meter = self._models.meter(stop)
        one_paper = papers is not None and len(papers) == 1
        asker = Asker(
            analyse=self._search.analyse,
            find=partial(self._search.find, papers=papers),
            backend=self._backend(papers, meter, one_paper=one_paper),
            checker=self._models.checker(meter.watch, meter.stop),
            verify=self._parts.settings.verify,
            one_paper=one_paper,
            meter=meter,
        )
        return self._asked(asker, question, history)

    def _asked(self, asker: Asker, question: str, history: Sequence[Turn]) -> Iterator[Event]:
        try:
            yield from asker.ask(question, history)
        finally:  # what was taken until it was stopped is taken
            self._models.book(asker.meter.totals)

    def _backend(self, papers: Sequence[str] | None, meter: Meter, *, one_paper: bool) -> Backend:
        parts, settings = self._parts, self._parts.settings
        find_topic = partial(self._find_topic, papers=papers)
        if not self._models.wanted:
            return extractive.Extractive(
                reader=parts.remembering_reader,
                head=parts.answer_head,
                vocabulary=parts.store,
                find_topic=find_topic,
                one_paper=one_paper,
            )
        meter.keep_for_answer(settings.llm, input_tokens=settings.passage_tokens + _PROMPT_TOKENS)
        return Generative(
            meter.watch(self._models.chat),
            meter.watch(self._models.small_chat),
            reader=parts.remembering_reader,
            embed=parts.reader.embed,
            vocabulary=parts.store,
            find_topic=find_topic,
            secret=parts.secret,
            passage_tokens=settings.passage_tokens,
            length=settings.answer_length,
            style=settings.answer_style,
            language=settings.answer_language,
            evidence=settings.evidence,
            workers=settings.llm_concurrency,
        )

    def _find_topic(self, text: str, papers: Sequence[str] | None) -> rewrite.Topic | None:
        """Find the papers a text names, or the one it fits best."""
        query = self._search.analyse(text[:MAX_QUESTION])
        passages = self._search.find(query, limit=_TOPIC_PASSAGES, per_paper=1, papers=papers)
        if not passages:
            return None
        names = NameMatcher(query, self._parts.store)
        found = [(each, names.names_of(each.title, each.chunk.text)) for each in passages]
        named: list[Passage] = [each for each, mentions in found if mentions] or passages[:1]
        return rewrite.Topic(
            names=tuple(short_title(passage.title) for passage in named),
            mentions=tuple({word.surface for _, mentions in found for word in mentions}),
            score=passages[0].score,
            strange=_strange(query),
        )


def _strange(query: Query) -> float:
    """Return the share of a question's content, by weight, that no paper of the library holds."""
    words = [word for word in query.words if not word.asking]
    whole = sum(word.weight for word in words)
    return sum(word.weight for word in words if not word.known) / whole if whole else 0.0


def _in_background(load: Callable[[], None]) -> None:
    """Load a model; who needs it next will be told what failed.

    The process ends when it is loaded, not before: torn off in the middle, ONNX Runtime aborts it.
    """

    def run() -> None:
        with suppress(AssistantError):
            load()

    threading.Thread(target=run).start()
