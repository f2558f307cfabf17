"""What a model thinks aloud is told from its answer, however the reply is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.models.thinking import PAIRS, Thinking, without_thinking

BITS = ("<think>", "</think>", "<", "think>", "[THINK]", "[/THINK]", "<|channel|>",
        "analysis<|message|>", "final<|message|>", "<|end|>", "<|start|>assistant", "A sentence.",
        " words", "\n", "[k7f2m]")  # fmt: skip


def heard(pieces: list[str]) -> str:
    thinking = Thinking()
    parts = [part for piece in pieces for part in thinking.feed(piece)]
    answer = ""
    for part in (*parts, *thinking.finish()):
        answer = part.text if part.restarts else answer + part.text
    return answer


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_what_stands_between_marks_is_dropped(opening: str, closing: str) -> None:
    assert without_thinking(f"{opening}Let me see.{closing}\n\nIt is 50.") == "It is 50."


@pytest.mark.parametrize(
    "reply",
    [
        "Okay, the user asks. It is 60.\n</think>\n\nIt is 50.",
        "<THINK>hm</THINK>It is 50.",
        "<think>a</think><think>b</think>It is 50.",
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>It is 50.",
        "<|channel|>analysis<|message|>hm<|channel|>final<|message|>It is 50.<|return|>",
        "analysis: hm<|channel|>final<|message|>It is 50.",
    ],
)
def test_forms_that_models_use(reply: str) -> None:
    assert without_thinking(reply) == "It is 50."
    assert heard(list(reply)) == "It is 50."


def test_thinking_after_the_first_words() -> None:
    assert without_thinking("Sure. <think>maybe 60</think>It is 50.") == "Sure. It is 50."


def test_thinking_without_an_end_is_all_of_it() -> None:
    assert without_thinking("<think>hm") == ""


@pytest.mark.parametrize(
    "reply",
    [
        "It reasons between <think> and </think> tags.",
        "It ends its thoughts with </think>, then answers.",
        "Tokens such as [THINK] are new.",
        "a < b and [k7f2m] hold.",
    ],
)
def test_an_answer_about_such_marks_is_an_answer(reply: str) -> None:
    assert without_thinking(reply) == reply
    assert heard(list(reply)) == reply


@given(st.lists(st.sampled_from(BITS), max_size=15), st.data())
def test_pieces_make_no_difference(bits: list[str], data: st.DataObject) -> None:
    text = "".join(bits)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert heard(pieces) == without_thinking(text)
