"""Conversations kept in the home: one JSON file each, written whole, one writer at a time.

Two sessions that write the same conversation at once lose nothing: every change reads the file anew
under a lock. A damaged file is reported and left alone.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

from filelock import FileLock, Timeout
from pydantic import Field, StringConstraints, ValidationError

from assistant.errors import LibraryBusyError, NotFoundError, StorageError
from assistant.export import Format, render
from assistant.files import write_whole
from assistant.records import (
    Answer,
    Citation,
    CleanText,
    Paper,
    PassageRow,
    Record,
    SourceKind,
    Turn,
)
from assistant.text import clean, fold, one_line

MAX_NAME = 80
"""Characters of a conversation's name."""

MAX_COMMENT = 2_000
"""Characters of a comment on an answer."""

_LOCK_SECONDS = 10.0
_MAX_BYTES = 50_000_000
_ID = r"^[0-9a-f]{16}$"
_UNNAMED = "New conversation"
_PLACE = {"abstract": "abstract", "pdf": "full text"}

Id = Annotated[str, StringConstraints(pattern=_ID)]
Vote = Literal["up", "down"]


class Feedback(Record):
    """What a reader thought of an answer."""

    vote: Vote | None = None
    comment: Annotated[CleanText, Field(max_length=MAX_COMMENT)] = ""


class Found(PassageRow):
    """A passage that an answer could rest on, as kept; what is read from a file is clean as well."""

    title: CleanText
    section: CleanText | None
    text: CleanText


class Exchange(Record):
    """A question and what became of it; ``notes`` say what was left out, ``follow_ups`` what to ask next.

    ``text`` is what was written so far; ``answer`` is there once it is whole. Without one, ``error``
    says what failed, or else the reader stopped it.
    """

    id: Id
    question: CleanText
    asked: datetime
    papers: tuple[str, ...] = ()
    text: str = ""
    citations: tuple[Citation, ...] = ()
    standalone_question: CleanText = ""
    passages: tuple[Found, ...] = ()
    answer: Answer | None = None
    error: CleanText | None = None
    notes: tuple[CleanText, ...] = ()
    follow_ups: tuple[CleanText, ...] = ()
    feedback: Feedback = Feedback()


class Conversation(Record):
    """A conversation; an empty name means that its first question names it."""

    id: Id
    created: datetime
    updated: datetime
    name: Annotated[CleanText, Field(max_length=MAX_NAME)] = ""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def title(self) -> str:
        """What to call it."""
        first = self.exchanges[0].question if self.exchanges else ""
        return self.name or shorten(first) or _UNNAMED

    def turns(self) -> list[Turn]:
        """Return its answered exchanges as the turns that a new question follows."""
        return [
            turn
            for exchange in self.exchanges
            if exchange.answer is not None
            for turn in (
                Turn(role="user", content=exchange.question),
                Turn(role="assistant", content=exchange.answer.answer),
            )
        ]


class Entry(NamedTuple):
    """A conversation as listed; ``words`` is its folded text, to search in."""

    id: str
    title: str
    updated: datetime
    words: str


class Listing(NamedTuple):
    """The conversations, newest first, and a line for each file that cannot be read."""

    entries: tuple[Entry, ...]
    damaged: tuple[str, ...]


