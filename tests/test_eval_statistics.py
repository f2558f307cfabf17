"""Intervals and differences over clusters: what they hold, and how often they are right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.checks.intervals import CHANGES, NORMAL, SHARES, World, coverage
from eval.statistics.many_tests import holm
from eval.statistics.means import mean_interval, paired_difference

SCORES = st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abcdef")), min_size=1, max_size=30)


@pytest.mark.parametrize("clusters", [12, 25, 50])
@pytest.mark.parametrize("world", [NORMAL, SHARES, CHANGES], ids=lambda world: world.name)
def test_intervals_hold_the_known_mean_as_often_as_they_say(world: World, clusters: int) -> None:
    assert 0.92 <= coverage(world, clusters=clusters) <= 0.97


@given(SCORES)
def test_the_interval_is_around_the_mean_and_within_the_values(
    scored: list[tuple[float, str]],
) -> None:
    values, clusters = [value for value, _ in scored], [name for _, name in scored]
    found = mean_interval(values, clusters, resamples=200)
    slack = 1e-6
    assert found.mean == pytest.approx(sum(values) / len(values), abs=slack)
    assert min(values) - slack <= found.low <= found.mean + slack
    assert found.mean - slack <= found.high <= max(values) + slack


def test_questions_on_one_paper_tell_less_than_questions_on_many() -> None:
    values = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0] * 3
    apart = mean_interval(values, [str(each) for each in range(24)])
    together = mean_interval(values, [str(each // 4) for each in range(24)])
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_same_values_and_seed_give_the_same_interval() -> None:
    values, clusters = [0.1, 0.9, 0.4, 0.7], ["a", "b", "b", "c"]
    assert mean_interval(values, clusters) == mean_interval(values, clusters)
    assert mean_interval(values, clusters, seed=1, resamples=50) != mean_interval(
        values, clusters, seed=2, resamples=50
    )


def test_cases_are_drawn_where_there_is_one_paper_only() -> None:
    found = mean_interval([0.0, 1.0, 0.0, 1.0], ["a"] * 4)
    assert found.low < 0.5 < found.high


def test_equal_values_have_an_interval_without_width() -> None:
    found = mean_interval([0.1] * 3, ["a", "a", "b"])
    assert (found.mean, found.low, found.high) == (0.1, 0.1, 0.1)


def test_two_equal_runs_do_not_differ() -> None:
    found = paired_difference([0.0, 0.3, 1.0], [0.0, 0.3, 1.0], ["a", "b", "c"])
    assert (found.mean, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_the_second_above_the_first_is_a_positive_difference() -> None:
    first, second = [0.2, 0.4, 0.1] * 4, [0.9, 0.8, 0.7] * 4
    found = paired_difference(first, second, [str(each) for each in range(12)])
    back = paired_difference(second, first, [str(each) for each in range(12)])
    assert 0 < found.low < found.mean < found.high
    assert found.p_value < 0.01
    assert (back.mean, back.p_value) == (-found.mean, found.p_value)


@pytest.mark.parametrize(("changed", "p_value"), [(0, 1.0), (1, 1.0), (2, 0.5), (6, 2 / 2**6)])
def test_the_p_value_is_exact_where_few_papers_differ(changed: int, p_value: float) -> None:
    second = [1.0] * changed + [0.0] * (20 - changed)
    found = paired_difference([0.0] * 20, second, [str(each) for each in range(20)])
    assert found.p_value == pytest.approx(p_value, abs=1e-6)


def test_papers_are_swapped_whole() -> None:
    second = [1.0] * 12
    assert paired_difference([0.0] * 12, second, ["a", "b", "c"] * 4).p_value == 0.25


def test_a_difference_needs_pairs() -> None:
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_difference([0.0, 1.0], [1.0], ["a", "b"])
    with pytest.raises(ValueError, match="cannot be grouped"):
        mean_interval([0.0, 1.0], ["a"])
    with pytest.raises(ValueError, match="0 values"):
        mean_interval([], [])


def test_holm_corrects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_a_corrected_p_value_is_never_lower(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(1 >= after >= before for before, after in zip(p_values, corrected, strict=True))
