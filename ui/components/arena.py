"""Answers of several runs side by side without their names, votes on them, and the ranking that follows."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from assistant.errors import AssistantError, InputError
from assistant.records import Answer
from eval.analysis.arena import Pair, rank
from eval.analysis.votes import Ballot, Key, Votes, VoteStore, ballots, battles
from eval.judge.judging import Better
from eval.runs.results import RESULTS
from ui import runs, safe, state
from ui.runs import PastRun

_PROBLEM, _VOTED = "arena-problem", "arena-voted"
_STALE_SECONDS = 0.5
"""A vote that soon after another was a click too many on the answers before."""

_LEAST = 2
_BUTTONS: tuple[tuple[str, Better | None, str], ...] = (
    ("A is better", "first", "A"),
    ("B is better", "second", "B"),
    ("Tie", "tie", "T"),
    ("Skip", None, "S"),
)


def draw(folder: Path, found: Sequence[PastRun]) -> None:
    """Draw the arena of the runs that lie in a folder."""
    names = {run.name: run for run in runs.rivals(found)}
    if not names:
        st.info(
            "It takes two runs of the same data set: run it again with another model or other settings.",
            icon=":material/swords:",
        )
        return
    chosen = st.multiselect(
        "Runs that meet",
        list(names),
        default=runs.newest_rivals(list(names.values())),
        format_func=lambda name: runs.title(names[name].report, name),
        key="runs",
        bind="query-params",
    )
    if len(chosen) < _LEAST:
        st.caption("Choose two runs, or more.")
        return
    try:
        matched = _matched(str(folder), tuple(chosen), _stamps(folder, chosen))
    except InputError as error:
        st.warning(safe.plain(str(error)), icon=":material/warning:")
        return
    _vote(matched, {name: runs.title(names[name].report, name) for name in chosen})


@st.cache_resource(show_spinner="Reading…", max_entries=8)
def _matched(folder: str, names: tuple[str, ...], stamps: tuple[int, ...]) -> list[Pair]:
    del stamps  # of the files, so that what has changed is read anew
    return runs.matched(Path(folder), names)


def _stamps(folder: Path, names: Sequence[str]) -> tuple[int, ...]:
    paths = [folder / name / RESULTS for name in names]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


@st.fragment
def _vote(matched: Sequence[Pair], titles: dict[str, str]) -> None:
    """Draw the next two answers, and what has come of the votes so far."""
    store = state.votes()
    try:
        cast = store.read()
    except AssistantError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")
        return
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(safe.plain(problem), icon=":material/error:")
    all_ballots = ballots(matched)
    if not all_ballots:
        st.info("These runs give the same answers: there is nothing to choose between.")
        return
    left = [each for each in all_ballots if each.key not in cast]
    _progress(all_ballots, cast, same=runs.same_answers(matched))
    if left:
        _ballot(left[0], store)
    else:
        st.success("You have seen all of them.", icon=":material/check:")
    _revise(all_ballots, cast, store, done=not left)
    _ranking(matched, cast, titles, done=not left)


def _progress(found: Sequence[Ballot], cast: Votes, *, same: int) -> None:
    voted = [vote for each in found if (vote := cast.get(each.key)) is not None]
    skipped = sum(vote.better is None for vote in voted)
    parts = [f"{len(voted)} of {len(found)} seen"]
    if skipped:
        parts.append(f"{skipped} skipped")
    if same:
        parts.append(f"{same} more have the same answer on both sides")
    st.progress(len(voted) / len(found), text=" · ".join(parts))


def _ballot(ballot: Ballot, store: VoteStore) -> None:
    case = ballot.first.case
    with st.container(border=True, key="arena-question"):
        for turn in case.history:
            st.caption(f"{turn.role}: {safe.short(turn.content, most=300)}")
        st.markdown(f"**{safe.plain(case.question)}**")
        if not case.answerable:
            st.caption("The papers do not answer this: a right answer is a refusal.")
        elif case.reference:
            st.caption(f"Expected: {safe.plain(case.reference)}")
        # Above the answers: who has voted down there would not see the next question.
        with st.container(horizontal=True, gap="xsmall"):
            for label, better, shortcut in _BUTTONS:
                st.button(
                    label,
                    key=f"arena-{label}",
                    shortcut=shortcut,
                    type="secondary" if better else "tertiary",
                    on_click=partial(_cast, store, ballot.key, better),
                )
    sides = st.columns(2, gap="medium")
    for side, name, result in zip(sides, "AB", (ballot.first, ballot.second), strict=True):
        with side, st.container(border=True, key=f"arena-answer-{name}"):
            st.subheader(f"Answer {name}", anchor=False)
            assert result.answer is not None, "only answered cases meet"
            _answer(result.answer)


def _answer(answer: Answer) -> None:
    """Draw an answer and what it cites, without what tells who wrote it."""
    numbers = {each.number for each in answer.citations}
    st.markdown(safe.answer(answer.answer or "(an empty answer)", numbers=numbers))
    for source, cited in runs.by_source(answer.citations).items():
        badges = " ".join(f":blue-badge[{each.number}]" for each in cited)
        st.markdown(f"{badges} :small[{safe.plain(source)}]")
        for each in cited:
            if each.quote not in answer.answer:  # else it has just been read
                st.caption(f"{each.number}: {safe.plain(each.quote)}")


def _cast(store: VoteStore, key: Key, better: Better | None) -> None:
    moment = time.monotonic()
    if moment - st.session_state.get(_VOTED, -_STALE_SECONDS) < _STALE_SECONDS:
        return
    st.session_state[_VOTED] = moment
    _try(partial(store.cast, key, better))


def _try(change: partial[None]) -> None:
    try:
        change()
    except AssistantError as error:
        st.session_state[_PROBLEM] = str(error)


def _revise(found: Sequence[Ballot], cast: Votes, store: VoteStore, *, done: bool) -> None:
    voted = [vote for each in found if (vote := cast.get(each.key)) is not None]
    skipped = [vote.key for vote in voted if vote.better is None]
    with st.container(horizontal=True):
        if voted:
            last = max(voted, key=lambda vote: vote.cast)
            st.button(
                "Take the last vote back",
                icon=":material/undo:",
                type="tertiary",
                on_click=partial(_try, partial(store.forget, [last.key])),
            )
        if done and skipped:
            st.button(
                f"See the {len(skipped)} skipped again",
                icon=":material/replay:",
                type="tertiary",
                on_click=partial(_try, partial(store.forget, skipped)),
            )


def _ranking(matched: Sequence[Pair], cast: Votes, titles: dict[str, str], *, done: bool) -> None:
    fought = battles(matched, [cast])
    if not any(fought):
        return
    # Names beside a vote just cast would tell which side was whose.
    if not done and not st.toggle("Ranking so far (names the runs)", key="arena-ranking"):
        return
    found = rank(fought, decided_by="people")
    st.markdown(f"**Ranking after {found.battles} battles**")
    st.dataframe(
        runs.places(found, titles),
        hide_index=True,
        alt="Runs with their ratings, best first",
    )
    st.caption(
        "1000 is average; 400 more means ten wins to one loss. Where intervals overlap, the order may be "
        "chance."
    )
