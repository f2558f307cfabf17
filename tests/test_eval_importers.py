"""Cases from public shapes: BEIR folders, SQuAD-style JSON, CSV. Bad rows are told of, the rest goes in."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.main import run
from assistant.errors import InputError
from assistant.records import Turn
from eval.cases.dataset import Case, load
from eval.cases.files import save
from eval.cases.importers import read


def beir(folder: Path, *, queries: str, qrels: str, corpus: str = "") -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "queries.jsonl").write_text(queries, encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    if corpus:
        (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    return folder


def squad(path: Path, *questions: Any, **article: Any) -> Path:
    content = {"data": [{**article, "paragraphs": [{"context": "…", "qas": list(questions)}]}]}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_beir_queries_with_their_relevant_documents(tmp_path: Path) -> None:
    folder = beir(
        tmp_path / "scifact",
        queries='{"_id": "q1", "text": "What is DAPO?"}\n{"_id": 2, "text": "And GRPO?"}\n'
        '{"_id": "q3", "text": "Of another split"}\n',
        qrels="query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t2\n2\td2\t1\n2\td1\t0\n",
        corpus='{"_id": "d1", "text": "…"}\n{"_id": "d2", "text": "…"}\n',
    )
    found = read(folder)
    assert [(case.id, case.question, case.papers) for case in found.cases] == [
        ("q1", "What is DAPO?", ("d1", "d2")),
        ("2", "And GRPO?", ("d2",)),
    ]
    assert all(case.answerable and case.kind == "retrieval" for case in found.cases)
    assert found.rejected == ()


def test_bad_rows_of_beir_are_told_with_file_and_line(tmp_path: Path) -> None:
    folder = beir(
        tmp_path / "set",
        queries='{"_id": "q1", "text": "Good?"}\nnot JSON\n{"_id": "q2"}\n{"_id": "q4", "text": ""}\n',
        qrels="query-id\tcorpus-id\tscore\nq1\td1\t1\nq1 d1 1\nq1\td9\t1\nq4\td1\t1\n",
        corpus='{"_id": "d1"}\n',
    )
    found = read(folder)
    assert [case.id for case in found.cases] == ["q1"]
    places = dict(found.rejected)
    assert list(places) == [
        "test.tsv:3", "test.tsv:4", "queries.jsonl:2", "queries.jsonl:3", "queries.jsonl:4",
    ]  # fmt: skip
    assert "tabs" in places["test.tsv:3"]
    assert "d9" in places["test.tsv:4"]
    assert "Field required" in places["queries.jsonl:3"]


@pytest.mark.parametrize("score", ["nan", "inf", "-inf"])
def test_relevance_that_is_no_number(score: str, tmp_path: Path) -> None:
    folder = beir(
        tmp_path / "set",
        queries='{"_id": "q1", "text": "?"}\n',
        qrels=f"q1\td2\t{score}\nq1\td1\t1\n",
    )
    found = read(folder)
    assert found.cases[0].papers == ("d1",)
    assert found.rejected == (("test.tsv:1", "the score is no finite number"),)


def test_a_folder_without_judgements(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "?"}\n')
    with pytest.raises(InputError, match="no relevance judgements"):
        read(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no .*nowhere"):
        read(tmp_path / "nowhere")


def test_squad_answers_are_alternatives_of_one_fact(tmp_path: Path) -> None:
    answers = [{"text": "50 points"}, {"text": "50"}, {"text": "50 points"}]
    path = squad(
        tmp_path / "dev.json",
        {"id": "a", "question": "How many?", "answers": answers},
        {"id": "b", "question": "Who?", "answers": [], "is_impossible": True},
        paper_id="2503.14476",
    )
    first, second = read(path).cases
    assert (first.facts, first.reference, first.papers) == (
        (("50 points", "50"),), "50 points", ("2503.14476",),
    )  # fmt: skip
    assert (second.answerable, second.facts, second.kind) == (False, (), "unanswerable")


def test_bad_questions_of_squad_are_told_with_their_place(tmp_path: Path) -> None:
    path = squad(
        tmp_path / "dev.json",
        {"id": "a", "question": "How many?", "answers": [{"text": "5"}]},
        {"id": "b", "question": "How many?", "answers": []},
        {"id": "a", "question": "Twice?", "answers": [{"text": "5"}]},
        {"id": "c", "answers": [{"text": "5"}]},
        "no mapping",
    )
    found = read(path)
    assert len(found.cases) == 1
    assert [place.partition(".qas")[2] for place, _ in found.rejected] == [
        "[1]",
        "[2]",
        "[3]",
        "[4]",
    ]
    assert "second case" in found.rejected[1].reason


@pytest.mark.parametrize("content", ["[1, 2]", '{"data": 3}', "not JSON", "[" * 100_000])
def test_what_is_no_squad(content: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(InputError, match="SQuAD|JSON"):
        read(path)


def test_csv_rows(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(
        "Question,Answer,Papers,Answerable\n"
        "Which base model?,Qwen2.5-32B,2503.14476; 2503.00001,\n"
        '"Why, and how?","Because a long explanation, in more words than a fact may have.",,yes\n'
        "How is bread\u2028baked?,,,false\n",
        encoding="utf-8-sig",
    )
    first, second, third = read(path).cases
    assert (first.id, first.facts) == ("faq-2", (("Qwen2.5-32B",),))
    assert first.papers == ("2503.14476", "2503.00001")
    assert second.facts == ()
    assert second.reference.startswith("Because")
    assert (third.answerable, third.kind) == (False, "unanswerable")
    assert third.question == "How is bread\u2028baked?"


def test_bad_rows_of_a_csv_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "faq.tsv"
    path.write_text(
        "question\tanswer\tanswerable\nGood?\tYes\t\nNo answer?\t\t\n\tno question\t\n"
        "Perhaps?\tYes\tperhaps\nToo\tmany\tno\tfields\n"
    )
    found = read(path)
    assert len(found.cases) == 1
    assert [place for place, _ in found.rejected] == [
        "faq.tsv:3",
        "faq.tsv:4",
        "faq.tsv:5",
        "faq.tsv:6",
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "q,a\n1,2\n", "expected a head"),
        ("a.csv", "", "expected a head"),
        ("a.csv", "question,answer\n", "gives no cases"),
        ("a.csv", "question,answer, Answer\nWhy?,5,6\n", "the column 'answer' is there twice"),
        ("a.csv", 'question,answer\n"open', "not CSV"),
        ("a.txt", "…", "BEIR folder"),
    ],
)
def test_files_that_give_nothing(name: str, content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=reason):
        read(path)


@given(content=st.binary(max_size=300), suffix=st.sampled_from([".csv", ".tsv", ".json"]))
def test_no_bytes_make_it_fail_otherwise(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / f"file{suffix}"
    path.write_bytes(content)
    with suppress(InputError):
        assert read(path).cases


@pytest.mark.parametrize("name", ["cases.yaml", "cases.jsonl"])
def test_what_is_written_is_read_again(name: str, tmp_path: Path) -> None:
    cases = (
        Case(id="1", kind="k", question="Größe φ?\u2028", facts=(("a", "b"), ("c",)), answerable=True),
        Case(
            id="2", kind="k", question="- x: [y]", pages=(3,), answerable=False,
            history=(Turn(role="user", content="no"),),
        ),
    )  # fmt: skip
    save(cases, tmp_path / name)
    assert load(tmp_path / name).cases == cases


def test_the_command_writes_what_is_good_and_says_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faq.csv"
    path.write_text("question,answer\nHow many?,5\nNo answer?,\n")
    out = tmp_path / "cases.yaml"
    assert run(["eval", "import", str(path), "--out", str(out)]) == 4
    said = capsys.readouterr()
    assert "1 cases" in said.out
    assert said.err.startswith("faq.csv:3: no answer")
    assert load(out).cases[0].facts == (("5",),)


def test_the_command_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "faq.csv"
    path.write_text("question,answer\nHow many?,5\n")
    out = tmp_path / "cases.yaml"
    out.write_text("mine")
    assert run(["eval", "import", str(path), "--out", str(out)]) == 2
    assert out.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
