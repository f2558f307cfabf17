"""Two runs beside each other, and the gate: what changed beyond chance, in whose favour."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from assistant.cli import main as cli
from assistant.config import load_settings
from assistant.errors import InputError
from assistant.library import Library
from assistant.records import Answer, Timings, Usage
from eval.analysis import differences
from eval.analysis.differences import Diff, Floor, Loaded
from eval.cases.dataset import Case, content_hash
from eval.reports import html, junit, markdown
from eval.runs.manifest import Manifest
from eval.runs.results import Result
from eval.runs.summary import Report, summarise, table
from tests.fake_judge import honest
from tests.fake_openai import FakeOpenAI

MANIFEST = Manifest(
    dataset="d", dataset_hash="x", version="1", settings={"llm": "extractive"}, repeats=1, code="c",
    prompts={}, library="l", papers=1, chunks=1, versions={},
)  # fmt: skip


def result(number: int, error: str | None = None, **scores: float | None) -> Result:
    case = Case(id=f"c{number}", kind="k", question="?", papers=(f"p{number}",), answerable=True)
    return Result(case=case, answer=None, error=error, scores=scores, seconds=1.0)


def loaded(results: Sequence[Result], name: str = "run") -> Loaded:
    return Loaded(Path(name), content_hash([each.case for each in results]), results, None)


def compare(first: Sequence[float | None], second: Sequence[float | None], name: str) -> Diff:
    runs = [
        [result(n, **{name: value}) for n, value in enumerate(each)] for each in (first, second)
    ]
    return differences.compare(*map(loaded, runs))


def row(diff: Diff, name: str) -> differences.Row:
    return next(each for each in diff.rows if each.measure == name)


def test_equal_runs_do_not_differ() -> None:
    diff = compare([0.5, 1.0, None], [0.5, 1.0, None], "fact_recall")
    assert {each.verdict for each in diff.rows} == {"no difference"}
    assert differences.verdict(diff) == "no difference"
    assert differences.failures(diff, {}, ()) == []


def test_a_fall_beyond_chance_fails_the_gate() -> None:
    diff = compare([1.0] * 20, [0.0] * 10 + [1.0] * 10, "fact_recall")
    assert row(diff, "fact_recall").verdict == "worse"
    (reason,) = differences.failures(diff, {}, ())
    assert reason.startswith("fact recall fell from 1.000 to 0.500 (95 % interval")


def test_p_values_are_also_given_corrected_for_all_measures_and_decide_nothing() -> None:
    names = [f"measure_{n}" for n in range(20)]
    before = [result(n, fact_recall=1.0, **dict.fromkeys(names, 1.0)) for n in range(10)]
    after = [result(n, fact_recall=float(n > 6), **dict.fromkeys(names, 1.0)) for n in range(10)]
    diff = differences.compare(loaded(before), loaded(after))
    fell = row(diff, "fact_recall")
    assert fell.difference.p_value == pytest.approx(0.0156, abs=1e-4)
    assert fell.corrected == pytest.approx(len(diff.rows) * fell.difference.p_value, abs=1e-4)
    assert [each.corrected for each in diff.rows if each is not fell] == [1.0] * 21
    (reason,) = differences.failures(diff, {}, ())
    assert reason.endswith("p 0.016, corrected for all measures 0.344)")
    assert "0.016     0.344  ▼" in differences.table(diff)


def test_no_p_value_is_written_as_zero() -> None:
    diff = compare([1.0] * 40, [0.0] * 40, "fact_recall")
    assert differences.table(diff).splitlines()[-1].split()[-3:] == ["<0.001", "<0.001", "▼"]
    assert "p <0.001" in differences.failures(diff, {}, ())[0]
    assert r"| \<0.001 | \<0.001 |" in markdown.render(summary(result(1)), diff=diff)


def test_a_rise_passes_the_gate() -> None:
    diff = compare([0.0] * 10 + [1.0] * 10, [1.0] * 20, "fact_recall")
    assert row(diff, "fact_recall").verdict == "better"
    assert differences.failures(diff, {}, ()) == []


def test_a_fall_within_chance_passes_the_gate() -> None:
    first, second = [1.0] * 10 + [0.0] * 10, [1.0] * 9 + [0.0] * 11
    assert row(compare(first, second, "fact_recall"), "fact_recall").verdict == "no difference"


def test_longer_answers_are_neither_better_nor_worse() -> None:
    diff = compare([100.0] * 9, [200.0] * 9, "words")
    assert row(diff, "words").verdict == "other"
    assert differences.failures(diff, {}, ()) == []


def test_cases_that_fail_are_a_fall_of_their_own() -> None:
    before = [result(n, fact_recall=1.0) for n in range(20)]
    after = [result(n, "no answer") if n % 2 else before[n] for n in range(20)]
    diff = differences.compare(loaded(before), loaded(after))
    assert row(diff, "completed").verdict == "worse"
    assert row(diff, "fact_recall").count == 10


@pytest.mark.parametrize(
    ("mean", "reasons"),
    [
        (0.8, []),
        (0.7, ["fact recall is 0.700, below its floor of 0.8"]),
        (None, ["fact recall is scored for no case, its floor is 0.8"]),
    ],
)
def test_a_floor_is_kept_or_not(mean: float | None, reasons: list[str]) -> None:
    means = {"completed": 1.0, "fact_recall": mean}
    assert differences.failures(None, means, [Floor("fact_recall", 0.8)]) == reasons


def test_a_floor_is_not_kept_by_the_few_cases_that_did_not_fail() -> None:
    means = differences.overall(
        summary(result(1, fact_recall=1.0), *(result(n, "x") for n in (2, 3)))
    )
    floor = Floor("fact_recall", 0.8)
    assert differences.failures(None, means, [floor]) == [
        "completed is 0.333, below its floor of 1"
    ]
    assert differences.failures(None, means, [floor, Floor("completed", 0.3)]) == []


def test_what_a_terminal_would_act_on_is_not_in_the_tables() -> None:
    hostile = "a\x1b[31m\u202e\nb"
    case = result(1, **{hostile: 1.0}).case.model_copy(update={"kind": hostile})
    scored = result(1, **{hostile: 1.0}).model_copy(update={"case": case})
    shown = table(summary(scored))
    assert shown.splitlines()[0].split()[-2:] == ["a", "b"]
    changed = scored.model_copy(update={"scores": {hostile: 2.0}})
    diff = differences.compare(loaded([scored]), loaded([changed]))
    for text in (shown, differences.table(diff)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\na b " in text


def test_other_data_sets_do_not_compare() -> None:
    with pytest.raises(InputError, match="another data set"):
        differences.compare(loaded([result(1)]), loaded([result(2)]))


def test_runs_that_answered_no_case_in_common_do_not_compare() -> None:
    first, second = [result(1), result(2, "x")], [result(1, "x"), result(2)]
    with pytest.raises(InputError, match="no case was answered in both"):
        differences.compare(loaded(first), loaded(second))


def summary(*results: Result) -> Report:
    return summarise(MANIFEST, results)


def test_junit_counts_failed_cases_as_errors_and_the_gate_as_failures() -> None:
    results = [result(n, fact_recall=0.0) for n in range(8)] + [result(8, 'no "<answer>" \x1b[31m')]
    before = [result(n, fact_recall=1.0) for n in range(9)]
    diff = differences.compare(loaded(before), loaded(results))
    reasons = differences.failures(diff, {}, ())
    root = ET.fromstring(junit.render(summary(*results), results, diff=diff, gate=reasons))
    kind, gate = root.findall("testsuite")
    assert (kind.get("tests"), kind.get("errors"), kind.get("failures")) == ("9", "1", "0")
    error = kind.find("testcase/error")
    assert error is not None
    assert error.get("message") == 'no "<answer>"'
    assert len(gate.findall("testcase/failure")) == int(gate.get("failures", "")) == 2


def test_markdown_shows_hostile_text_as_it_is() -> None:
    failed = result(1, "<img src=x> [a](https://b) | **c** @d")
    written = markdown.render(summary(failed), gate=["fell | <b>"])
    assert r"\<img src=x\> \[a\]\(https" not in written  # parentheses need no escape
    assert r"\<img src=x\> \[a\](https\:\/\/b) \| \*\*c\*\* \@d" in written
    assert "**The gate fails.**" in written


# The commands

PAPERS = [
    {"id": f"2503.0000{n}", "title": f"{name}: a study", "abstract": f"{name} scores {n} points."}
    for n, name in enumerate(("Ada", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "Hal"), start=1)
]
CASES: list[dict[str, Any]] = [
    {
        "id": paper["id"], "kind": "named", "question": f"How many points does {paper['title'][:3]} score?",
        "papers": [paper["id"]], "facts": [[f"{n} points"]], "answerable": True,
    }
    for n, paper in enumerate(PAPERS, start=1)
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in ``home``, a data set ``cases.jsonl``, and its run in ``run``."""
    folder = tmp_path_factory.mktemp("differences")
    for name, rows in (("papers", PAPERS), ("cases", CASES)):
        lines = "".join(f"{json.dumps(each)}\n" for each in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    library = Library(load_settings({"home": folder / "home"}, {}))
    library.ingest([str(folder / "papers.jsonl")])
    library.close()
    return folder


Command = Callable[..., int]


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("ASSISTANT_HOME", str(folder / "home"))
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> int:
        return cli.run(["eval", *arguments])

    if not (folder / "run").exists():
        assert run("run", "cases.jsonl", "--out", "run") == 0
    return run


def test_the_same_configuration_passes_its_own_gate(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "again")
    assert command("run", "cases.jsonl", "--out", out, "--gate", "run") == 0
    assert "the gate passes" in capsys.readouterr().err
    assert command("diff", "run", out) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no difference"
    assert "The gate passes." in (tmp_path / "again" / "report.html").read_text(encoding="utf-8")


def test_a_worse_run_fails_with_exit_code_6(
    command: Command, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    better = [
        json.loads(line) for line in (folder / "run" / "results.jsonl").read_text().splitlines()
    ]
    for each in better:
        assert each["scores"]["reference_f1"] is None
        each["scores"]["words"] = 1.0
        each["scores"]["retrieval_mrr"] = 2.0
    baseline = tmp_path / "baseline.jsonl"
    baseline.write_text("".join(f"{json.dumps(each)}\n" for each in better), encoding="utf-8")
    out = tmp_path / "out"
    assert command("run", "cases.jsonl", "--out", str(out), "--gate", str(baseline)) == 6
    (line,) = (each for each in capsys.readouterr().err.splitlines() if each.startswith("error: "))
    assert "the gate fails: retrieval MRR fell from 2.000 to 1.000" in line
    assert "words" not in line
    assert 'failures="2"' in (out / "junit.xml").read_text(encoding="utf-8")


def test_a_floor_fails_with_exit_code_6(command: Command, tmp_path: Path) -> None:
    arguments = ("run", "cases.jsonl", "--out", str(tmp_path / "out"))
    assert command(*arguments, "--floor", "verbatim_quotes=1") == 0
    assert command(*arguments, "--floor", "verbatim_quotes=1.1") == 6


WRITTEN = {"report.html", "summary.md", "junit.xml"}
TOO_LONG = {"id": "too-long", "kind": "named", "question": "why " * 2000, "answerable": True}


def test_a_run_without_any_answer_fails_the_gate_and_has_its_reports(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, out = tmp_path / "long.jsonl", tmp_path / "out"
    cases.write_text(json.dumps(TOO_LONG), encoding="utf-8")
    assert command("run", str(cases), "--out", str(out), "--floor", "answered=0.5") == 6
    assert "the gate fails: no case was answered" in capsys.readouterr().err
    assert {each.name for each in out.iterdir()} >= WRITTEN


def test_a_gate_that_cannot_be_judged_takes_no_report_away(
    command: Command, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, baseline, out = tmp_path / "two.jsonl", tmp_path / "baseline.jsonl", tmp_path / "out"
    cases.write_text(f"{json.dumps(CASES[0])}\n{json.dumps(TOO_LONG)}\n", encoding="utf-8")
    assert command("run", str(cases), "--out", str(tmp_path / "first")) == 4
    answered, failed = map(
        json.loads, (tmp_path / "first" / "results.jsonl").read_text().splitlines()
    )
    other = [{**failed, "case": answered["case"]}, {**answered, "case": failed["case"]}]
    baseline.write_text("".join(f"{json.dumps(each)}\n" for each in other), encoding="utf-8")
    assert command("run", str(cases), "--out", str(out), "--gate", str(baseline)) == 2
    assert "no case was answered in both" in capsys.readouterr().err
    assert {each.name for each in out.iterdir()} >= WRITTEN


def test_json_of_the_commands(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("diff", "run", "run", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {each["verdict"] for each in rows} == {"no difference"}
    assert command("run", "cases.jsonl", "--out", "run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["overall"]["cases"] == len(CASES)


def test_reports_are_written_anew(command: Command, folder: Path) -> None:
    page = folder / "run" / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert command("report", "run") == 0
    assert page.read_bytes() == before


def test_what_the_gate_said_stays_in_reports_that_are_written_anew(
    command: Command, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    arguments = ("run", "cases.jsonl", "--out", out)
    assert command(*arguments, "--gate", "run", "--floor", "words=1000") == 6
    before = {name: (tmp_path / "out" / name).read_bytes() for name in WRITTEN}
    assert b"The gate fails: words is" in before["report.html"]
    assert command("report", out) == 0
    assert {name: (tmp_path / "out" / name).read_bytes() for name in WRITTEN} == before
    assert command(*arguments, "--floor", "words=1000") == 6
    assert "The gate fails" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert command(*arguments) == 0
    assert command("report", out) == 0
    assert "The gate" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_judges_scores_are_in_the_reports(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert command("run", "cases.jsonl", "--out", str(out), "--gate", "run") == 0
    with FakeOpenAI(honest) as server, monkeypatch.context() as changed:
        changed.setenv("ASSISTANT_LLM_BASE_URL", server.url)
        assert command("judge", str(out), "--llm", "openai:judge") == 0
    report = Report.model_validate_json((out / "report.json").read_bytes())
    assert report.judge == "openai:judge"
    for group in (report.overall, report.kinds["named"]):
        mean = group.measures["judge_faithfulness"]
        assert mean.count == len(CASES)
        assert mean.mean == mean.low == mean.high == 1.0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "graded by <b>openai:judge</b>" in page
    assert "by words" in page
    assert "The gate passes." in page
    assert "| judge faithfulness | 1.000 |" in (out / "summary.md").read_text(encoding="utf-8")
    assert command("run", "cases.jsonl", "--out", str(out)) == 0  # asks nothing, and keeps them
    assert Report.model_validate_json((out / "report.json").read_bytes()) == report


def test_what_the_judge_leaves_open_is_not_zero_in_the_reports(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert command("run", "cases.jsonl", "--out", str(out)) == 0
    with FakeOpenAI("never_json") as server:
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
        assert command("judge", str(out), "--llm", "openai:judge") == 4
    report = Report.model_validate_json((out / "report.json").read_bytes())
    found = report.overall.measures["judge_correctness"]
    assert (found.mean, found.count) == (None, 0)
    assert "unscored: " in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("diff", "run", "nowhere"), "there is no run at nowhere"),
        (("diff", "home", "run"), "home holds no run"),
        (("report", "nowhere"), "nowhere holds no run"),
        (("diff", "run", "papers.jsonl"), "papers.jsonl:1: damaged, or of another version"),
        (("run", "cases.jsonl", "--gate", "nowhere"), "there is no run at nowhere"),
        (("run", "fewer.jsonl", "--gate", "run"), "run is of another data set than fewer.jsonl"),
        (("run", "fewer.jsonl", "--out", "run"), "holds a run with another data set"),
        (("run", "cases.jsonl", "--floor", "beauty=1"), "no such measure; there are expected_"),
        (("run", "cases.jsonl", "--floor", "fact_recall"), "expected MEASURE=VALUE"),
        (("run", "cases.jsonl", "--floor", "fact_recall=nan"), "expected MEASURE=VALUE"),
        (("run", "cases.jsonl", "--floor", "fact_recall=-inf"), "expected MEASURE=VALUE"),
        (("run", "cases.jsonl", "--floor", "page_hit=0.5"), "no case of cases.jsonl can have"),
        (("run", "cases.jsonl", "--floor", "judge_correctness=0.5"), "no case of cases.jsonl can"),
        (("run", "cases.jsonl", "--gate", "unanswered.jsonl"), "no case was answered in it"),
        (("run", "cases.jsonl", "--out", "strange"), "holds the case 'strange', which"),
        (("run", "cases.jsonl", "--out", "endless"), "results.jsonl:1: damaged"),
        (("run", "cases.jsonl", "--out", "huge"), "results.jsonl:1: damaged"),
        (("diff", "run", "unfinished"), "is not finished: go on with it"),
        (("report", "unfinished"), "is not finished: go on with it"),
        (("report", "damaged"), "is damaged, or of another version"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    command: Command,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    reason: str,
) -> None:
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "fewer.jsonl").write_text("".join(lines[:2]), encoding="utf-8")
    manifest = (folder / "run" / "run.json").read_text(encoding="utf-8")
    results = (folder / "run" / "results.jsonl").read_text(encoding="utf-8")
    failed = [{**json.loads(line), "error": "x"} for line in results.splitlines()]
    (folder / "unanswered.jsonl").write_text("\n".join(map(json.dumps, failed)), encoding="utf-8")
    first = results.splitlines(keepends=True)[0]
    for name, line in (
        ("strange", first.replace('"id":"2503.00001"', '"id":"strange"')),
        ("endless", first.replace('"fact_recall":1.0', '"fact_recall":NaN')),
        ("huge", first.replace('"fact_recall":1.0', '"fact_recall":1e308')),
    ):
        assert line != first
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "results.jsonl").write_text(line, encoding="utf-8")
        (folder / name / "run.json").write_text(manifest, encoding="utf-8")
    for name, content in (("unfinished", manifest), ("damaged", manifest[:50])):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "run.json").write_text(content, encoding="utf-8")
    assert command(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert reason in line


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("**A <b>: title**: 1 \\* 2 **x", "<strong>A &lt;b&gt;: title</strong>: 1 * 2 **x"),
        (r"\*\*no\*\* [a](b) _c_", "**no** [a](b) _c_"),
        ("** a ** <i>", "** a ** &lt;i&gt;"),
    ],
)
def test_the_page_shows_bold_and_nothing_else_of_markdown(answer: str, shown: str) -> None:
    said = Answer(
        question="?", standalone_question="?", answer=answer, refused=False, refusal_reason=None,
        citations=(), claims=(), backend="extractive",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    answered = result(1).model_copy(update={"answer": said})
    page = html.render(summary(answered), [answered], {})
    assert f'<p class="text">{shown}</p>' in page
