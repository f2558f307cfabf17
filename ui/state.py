"""What every page needs: settings, the library they name, conversations and jobs; one each per process."""

import atexit
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from assistant.config import Settings, load_settings, read_dotenv
from assistant.conversations import ConversationStore
from assistant.errors import AssistantError
from assistant.library import Library, Stop
from assistant.records import Paper
from assistant.tags import TagStore
from eval.analysis.votes import FILE, VoteStore
from ui import login, uploads
from ui.jobs import Jobs

EXTRACTIVE = "extractive"
"""The backend that is always there."""

_SECONDS, _MINUTE = 10.0, 60.0
_LEAVING = 5.0  # seconds


def settings() -> Settings:
    """Read the settings anew. Raises ``SettingsError``."""
    read_dotenv()
    return load_settings({}, os.environ)


def library(llm: str | None = None) -> Library:
    """Return the library, shared by all sessions; with another backend for answers if one is named."""
    named = settings().model_dump_json()
    return _library(named) if llm is None else _library_with(named, llm)


def warm_up() -> None:
    """Begin to load what the next question takes, once until papers are added."""
    _warm_up(settings().model_dump_json(), jobs().finished)


def backends() -> list[str]:
    """Name the backends for answers that the settings know, the one in use first."""
    found = settings()
    named = (found.llm, found.llm_small, found.llm_fallback, EXTRACTIVE)
    return list(dict.fromkeys(name for name in named if name is not None))


def problems() -> Mapping[str, str]:
    """Ask the language models that the settings know for a word; return those that fail, with the reason.

    For a minute the answers hold.
    """
    return _problems(settings().model_dump_json(), tuple(backends()))


def forget_problems() -> None:
    """Ask the language models anew next time."""
    _problems.clear()


def conversations() -> ConversationStore:
    """Return the conversations: of whoever is logged in, or else shared by all sessions."""
    found = settings()
    return _conversations(str(found.home / login.folder(found) / "conversations"))


def votes() -> VoteStore:
    """Return the votes on answers: of whoever is logged in, or else shared by all sessions."""
    found = settings()
    return VoteStore(found.home / login.folder(found) / FILE)


def tags() -> TagStore:
    """Return the tags, shared by all sessions."""
    return _tags(str(settings().home / "tags.json"))


def jobs() -> Jobs:
    """Return the jobs of this home, shared by all sessions."""
    return _jobs(str(settings().home))


def papers() -> list[Paper]:
    """List the papers; what another process adds shows after some seconds."""
    return _papers(settings().model_dump_json(), jobs().finished)


def chunk_counts() -> Mapping[str, int]:
    """Count the chunks of each paper."""
    return _chunk_counts(settings().model_dump_json(), jobs().finished)


def forget_papers() -> None:
    """List the papers anew next time."""
    _papers.clear()
    _chunk_counts.clear()


@st.cache_resource(show_spinner=False)
def _library(named: str) -> Library:
    return Library(Settings.model_validate_json(named))


@st.cache_resource(show_spinner="Asking the models…", ttl=_MINUTE)
def _problems(named: str, llms: tuple[str, ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    models = [llm for llm in llms if llm != EXTRACTIVE]
    for llm in models:
        try:
            (checked,) = _library(named).check_models([llm])
        except AssistantError as error:
            found[llm] = str(error)
            continue
        if checked.problem is not None:
            found[llm] = checked.problem
    return found


@st.cache_resource(show_spinner=False)
def _library_with(named: str, llm: str) -> Library:
    return _library(named).with_llm(llm)


@st.cache_resource(show_spinner=False)
def _warm_up(named: str, finished: int) -> None:
    del finished
    stop = Stop()
    work = threading.Thread(target=_library(named).warm_up, args=(stop,), daemon=True)
    work.start()
    atexit.register(_end, stop, work)


def _end(stop: Stop, work: threading.Thread) -> None:
    """Let a thread end before the interpreter does, which would abort the process while it still reads."""
    stop.set()
    work.join(_LEAVING)


@st.cache_resource(show_spinner=False)
def _conversations(folder: str) -> ConversationStore:
    return ConversationStore(Path(folder))


@st.cache_resource(show_spinner=False)
def _tags(path: str) -> TagStore:
    return TagStore(Path(path))


@st.cache_resource(show_spinner=False)
def _jobs(home: str) -> Jobs:
    uploads.sweep(Path(home) / uploads.FOLDER)
    return Jobs()


@st.cache_resource(show_spinner=False, ttl=_SECONDS)
def _chunk_counts(named: str, finished: int) -> Mapping[str, int]:
    del finished
    return _library(named).chunk_counts()


@st.cache_resource(show_spinner=False, ttl=_SECONDS)
def _papers(named: str, finished: int) -> list[Paper]:
    del finished  # a job that ended may have added some
    return _library(named).papers()
