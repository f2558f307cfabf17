"""Drafts of cases: facts stand in the paper, questions do not give them away, what fails is counted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.cli.main import run
from assistant.config import load_settings
from assistant.errors import LibraryEmptyError
from assistant.library import Library
from assistant.records import Chunk
from eval.cases import cloze
from eval.cases.dataset import load
from eval.cases.drafting import draft
from eval.cases.matching import normalise, states
from tests.fake_openai import FakeOpenAI, Seen

PAPERS = [
    {
        "id": "2503.00001",
        "title": "TideNet: forecasting sea levels with graph networks",
        "abstract": "Forecasts of sea levels matter to all who live near the coast and harbours. "
        "TideNet is a graph network that reaches an error of 3.1 cm on the Gauges benchmark. "
        "TideNet was trained on the WaveBank data, which holds records of 412 stations. "
        "It needs little memory.",
    },
    {
        "id": "2503.00002",
        "title": "BirdCall: recognising birds by their song",
        "abstract": "BirdCall recognises the birds of a whole continent from recordings by phones.",
    },
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("draft")
    source = folder / "papers.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in PAPERS), encoding="utf-8")
    library = Library(load_settings({"home": folder / "home"}, {}))
    library.ingest([str(source)])
    library.close()
    return folder / "home"


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    library = Library(load_settings({"home": home}, {}))
    yield library
    library.close()


def test_cloze_questions_ask_for_what_the_paper_says(library: Library) -> None:
    found = draft(library, per_paper=3)
    assert [(case.facts[0][0], case.papers) for case in found.cases] == [
        ("3.1 cm", ("2503.00001",)), ("412", ("2503.00001",)),
    ]  # fmt: skip
    for case in found.cases:
        assert case.kind == "cloze"
        assert case.reference in PAPERS[0]["abstract"]
        assert "…" in case.question
        assert not states(normalise(case.question), case.facts[0])
    assert found.dropped == {"papers without a sentence to ask about": 1}


def test_no_more_than_asked_for(library: Library) -> None:
    assert len(draft(library, per_paper=1).cases) == 1


def test_an_empty_library(tmp_path: Path) -> None:
    library = Library(load_settings({"home": tmp_path}, {}))
    with pytest.raises(LibraryEmptyError):
        draft(library, per_paper=1)
    library.close()


def chunk(text: str, section: str | None = None) -> Chunk:
    return Chunk(
        id="c", paper_id="p", source="pdf", text=text, start=0, end=len(text), section=section,
        page_first=3, page_last=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "gap"),
    [
        ("The model reaches an accuracy of 91.04% on the images of the test set.", "91.04%"),
        ("The model is trained on the images of the large LAION-5B collection alone.", "LAION-5B"),
        ("On AIME 2024 and on AIME 2025 the model is better than all that came before.", None),
        ("Earlier work (Liu et al., 2023) asks people to judge the answers of engines.", None),
        ("The 3D scenes are made of RL and of other parts that nobody has counted.", None),
        ("It reaches an accuracy of 91.04% on the images of the test set.", None),
        ("Figure 3 shows an accuracy of 91.04% on the images of the test set.", None),
        ("It is 5 or 5 and then again all the same 5 as it was found before.", None),
        ("Accuracy is 91%.", None),
        ("x = 3 + 4 y = 5 z 17 28 99 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15.", None),
    ],
)
def test_what_is_taken_out_of_a_sentence(sentence: str, gap: str | None) -> None:
    found = list(cloze.candidates([chunk(sentence)], lambda _name: True))
    assert [each.fact for each in found] == ([] if gap is None else [gap])


def test_names_that_say_nothing_are_not_asked_for() -> None:
    text = "The model is trained on the images of the large LAION-5B collection alone."
    assert list(cloze.candidates([chunk(text)], lambda name: name != "LAION-5B")) == []


def test_references_and_thanks_are_not_asked_about() -> None:
    text = "The model reaches an accuracy of 91.04% on the images of the test set."
    for section in ("References", "7 Acknowledgments", "8. Acknowledgement › Funding"):
        assert list(cloze.candidates([chunk(text, section)], lambda _name: True)) == []


# With a model

INDICATORS = {"indicators": ["benchmark and score", "training data"]}
GOOD = {
    "question": "On which data was TideNet trained?",
    "answer": "On the WaveBank data.",
    "facts": ["WaveBank"],
}
ALSO_GOOD = {"question": "Which error does TideNet reach?", "answer": "3.1 cm", "facts": ["3.1 cm"]}
BAD = [
    ({**GOOD, "facts": ["ImageNet"]}, "a key fact that is not in the paper"),
    ({**GOOD, "question": "Was it WaveBank?"}, "a question that gives its answer away"),
    ({**GOOD, "question": "Tell me the data"}, "no question, or no key fact"),
    ({**GOOD, "facts": [" "]}, "no question, or no key fact"),
    (GOOD, "a question asked twice"),
    ({**GOOD, "facts": [PAPERS[0]["abstract"]]}, "a key fact that is a sentence"),
]


def writes(*questions: object) -> object:
    def reply(seen: Seen) -> str:
        if len(seen.data) == 1:
            return json.dumps(INDICATORS)
        _title, indicators, count, text = seen.data
        assert "benchmark and score" in indicators
        assert int(count) >= 1
        return json.dumps({"questions": list(questions) if "TideNet" in text else []})

    return reply


@pytest.fixture
def with_model(home: Path, tmp_path: Path) -> Iterator[tuple[Library, FakeOpenAI]]:
    with FakeOpenAI(writes(GOOD)) as server:
        settings = {"home": home, "llm": "openai:writer", "llm_base_url": server.url}
        library = Library(load_settings({**settings, "cache": False}, {}))
        yield library, server
        library.close()


def test_a_model_asks_for_what_readers_look_for(with_model: tuple[Library, FakeOpenAI]) -> None:
    library, server = with_model
    server.behaviour = writes(GOOD, ALSO_GOOD)
    found = draft(library, per_paper=2)
    assert [(case.question, case.facts, case.reference) for case in found.cases] == [
        (GOOD["question"], (("WaveBank",),), GOOD["answer"]),
        (ALSO_GOOD["question"], (("3.1 cm",),), ALSO_GOOD["answer"]),
    ]
    assert {case.kind for case in found.cases} == {"drafted"}
    assert len(server.requests) == 1 + len(PAPERS)


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_drafts_that_do_not_hold_are_dropped_and_counted(
    bad: object, reason: str, with_model: tuple[Library, FakeOpenAI]
) -> None:
    library, server = with_model
    server.behaviour = writes(GOOD, bad)
    found = draft(library, per_paper=3)
    assert len(found.cases) == 1
    assert found.dropped[reason] == 1


def test_a_reply_that_is_no_list_of_questions_is_counted(
    with_model: tuple[Library, FakeOpenAI],
) -> None:
    library, server = with_model
    server.behaviour = lambda seen: json.dumps(INDICATORS) if len(seen.data) == 1 else "no"
    found = draft(library, per_paper=3)
    assert found.cases == ()
    assert found.dropped["replies that were no questions"] == len(PAPERS)


def test_the_command_writes_drafts_to_edit(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    out = tmp_path / "drafts.yaml"
    assert run(["eval", "draft", "--per-paper", "2", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("2 drafts in ")
    assert said.err == "left out: papers without a sentence to ask about: 1\n"
    assert [case.facts for case in load(out).cases] == [(("3.1 cm",),), (("412",),)]
    assert run(["eval", "draft", "--out", str(out)]) == 2
