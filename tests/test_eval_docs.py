"""Every measure and every eval command is documented."""

from pathlib import Path

import pytest
from typer.main import get_command

from assistant.cli.main import app
from eval.scores.measures import MEASURES

DOCUMENT = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text(encoding="utf-8")
COMMANDS = get_command(app).commands["eval"].commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCUMENT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed(name: str) -> None:
    assert f"| `assistant eval {name} " in DOCUMENT
