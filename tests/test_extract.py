"""Answers are sentences of the sample digest, or a refusal."""

from collections.abc import Sequence

import pytest

from assistant.answer.evidence import weigh
from assistant.answer.extract import (
    BEST_SENTENCES,
    BROAD_PAPERS,
    NAMED_SENTENCES,
    RIVAL_PAPERS,
    Extract,
    extract,
)
from assistant.models.answer_head import AnswerHead
from assistant.models.minilm import MiniLM, TokenVectors
from assistant.query import analyse
from assistant.records import Paper
from assistant.retrieve import LONG, retrieve
from conftest import MemoryIndex

HEAD = AnswerHead()


@pytest.fixture(scope="module")
def ask(sample_index: MemoryIndex, embedder: MiniLM) -> "Ask":
    return Ask(sample_index, embedder)


class Ask:
    """Asks the sample digest; reads each passage only once."""

    def __init__(self, index: MemoryIndex, embedder: MiniLM) -> None:
        self._index = index
        self._embedder = embedder
        self._read: dict[str, TokenVectors] = {}

    def __call__(self, question: str) -> Extract:
        query = analyse(question, self._index)
        (vector,) = self._embedder.embed([query.text])
        passages = retrieve(query, lambda: vector, self._index, limit=8, per_paper=2)
        return extract(query, weigh(query, passages, self), self._index, HEAD)

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        new = [text for text in texts if text not in self._read]
        self._read.update(zip(new, self._embedder.embed_tokens(new), strict=True))
        return [self._read[text] for text in texts]


def titles(found: Extract) -> list[str]:
    return [group[0].passage.title.partition(":")[0] for group in found.groups]


def quotes(found: Extract) -> str:
    return " ".join(sentence.text for group in found.groups for sentence in group)


@pytest.mark.parametrize(
    ("question", "paper", "fact"),
    [
        ("What score does DAPO reach on AIME 2024?", "DAPO", "50"),
        ("what score does dapo reach on aime 2024", "DAPO", "50"),
        ("How much faster is training with SkyLadder?", "SkyLadder", "22%"),
        ("how much faster is trainning with skyladdr?", "SkyLadder", "22%"),
        ("How many images does SynthScars hold?", "LEGION", "12,236"),
        ("Where is the code of MetaLadder?", "MetaLadder", "https://github.com/LHL3341/MetaLadder"),
    ],
)
def test_a_question_about_a_paper_gets_its_fact(
    question: str, paper: str, fact: str, ask: Ask
) -> None:
    found = ask(question)
    assert titles(found)[0] == paper
    assert fact in quotes(found)


@pytest.mark.parametrize(
    "question",
    [
        "What does DAPO do?",
        "Which papers deal with video generation?",
        "Compare PyGDA and EvalTree",
    ],
)
def test_sentences_are_verbatim_and_each_once(question: str, ask: Ask) -> None:
    chosen = [sentence for group in ask(question).groups for sentence in group]
    assert chosen
    assert all(each.passage.chunk.text[slice(*each.span)] == each.text for each in chosen)
    assert len({(each.passage.chunk.paper_id, each.text) for each in chosen}) == len(chosen)


def test_a_group_is_of_one_paper_in_text_order(ask: Ask) -> None:
    for group in ask("Which papers deal with video generation?").groups:
        places = [each.passage.chunk.start + each.span.start for each in group]
        assert len({each.passage.chunk.paper_id for each in group}) == 1
        assert places == sorted(places)


def test_both_papers_of_a_comparison_are_quoted(ask: Ask) -> None:
    found = ask("What are the differences between PyGDA and EvalTree?")
    assert set(titles(found)) == {"PyGDA", "EvalTree"}
    assert all(len(group) <= NAMED_SENTENCES for group in found.groups)


def test_a_broad_question_is_answered_from_several_papers(ask: Ask) -> None:
    found = ask("Which papers deal with video generation?")
    assert 1 < len(found.groups) <= BROAD_PAPERS


def test_another_question_is_answered_from_few_papers(ask: Ask) -> None:
    found = ask("How does a shorter context window help pretraining?")
    assert titles(found)[0] == "SkyLadder"
    assert len(found.groups) <= RIVAL_PAPERS


