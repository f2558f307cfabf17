"""Forms that models fill in almost as they were asked to."""

import contextlib
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from assistant.models import structured
from assistant.models.form import Form


class Asked(Form):
    quote: str = Field(description="a sentence")
    verdict: Literal["supported", "partial", "unsupported"]
    confidence: float
    sentences: list[str]


GOOD = {"quote": "q", "verdict": "partial", "confidence": 1.0, "sentences": ["a"]}


def read(**given: Any) -> Asked:
    return Asked.model_validate({**GOOD, **given})


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("Supported", "supported"),
        ("partially supported", "partial"),
        ("**UNSUPPORTED.**", "unsupported"),
    ],
)
def test_a_choice_is_read_in_any_case_and_with_more_after_it(given: str, read_as: str) -> None:
    assert read(verdict=given).verdict == read_as


@pytest.mark.parametrize("given", ["not supported", "", "none"])
def test_a_choice_that_is_not_one_is_none(given: str) -> None:
    with pytest.raises(ValidationError, match="verdict"):
        read(verdict=given)


@pytest.mark.parametrize(
    ("given", "number"),
    [("90%", 90), ("8/10", 8), ("8 out of 10", 8), (" 0.5 ", 0.5), ("7", 7), (3, 3)],
)
def test_a_number_may_be_a_text(given: object, number: float) -> None:
    assert read(confidence=given).confidence == number


@pytest.mark.parametrize("given", ["high", None, "1.2.3"])
def test_a_number_that_is_none_is_an_error(given: object) -> None:
    with pytest.raises(ValidationError, match="confidence"):
        read(confidence=given)


@pytest.mark.parametrize(
    ("given", "items"),
    [(None, []), ("", []), ("a", ["a"]), ([{"question": "a"}, "b"], ["a", "b"]), (["a"], ["a"])],
)
def test_a_list_may_be_nothing_or_its_only_item(given: object, items: list[str]) -> None:
    assert read(sentences=given).sentences == items


def test_a_text_may_be_nothing() -> None:
    assert read(quote=None).quote == ""
    assert read(quote=["q"]).quote == "q"


def test_lists_and_texts_may_be_missing() -> None:
    found = Asked.model_validate({"verdict": "partial", "confidence": 1})
    assert (found.quote, found.sentences) == ("", [])


def test_another_object_is_not_an_empty_form() -> None:
    class Lists(Form):
        sentences: list[str]

    with pytest.raises(ValidationError):
        Lists.model_validate({"other": 1})


def test_a_form_may_be_wrapped() -> None:
    text = '{"result": {"verdict": "partial", "confidence": 1, "quote": "q", "sentences": []}}'
    assert structured.parse(text, Asked).quote == "q"


def test_what_is_asked_for_is_all_of_it() -> None:
    assert Asked.model_json_schema()["required"] == list(GOOD)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(GOOD)), _JSON))
def test_no_values_do_worse_than_not_fit(values: dict[str, Any]) -> None:
    with contextlib.suppress(ValidationError):
        Asked.model_validate(values)
