"""An eval run, end to end: a small library, the real embedder, the files that are written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from assistant import __version__
from assistant.cli import main as cli
from assistant.config import load_settings
from assistant.errors import InputError, LibraryEmptyError
from assistant.library import Library
from assistant.records import Answer
from eval.cases.dataset import Dataset, load
from eval.runs.results import Result, read, read_passages
from eval.runs.runner import Run, run
from eval.targets.digest_targets import digest_targets, pooled_precision

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


def scores(folder: Path) -> list[bytes]:
    """The scores of a run as they are written."""
    lines = (folder / "results.jsonl").read_bytes().splitlines()
    return [line[line.index(b'"scores"') : line.rindex(b'"seconds"')] for line in lines]


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


def test_what_it_was_made_with_is_stored(finished: Run, home: Path) -> None:
    report = finished.report
    assert (report.papers, report.chunks, report.repeats) == (2, 2, 1)
    assert {"python", "chromadb", "scipy"} <= set(report.versions)
    assert report.prompts
    assert len(report.code) == len(report.library) == 16


def test_passages_are_kept_beside_the_results(finished: Run, tmp_path: Path) -> None:
    found = read_passages(tmp_path / "out")
    assert found["error"].passages[0].paper_id == "2503.00001"
    assert finished.results[0].scores["retrieval_mrr"] == 1.0
    assert finished.results[0].scores["groundedness"] == 1.0


def test_times_are_kept_apart_from_scores(finished: Run) -> None:
    assert not any("seconds" in name for result in finished.results for name in result.scores)
    assert finished.report.overall.seconds is not None


def test_two_runs_of_one_configuration_have_the_same_scores(
    dataset: Dataset, library: Library, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        run(dataset, library, tmp_path / name)
    assert scores(tmp_path / "one") == scores(tmp_path / "two")


def test_refusals_are_measured_as_a_set(finished: Run) -> None:
    found = finished.report.overall.abstention
    assert found is not None
    assert (found.precision, found.recall, found.f1) == (1.0, 1.0, 1.0)
    assert finished.report.kinds["named"].abstention is None


def test_repeats_show_the_spread_and_keep_each(
    dataset: Dataset, library: Library, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    finished = run(
        dataset,
        library,
        tmp_path,
        repeats=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (6, 6)
    assert finished.report.overall.measures["answered"].spread == 0.0
    assert [len(read(tmp_path / "repeats" / each / "results.jsonl", Result)) for each in "12"] == [
        3,
        3,
    ]
    assert len(read(tmp_path / "results.jsonl", Result)) == 3


def test_a_finished_run_asks_nothing_again_but_what_failed(
    dataset: Dataset, library: Library, tmp_path: Path
) -> None:
    run(dataset, library, tmp_path)
    before = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    told: list[int] = []
    run(dataset, library, tmp_path, progress=lambda done, _total: told.append(done))
    after = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert told == [2, 3]
    assert after[:2] == before[:2]  # to the microsecond: they are the old ones


def test_a_half_written_line_is_dropped(dataset: Dataset, library: Library, tmp_path: Path) -> None:
    run(dataset, library, tmp_path)
    path = tmp_path / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\n") + 40])
    run(dataset, library, tmp_path)
    assert [each.case.id for each in read(path, Result)] == ["error", "off-topic", "too-long"]


def test_a_damaged_line_is_named(dataset: Dataset, library: Library, tmp_path: Path) -> None:
    run(dataset, library, tmp_path)
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(InputError, match=r"results\.jsonl:1: damaged"):
        run(dataset, library, tmp_path)


def test_a_folder_with_another_run_is_refused(
    dataset: Dataset, library: Library, home: Path, tmp_path: Path
) -> None:
    run(dataset, library, tmp_path)
    other = load(jsonl(tmp_path / "other.jsonl", CASES[:1]))
    with pytest.raises(InputError, match="another data set: name another folder"):
        run(other, library, tmp_path)
    changed = Library(load_settings({"home": home, "verify": "drop"}, {}))
    with pytest.raises(InputError, match=r"other settings \(verify\)"):
        run(dataset, changed, tmp_path)
    changed.close()


def test_results_without_their_manifest_are_not_gone_on_with(
    dataset: Dataset, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "results.jsonl").touch()
    with pytest.raises(InputError, match="cannot be gone on with"):
        run(dataset, library, tmp_path)


def test_a_folder_in_use_is_refused(dataset: Dataset, library: Library, tmp_path: Path) -> None:
    with FileLock(tmp_path / "run.lock"), pytest.raises(InputError, match="another process"):
        run(dataset, library, tmp_path)


def test_a_folder_that_cannot_be_written(
    dataset: Dataset, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file: name a folder"):
        run(dataset, library, tmp_path / "file")
    with pytest.raises(InputError, match="cannot write to"):
        run(dataset, library, tmp_path / "file" / "below")


def test_the_command_prints_a_table_and_writes_under_the_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    cases = jsonl(tmp_path / "cases.jsonl", CASES[:2])
    assert cli.run(["eval", "run", str(cases)]) == 0
    stdout = capsys.readouterr().out
    assert stdout.splitlines()[0].split() == ["all", "95", "%", "interval", "named", "unanswerable"]
    folder = Path(stdout.rpartition("Results: ")[2].strip())
    assert folder.parent == home / "runs"
    written = {path.name for path in folder.iterdir()}
    assert written >= {"results.jsonl", "report.json", "report.html", "junit.xml", "summary.md"}


def test_the_command_tells_of_failed_cases(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    cases = jsonl(tmp_path / "cases.jsonl", CASES)
    assert cli.run(["eval", "run", str(cases), "--out", str(tmp_path / "out")]) == 4
    assert "failed: too-long: " in capsys.readouterr().err
