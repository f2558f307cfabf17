"""How far long work is, and what became of it."""

from collections.abc import Callable, Sequence
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
    found = [job for job in state.jobs().of(kind) if only(job)]
    if any(job.running for job in found):
        _follow(found, finished)
    else:
        for job in found:
            _show(job, finished)


@st.fragment(run_every=_SECONDS)
def _follow(found: Sequence[Job], finished: Draw) -> None:
    for job in found:
        _show(job, finished)
    if not any(job.running for job in found):
        st.rerun()


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
        st.button(
            "Dismiss",
            icon=":material/close:",
            type="tertiary",
            key=f"dismiss-{job.id}",
            on_click=partial(state.jobs().dismiss, job),
        )
