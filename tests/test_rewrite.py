"""Follow-up questions are made to stand alone."""

import re

import pytest

from assistant.answer.rewrite import Topic, stand_alone
from assistant.records import Turn

NAMES = ("DAPO", "PyGDA", "Atlas", "SWEET-RL", r"360{\deg} \1")
UNSURE = Topic(("Cube",), mentions=(), score=0.4)
SURE = Topic(("Cube",), mentions=(), score=1.2)


def find_topic(text: str) -> Topic | None:
    """Find the names in a text, as a library of four papers would; trees fit one paper well."""
    names = tuple(
        name for name in NAMES if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
    )
    if names:
        return Topic(names, mentions=names, score=1.5)
    if "bread" in text:
        return UNSURE._replace(strange=0.3 if "model" in text else 0.8)
    return SURE if "voxel" in text else UNSURE


def conversation(*contents: str) -> list[Turn]:
    return [
        Turn(role="assistant" if index % 2 else "user", content=content)
        for index, content in enumerate(contents)
    ]


ABOUT_DAPO = conversation("What is DAPO?", "**DAPO**: An RL system. [1]")


def rewritten(question: str, history: list[Turn] = ABOUT_DAPO) -> str:
    return stand_alone(question, history, find_topic=find_topic)


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("What does it reach?", "What does DAPO reach?"),
        ("Who wrote this paper?", "Who wrote DAPO?"),
        ("Does that method need critics?", "Does DAPO need critics?"),
        ("How were they trained?", "How were DAPO trained?"),
    ],
)
def test_a_pronoun_becomes_the_name(question: str, alone: str) -> None:
    assert rewritten(question) == alone


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("What is its base model?", "What is DAPO's base model?"),
        ("Which is their score?", "Which is DAPO's score?"),
    ],
)
def test_a_possessive_becomes_the_name_with_s(question: str, alone: str) -> None:
    assert rewritten(question) == alone


def test_the_first_of_several_pronouns_is_enough() -> None:
    assert rewritten("Is it good at its tasks?") == "Is DAPO good at its tasks?"


def test_an_and_at_the_beginning_is_dropped() -> None:
    assert rewritten("And which base model did it use?") == "which base model did DAPO use?"


@pytest.mark.parametrize(
    "question",
    [
        "And the base model?",
        "Which base model?",
        "What do the authors claim?",
        "Which data is used there?",
        "And do the authors bake bread?",
        "What about bread?",
        "Who bakes that?",
        "Which base model bakes bread?",
        "Where is the code for voxels?",
        "Does any implementation make voxels?",
    ],
)
def test_a_question_that_leaves_the_topic_out_gets_it_in_brackets(question: str) -> None:
    assert rewritten(question).endswith(" (DAPO)?")


@pytest.mark.parametrize("question", ["And PyGDA?", "What about PyGDA?", "how about pygda"])
def test_a_new_name_takes_over_the_last_question(question: str) -> None:
    assert rewritten(question) == "What is PyGDA?"


def test_a_new_name_replaces_the_old_one_in_any_case() -> None:
    history = conversation("what is dapo good for?", "It is RL. [1]")
    assert rewritten("And PyGDA?", history) == "what is PyGDA good for?"


def test_a_new_name_replaces_whole_words_only() -> None:
    history = conversation("Are atlases used by Atlas?", "No. [1]")
    assert rewritten("And PyGDA?", history) == "Are atlases used by PyGDA?"


def test_a_new_name_is_appended_to_a_question_that_named_nothing() -> None:
    history = conversation("Which code is open?", "All of it. [1]")
    assert rewritten("And PyGDA?", history) == "Which code is open (PyGDA)?"


def test_a_new_name_may_hold_what_patterns_are_made_of() -> None:
    assert rewritten(r"And 360{\deg} \1?") == r"What is 360{\deg} \1?"


def test_a_new_question_about_a_new_name_stays_as_it_is() -> None:
    question = "And how many models does PyGDA implement for graphs?"
    assert rewritten(question) == question


def test_two_names_take_over_together() -> None:
    assert rewritten("And PyGDA or Atlas?") == "What is PyGDA and Atlas?"


@pytest.mark.parametrize(
    "question",
    [
        "Which papers deal with graphs?",
        "Are there other works on trees?",
        "Is there any work on trees among the papers?",
        "Which papers are there on trees?",
        "How are voxel scenes generated?",
        "Which papers release the code for voxels?",
        "How do I bake bread?",
        "What does Atlas do?",
    ],
)
def test_an_independent_question_stays_as_it_is(question: str) -> None:
    assert rewritten(question) == question


@pytest.mark.parametrize("question", ["What does it reach?", "And PyGDA?", "Which base model?", ""])
def test_without_history_a_question_stays_as_it_is(question: str) -> None:
    assert rewritten(question, []) == question


def test_without_an_earlier_question_it_stays_as_it_is() -> None:
    greeting = [Turn(role="assistant", content="Ask me about DAPO.")]
    assert rewritten("What does it reach?", greeting) == "What does it reach?"


def test_the_topic_is_what_was_named_last() -> None:
    history = conversation("What is DAPO?", "RL. [1]", "And PyGDA?", "A library. [1]")
    assert rewritten("Who wrote it?", history) == "Who wrote PyGDA?"


def test_the_topic_may_lie_further_back() -> None:
    history = conversation("What is DAPO?", "RL. [1]", "Who wrote it?", "Many people. [1]")
    assert rewritten("When did it appear?", history) == "When did DAPO appear?"


def test_several_topics_are_all_named() -> None:
    history = conversation("Compare DAPO and SWEET-RL", "Both are RL. [1]")
    assert rewritten("Which of them is open?", history) == "Which of DAPO and SWEET-RL is open?"


def test_without_a_name_the_topic_is_what_the_exchange_fits() -> None:
    history = conversation("How are scenes built?", "By tokens. [1]")
    assert rewritten("What does it need?", history) == "What does Cube need?"


def test_without_any_topic_a_question_stays_as_it_is() -> None:
    question = "What does it reach?"
    assert stand_alone(question, ABOUT_DAPO, find_topic=lambda _text: None) == question
