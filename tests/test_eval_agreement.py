"""How far two raters agree: accuracy, and kappa, which takes chance off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.statistics.agreement import agreement


def test_kappa_of_a_known_table() -> None:
    # 20 yes/yes, 15 no/no, 5 yes/no, 10 no/yes: 0.7 agreement, 0.5 of it by chance.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = agreement(first, second)
    assert (found.count, found.accuracy, found.kappa) == (50, 0.7, 0.4)


def test_full_agreement_is_one() -> None:
    assert agreement([0, 1, 2, 1], [0, 1, 2, 1]).kappa == 1


def test_a_judge_that_always_says_the_same_agrees_by_chance_alone() -> None:
    found = agreement([1, 1, 1, 0], [1, 1, 1, 1])
    assert (found.accuracy, found.kappa) == (0.75, 0)


def test_it_is_undefined_where_both_always_say_the_same() -> None:
    assert agreement([1, 1], [1, 1]).kappa is None


@pytest.mark.parametrize(("first", "second"), [([], []), ([1], [1, 2])])
def test_labels_that_cannot_be_compared(first: list[int], second: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement(first, second)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1))
def test_who_comes_first_does_not_matter(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = agreement(first, second)
    assert found == agreement(second, first)
    assert found.kappa is None or -1 <= found.kappa <= found.accuracy
