"""What a question is asked to: which papers, and which backend."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from assistant.records import Paper
from ui import safe, state
from ui.components import tagging

WANTED = "scope-wanted"
"""Where other pages of a session leave the ids of papers to ask about."""

_PAPERS, _TAGS, _LLM = "scope", "scope-tags", "answers-by"


class Scope(NamedTuple):
    """The papers to answer from, none for all, and the backend, None for that of the settings."""

    papers: tuple[str, ...]
    llm: str | None


def draw(papers: Sequence[Paper]) -> Scope:
    """Let the reader choose."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        return Scope(_papers(papers), _backend())


def _papers(papers: Sequence[Paper]) -> tuple[str, ...]:
    titles = {paper.id: paper.title for paper in papers}
    tags = tagging.read()
    known = tags.known(papers)
    if WANTED in st.session_state:
        st.session_state[_TAGS] = []
    kept = _keep(_PAPERS, st.session_state.pop(WANTED, st.session_state.get(_PAPERS, [])), titles)
    chosen = _keep(_TAGS, st.session_state.get(_TAGS, []), known)
    scope = [
        paper.id
        for paper in papers
        if paper.id in kept or not set(chosen).isdisjoint(tags.of(paper))
    ]
    label = f"{len(scope)} of {len(papers)} papers" if scope else "All papers"
    with st.popover(
        label, icon=":material/filter_list:", key="scope-open", on_change="rerun"
    ) as box:
        if box.open or scope:
            st.multiselect(
                "Answer only from these papers",
                list(titles),
                format_func=lambda paper_id: titles.get(paper_id, paper_id),
                key=_PAPERS,
                placeholder="All papers",
                select_all=False,
            )
            if known:
                st.multiselect(
                    "And from those with these tags",
                    known,
                    key=_TAGS,
                    placeholder="Any tag",
                    select_all=False,
                )
    return tuple(scope)


def _keep(key: str, wanted: Sequence[str], known: Sequence[str] | dict[str, str]) -> list[str]:
    """Keep of a choice what is still there."""
    st.session_state[key] = [each for each in wanted if each in known]
    return list(st.session_state[key])


def _backend() -> str | None:
    """Offer the backends that answer now, if there is a choice; return the one chosen."""
    known = state.backends()
    if len(known) < 2:
        return None
    chosen = st.session_state.get(_LLM)
    chosen = st.session_state[_LLM] = chosen if chosen in known else known[0]
    with st.popover(
        _named(chosen), icon=":material/smart_toy:", key="llm-open", on_change="rerun"
    ) as box:
        if box.open:
            problems = state.problems()
            st.radio(
                "Answers by",
                [llm for llm in known if llm not in problems or llm == chosen],
                key=_LLM,
                format_func=_named,
            )
            for problem in problems.values():
                st.caption(f":material/warning: {safe.plain(problem)}")
    return chosen


def _named(llm: str) -> str:
    return "Quotes, no model" if llm == state.EXTRACTIVE else safe.plain(llm)
