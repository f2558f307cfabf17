"""Verdicts into the text of an answer."""

import pytest

from assistant.answer.marking import NOTHING_LEFT, drop, mark
from assistant.records import Claim, Verdict

TEXT = "DAPO reaches **50 points** [1]. It is [2] fast [1][3]! Its base is Qwen2.5-32B [2]."


def claims(*verdicts: Verdict) -> list[Claim]:
    texts = ("DAPO reaches 50 points.", "It is fast!", "Its base is Qwen2.5-32B.")
    return [
        Claim(text=text, verdict=verdict, citations=(1,))
        for text, verdict in zip(texts, verdicts, strict=True)
    ]


def test_what_is_supported_stays_as_it_is() -> None:
    good = claims("supported", "partial", "unchecked")
    assert mark(TEXT, good) == drop(TEXT, good) == TEXT


def test_a_claim_is_marked_behind_its_citations() -> None:
    assert mark(TEXT, claims("supported", "unsupported", "contradicted")) == (
        "DAPO reaches **50 points** [1]. It is [2] fast [1][3]! ⚠ *not supported by the text cited* "
        "Its base is Qwen2.5-32B [2]. ⚠ *contradicted by the text cited*"
    )


def test_a_dropped_claim_takes_its_citations_along() -> None:
    assert drop(TEXT, claims("supported", "unsupported", "supported")) == (
        "DAPO reaches **50 points** [1]. Its base is Qwen2.5-32B [2]."
    )


def test_what_is_left_of_a_paper_follows_its_title() -> None:
    text = "**DAPO**: It is RL. [1]\n\nIt is open. [2]\n\n**PyGDA**: It is graphs. [3]"
    said = [
        ("It is RL.", "unsupported"),
        ("It is open.", "supported"),
        ("It is graphs.", "supported"),
    ]
    told = [Claim(text=each, verdict=verdict, citations=()) for each, verdict in said]
    assert drop(text, told) == "**DAPO**: It is open. [2]\n\n**PyGDA**: It is graphs. [3]"


def test_a_list_under_a_heading_stays_one() -> None:
    text = "**Results**:\n\n- It is RL. [1]\n- It is open. [2]"
    told = [
        Claim(text="It is RL.", verdict="supported", citations=(1,)),
        Claim(text="It is open.", verdict="unsupported", citations=(2,)),
    ]
    assert drop(text, told).startswith("**Results**:\n\n- It is RL. [1]")


def test_an_answer_of_which_nothing_is_left_says_so() -> None:
    assert drop(TEXT, claims("unsupported", "unsupported", "contradicted")) == NOTHING_LEFT


@pytest.mark.parametrize("change", [mark, drop])
def test_a_claim_that_cannot_be_found_is_listed_at_the_end(change: type[mark]) -> None:
    lost = Claim(text="Said otherwise.", verdict="unsupported", citations=())
    assert change("It is so.", [lost]) == ("It is so.\n\n> Said otherwise ⚠ *no source given*")


def test_a_claim_that_cites_nothing_is_said_to_cite_nothing() -> None:
    bare = Claim(text="It is so.", verdict="unsupported", citations=())
    wrong = Claim(text="It is not.", verdict="unsupported", citations=(1,))
    assert mark("It is so. It is not [1].", [bare, wrong]) == (
        "It is so. ⚠ *no source given* It is not [1]. ⚠ *not supported by the text cited*"
    )


def test_the_same_sentence_twice_is_marked_twice() -> None:
    twice = [Claim(text="It is so.", verdict="unsupported", citations=())] * 2
    assert mark("It is so. It is so.", twice).count("⚠") == 2
