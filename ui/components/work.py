"""How far long work is, and what became of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from ui import safe, state
from ui.jobs import Job

_SECONDS = 0.5

Draw = Callable[[str, Any], None]
"""Draws the result of a job that went well, given its label."""


def progress(kind: str, *, finished: Draw, only: Callable[[Job], bool] = lambda _job: True) -> None:
    """Show the jobs of a kind; those that run are followed until they end."""
    if any(job.running for job in _found(kind, only)):
        _follow(kind, finished, only)
    else:
        for job in _found(kind, only):
            _show(job, finished)


def _found(kind: str, only: Callable[[Job], bool]) -> list[Job]:
    return [job for job in state.jobs().of(kind) if only(job)]


@st.fragment(run_every=_SECONDS)
def _follow(kind: str, finished: Draw, only: Callable[[Job], bool]) -> None:
    found = _found(kind, only)
    if not any(job.running for job in found):
        # Before its buttons are drawn: a click on one of a fragment that is about to go would be lost.
        st.rerun()
    for job in found:
        _show(job, finished)


def _show(job: Job, finished: Draw) -> None:
    label = safe.short(job.label, most=60)
    if job.running:
        share = job.done / job.total if job.total else 0.0
        counted = f" {job.done} of {job.total}" if job.total else ""
        st.progress(min(share, 1.0), text=f"{label}: {safe.plain(job.stage)}{counted}")
        return
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.container():
            if job.error is not None:
                st.error(f"**{label}**: {safe.plain(job.error)}", icon=":material/error:")
            else:
                finished(label, job.result)
        if job.failed:
            st.button(
                "Try again",
                icon=":material/replay:",
                type="tertiary",
                key=f"retry-{job.id}",
                on_click=partial(state.jobs().retry, job),
            )
        st.button(
            "Dismiss",
            icon=":material/close:",
            type="tertiary",
            key=f"dismiss-{job.id}",
            on_click=partial(state.jobs().dismiss, job),
        )
