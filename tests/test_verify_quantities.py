"""Numbers of a claim and of its evidence: what they are worth, and which of them agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.verify.quantities import agree, quantities, unbacked


def values(text: str) -> list[tuple[float, str]]:
    return [(each.value, each.kind) for each in quantities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reaches 52.3%", [(52.3, "percent")]),
        ("52.3 percent", [(52.3, "percent")]),
        ("1,200 tasks", [(1200.0, "")]),
        ("an 8B model", [(8e9, "")]),
        ("3.5 million users", [(3.5e6, "")]),
        ("10k steps", [(1e4, "")]),
        ("two layers", [(2.0, "")]),
        ("twenty-five people", [(25.0, "")]),
        ("one hundred and five", [(105.0, "")]),
        ("1.5x faster", [(1.5, "times")]),
        ("a 5-fold rise", [(5.0, "times")]),
        ("a twofold rise", [(2.0, "times")]),
        ("in 5-10 ms", [(5.0, ""), (0.01, "time")]),
        ("90.1 ± 0.4", [(90.1, ""), (0.4, "")]),
        ("for 2 hours", [(7200.0, "time")]),
        ("$5 mln", [(5e6, "dollar")]),
        ("40mg daily", [(pytest.approx(4e-5), "mass")]),
        ("GPT-4, Llama-3.1-8B and p53", []),
        ("", []),
    ],
)
def test_numbers_are_read_with_what_they_measure(
    text: str, expected: list[tuple[float, str]]
) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("2 layers", "two layers"),
        ("50 percent", "50%"),
        ("half of them", "50% of them"),
        ("1200 tasks", "1,200 tasks"),
        ("2x", "twofold"),
        ("60 minutes", "1 hour"),
        ("an accuracy of 95", "95%"),
        ("52%", "52.3%"),
        ("about 50 tasks", "51 tasks"),
        ("over 50 tasks", "53 tasks"),
        ("less than 10%", "9%"),
        ("8B parameters", "8 billion parameters"),
    ],
)
def test_the_same_number_in_another_notation_agrees(claim: str, evidence: str) -> None:
    assert not unbacked(quantities(claim), quantities(evidence))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("52.3%", "53.2%"),
        ("52.3%", "52%"),
        ("50 patients", "50% of patients"),
        ("up to 9.2 points", "up to 8.2 points"),
        ("over 50 tasks", "over 60 tasks"),
        ("over 50 tasks", "100 tasks"),
        ("two layers", "three layers"),
        ("8B parameters", "8M parameters"),
        ("2 hours", "2 minutes"),
    ],
)
def test_another_number_does_not_agree(claim: str, evidence: str) -> None:
    assert unbacked(quantities(claim), quantities(evidence))


@given(st.decimals(min_value=0, max_value=10**6, places=2))
def test_a_number_agrees_with_itself_and_with_no_other_of_as_many_digits(number: object) -> None:
    (own,) = quantities(f"reaches {number}%")
    (other,) = quantities(f"reaches {float(str(number)) + 0.01:.2f}%")
    assert agree(own, own)
    assert not agree(own, other)


@given(st.text(max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    for each in quantities(text):
        assert text[each.span.start : each.span.end]
