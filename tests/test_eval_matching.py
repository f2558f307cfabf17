"""Key facts in answers: case, white space and typographic variants make no difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases.matching import normalise, states

NO_ESCAPES = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]))
WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\"),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("It achieves 50 Points on AIME.", "50 points"),
        ("built on Qwen2.5‑32B", "Qwen2.5-32B"),
        ("10 – 20 steps", "10-20 steps"),
        ("a gain of 22 %", "22%"),
        ("a gain of 22\\%", "22%"),
        ("the “verify” set", '"verify" set'),
        ("the model’s size", "model's size"),
        ("a front\nend", "front end"),
        ("snake\\_case \\[sic\\]", "snake_case [sic]"),
        ("φ-Decoding", "phi-decoding"),
        ("2× faster", "2x faster"),
        ("naïve", "naive"),
        ("zero\u200bwidth and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("(ﬁne-tuning)", "fine-tuning"),
    ],
)
def test_variants_match(answer: str, fact: str) -> None:
    assert states(normalise(answer), [fact])


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("a gain of 76%", "6%"),
        ("a gain of 3.6%", "6%"),
        ("an 11B model", "1B"),
        ("50.3 points", "50"),
        ("1,500 cases", "500"),
        ("500,000 cases", "500"),
        ("it says nothing", "50 points"),
    ],
)
def test_other_numbers_and_words_do_not_match(answer: str, fact: str) -> None:
    assert not states(normalise(answer), [fact])


def test_a_number_may_end_a_sentence() -> None:
    assert states(normalise("It scores 50. More follows, 60, and so on."), ["50"])
    assert states(normalise("It scores 50. More follows, 60, and so on."), ["60"])


def test_any_alternative_counts() -> None:
    assert states(normalise("six percent"), ["6%", "six percent"])
    assert not states(normalise("six percent"), ["7%", "seven percent"])


@given(NO_ESCAPES)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(WORDS, st.text(), NO_ESCAPES)
def test_a_fact_is_found_wherever_it_stands(fact: str, before: str, after: str) -> None:
    assert states(normalise(f"{before} a {fact} a {after}"), [fact])


@given(WORDS)
def test_case_and_white_space_do_not_matter(fact: str) -> None:
    assert states(normalise("\u00a0".join(fact.swapcase())), [fact])


@given(WORDS)
def test_markdown_escapes_do_not_matter(fact: str) -> None:
    escaped = "".join(char if char.isalnum() else f"\\{char}" for char in fact)
    assert states(normalise(escaped), [fact])
