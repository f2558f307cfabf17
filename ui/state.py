"""What every page needs: settings, the library they name, conversations and jobs; one each per process."""

import os

import streamlit as st

from assistant.config import Settings, load_settings, read_dotenv
from assistant.conversations import ConversationStore
from assistant.library import Library
from assistant.records import Paper
from ui.jobs import Jobs

_SECONDS = 10.0


def settings() -> Settings:
    """Read the settings anew. Raises ``SettingsError``."""
    read_dotenv()
    return load_settings({}, os.environ)


def library() -> Library:
    """Return the library, shared by all sessions."""
    return _library(settings().model_dump_json())


def conversations() -> ConversationStore:
    """Return the conversations, shared by all sessions."""
    return _conversations(str(settings().home))


def jobs() -> Jobs:
    """Return the jobs of this home, shared by all sessions."""
    return _jobs(str(settings().home))


def papers() -> list[Paper]:
    """List the papers; what another process adds shows after some seconds."""
    return _papers(settings().model_dump_json(), jobs().finished)


def forget_papers() -> None:
    """List the papers anew next time."""
    _papers.clear()


@st.cache_resource(show_spinner=False)
def _library(named: str) -> Library:
    return Library(Settings.model_validate_json(named))


@st.cache_resource(show_spinner=False)
def _conversations(home: str) -> ConversationStore:
    return ConversationStore(Settings(home=home).home / "conversations")


@st.cache_resource(show_spinner=False)
def _jobs(_home: str) -> Jobs:
    return Jobs()


@st.cache_resource(show_spinner=False, ttl=_SECONDS)
def _papers(named: str, finished: int) -> list[Paper]:
    del finished  # a job that ended may have added some
    return _library(named).papers()
