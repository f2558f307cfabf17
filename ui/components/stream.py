"""An answer as it comes, word by word."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import NamedTuple

from streamlit.delta_generator import DeltaGenerator

from assistant.conversations import ConversationStore, Exchange, Found
from assistant.errors import AssistantError
from assistant.followups import follow_ups
from assistant.library import Library, Stop
from assistant.records import (
    AnswerDone,
    AnswerText,
    Citation,
    Cited,
    Event,
    Passage,
    PassagesFound,
    QuestionRewritten,
    Turn,
)
from ui.components import answer

_POLL = 0.25  # seconds between two looks at whether the reader stopped the answer
_FRAME = 0.1  # seconds between two redraws of a growing answer
_AHEAD = 4  # pages


class Coming:
    """An answer that comes once, word by word; what came is kept, also if the reader stops it."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        library: Library,
        history: Sequence[Turn],
        store: ConversationStore,
        into: str,
    ) -> None:
        self._growing = _Growing(exchange, history)
        self._library = library
        self._history = history
        self._store = store
        self._into = into
        self._begun = False

    @property
    def exchange(self) -> Exchange:
        """The question, and what has come so far."""
        return self._growing.exchange

    def draw(self, slot: DeltaGenerator) -> Exchange:
        """Draw the words into ``slot`` as they come; return what was kept, at once if it has come already."""
        growing = self._growing
        if self._begun:
            return growing.exchange
        self._begun = True
        events = _Events(self._library, growing.exchange, self._history)
        try:
            self._store.replace(self._into, growing.exchange)
            _draw_as_they_come(events, growing, slot)
        except AssistantError as error:
            growing.fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the page must say it
            growing.fail(f"unexpected {type(error).__name__}: {error}")
        finally:
            events.close()
            growing.exchange = keep(self._store, self._into, growing.exchange)
        _draw_ahead(self._library, growing.exchange.citations)
        return growing.exchange


def keep(store: ConversationStore, into: str, exchange: Exchange) -> Exchange:
    """Keep an exchange; return it, with a note where that failed: the answer is worth showing anyway."""
    try:
        store.replace(into, exchange)
    except AssistantError as error:
        return exchange.model_copy(update={"notes": (*exchange.notes, f"not kept: {error}")})
    return exchange


def _draw_as_they_come(events: "_Events", growing: "_Growing", slot: DeltaGenerator) -> None:
    slot.caption(f":material/search: {growing.status}")
    drawn = time.monotonic()
    for event in events:
        if event is not None:
            growing.take(event)
        # Drawing is also where Streamlit notices that the reader pressed Stop.
        is_due = time.monotonic() - drawn >= _FRAME or (not growing.shown and events.are_awaited)
        if event is None or is_due:
            growing.draw(slot)
            drawn = time.monotonic()


def _draw_ahead(library: Library, citations: Sequence[Citation]) -> None:
    """Draw the pages cited first, so that they are there when their chips are chosen."""
    wanted = [each for each in citations if each.page_first is not None][:_AHEAD]

    def draw() -> None:
        for each in wanted:
            with suppress(AssistantError):  # who opens the source will be told
                library.page_image(each.paper_id, each.page_first or 1, boxes=each.boxes)

    if wanted:
        threading.Thread(target=draw, daemon=True, name="draw-ahead").start()


class _Growing:
    """An exchange while its answer comes."""

    def __init__(self, exchange: Exchange, history: Sequence[Turn]) -> None:
        self.exchange = exchange
        self._asked = [turn.content for turn in history if turn.role == "user"]
        self._passages: Sequence[Passage] = ()
        self.status = "Searching the papers…"
        self.shown = False

    def take(self, event: Event) -> None:
        """Take in what came."""
        exchange = self.exchange
        match event:
            case QuestionRewritten():
                self._update(standalone_question=event.standalone_question)
            case PassagesFound():
                self._passages = event.passages
                self._update(passages=tuple(map(Found.of, event.passages)))
                self.status = f"Reading {len(event.passages)} passages…"
            case AnswerText():
                self._update(text=exchange.text + event.text)
            case Cited():
                self._update(citations=(*exchange.citations, event.citation))
            case AnswerDone():
                done = event.answer
                self._update(
                    answer=done,
                    text=done.answer,
                    citations=done.citations,
                    notes=event.notes,
                    follow_ups=follow_ups(done, self._passages, asked=self._asked),
                )
            case _:
                self.status = "Checking the claims…"

    def fail(self, message: str) -> None:
        """Note what went wrong."""
        self._update(error=message)

    def draw(self, slot: DeltaGenerator) -> None:
        """Show what is there."""
        if self.exchange.text:
            self.shown = True
            slot.markdown(answer.markdown(self.exchange))
        else:
            slot.caption(f":material/search: {self.status}")

    def _update(self, **changes: object) -> None:
        self.exchange = self.exchange.model_copy(update=changes)


class _Failed(NamedTuple):
    error: Exception


class _Events:
    """The events of an answer, read in a thread; None where nothing came for a moment.

    A model that hangs would otherwise keep the page from noticing that the reader stopped it.
    """

    def __init__(self, library: Library, exchange: Exchange, history: Sequence[Turn]) -> None:
        self._queue: queue.SimpleQueue[Event | _Failed | None] = queue.SimpleQueue()
        self._stop = Stop()
        work = (library, exchange, history)
        threading.Thread(target=self._read, args=work, daemon=True, name="answer").start()

    def __iter__(self) -> Iterator[Event | None]:
        while True:
            try:
                event = self._queue.get(timeout=_POLL)
            except queue.Empty:
                yield None
                continue
            if isinstance(event, _Failed):
                raise event.error
            if event is None:
                return
            yield event

    @property
    def are_awaited(self) -> bool:
        """Whether the next one is yet to come."""
        return self._queue.empty()

    def close(self) -> None:
        """End what models are asked, and the thread with the next event."""
        self._stop.set()

    def _read(self, library: Library, exchange: Exchange, history: Sequence[Turn]) -> None:
        try:
            events = library.ask(
                exchange.question,
                history=history,
                papers=exchange.papers or None,
                stop=self._stop,
            )
            with closing(events):  # type: ignore[type-var]  # a generator, declared as an iterator
                for event in events:
                    self._queue.put(event)
                    self._stop.sleep(0)
        except Exception as error:  # noqa: BLE001 - it is raised again where the page waits
            self._queue.put(_Failed(error))
        self._queue.put(None)
