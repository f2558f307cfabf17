"""Ranking runs by battles: known strengths are recovered, ties count half, intervals hold the truth."""

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from assistant.cli.main import run
from assistant.errors import InputError
from assistant.records import Answer, Timings, Usage
from eval.analysis.arena import AVERAGE, Battle, by_score, fight, pairs, rank
from eval.cases.dataset import Case
from eval.runs.results import RESULTS, Result, write
from eval.runs.runner import REPORT
from tests.fake_judge import always, honest
from tests.fake_openai import FakeOpenAI

NAMES = ("a", "b", "c", "d")


def result(case_id: str, text: str, *, correct: float, paper: str = "") -> Result:
    case = Case(
        id=case_id, kind="named", question=f"What of {case_id}?", papers=(paper,) if paper else (),
        facts=(("50 points",),), reference="It reaches 50 points.", answerable=True,
    )  # fmt: skip
    answer = Answer(
        question=case.question, standalone_question=case.question, answer=text, refused=False,
        refusal_reason=None, citations=(), claims=(), backend="extractive",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Result(case=case, answer=answer, error=None, scores={"fact_recall": correct}, seconds=0)


def simulate(
    random: np.random.Generator, ratings: Sequence[float], *, papers: int, ties: float = 0.2
) -> list[Battle | None]:
    """Draw battles from known ratings, three cases a paper."""
    fought: list[Battle | None] = []
    for case in range(3 * papers):
        for first, second in combinations(range(len(ratings)), 2):
            chance = 1 / (1 + 10 ** ((ratings[second] - ratings[first]) / 400))
            points = 0.5 if random.random() < ties else float(random.random() < chance)
            cluster = str(case // 3)
            fought.append(Battle(NAMES[first], NAMES[second], str(case), cluster, points))
    return fought


def test_known_strengths_are_recovered() -> None:
    ratings = (900.0, 1000.0, 1100.0, 1000.0)
    fought = simulate(np.random.default_rng(0), ratings, papers=700, ties=0.0)
    found = {place.run: place.rating for place in rank(fought, decided_by="chance").places}
    assert [found[name] for name in NAMES] == pytest.approx(ratings, abs=15)


def test_ratings_are_those_of_the_likelihood() -> None:
    # Two runs, 3 wins to 1, and one win and loss each against the average: strengths s and 1/s with
    # 4 = 4 s/(s + 1/s) + 2 s/(s + 1) for the better one; the solution is s = 1.5214.
    fought = [Battle("a", "b", str(n), str(n), points) for n, points in enumerate((1, 1, 1, 0))]
    places = rank(fought, decided_by="chance").places
    strength = 10 ** ((places[0].rating - AVERAGE) / 400)
    assert places[0].run == "a"
    assert strength == pytest.approx(1.5214, rel=1e-3)


def test_intervals_hold_the_true_difference() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        # Ties pull towards the middle: half of the battles count, so that the truth is known without them.
        fought = simulate(random, (960.0, 1040.0, 1000.0), papers=40, ties=0.0)
        place = {each.run: each for each in rank(fought, decided_by="chance").places}
        held += place["b"].low <= 1040 <= place["b"].high
    assert 88 <= held <= 100


def test_a_run_that_always_wins_has_a_finite_rating_and_the_first_place() -> None:
    fought = [Battle("a", "b", str(n), str(n), 0.0) for n in range(20)]
    found = rank(fought, decided_by="chance")
    first, last = found.places
    assert (first.run, first.wins, first.losses) == ("b", 20, 0)
    assert (last.run, last.wins, last.losses) == ("a", 0, 20)
    assert 1000 < first.rating < 1500
    assert first.low > last.high


def test_ties_alone_leave_all_equal() -> None:
    fought = [Battle("a", "b", str(n), str(n), 0.5) for n in range(9)]
    first, second = rank(fought, decided_by="chance").places
    assert first.rating == second.rating == AVERAGE
    assert (first.ties, second.ties) == (9, 9)
    assert (first.rank, second.rank) == (1, 1)


def test_what_the_judge_left_open_is_no_tie() -> None:
    found = rank([Battle("a", "b", "1", "1", 1.0), None, None], decided_by="chance")
    assert (found.battles, found.unscored) == (1, 2)
    with pytest.raises(InputError, match="no battle was decided"):
        rank([None], decided_by="chance")


def test_all_runs_meet_on_the_cases_that_all_answered() -> None:
    good = [result("1", "x", correct=1.0), result("2", "x", correct=1.0)]
    poor = [result("1", "y", correct=0.0), result("3", "y", correct=1.0)]
    matched = pairs({"good": good, "poor": poor, "same": good})
    assert [(pair.first, pair.second, pair.one.case.id) for pair in matched] == [
        ("good", "poor", "1"), ("good", "same", "1"), ("poor", "same", "1"),
    ]  # fmt: skip
    points = [battle and battle.points for battle in fight(matched, by_score)]
    assert points == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        ({"a": [result("1", "x", correct=1)]}, "two different runs or more"),
        ({"a": [result("1", "x", correct=1)], "b": [result("2", "x", correct=1)]}, "share no"),
    ],
)
def test_runs_that_cannot_meet(runs: dict[str, list[Result]], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        pairs(runs)


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for name, text, correct in (
        ("good", "It reaches 50 points.", 1.0), ("poor", "Nobody knows.", 0.0),
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        cases = [result(str(n), text, correct=correct, paper=f"p{n}") for n in range(6)]
        write(tmp_path / name / RESULTS, cases)
    return [str(tmp_path / "poor"), str(tmp_path / "good")]


def arena(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert run(["eval", "arena", *arguments, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_without_a_model_says_what_decides(
    folders: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", "arena", *folders]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0] == "6 battles on 6 cases, decided by key facts and refusals, no model; 0 left open"
    )
    assert lines[1].endswith("good")
    assert "6 won, 0 tied, 0 lost" in lines[1]


def test_a_run_that_broke_off_is_told_of(
    folders: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(folders[0]) / REPORT).touch()
    assert run(["eval", "arena", *folders]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line == f"note: the run in {folders[1]} is not finished; what it holds so far is looked at"
    )


def test_a_judge_model_ranks(
    folders: list[str],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeOpenAI(honest) as server:
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
        found = arena(*folders, "--llm", "openai:judge", capsys=capsys)
    assert found["decided_by"] == "openai:judge"
    assert [(place["run"], place["wins"]) for place in found["places"]] == [  # type: ignore[attr-defined]
        (folders[1], 6), (folders[0], 0),
    ]  # fmt: skip


def test_a_judge_that_prefers_what_comes_first_makes_ties(
    folders: list[str],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeOpenAI(always(better="first")) as server:
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
        found = arena(*folders, "--llm", "openai:judge", capsys=capsys)
    assert [(place["ties"], place["rating"]) for place in found["places"]] == [(6, 1000.0)] * 2  # type: ignore[attr-defined]
