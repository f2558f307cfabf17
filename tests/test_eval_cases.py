"""Eval cases: read from YAML and JSONL, refused with file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError
from assistant.records import Turn
from eval.cases.dataset import Case, load
from eval.surroundings import DATASETS

YAML = """\
# a comment
- id: one
  kind: named
  question: "What does DAPO reach?"
  papers: ["2503.14476"]
  facts: [["50 points", "score of 50"], [Qwen2.5-32B]]
  reference: "50 points."
  answerable: true
- id: two
  kind: followup
  question: "And on which model?"
  answerable: false
  history:
    - {role: user, content: "What does DAPO reach?"}
"""


def row(**fields: Any) -> dict[str, Any]:
    return {"id": "one", "kind": "named", "question": "Why?", "answerable": True} | fields


def written(folder: Path, content: str | bytes, name: str = "cases.yaml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def jsonl(folder: Path, *rows: Any) -> Path:
    return written(folder, "".join(f"{json.dumps(each)}\n" for each in rows), "cases.jsonl")


def test_yaml(tmp_path: Path) -> None:
    one, two = load(written(tmp_path, YAML)).cases
    assert one == Case(
        id="one", kind="named", question="What does DAPO reach?", papers=("2503.14476",),
        facts=(("50 points", "score of 50"), ("Qwen2.5-32B",)), reference="50 points.", answerable=True,
    )  # fmt: skip
    assert two.history == (Turn(role="user", content="What does DAPO reach?"),)


def test_the_same_cases_have_one_digest_in_both_formats(tmp_path: Path) -> None:
    from_yaml = load(written(tmp_path, YAML))
    from_jsonl = load(jsonl(tmp_path, *(case.model_dump(mode="json") for case in from_yaml.cases)))
    assert from_jsonl == from_yaml


def test_another_case_makes_another_digest(tmp_path: Path) -> None:
    assert load(jsonl(tmp_path, row())).digest != load(jsonl(tmp_path, row(kind="noisy"))).digest


def test_jsonl_may_hold_unicode_line_separators_blank_lines_and_a_byte_order_mark(
    tmp_path: Path,
) -> None:
    line = json.dumps(row(question="a\u2028b"), ensure_ascii=False)
    assert (
        load(written(tmp_path, f"\ufeff\n{line}\r\n\n", "c.jsonl")).cases[0].question == "a\u2028b"
    )


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (row(id="two", paper=["x"]), "paper: no such field; a case has id, kind, question"),
        (row(id="two", answerable="yes"), "answerable: expected true or false"),
        (row(id="two", papers=[2503.1]), "papers.0: expected text; in YAML, put quotes"),
        (row(id="two", facts=[[]]), "facts.0: it is empty"),
        (row(id="two", history=[{"role": "system", "content": "x"}]), "history.0.role"),
        (row(), "a second case with the id 'one'"),
        ([1], "expected a mapping"),
    ],
)
def test_a_bad_case_is_named_by_file_and_line(tmp_path: Path, second: Any, reason: str) -> None:
    path = jsonl(tmp_path, row(), second)
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert reason in str(caught.value)


def test_a_bad_yaml_case_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    path = written(tmp_path, YAML.replace("answerable: false", "answerable: perhaps"))
    with pytest.raises(InputError, match=r"cases\.yaml:9: answerable: "):
        load(path)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        ("- id: [", "c.yaml", r"c\.yaml:1: not YAML"),
        ("id: one", "c.yaml", "expected a list"),
        ("- !!python/object/apply:os.getcwd []", "c.yaml", r"c\.yaml:1: not YAML"),
        ("- " + "[" * 5000, "c.yaml", r"c\.yaml: not YAML: values are nested too deep"),
        (f"- {'[' * 150}1{']' * 150}", "c.yaml", r"c\.yaml:1: expected a mapping"),
        ("- &a {id: one}\n- *a\n- 3\n", "c.yaml", r"c\.yaml:2: not YAML: aliases are not taken"),
        ("- {2020-01-01: x}", "c.yaml", r"c\.yaml:1: names of fields must be text"),
        ("- id: !!int ''", "c.yaml", r"c\.yaml: not YAML"),
        ("- id: \x1b", "c.yaml", r"c\.yaml: not YAML"),
        ('{"id": ' + "[" * 5000, "c.jsonl", r"c\.jsonl:1: not JSON"),
        ("", "c.yaml", "holds no cases"),
        ("", "c.jsonl", "holds no cases"),
        ('{"id": ', "c.jsonl", r"c\.jsonl:1: not JSON"),
        (b"\xff\xfe", "c.jsonl", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, content: str | bytes, name: str, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        load(written(tmp_path, content, name))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("name", "least"), [("digest", 120), ("digest-tuning", 120), ("near-misses", 120)]
)
def test_the_shipped_questions_on_the_digest_are_whole(name: str, least: int) -> None:
    cases = load(DATASETS / f"{name}.yaml").cases
    assert len(cases) >= least
    for case in cases:
        assert bool(case.papers) == bool(case.facts) == case.answerable, case.id


@pytest.mark.parametrize(("name", "least"), [("fulltext", 40), ("fulltext-tuning", 40)])
def test_the_shipped_questions_on_full_texts_name_pages(name: str, least: int) -> None:
    cases = load(DATASETS / f"{name}.yaml").cases
    assert len(cases) >= least
    for case in cases:
        stated = bool(case.papers) and bool(case.facts) and bool(case.pages)
        assert stated == case.answerable, case.id


@pytest.mark.parametrize("name", ["digest", "fulltext"])
def test_tuning_and_test_questions_are_apart(name: str) -> None:
    test, tuning = (
        {case.question.casefold() for case in load(DATASETS / file).cases}
        for file in (f"{name}.yaml", f"{name}-tuning.yaml")
    )
    assert not test & tuning
