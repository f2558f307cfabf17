"""Eval runs that ask a language model: several cases at a time, killed and gone on with, given up."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.cli import main as cli
from assistant.config import load_settings
from assistant.library import Library
from eval.cases.dataset import Dataset, load
from eval.runs.results import Result, read
from eval.runs.runner import run
from fake_openai import BEHAVIOURS, FakeOpenAI, Reply, Seen

SEAS = ("Atlantic", "Baltic", "Caspian", "Caribbean", "Adriatic", "Aegean")
PAPERS = [
    {
        "id": f"2503.0000{number}",
        "title": f"{sea}Net: forecasting levels of the {sea}",
        "abstract": f"{sea}Net is a network that forecasts levels of the {sea}. "
        f"It reaches an error of {number}.5 cm.",
    }
    for number, sea in enumerate(SEAS, start=1)
]
CASES = [
    {
        "id": sea, "kind": "named", "question": f"Which error does {sea}Net reach?",
        "papers": [f"2503.0000{number}"], "facts": [[f"{number}.5 cm"]], "answerable": True,
    }
    for number, sea in enumerate(SEAS, start=1)
]  # fmt: skip


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    library = Library(load_settings({"home": folder / "home"}, {}))
    library.ingest([str(jsonl(folder / "papers.jsonl", PAPERS))])
    library.close()
    return folder / "home"


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "cases.jsonl", CASES)


@pytest.fixture
def dataset(cases: Path) -> Dataset:
    return load(cases)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with FakeOpenAI() as running:
        yield running


def asked(server: FakeOpenAI) -> Counter[str]:
    """Count the requests that ask for each case's answer."""
    texts = [str(request["messages"][-1]["content"]) for request in server.requests]
    questions = {case["id"]: case["question"] for case in CASES}
    return Counter(name for text in texts for name, said in questions.items() if said in text)


def library_of(home: Path, server: FakeOpenAI, **settings: Any) -> Library:
    given = {"home": home, "llm": "openai:fake", "llm_base_url": server.url, "cache": False}
    return Library(load_settings({**given, **settings}, {}))


def variables(home: Path, server: FakeOpenAI) -> dict[str, str]:
    """Settings for a process that asks the server one thing at a time."""
    return {
        "ASSISTANT_HOME": str(home), "ASSISTANT_LLM": "openai:fake", "ASSISTANT_CACHE": "false",
        "ASSISTANT_LLM_BASE_URL": server.url, "ASSISTANT_LLM_CONCURRENCY": "1",
    }  # fmt: skip