def new_id() -> str:
    """Return an id for a conversation or an exchange that nobody can guess."""
    return secrets.token_hex(8)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def shorten(text: str, *, most: int = 60) -> str:
    """Cut a text at a word, to ``most`` characters."""
    line = one_line(text)
    if len(line) <= most:
        return line
    head = line[: most - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[most // 2 :] else head) + "…"


class ConversationStore:
    """The conversations of one folder, which is made when the first is kept; for many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mutex = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int, int], Conversation, Entry]] = {}

    def list(self, search: str = "") -> Listing:
        """List the conversations that hold all words of ``search``, newest first."""
        wanted = fold(clean(search)).split()
        entries: list[Entry] = []
        damaged: list[str] = []
        for path in self._paths():
            try:
                entry = self._load(path)[1]
            except FileNotFoundError:
                continue  # deleted meanwhile
            except StorageError as error:
                damaged.append(str(error))
                continue
            if all(word in entry.words for word in wanted):
                entries.append(entry)
        entries.sort(key=lambda entry: entry.updated, reverse=True)
        return Listing(tuple(entries), tuple(damaged))

    def get(self, conversation_id: str) -> Conversation:
        """Return a conversation.

        Raises:
            NotFoundError: if there is none with that id.
            StorageError: if its file is damaged.
        """
        try:
            return self._load(self._path(conversation_id))[0]
        except FileNotFoundError as error:
            raise _missing() from error

    def add(self, conversation_id: str, exchange: Exchange) -> None:
        """Append an exchange; make the conversation if need be."""

        def change(old: Conversation) -> Conversation:
            exchanges = (*old.exchanges, exchange)
            return old.model_copy(update={"exchanges": exchanges, "updated": now()})

        self._change(conversation_id, change, create=True)

    def replace(self, conversation_id: str, exchange: Exchange) -> None:
        """Put an exchange in the place of the one with its id.

        Raises:
            NotFoundError: if the conversation is gone: what a reader deleted does not come back.
        """

        def change(old: Conversation) -> Conversation:
            exchanges = tuple(
                exchange if each.id == exchange.id else each for each in old.exchanges
            )
            return old.model_copy(update={"exchanges": exchanges, "updated": now()})

        self._change(conversation_id, change)

    def rename(self, conversation_id: str, name: str) -> None:
        """Name a conversation; an empty name gives it back the one of its first question."""
        short = shorten(name, most=MAX_NAME)
        self._change(conversation_id, lambda old: old.model_copy(update={"name": short}))

    def comment(self, conversation_id: str, exchange_id: str, feedback: Feedback) -> None:
        """Keep what the reader thought of an answer."""

        def change(old: Conversation) -> Conversation:
            exchanges = tuple(
                each.model_copy(update={"feedback": feedback}) if each.id == exchange_id else each
                for each in old.exchanges
            )
            return old.model_copy(update={"exchanges": exchanges})

        self._change(conversation_id, change)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation; one that is gone already is no error."""
        with self._writing():
            try:
                self._path(conversation_id).unlink(missing_ok=True)
            except OSError as error:
                raise self._unwritable(error) from error

    def _change(
        self,
        conversation_id: str,
        change: Callable[[Conversation], Conversation],
        *,
        create: bool = False,
    ) -> None:
        path = self._path(conversation_id)
        with self._writing():
            try:
                old = self._load(path)[0]
            except FileNotFoundError as error:
                if not create:
                    raise _missing() from error
                moment = now()
                old = Conversation(id=conversation_id, created=moment, updated=moment)
            write_whole(path, change(old).model_dump_json(indent=1).encode())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / ".lock", timeout=_LOCK_SECONDS)
            with lock:
                yield
        except Timeout as error:
            raise LibraryBusyError(
                "another process keeps the conversations locked: try again in a moment"
            ) from error
        except OSError as error:
            raise self._unwritable(error) from error

    def _load(self, path: Path) -> tuple[Conversation, Entry]:
        """Read a file, or remember it unchanged. Raises ``FileNotFoundError``."""
        try:
            stat = path.stat()
            state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            with self._mutex:
                known = self._known.get(path.name)
            if known is not None and known[0] == state:
                return known[1:]
            if stat.st_size > _MAX_BYTES:
                raise self._damaged(path, "it is too large")
            conversation = Conversation.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise self._damaged(path, reason or "it is damaged") from error
        if conversation.id != path.stem:
            raise self._damaged(path, "it belongs to another conversation")
        entry = _entry(conversation)
        with self._mutex:
            self._known[path.name] = (state, conversation, entry)
        return conversation, entry

    def _paths(self) -> Sequence[Path]:
        with suppress(OSError):
            return list(self._folder.glob("*.json"))
        return ()

    def _path(self, conversation_id: str) -> Path:
        """Return a conversation's file; an id is nothing that could name another folder."""
        if len(conversation_id) != 16 or not set(conversation_id) <= set("0123456789abcdef"):
            raise _missing()
        return self._folder / f"{conversation_id}.json"

    def _damaged(self, path: Path, reason: str) -> StorageError:
        return StorageError(
            f"cannot read the conversation {path}: {reason}. Move the file away or mend it"
        )

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(
            f"cannot write to {self._folder} ({error.strerror or error}): check disk and permissions"
        )


def to_json(conversation: Conversation) -> str:
    """Write a conversation as JSON."""
    return json.dumps(conversation.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"


def to_markdown(conversation: Conversation) -> str:
    """Write a conversation as Markdown: questions as headings, answers, sources with quotes."""
    parts = [f"# {_escape(conversation.title)}\n"]
    for exchange in conversation.exchanges:
        parts.append(f"## {_escape(' '.join(exchange.question.split()))}\n")
        if exchange.text:
            parts.append(f"{exchange.text}\n")
        if exchange.answer is None:
            parts.append(f"*{_escape(exchange.error or 'Stopped by the reader')}*\n")
        if exchange.citations:
            parts.append("\n".join(map(_source, exchange.citations)) + "\n")
    return "\n".join(parts)


def to_bibtex(conversation: Conversation, held: Iterable[Paper]) -> str:
    """Write the papers that a conversation cites as BibTeX, in the order in which it cites them first.

    Args:
        conversation: the conversation.
        held: the papers of the library; of one that is gone, title and address are still known.
    """
    known = {name: paper for paper in held for name in (*paper.aliases, paper.id)}
    cited: dict[str, Paper] = {}
    for exchange in conversation.exchanges:
        for each in exchange.citations:
            gone = Paper(id=each.paper_id, title=each.title, url=each.url)
            paper = known.get(each.paper_id, gone)
            cited.setdefault(paper.id, paper)
    return render(cited.values(), Format.BIBTEX)


class Placed(Protocol):
    """What stands somewhere in a paper."""

    @property
    def source(self) -> SourceKind:
        """Which of its texts."""

    @property
    def section(self) -> str | None:
        """Under which headings."""

    @property
    def page_first(self) -> int | None:
        """From which page, counted from 1."""

    @property
    def page_last(self) -> int | None:
        """To which."""


def place(cited: Placed) -> str:
    """Say where a passage stands: abstract or pages, section."""
    if cited.page_first is None:
        where = _PLACE[cited.source]
    elif cited.page_last in {None, cited.page_first}:
        where = f"p. {cited.page_first}"
    else:
        where = f"pp. {cited.page_first}–{cited.page_last}"
    return f"{where}, {cited.section}" if cited.section else where


def _source(citation: Citation) -> str:
    where = _escape(f"{citation.paper_id}, {place(citation)}")
    quote = _escape(" ".join(citation.quote.split()))
    return f"- \\[{citation.number}\\] **{_escape(citation.title)}** ({where}): “{quote}”"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|$!" else char for char in text)


def _entry(conversation: Conversation) -> Entry:
    texts = [conversation.title]
    for exchange in conversation.exchanges:
        texts += [exchange.question, exchange.text]
    return Entry(conversation.id, conversation.title, conversation.updated, fold(" ".join(texts)))


def _missing() -> NotFoundError:
    return NotFoundError("that conversation is not here: it may have been deleted")
