"""Targets, tables, and the small models of answerability."""

import numpy as np
import pytest

from eval.statistics.logistic import area_under_curve, fit, out_of_fold, threshold_keeping
from eval.targets.target import Target, table, verdict

RANDOM = np.random.default_rng(1)
LABELS = RANDOM.random(400) < 0.7
FEATURES = np.column_stack(
    [LABELS + RANDOM.normal(size=400), RANDOM.normal(size=400), np.ones(400)]
)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target("m", 0.8, 0.8), "ok"),
        (Target("m", 0.79, 0.8), "SHORT"),
        (Target("m", 40, 40, at_most=True), "ok"),
        (Target("m", 41, 40, at_most=True), "SHORT"),
        (Target("m", None, 0.8), "not measured"),
    ],
)
def test_verdict(target: Target, said: str) -> None:
    assert target.verdict == said


def test_table_and_summary() -> None:
    targets = [Target("first", 0.9, 0.8), Target("second", 612.4, 600, at_most=True, unit="MB")]
    assert table(targets) == (
        "measure   value    target\n"
        "first     0.900   ≥ 0.800     ok\n"
        "second   612 MB  ≤ 600 MB  SHORT"
    )
    assert verdict(targets) == "1 of 2 fall short: second"
    assert verdict(targets[:1]) == "all 1 targets measured are reached"


def test_a_fitted_model_weighs_what_tells_the_classes_apart() -> None:
    fitted = fit(FEATURES, LABELS)
    assert fitted.weights[0] > 5 * abs(fitted.weights[1])
    assert fitted.weights[2] == pytest.approx(0, abs=1e-6)
    expected = 1 / (1 + np.exp(-fitted.log_odds(FEATURES)))
    assert expected.mean() == pytest.approx(LABELS.mean(), abs=1e-3)


def test_left_out_rows_are_judged_without_hindsight() -> None:
    noise = RANDOM.normal(size=(400, 3))
    assert area_under_curve(out_of_fold(noise, LABELS), LABELS) < 0.6
    assert area_under_curve(out_of_fold(FEATURES, LABELS), LABELS) > 0.7


def test_area_under_curve_counts_ordered_pairs() -> None:
    labels = np.array([True, True, False, False])
    assert area_under_curve(np.array([4.0, 2.0, 3.0, 1.0]), labels) == 0.75


def test_threshold_keeps_at_least_the_share() -> None:
    scores = np.arange(100.0)
    assert threshold_keeping(0.97, scores) == 3.0
    assert threshold_keeping(1.0, scores) == 0.0
