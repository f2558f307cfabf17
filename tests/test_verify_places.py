"""Everything in a claim may be in the text, and the claim be wrong: names exchanged, a word replaced."""

import pytest

from assistant.models.minilm import MiniLM
from assistant.verify import Check, Checker
from assistant.verify.antonyms import are_alike, exclude
from assistant.verify.roles import are_reversed, turns_round
from assistant.verify.wording import Wording

EVIDENCE = (
    "DAPO is a reinforcement learning (RL) algorithm that comes with a fully open-source training system. "
    "The DAPO system scores 50 points on AIME 2024 with the Qwen2.5-32B base model. "
    "The OpenAI o1 blog and the DeepSeek R1 technical report hide key details. "
    "The DAPO paper discloses four techniques that make RL succeed. "
    "The release includes training code based on the verl framework. "
    "AlphaNet outperforms BetaNet by 4 points on ImageNet and by 7 points on CIFAR-10. "
    "Training takes 12 hours on 8 GPUs. We evaluate GPT-4, Claude and Llama on text, images and audio."
)


@pytest.fixture(scope="module")
def checker(embedder: MiniLM) -> Checker:
    return Checker(embedder)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (
            "DAPO scores 2024 points on AIME 50 with the Qwen2.5-32B base model.",
            "numbers exchanged",
        ),
        ("Training takes 8 hours on 12 GPUs.", "numbers exchanged"),
        ("AlphaNet outperforms BetaNet by 7 points on ImageNet.", "a number of the next clause"),
        ("AlphaNet outperforms BetaNet by 4 points on CIFAR-10.", "a name of the next clause"),
        (
            "The Qwen2.5-32B system scores 50 points on AIME 2024 with the DAPO base model.",
            "names exchanged",
        ),
        ("The OpenAI o1 blog and the DAPO paper hide key details.", "a name of another sentence"),
        ("DAPO scores 50% on AIME 2024 with the Qwen2.5-32B base model.", "another unit"),
        ("DAPO comes with a closed-source training system.", "opposite in a compound"),
        (
            "The DAPO paper hides four techniques that make RL succeed.",
            "opposite that is elsewhere",
        ),
        ("DAPO is a supervised learning algorithm.", "another of its kind"),
        (
            "The release includes training code based on the trl framework.",
            "a name written as a word",
        ),
        (
            "AlphaNet is outperformed by BetaNet by 4 points on ImageNet.",
            "passive, roles exchanged",
        ),
    ],
)
def test_what_stands_in_the_place_of_something_else_is_found(
    checker: Checker, claim: str, why: str
) -> None:
    (judgement,) = checker.check([Check(claim, (EVIDENCE,))])
    assert judgement.verdict in {"contradicted", "unsupported"}, why


@pytest.mark.parametrize(
    "claim",
    [
        "With the Qwen2.5-32B base model, DAPO scores 50 points on AIME 2024.",
        "On AIME 2024, DAPO reaches 50 points with the Qwen2.5-32B model.",
        "Four techniques that make RL succeed are disclosed by the DAPO paper.",
        "The DAPO paper reveals four techniques that make RL succeed.",
        "The DeepSeek R1 technical report and the OpenAI o1 blog hide key details.",
        "BetaNet is outperformed by AlphaNet by 4 points on ImageNet and by 7 points on CIFAR-10.",
        "AlphaNet outperforms BetaNet by 7 points on CIFAR-10 and by 4 points on ImageNet.",
        "AlphaNet outperforms BetaNet by 7 points on CIFAR-10.",
        "On 8 GPUs training takes 12 hours.",
        "We evaluate Llama, GPT-4 and Claude on audio, text and images.",
        "We evaluate Claude and Llama on images and text.",
    ],
)
def test_the_same_in_another_order_or_voice_stays_supported(checker: Checker, claim: str) -> None:
    (judgement,) = checker.check([Check(claim, (EVIDENCE,))])
    assert judgement.verdict == "supported"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("open-source", "closed-source"),
        ("hides", "discloses"),
        ("efficient", "inefficient"),
        ("reinforcement", "supervised"),
        ("useful", "useless"),
        ("overestimate", "underestimate"),
        ("minutes", "hours"),
    ],
)
def test_words_that_exclude_each_other(first: str, second: str) -> None:
    assert exclude(first, second)
    assert exclude(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("new", "novel"),
        ("model", "models"),
        ("textual", "text"),
        ("word", "reword"),
        ("image", "visual"),
    ],
)
def test_words_that_do_not(first: str, second: str) -> None:
    assert not exclude(first, second)


def test_synonyms_are_alike_and_opposites_are_not() -> None:
    assert are_alike("attain", "achiev")
    assert not are_alike("improv", "worsen")


@pytest.mark.parametrize(
    ("claim", "is_reversed", "is_turned"),
    [
        ("B-1 outperforms A-1.", True, False),
        ("B-1 is outperformed by A-1.", False, False),
        ("A-1 is outperformed by B-1.", True, False),
        ("B-1 underperforms A-1.", False, True),
        ("A-1 outperforms B-1.", False, False),
    ],
)
def test_who_is_set_above_whom(claim: str, *, is_reversed: bool, is_turned: bool) -> None:
    sentence = Wording("A-1 outperforms B-1.")
    assert are_reversed(Wording(claim), sentence) == is_reversed
    assert turns_round(Wording(claim), sentence) == is_turned