def test_a_full_text_must_come_closer_to_be_quoted_beside_an_abstract(
    sample_index: MemoryIndex, embedder: MiniLM
) -> None:
    query = analyse("How can answers be verified step by step?", sample_index)
    (vector,) = embedder.embed([query.text])
    passages = retrieve(query, lambda: vector, sample_index, limit=8, per_paper=2)
    evidence = weigh(query, passages, embedder)
    (best, *rivals) = titles(extract(query, evidence, sample_index, HEAD))
    assert rivals

    def in_full(paper: str) -> list[str]:
        changed = [
            each._replace(
                passage=each.passage.model_copy(
                    update={"chunk": each.passage.chunk.model_copy(update={"source": "pdf"})}
                )
            )
            if each.passage.title.startswith(paper)
            else each
            for each in evidence
        ]
        return titles(extract(query, changed, sample_index, HEAD))

    assert in_full(rivals[-1]) == [best, *rivals[:-1]]
    assert in_full(best) == [best, *rivals]


def test_a_paper_gets_few_sentences(ask: Ask) -> None:
    found = ask("What does DAPO do?")
    assert all(len(group) <= BEST_SENTENCES for group in found.groups)


@pytest.mark.parametrize(
    "question",
    [
        "What is the best recipe for sourdough bread?",
        "Who won the football world cup in 1998?",
        "What does AlphaFold predict?",
        "Which salary do the authors of DAPO earn?",
    ],
)
def test_what_the_library_does_not_hold_is_refused(question: str, ask: Ask) -> None:
    found = ask(question)
    assert found.groups == ()
    assert found.refusal


def test_an_answer_has_no_reason_to_refuse(ask: Ask) -> None:
    assert ask("What does DAPO do?").refusal is None


def test_a_refusal_names_the_unknown_system(ask: Ask) -> None:
    assert ask("What does AlphaFold predict?").refusal == (
        "No paper in the library mentions “AlphaFold”."
    )


def test_without_evidence_there_is_a_refusal(sample_index: MemoryIndex) -> None:
    found = extract(analyse("What does DAPO do?", sample_index), [], sample_index, HEAD)
    assert found == Extract((), "No passage in the library fits the question.")


def test_the_same_question_gets_the_same_answer(ask: Ask) -> None:
    question = "Which papers deal with multimodal reasoning benchmarks?"
    first = ask(question)
    assert titles(ask(question)) == titles(first)
    assert quotes(ask(question)) == quotes(first)


def test_in_a_long_paper_its_subject_does_not_outweigh_what_is_asked(embedder: MiniLM) -> None:
    subject = "The walrus training study shows how walrus training helps the training of walruses."
    talk = " ".join(f"{subject[:-1]} in a pool of class {number}." for number in range(400))
    fact = "Each participant was given one hour."
    paper = Paper(id="walrus", title="A walrus training study", abstract=f"{talk} {fact}")
    index = MemoryIndex([paper], embed=lambda texts: embedder.embed([text[:200] for text in texts]))
    assert index.chunk_count() > LONG

    found = Ask(index, embedder)("How many hours did the walrus training study give participants?")

    assert fact in quotes(found)


@pytest.mark.parametrize(
    ("rest", "quoted"),
    [
        ("Pool Training.", False),
        ("1https://walrus.example.org/", False),
        ("Figure 3.", False),
        ("P(w) = f(w, p) + g(w | p, q < t) / (1 + h_t) for w.", False),
        (
            "WalrusPool-V2 WalrusPool-V3 WalrusBench (Data) WalrusLM WalrusRank Pool-Lab Pool-Hub",
            False,
        ),
        ("Pool depth: 7.", True),
        ("Walruses train in pools.", True),
    ],
)
def test_headings_labels_and_bare_addresses_are_not_quoted(
    rest: str, quoted: bool, embedder: MiniLM
) -> None:
    paper = Paper(id="walrus", title="Walrus pools", abstract=f"Pools help walruses swim. {rest}")
    index = MemoryIndex([paper], embed=embedder.embed)

    found = Ask(index, embedder)("What helps walruses in pools?")

    assert "Pools help walruses swim." in quotes(found)
    assert (rest in quotes(found)) is quoted


def test_the_paper_a_question_calls_by_name_comes_before_one_that_mentions_a_word_of_it(
    embedder: MiniLM,
) -> None:
    called = Paper(id="a", title="WALRUS: A Method", abstract="WALRUS learns at a rate of 0.1.")
    other = Paper(
        id="b",
        title="A Search Agent",
        abstract="The GPU learning rate is 0.2, and the GPU hours and the learning rate are listed.",
    )
    found = Ask(MemoryIndex([called, other], embed=embedder.embed), embedder)(
        "How many GPU hours or which learning rate does WALRUS use?"
    )
    assert titles(found)[0] == "WALRUS"
