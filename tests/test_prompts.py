"""Prompts are files; what they take is declared, and anything else is a mistake."""

from pathlib import Path

import pytest

from assistant import prompts

NAMES = sorted(path.stem for path in prompts.FOLDER.glob("*.md") if path.stem != "README")


def variables(name: str) -> dict[str, str]:
    header = (prompts.FOLDER / f"{name}.md").read_text(encoding="utf-8").split("---")[1]
    names = header.partition(":")[2].replace(",", " ").split()
    return {each: f"«{each}»" for each in names}


def test_all_prompts_are_there() -> None:
    assert NAMES == [
        "answer.system", "answer.user", "aspects.system", "aspects.user", "compare.cell",
        "compare.summary", "draft.indicators.system", "draft.indicators.user",
        "draft.questions.system", "draft.questions.user", "evidence.system", "evidence.user",
        "judge.answer.system", "judge.answer.user", "judge.claim.system", "judge.claim.user",
        "judge.pair.system", "judge.pair.user", "mend", "rewrite.system", "rewrite.user",
        "split.system", "split.user", "structured", "topic.system", "topic.user", "verify.again",
        "verify.system", "verify.user",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_put_in(name: str) -> None:
    text = prompts.render(name, **variables(name))
    assert all(value in text for value in variables(name).values())
    assert "{{" not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_variable_is_a_mistake(name: str) -> None:
    given = variables(name)
    missing = given.popitem()[0]
    with pytest.raises(ValueError, match=f"'{name}': missing or unknown variables {missing}"):
        prompts.render(name, **given)


def test_an_unknown_variable_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="unknown variables colour"):
        prompts.render("mend", problem="x", colour="red")


@pytest.mark.parametrize("name", ["nosuch", "../README", "README", "", "/etc/passwd"])
def test_what_is_no_prompt_is_a_mistake(name: str) -> None:
    with pytest.raises(ValueError, match="prompt"):
        prompts.render(name)


def test_a_value_is_not_read_for_variables() -> None:
    text = prompts.render("answer.user", delimiter="d", passages="{{ question }}", question="why?")
    assert "{{ question }}" in text


def test_a_fingerprint_is_short_stable_and_of_one_prompt() -> None:
    found = {prompts.fingerprint(name) for name in NAMES}
    assert len(found) == len(NAMES)
    assert found == {prompts.fingerprint(name) for name in NAMES}
    assert {len(each) for each in found} == {12}


def test_prompts_lie_beside_the_package() -> None:
    assert Path(prompts.__file__).parent.parent == prompts.FOLDER.parent
