"""Verdicts into the text of an answer."""

import pytest

from assistant.answer.marking import NOTHING_LEFT, WHY_NOTHING, Marked, apply, drop, mark
from assistant.records import Citation, Claim, Verdict

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


def told(*said: tuple[str, Verdict]) -> list[Claim]:
    return [Claim(text=text, verdict=verdict, citations=(1,)) for text, verdict in said]


def test_a_dropped_item_takes_its_line_along() -> None:
    text = "Results:\n\n1. **Score**: 60 points [1].\n2. **Base**: Qwen [1]."
    claimed = told(("Score: 60 points.", "unsupported"), ("Base: Qwen.", "supported"))
    assert drop(text, claimed) == "Results:\n\n2. **Base**: Qwen [1]."


def test_a_dropped_row_takes_its_bars_along() -> None:
    text = "\\| A \\| B \\|\n\\|---\\|---\\|\n\\| DAPO \\| 60 [1] \\|\n\\| Base \\| Qwen [1] \\|"
    claimed = told(("DAPO | 60", "unsupported"), ("Base | Qwen", "supported"))
    assert drop(text, claimed) == "\\| A \\| B \\|\n\\|---\\|---\\|\n\\| Base \\| Qwen [1] \\|"


def test_a_dropped_sentence_takes_its_emphasis_along() -> None:
    text = "1. **Score**: 60 points [1]. It is open [1]."
    claimed = told(("Score: 60 points.", "unsupported"), ("It is open.", "supported"))
    assert drop(text, claimed) == "1. It is open [1]."


def test_a_mark_stands_behind_a_chinese_stop() -> None:
    claimed = told(("获得60分。", "unsupported"), ("它是开源的。", "supported"))
    assert mark("获得60分 [1]。它是开源的 [1]。", claimed) == (
        "获得60分 [1]。 ⚠ *not supported by the text cited* 它是开源的 [1]。"
    )


def citations() -> list[Citation]:
    return [
        Citation(
            number=number, paper_id="p", title="t", url=None, source="abstract", page_first=None,
            page_last=None, section=None, quote="q", boxes=(), chunk_id="c", score=0.5,
        )
        for number in (1, 2, 3)
    ]  # fmt: skip


def test_an_answer_keeps_the_citations_that_its_text_still_refers_to() -> None:
    left = apply(TEXT, claims("supported", "unsupported", "supported"), citations(), drops=True)
    assert [each.number for each in left.citations] == [1, 2]
    assert left.refusal is None


def test_an_answer_of_which_nothing_is_left_is_a_refusal_that_cites_nothing() -> None:
    bad = claims("unsupported", "unsupported", "contradicted")
    assert apply(TEXT, bad, citations(), drops=True) == Marked(NOTHING_LEFT, (), WHY_NOTHING)
    assert apply(TEXT, bad, citations(), drops=False).refusal is None


def test_what_only_leads_to_dropped_claims_is_no_answer() -> None:
    assert (
        drop("Key findings:\n- It is so [1].", told(("It is so.", "unsupported"))) == NOTHING_LEFT
    )
