"""The weakness profile: what is planted is found, chance alone is not, topics are what questions share."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.main import run
from assistant.config import load_settings
from assistant.errors import InputError
from assistant.library import Library
from assistant.models.minilm import MiniLM
from assistant.records import Answer, Timings, Usage
from eval.analysis.profile import LEVEL, answer_type, profile
from eval.analysis.topics import Topic, name_by_terms, topics
from eval.cases.dataset import Case
from eval.runs.results import RESULTS, Result, write
from tests.fake_judge import always
from tests.fake_openai import FakeOpenAI

VIDEO = [f"Which video model generates {what} from music?" for what in (
    "dances", "clips", "scenes", "films", "motion", "frames", "loops", "shots",
)]  # fmt: skip
PROTEIN = [f"How does the protein {what} fold in the cell?" for what in (
    "enzyme", "chain", "receptor", "domain", "complex", "helix", "sequence", "mutant",
)]  # fmt: skip


def result(
    number: int, score: float, *, kind: str = "named", question: str = "", paper: str = ""
) -> Result:
    asked = question or f"What about {number}?"
    case = Case(
        id=f"case-{number}", kind=kind, question=asked, papers=(paper,) if paper else (),
        facts=(("5 %",),), answerable=True,
    )  # fmt: skip
    answer = Answer(
        question=asked, standalone_question=asked, answer="", refused=False, refusal_reason=None,
        citations=(), claims=(), backend="extractive",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Result(case=case, answer=answer, error=None, scores={"fact_recall": score}, seconds=0)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = Library(load_settings({"home": tmp_path_factory.mktemp("profile")}, {}))
    yield library
    library.close()


def weak(results: Sequence[Result], library: Library) -> list[tuple[str, str]]:
    found = profile(results, library, measure="correct").weak()
    return [(group, node.name) for group, node in found]


def planted() -> list[Result]:
    """40 cases at random, mostly right, and 12 of a kind that are mostly wrong."""
    random = np.random.default_rng(0)
    good = [result(n, float(random.random() < 0.9)) for n in range(40)]
    poor = [result(n, float(random.random() < 0.2), kind="table") for n in range(40, 52)]
    return [*good, *poor]


def test_a_planted_weakness_is_found_with_its_worst_cases(library: Library) -> None:
    found = profile(planted(), library, measure="correct")
    (group, node), *_ = found.weak()
    assert (group, node.name, node.cases) == ("kind", "table", 12)
    assert node.corrected < LEVEL
    assert node.high < found.mean
    assert [each.score for each in node.worst] == [0.0] * 5
    assert {each.id for each in node.worst} <= {f"case-{n}" for n in range(40, 52)}


def test_chance_alone_is_rarely_called_a_weakness(library: Library) -> None:
    random = np.random.default_rng(3)
    kinds = ("a", "b", "c", "d", "e")
    alarms = 0
    for _ in range(20):
        results = [
            result(
                n,
                float(random.random() < 0.8),
                kind=kinds[n % 5],
                paper=f"p{n % 6}",
                question="The same for all?",
            )
            for n in range(60)
        ]
        alarms += bool(weak(results, library))
    assert alarms <= 4  # 1 is expected; more than 4 in 20 has a chance of 0.3 %


def test_a_topic_that_is_weak_is_found_by_its_questions(library: Library) -> None:
    results = [
        *(result(n, 1.0, question=each) for n, each in enumerate(VIDEO)),
        *(result(20 + n, 0.0, question=each) for n, each in enumerate(PROTEIN)),
    ]
    (group, node), *_ = profile(results, library, measure="correct").weak()
    assert group == "topic"
    assert node.cases == len(PROTEIN)
    assert "protein" in node.name


def test_topics_are_a_tree_of_like_questions(embedder: MiniLM) -> None:
    found = topics(embedder.embed([*VIDEO, *PROTEIN]), least=5)
    assert sorted(topic.members for topic in found) == [tuple(range(8)), tuple(range(8, 16))]
    assert all(topic.parts == () for topic in found)  # halves of 8 are smaller than 5


@given(count=st.integers(0, 40), least=st.integers(1, 8), seed=st.integers(0, 9))
def test_topics_keep_to_their_least_size(count: int, least: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)

    def check(found: Sequence[Topic], whole: set[int]) -> None:
        seen: set[int] = set()
        for topic in found:
            assert len(topic.members) >= least
            assert set(topic.members) <= whole - seen
            seen |= set(topic.members)
            check(topic.parts, set(topic.members))

    check(topics(vectors, least=least), set(range(count)))


def test_a_topic_is_named_by_what_sets_it_apart() -> None:
    name = name_by_terms([*VIDEO, *PROTEIN])
    assert name(range(8)).startswith(("generates, model", "model, generates", "generates, music"))
    assert "protein" in name(range(8, 16))
    assert "video" not in name(range(8, 16))


def test_a_model_names_topics_if_there_is_one(tmp_path: Path) -> None:
    results = [result(n, 1.0, question=each) for n, each in enumerate([*VIDEO, *PROTEIN])]
    with FakeOpenAI(always(name="\x1b[31mfolding   of proteins " + "x" * 100)) as server:
        settings = {"home": tmp_path, "llm": "openai:fake", "llm_base_url": server.url}
        library = Library(load_settings(settings, {}))
        named = profile(results, library, measure="correct").groups[-1]
        library.close()
    assert [node.name[:19] for node in named.nodes] == ["folding of proteins"] * 2
    assert all(len(node.name) <= 60 for node in named.nodes)


def test_words_name_topics_if_the_model_does_not(tmp_path: Path) -> None:
    results = [result(n, 1.0, question=each) for n, each in enumerate([*VIDEO, *PROTEIN])]
    with FakeOpenAI("never_json") as server:
        settings = {"home": tmp_path, "llm": "openai:fake", "llm_base_url": server.url}
        library = Library(load_settings(settings, {}))
        named = profile(results, library, measure="correct").groups[-1]
        library.close()
    assert any("protein" in node.name for node in named.nodes)


@pytest.mark.parametrize(
    ("facts", "answerable", "expected"),
    [
        ((("50 points", "50"),), True, "number"),
        ((("Qwen2.5-32B",),), True, "name"),
        ((("a search over programs",),), True, "description"),
        ((("a",), ("b",)), True, "several facts"),
        ((), True, "unknown"),
        ((), False, "refusal"),
    ],
)
def test_answer_types(facts: tuple[tuple[str, ...], ...], answerable: bool, expected: str) -> None:
    case = Case(id="1", kind="k", question="?", facts=facts, answerable=answerable)
    assert answer_type(case) == expected


def test_a_measure_that_no_case_has(library: Library) -> None:
    with pytest.raises(
        InputError, match="no case has the score 'page_hit': choose correct, fact_rec"
    ):
        profile(planted(), library, measure="page_hit")


def test_a_run_without_any_answer(library: Library) -> None:
    failed = result(1, 0.0).model_copy(update={"answer": None, "error": "x", "scores": {}})
    with pytest.raises(InputError, match="no case of this run was answered"):
        profile([failed], library, measure="correct")


def test_the_command_prints_the_profile(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / RESULTS, planted())
    assert run(["eval", "profile", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("correct: 0.")
    assert "\nWeak: kind “table”\n" in said
    assert run(["eval", "profile", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [group["name"] for group in document["groups"]] == [
        "kind",
        "answer type",
        "paper",
        "topic",
    ]
    assert document["groups"][0]["nodes"][1]["weak"]


def test_a_folder_without_a_run(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", "profile", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
