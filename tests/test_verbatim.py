"""Quotes are found in the text they come from, whatever their spacing, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text import sentences, words
from assistant.verbatim import locate

TEXT = "It gains 52.3 points, “by far” the\nmost. Memory—of all—stays at 1,000 MB. Final ﬁgures differ."


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("It gains 52.3 points", "It gains 52.3 points"),
        ('it gains 52.3 points, "by far" the most.', "It gains 52.3 points, “by far” the\nmost"),
        ("…the most. Memory-of all…", "the\nmost. Memory—of all"),
        ("**stays at 1,000 MB**", "stays at 1,000 MB"),
        ("Final figures differ", "Final ﬁgures differ"),
    ],
)
def test_a_quote_is_found_as_the_text_has_it(quote: str, found: str) -> None:
    span = locate(quote, TEXT)
    assert span is not None
    assert TEXT[slice(*span)] == found


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "It gains",
        "It gains 52.8 points",
        "It gains 523 points",
        "stays at 1",
        "all stays at 1,0",
        "t gains 52.3 points",
        "of all stays at 1000 MB",
        "gains … points",
        "The figures differ",
    ],
)
def test_what_is_not_there_or_too_little_is_not_found(quote: str) -> None:
    assert locate(quote, TEXT) is None


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_texts_may_be_compared(text: str, quote: str) -> None:
    span = locate(quote, text)
    assert span is None or 0 <= span.start < span.end <= len(text)


@given(st.text(st.characters(categories=["L", "N", "Z", "P"]), max_size=200))
def test_a_whole_sentence_of_enough_words_is_found(text: str) -> None:
    for span in sentences(text):
        sentence = text[slice(*span)]
        if sentence.isascii() and sentence[0].isalnum() and len(words(sentence)) >= 3:
            assert locate(sentence, text) is not None
