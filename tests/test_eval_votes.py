"""Votes of people: kept safely, on answers and not on runs, and turned into battles the right way round."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.cli.main import run
from assistant.errors import InputError, StorageError
from assistant.records import Answer, Citation, Timings, Usage
from eval.analysis.arena import pairs, rank
from eval.analysis.votes import FILE, USERS, VoteStore, ballots, battles, everybody
from eval.cases.dataset import Case
from eval.runs.results import RESULTS, Result, write
from eval.runs.runner import REPORT


def cited(quote: str) -> Citation:
    return Citation(
        number=1, paper_id="p", title="T", url=None, source="abstract", page_first=None, page_last=None,
        section=None, quote=quote, boxes=(), chunk_id="c", score=1.0,
    )  # fmt: skip


def result(case_id: str, text: str, *, quotes: Sequence[str] = ()) -> Result:
    case = Case(id=case_id, kind="named", question=f"What of {case_id}?", answerable=True)
    answer = Answer(
        question=case.question, standalone_question=case.question, answer=text, refused=False,
        refusal_reason=None, citations=tuple(map(cited, quotes)), claims=(), backend="extractive",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Result(case=case, answer=answer, error=None, scores={}, seconds=0)


GOOD = [result(str(n), f"Good {n}.") for n in range(40)]
POOR = [result(str(n), f"Poor {n}.") for n in range(40)]


@pytest.fixture
def store(tmp_path: Path) -> VoteStore:
    return VoteStore(tmp_path / "home" / FILE)


def vote_for(store: VoteStore, wanted: str, *, runs: dict[str, list[Result]]) -> None:
    """Vote, by what the two answers say, as somebody does who does not know whose they are."""
    for ballot in ballots(pairs(runs)):
        assert ballot.first.answer is not None
        store.cast(ballot.key, "first" if wanted in ballot.first.answer.answer else "second")


def test_reading_makes_no_file(store: VoteStore, tmp_path: Path) -> None:
    assert store.read() == {}
    assert not (tmp_path / "home").exists()


def test_a_vote_is_there_for_another_process_and_the_last_on_two_answers_counts(
    store: VoteStore, tmp_path: Path
) -> None:
    store.cast(("a", "b"), "first")
    store.cast(("a", "c"), None)
    store.cast(("a", "b"), "tie")
    votes = VoteStore(tmp_path / "home" / FILE).read()
    assert {key: vote.better for key, vote in votes.items()} == {
        ("a", "b"): "tie",
        ("a", "c"): None,
    }


def test_a_vote_is_taken_back(store: VoteStore) -> None:
    store.cast(("a", "b"), "first")
    store.cast(("a", "c"), "second")
    store.forget([("a", "b"), ("x", "y")])
    assert list(store.read()) == [("a", "c")]


def test_votes_cast_at_once_are_all_kept(store: VoteStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: store.cast((str(n), "b"), "first"), range(60)))
    assert len(store.read()) == 60


def test_damage_is_named_and_left_alone(store: VoteStore, tmp_path: Path) -> None:
    path = tmp_path / "home" / FILE
    path.parent.mkdir()
    path.write_text("{\n")
    with pytest.raises(InputError, match=f"{FILE}:1: damaged"):
        store.cast(("a", "b"), "first")
    assert path.read_text() == "{\n"


def test_what_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match="cannot write"):
        VoteStore(tmp_path / "home" / FILE).cast(("a", "b"), "first")


def test_sides_and_order_are_mixed_and_the_same_each_time() -> None:
    found = ballots(pairs({"good": GOOD, "poor": POOR}))
    again = ballots(pairs({"poor": POOR, "good": GOOD}))
    assert found == again
    good_first = sum("Good" in str(each.first.answer) for each in found)
    assert 10 <= good_first <= 30
    assert [each.first.case.id for each in found] != [each.case.id for each in GOOD]


def test_whoever_gave_the_better_answer_wins_under_any_name(store: VoteStore) -> None:
    vote_for(store, "Good", runs={"good": GOOD, "poor": POOR})
    for runs in ({"x": GOOD, "y": POOR}, {"y": POOR, "x": GOOD}):
        found = rank(battles(pairs(runs), [store.read()]), decided_by="people")
        assert [(each.run, each.wins) for each in found.places] == [("x", 40), ("y", 0)]


def test_an_answer_that_has_changed_takes_its_votes_along(store: VoteStore) -> None:
    vote_for(store, "Good", runs={"good": GOOD, "poor": POOR})
    changed = [result("0", "Another."), *POOR[1:]]
    fought = battles(pairs({"good": GOOD, "poor": changed}), [store.read()])
    assert fought.count(None) == 1
    quoted = [result("0", "Poor 0.", quotes=["Another source."]), *POOR[1:]]
    assert battles(pairs({"good": GOOD, "poor": quoted}), [store.read()]).count(None) == 1


def test_nobody_is_asked_about_two_answers_that_are_the_same() -> None:
    same = [result("0", "Good 0."), *POOR[1:]]
    matched = pairs({"good": GOOD, "same": same})
    assert len(ballots(matched)) == 39
    assert battles(matched, []) == [None] * 39


def test_one_vote_counts_for_every_run_that_gave_the_answer(store: VoteStore) -> None:
    runs = {"a": GOOD, "b": GOOD, "poor": POOR}
    vote_for(store, "Good", runs=runs)
    assert len(store.read()) == 40
    found = rank(battles(pairs(runs), [store.read()]), decided_by="people")
    assert {each.run: each.wins for each in found.places} == {"a": 40, "b": 40, "poor": 0}


def test_each_person_fights_a_battle_and_a_skip_decides_none(tmp_path: Path) -> None:
    matched = pairs({"good": GOOD[:2], "poor": POOR[:2]})
    (one, other) = ballots(matched)
    ada = VoteStore(tmp_path / USERS / "ada" / FILE)
    ada.cast(one.key, "first")
    ada.cast(other.key, None)
    grace = VoteStore(tmp_path / USERS / "grace" / FILE)
    grace.cast(one.key, "tie")
    fought = battles(matched, everybody(tmp_path))
    assert fought.count(None) == 1
    assert sorted(each.points for each in fought if each) in ([0.0, 0.5], [0.5, 1.0])


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for name, results in (("poor", POOR), ("good", GOOD)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / RESULTS, results)
        (tmp_path / name / REPORT).touch()
    return [str(tmp_path / "poor"), str(tmp_path / "good")]


def test_the_command_ranks_by_what_people_voted(
    folders: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vote_for(VoteStore(home / USERS / "ada" / FILE), "Good", runs={"g": GOOD, "p": POOR})
    assert run(["eval", "arena", *folders, "--people"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "40 battles on 40 cases, decided by people; 0 left open"
    assert lines[1].endswith(folders[1])
    assert run(["eval", "arena", *folders, "--people", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["places"][0]["wins"] == 40


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--people"], "nobody has voted on these runs' answers yet"),
        (["--people", "--llm", "openai:judge"], "exclude each other"),
    ],
)
def test_the_command_says_why_it_cannot(
    folders: list[str],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    reason: str,
) -> None:
    assert run(["eval", "arena", *folders, *options]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
