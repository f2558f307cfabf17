"""A claim of an answer is supported, in part, not at all, or contradicted by what it cites."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answer.citations import cite
from assistant.models.minilm import MiniLM
from assistant.records import Chunk, Claim, Passage
from assistant.text import Span, sentences
from assistant.verify import Check, Checker, Judgement, check_claims

TEXT = "DAPO reaches 50 points. It is open."
QUOTE = "DAPO reaches 50 points."
CHUNK = Chunk(id="c", paper_id="p", source="abstract", text=TEXT, start=0, end=len(TEXT))
PASSAGE = Passage(rank=1, chunk=CHUNK, title="DAPO", url=None, score=1.0)
CITATION = cite(PASSAGE, Span(0, len(QUOTE)), number=1)

EVIDENCE = (
    "Large language model (LLM) agents need to perform multi-turn interactions in real-world tasks. "
    "We introduce a new benchmark, ColBench, where an agent works with a human over 2 to 10 turns. "
    "SWEET-RL achieves a 6.2% absolute improvement in success rate on ColBench over other algorithms, "
    "enabling Llama-3.1-8B to match GPT4-o. The critic does not see the final answer. "
    "AlphaNet outperforms BetaNet on all 12 data sets. Training increases memory use."
)
TRUE = [each for start, end in sentences(EVIDENCE) if (each := EVIDENCE[start:end])]


@pytest.fixture(scope="module")
def checker(embedder: MiniLM) -> Checker:
    return Checker(embedder)


def judge(checker: Checker, claim: str, *evidence: str) -> Judgement:
    (judgement,) = checker.check([Check(claim, evidence or (EVIDENCE,))])
    return judgement


@pytest.mark.parametrize("claim", TRUE)
def test_a_verbatim_sentence_is_supported_and_its_own_quote(checker: Checker, claim: str) -> None:
    assert judge(checker, claim) == Judgement("supported", 1.0, claim)


@pytest.mark.parametrize(
    "claim",
    [
        "SWEET-RL achieves an improvement of 6.2% on ColBench.",
        "On ColBench, SWEET-RL improves the success rate by about 6 percent over other algorithms.",
        "LLM agents must perform multi-turn interactions in real-world tasks.",
        "The critic never sees the final answer.",
        "The critic cannot see the final answer.",
        "AlphaNet outperforms BetaNet on twelve data sets.",
        "Training raises memory use.",
    ],
)
def test_the_same_in_other_words_is_supported(checker: Checker, claim: str) -> None:
    assert judge(checker, claim).verdict == "supported"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("SWEET-RL achieves a 2.6% absolute improvement in success rate on ColBench.", "number"),
        ("SWEET-RL achieves a 6.2-fold improvement in success rate on ColBench.", "unit"),
        ("The critic does see the final answer.", "negation dropped"),
        ("SWEET-RL does not achieve an absolute improvement on ColBench.", "negation put in"),
        ("AlphaNet fails to outperform BetaNet on all 12 data sets.", "negation in other words"),
        ("BetaNet outperforms AlphaNet on all 12 data sets.", "roles swapped"),
        ("Training decreases memory use.", "opposite"),
        ("SWEET-RL achieves a 6.2% absolute improvement on ALFWorld over others.", "name"),
    ],
)
def test_one_wrong_word_is_enough(checker: Checker, claim: str, why: str) -> None:
    assert judge(checker, claim).verdict in {"contradicted", "unsupported"}, why


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("SWEET-RL achieves a 2.6% absolute improvement in success rate.", "contradicted"),
        ("The critic does see the final answer.", "contradicted"),
        ("BetaNet outperforms AlphaNet on all 12 data sets.", "contradicted"),
        ("Protein folding is solved by a diffusion model.", "unsupported"),
        ("ColBench was released in 1987 under a licence.", "unsupported"),
    ],
)
def test_a_contradiction_is_told_from_what_the_evidence_does_not_say(
    checker: Checker, claim: str, verdict: str
) -> None:
    assert judge(checker, claim).verdict == verdict


def test_the_quote_is_the_sentence_the_claim_is_about(checker: Checker) -> None:
    assert judge(checker, "AlphaNet is better than BetaNet.").quote == TRUE[4]


def test_a_part_of_a_sentence_is_not_taken_for_the_sentence(checker: Checker) -> None:
    evidence = "AlphaNet gains 6.25 points. It is false that the model is open."
    assert judge(checker, "AlphaNet gains 6", evidence).confidence < 1.0
    assert judge(checker, "the model is open.", evidence).confidence < 1.0


def test_evidence_may_come_in_several_texts(checker: Checker) -> None:
    judgement = judge(checker, "Training raises memory use.", TRUE[4], TRUE[5])
    assert judgement.verdict == "supported"
    assert judgement.quote == TRUE[5]


def test_a_claim_is_judged_alike_alone_and_among_others(checker: Checker) -> None:
    claims = ["Training raises memory use.", "The critic sees all.", TRUE[0]]
    together = checker.check([Check(claim, (EVIDENCE,)) for claim in claims])
    alone = [judge(checker, claim) for claim in claims]
    assert [each.verdict for each in together] == [each.verdict for each in alone]
    assert [each.confidence for each in together] == pytest.approx(
        [each.confidence for each in alone], abs=1e-3
    )


@pytest.mark.parametrize("evidence", [(), ("",), (" \n",), ("…",)])
def test_nothing_supports_a_claim_without_evidence(
    checker: Checker, evidence: tuple[str, ...]
) -> None:
    (judgement,) = checker.check([Check("Training raises memory use.", evidence)])
    assert judgement == Judgement("unsupported", 0.0, "")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("SWEET-RL verbessert die Erfolgsrate auf ColBench um 6,2%.", "unchecked"),
        ("SWEET-RL verbessert die Erfolgsrate auf ColBench um 9,7%.", "unsupported"),
        ("SWEET-RL 将 ColBench 的成功率提高了 6.2%。", "unchecked"),
    ],
)
def test_of_a_claim_in_another_language_only_numbers_are_compared(
    checker: Checker, claim: str, verdict: str
) -> None:
    assert judge(checker, claim).verdict == verdict


def test_no_claims_need_no_check(checker: Checker) -> None:
    assert checker.check([]) == []


@settings(max_examples=20)
@given(st.sampled_from(TRUE[1:3]), st.integers(min_value=0, max_value=9), st.integers(min_value=0))
def test_a_sentence_with_another_number_is_never_supported(
    embedder: MiniLM, sentence: str, digit: int, place: int
) -> None:
    places = [i for i, char in enumerate(sentence) if char.isdigit() and sentence[i - 1] in " .1"]
    chosen = places[place % len(places)]
    claim = f"{sentence[:chosen]}{digit}{sentence[chosen + 1 :]}"
    verdict = judge(Checker(embedder), claim).verdict
    assert (verdict == "supported") == (claim == sentence)


@settings(max_examples=30)
@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_comes_in_the_quote_is_of_the_evidence(
    embedder: MiniLM, claim: str, evidence: str
) -> None:
    judgement = judge(Checker(embedder), claim, evidence, EVIDENCE)
    assert judgement.quote in evidence or judgement.quote in EVIDENCE
    assert 0.0 <= judgement.confidence <= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "1 two 3,000 " * 8_000,
        "not never without " * 6_000,
        "-".join(["x"] * 50_000),
        "\x00\x1b[31m\ud800\u202e" * 10_000,
        "GPT-4. " * 14_000,
        "(" * 100_000,
    ],
)
def test_hostile_texts_are_judged_in_bounded_time(checker: Checker, text: str) -> None:
    began = time.process_time()
    for claim, evidence in ((text, EVIDENCE), (EVIDENCE, text), (text, f"{text}.")):
        judge(checker, claim, evidence)
    assert time.process_time() - began < 40


def claim_verdict(checker: Checker, text: str, *, numbers: tuple[int, ...] = (1,)) -> str:
    claim = Claim(text=text, verdict="unchecked", citations=numbers)
    (checked,) = check_claims([claim], [CITATION], [PASSAGE], checker=checker)
    assert checked.text == text
    return checked.verdict


def test_a_claim_is_checked_against_the_passages_it_cites(checker: Checker) -> None:
    assert claim_verdict(checker, QUOTE) == "supported"
    assert claim_verdict(checker, "DAPO gets to 50 points.") == "supported"
    assert claim_verdict(checker, "DAPO reaches 51 points.") == "contradicted"


def test_a_claim_may_name_what_only_the_title_names(checker: Checker) -> None:
    text = "Our method reaches 50 points. It is open."
    passage = PASSAGE.model_copy(update={"chunk": CHUNK.model_copy(update={"text": text})})
    claim = Claim(text="DAPO reaches 50 points.", verdict="unchecked", citations=(1,))
    (checked,) = check_claims([claim], [CITATION], [passage], checker=checker)
    assert checked.verdict == "supported"


@pytest.mark.parametrize("numbers", [(), (2,)])
def test_a_claim_that_cites_nothing_is_unsupported(
    checker: Checker, numbers: tuple[int, ...]
) -> None:
    assert claim_verdict(checker, QUOTE, numbers=numbers) == "unsupported"
