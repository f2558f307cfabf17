"""An eval run, end to end: a small library, the real embedder, the files that are written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import __version__
from assistant.cli import main as cli
from assistant.config import load_settings
from assistant.errors import InputError, LibraryEmptyError
from assistant.library import Library
from assistant.records import Answer
from eval.cases import Dataset, load
from eval.digest_targets import digest_targets, pooled_precision
from eval.runner import Run, run

PAPERS = [
    {
        "id": "2503.00001",
        "title": "TideNet: forecasting sea levels with graph networks",
        "abstract": "We present TideNet, a graph network that forecasts sea levels. "
        "It reaches an error of 3.1 cm on the Gauges benchmark.",
    },
    {
        "id": "2503.00002",
        "title": "BirdCall: recognising birds by their song",
        "abstract": "BirdCall recognises 412 species of birds from recordings made with phones.",
    },
]
CASES = [
    {
        "id": "error", "kind": "named", "question": "Which error does TideNet reach on Gauges?",
        "papers": ["2503.00001"], "facts": [["3.1 cm"]], "answerable": True,
    },
    {
        "id": "off-topic", "kind": "unanswerable", "question": "How is sourdough bread baked?",
        "answerable": False,
    },
    {"id": "too-long", "kind": "named", "question": "why " * 2000, "answerable": True},
]  # fmt: skip


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval")
    home = folder / "home"
    library = Library(load_settings({"home": home}, {}))
    library.ingest([str(jsonl(folder / "papers.jsonl", PAPERS))])
    library.close()
    return home


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    library = Library(load_settings({"home": home}, {}))
    yield library
    library.close()


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return load(jsonl(tmp_path / "cases.jsonl", CASES))


@pytest.fixture
def finished(dataset: Dataset, library: Library, tmp_path: Path) -> Run:
    return run(dataset, library, tmp_path / "out")


def test_a_line_of_results_per_case(finished: Run, tmp_path: Path) -> None:
    lines = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["case"]["id"] for row in rows] == ["error", "off-topic", "too-long"]
    assert all(set(row) == {"case", "answer", "error", "scores", "seconds"} for row in rows)
    answer = Answer.model_validate(rows[0]["answer"])
    assert answer.citations[0].paper_id == "2503.00001"
    assert rows[0]["error"] is None
    assert rows[0]["scores"]["fact_recall"] == 1.0
    assert rows[0]["scores"]["verbatim_quotes"] == 1.0
    assert rows[1]["scores"]["refused_correctly"] == 1.0


def test_a_failed_case_is_an_error_not_a_zero(finished: Run) -> None:
    failed = finished.results[2]
    assert (failed.answer, failed.scores) == (None, {})
    assert "characters" in str(failed.error)
    assert finished.report.overall.errors == 1
    assert finished.report.kinds["named"].measures["answered"].count == 1
    assert finished.report.kinds["named"].measures["answered"].mean == 1.0


def test_the_report_says_what_was_run(finished: Run, dataset: Dataset, tmp_path: Path) -> None:
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report == finished.report.model_dump(mode="json")
    assert report["dataset_hash"] == dataset.digest
    assert report["version"] == __version__
    assert report["overall"]["cases"] == 3
    assert set(report["kinds"]) == {"named", "unanswerable"}
    assert report["failures"][0]["id"] == "too-long"


def test_settings_are_written_without_secrets(dataset: Dataset, home: Path, tmp_path: Path) -> None:
    settings = load_settings({"home": home, "llm_base_url": "http://me:secret@host/v1"}, {})
    library = Library(settings)
    written = run(dataset, library, tmp_path / "out").report.settings
    library.close()
    assert written["llm_base_url"] == "http://me:***@host/v1"
    assert "home" not in written
    assert str(home) not in json.dumps(written)


def test_targets_of_a_run(finished: Run) -> None:
    verdicts = {target.measure: target.verdict for target in digest_targets(finished)}
    assert verdicts["refuses the unanswerable"] == "ok"
    assert verdicts["expected paper cited, paraphrase without the name"] == "not measured"
    assert pooled_precision(finished.results) == 1.0


def test_progress_is_told(dataset: Dataset, library: Library, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(dataset, library, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_empty_library_ends_the_run(dataset: Dataset, tmp_path: Path) -> None:
    empty = Library(load_settings({"home": tmp_path / "home"}, {}))
    with pytest.raises(LibraryEmptyError):
        run(dataset, empty, tmp_path / "out")
    empty.close()


def test_a_folder_that_cannot_be_written(
    dataset: Dataset, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write to"):
        run(dataset, library, tmp_path / "file")


def test_the_command_prints_a_table_and_writes_under_the_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    cases = jsonl(tmp_path / "cases.jsonl", CASES[:2])
    assert cli.run(["eval", "run", str(cases)]) == 0
    stdout = capsys.readouterr().out
    assert stdout.split()[:3] == ["all", "named", "unanswerable"]
    folder = Path(stdout.rpartition("Results: ")[2].strip())
    assert folder.parent == home / "runs"
    assert (folder / "results.jsonl").is_file()


def test_the_command_tells_of_failed_cases(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    cases = jsonl(tmp_path / "cases.jsonl", CASES)
    assert cli.run(["eval", "run", str(cases), "--out", str(tmp_path / "out")]) == 4
    assert "failed: too-long: " in capsys.readouterr().err
