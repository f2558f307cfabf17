"""The committed baseline: of the questions as they are, and a gate that can fail."""

from eval.analysis import differences
from eval.cases.dataset import load
from eval.runs.results import Result, read
from eval.surroundings import DATASETS
from eval.targets import baseline

RESULTS = read(baseline.PATH, Result)


def test_the_baseline_is_of_the_questions_as_they_are() -> None:
    assert tuple(each.case for each in RESULTS) == load(DATASETS / "digest.yaml").cases


def test_a_run_like_the_baseline_passes() -> None:
    diff = baseline.against_baseline(RESULTS)
    assert differences.verdict(diff) == "no difference"
    assert differences.failures(diff, {}, ()) == []


def test_a_run_that_loses_facts_fails() -> None:
    spoilt = [
        each.model_copy(update={"scores": {**each.scores, "fact_recall": 0.0}})
        if "fact_recall" in each.scores and place % 5 == 0
        else each
        for place, each in enumerate(RESULTS)
    ]
    (reason,) = differences.failures(baseline.against_baseline(spoilt), {}, ())
    assert reason.startswith("fact recall fell")