def test_a_killed_run_goes_on_and_asks_no_finished_case_again(
    home: Path, cases: Path, server: FakeOpenAI, tmp_path: Path
) -> None:
    done_before = 3

    def hangs_later(seen: Seen) -> Reply:
        hangs = any(name in seen.question for name in SEAS[done_before:])
        return Reply(hangs=True) if hangs else BEHAVIOURS["answers"](seen)

    server.behaviour = hangs_later
    command = [
        sys.executable, "-m", "assistant", "eval", "run", str(cases), "--out", str(tmp_path / "killed"),
    ]  # fmt: skip
    environment = {**os.environ, **variables(home, server)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)
        results = tmp_path / "killed" / "results.jsonl"
        while not (results.exists() and results.read_bytes().count(b"\n") == done_before):
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = asked(server)
    assert set(before) >= set(SEAS[:done_before])

    server.behaviour = "answers"
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    after = asked(server)
    assert {name: after[name] for name in SEAS[:done_before]} == {
        name: before[name] for name in SEAS[:done_before]
    }
    assert all(after[name] for name in SEAS)

    subprocess.run(
        [*command[:-1], str(tmp_path / "whole")],
        env=environment, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert report(tmp_path / "killed") == report(tmp_path / "whole")
    assert scores(tmp_path / "killed") == scores(tmp_path / "whole")


@pytest.mark.parametrize("options", [["--out", "out"], []])
def test_an_interrupted_run_ends_at_once_keeps_what_it_has_and_says_how_to_go_on(
    home: Path, cases: Path, server: FakeOpenAI, tmp_path: Path, options: list[str]
) -> None:
    server.behaviour = lambda seen: (
        BEHAVIOURS["answers"](seen) if SEAS[0] in seen.question else Reply(hangs=True)
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", "eval", "run", str(cases), *options],
        env={**os.environ, **variables(home, server)},
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    runs = tmp_path if options else home / "runs"
    while not any(path.read_bytes().count(b"\n") == 1 for path in runs.glob("*/results.jsonl")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    (results,) = runs.glob("*/results.jsonl")
    assert results.read_bytes().count(b"\n") == 1
    named = "" if options else f", with --out {results.parent}"
    *before, last = error.splitlines()
    assert last == f"interrupted; run the same command again{named} to go on"
    assert not [line for line in before if "--out" in line]


def report(folder: Path) -> dict[str, Any]:
    """A run's report without what the clock told."""
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for group in (found["overall"], *found["kinds"].values()):
        assert group.pop("seconds")
    return found


def scores(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: json.loads(line)[name] for name in ("case", "scores")} for line in lines]


def test_models_are_asked_several_cases_at_a_time(
    home: Path, dataset: Dataset, server: FakeOpenAI, tmp_path: Path
) -> None:
    server.delay = 0.3
    library = library_of(home, server, llm_concurrency=3)
    finished = run(dataset, library, tmp_path / "out")
    library.close()
    assert 2 <= server.most_running <= 3
    assert [each.case.id for each in finished.results] == list(SEAS)
    assert finished.report.usage.input_tokens > 0
    assert finished.report.overall.measures["input_tokens"].count == len(SEAS)


def test_a_case_that_takes_too_long_has_failed(
    home: Path, dataset: Dataset, server: FakeOpenAI, tmp_path: Path
) -> None:
    server.behaviour = lambda _seen: Reply(hangs=True)
    library = library_of(home, server)
    alone = dataset._replace(cases=dataset.cases[:1])
    (failed,) = run(alone, library, tmp_path / "out", case_seconds=0.5).results
    library.close()
    assert failed.error == "no answer within 0.5 s"
    assert failed.scores == {}


def test_repeats_are_asked_anew(
    home: Path, dataset: Dataset, server: FakeOpenAI, tmp_path: Path
) -> None:
    library = library_of(home, server)
    once = dataset._replace(cases=dataset.cases[:1])
    run(once, library, tmp_path / "out", repeats=3)
    library.close()
    assert asked(server)[SEAS[0]] % 3 == 0
    assert asked(server)[SEAS[0]] >= 3


def test_a_model_that_fails_ends_the_run_early_and_a_resume_asks_the_rest(
    home: Path,
    cases: Path,
    server: FakeOpenAI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables(home, server).items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "out"
    command = ["eval", "run", str(cases), "--out", str(out), "--floor", "answered=1"]
    server.behaviour = "500"
    assert cli.run(command) == 5
    (line,) = (each for each in capsys.readouterr().err.splitlines() if "error" in each)
    assert "0 of 6 cases have an answer: " in line
    assert {each.name for each in out.iterdir()} >= {"report.html", "summary.md", "junit.xml"}
    errors = [str(each.error) for each in read(out / "results.jsonl", Result)]
    assert [each.startswith("not asked") for each in errors] == [False] * 5 + [True]
    assert SEAS[-1] not in asked(server)

    server.behaviour = "answers"
    assert cli.run(command) == 0
    assert all(each.error is None for each in read(out / "results.jsonl", Result))


def test_a_run_of_few_cases_whose_model_is_gone_is_no_failure_of_its_cases(
    home: Path, cases: Path, tmp_path: Path, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(home, server).items():
        monkeypatch.setenv(name, value)
    with FakeOpenAI() as gone:
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", gone.url)
    one = jsonl(tmp_path / "one.jsonl", CASES[:1])
    assert cli.run(["eval", "run", str(one), "--out", str(tmp_path / "out")]) == 5
    assert cli.run(["eval", "report", str(tmp_path / "out")]) == 0
