"""What tokens cost, and that an unknown price is not zero."""

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.models.prices import read_prices


def cost(spec: str, own: Path | None = None) -> float | None:
    return read_prices(own).cost(spec, input_tokens=1_000_000, output_tokens=500_000)


def test_a_known_model_costs_its_price_per_million() -> None:
    assert cost("openai:gpt-4o-mini") == pytest.approx(0.15 + 0.30)


@pytest.mark.parametrize(
    "spec", ["openai:unheard-of", "nosuch:gpt-4o-mini", "openai:gpt-4o-mini-2099"]
)
def test_an_unknown_price_is_none(spec: str) -> None:
    assert cost(spec) is None


def test_models_on_this_machine_cost_nothing() -> None:
    assert cost("ollama:qwen3:8b") == 0


def test_a_user_adds_prices_and_changes_them(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        '[openai]\n"gpt-4o-mini" = { input = 1, output = 2 }\n[mine]\n"*" = { input = 3, output = 0 }'
    )
    assert cost("openai:gpt-4o-mini", own) == pytest.approx(2)
    assert cost("mine:anything", own) == pytest.approx(3)
    assert cost("openai:gpt-4o", own) == pytest.approx(7.5)


def test_a_file_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert cost("openai:gpt-4o", tmp_path / "none.toml") == pytest.approx(7.5)


@pytest.mark.parametrize(
    "content",
    [
        "[",
        "[openai]\nx = 1",
        "[openai]\nx = { input = -1, output = 0 }",
        "[openai]\nx = { input = nan, output = 0 }",
        "x = { input = 1 }",
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_of_one_line(tmp_path: Path, content: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(content)
    with pytest.raises(SettingsError, match=r"prices\.toml") as raised:
        read_prices(own)
    assert "\n" not in str(raised.value)
