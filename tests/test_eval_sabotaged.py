"""The harness is honest: assistants that fail on purpose are ranked below the one they were made from."""

from collections.abc import Iterator

import pytest

from assistant import samples
from assistant.config import load_settings
from assistant.library import Library
from eval import surroundings
from eval.cases.dataset import load
from eval.checks.sabotage import LEVEL, SABOTAGES, Asked, Caught, ask_all, compare, table

EVERY = 8
"""Of the answerable cases; more of the unanswerable ones are asked, as only a part of them is refused."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = Library(load_settings({"home": tmp_path_factory.mktemp("sabotage") / "home"}, {}))
    library.ingest([str(samples.DIGEST)])
    yield library
    library.close()


@pytest.fixture(scope="module")
def asked(library: Library) -> list[Asked]:
    cases = load(surroundings.DATASETS / "digest.yaml").cases
    answerable = [case for case in cases if case.answerable]
    others = [case for case in cases if not case.answerable]
    return ask_all([*answerable[::EVERY], *others[::2]], library)


@pytest.fixture(scope="module")
def caught(asked: list[Asked], library: Library) -> dict[str, Caught]:
    return {each.sabotage.name: each for each in compare(asked, library)}


@pytest.mark.parametrize("name", [sabotage.name for sabotage in SABOTAGES])
def test_each_sabotaged_assistant_is_caught(name: str, caught: dict[str, Caught]) -> None:
    found = caught[name]
    assert found.passed, table([found])
    assert found.difference.high < 0
    assert found.difference.p_value < LEVEL


def test_there_are_eight() -> None:
    assert len(SABOTAGES) == len({sabotage.name for sabotage in SABOTAGES}) == 8


def test_the_table_names_what_is_missed(caught: dict[str, Caught]) -> None:
    found = next(iter(caught.values()))
    same = found.difference.model_copy(
        update={"mean": 0.0, "low": 0.0, "high": 0.0, "p_value": 1.0}
    )
    missed = found._replace(difference=same)
    assert not missed.passed
    assert "MISSED" in table([missed])
    assert "MISSED" not in table([found])


def test_an_assistant_that_is_not_sabotaged_is_not_caught(
    asked: list[Asked], library: Library
) -> None:
    honest = [each for each in asked if not each.answer.refused]
    by_name = {each.sabotage.name: each for each in compare([*honest[:3], *honest[-3:]], library)}
    # There was no refusal to leave out: nothing is worse than before.
    assert by_name["never refuses"].difference.mean == 0
    assert not by_name["never refuses"].passed
