"""The page that shows the settings and whether all works."""

import os

import streamlit as st

from assistant.config import CONFIG_FILE, PREFIX, Settings, redact
from ui import safe, state

_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "COHERE_API_KEY")


def page() -> None:
    """Draw the page."""
    st.title("Settings")
    settings = state.settings()
    st.markdown(
        f"Set by environment variables, or in `{CONFIG_FILE}` of the home; they hold from the next"
        " question on."
    )
    _values(settings)
    _backends()
    st.subheader("Keys")
    with st.container(horizontal=True):
        for name in _KEYS:
            known = bool(os.environ.get(name))
            st.badge(
                f"{name}: {'set' if known else 'not set'}",
                color="green" if known else "gray",
                icon=":material/key:",
            )
    st.caption("Keys are read from the environment and never shown.")
    _health()


def _backends() -> None:
    """List the backends for answers, each with a button that tries it."""
    st.subheader("Backends")
    for llm in state.backends():
        with st.container(horizontal=True, vertical_alignment="center"):
            if llm == state.EXTRACTIVE:
                st.markdown("Quotes, no model: always there")
                continue
            st.markdown(safe.plain(llm), width="content")
            if st.button("Test", key=f"test-{llm}", icon=":material/network_check:"):
                _test(llm)


def _test(llm: str) -> None:
    """Ask a model for a word and say how it did."""
    state.forget_problems()
    with st.spinner("Asking…"):
        (checked,) = state.library().check_models([llm])
    if checked.problem is None:
        st.markdown(f":green[:material/check_circle: answered in {checked.seconds:.1f} s]")
    else:
        st.error(safe.plain(checked.problem), icon=":material/error:")


def _values(settings: Settings) -> None:
    st.dataframe(
        [
            {
                "Setting": f"{PREFIX}{name.upper()}",
                "Value": _shown(value),
                "Meaning": Settings.model_fields[name].description or "",
            }
            for name, value in settings
        ],
        hide_index=True,
        row_height=36,
        alt="Settings with their values",
    )


def _shown(value: object) -> str:
    return "not set" if value in {None, ""} else redact(str(value))


def _health() -> None:
    st.subheader("Health")
    st.caption("Loads the embedder, and compares catalog, Chroma and lexical index.")
    if not st.button("Check now", icon=":material/health_and_safety:"):
        return
    with st.spinner("Checking…"):
        diagnosis = state.library().diagnose()
    for fact in diagnosis.facts:
        st.markdown(f":green[:material/check_circle:] {safe.plain(fact)}")
    for problem in diagnosis.problems:
        st.error(safe.plain(problem), icon=":material/error:")
    if diagnosis.problems:
        st.caption("`assistant doctor --repair` mends what can be mended; nothing is deleted.")
