"""What a model's tokens cost: a small table, which a file in the home adds to."""

import tomllib
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assistant.errors import SettingsError, first_problem

TABLE = Path(__file__).parent / "prices.toml"
_ANY = "*"
_MILLION = 1_000_000


class Price(BaseModel):
    """US dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)


class Prices(NamedTuple):
    """Prices by provider and model; the model ``*`` stands for all others of its provider."""

    table: dict[str, dict[str, Price]]

    def cost(self, spec: str, *, input_tokens: int, output_tokens: int) -> float | None:
        """Return what tokens cost in US dollars, or None where the price is not known.

        Args:
            spec: ``provider:model``; the price is that of the very name.
            input_tokens: tokens sent.
            output_tokens: tokens received.
        """
        provider, _, model = spec.partition(":")
        models = self.table.get(provider, {})
        price = models.get(model) or models.get(_ANY)
        if price is None:
            return None
        return (input_tokens * price.input + output_tokens * price.output) / _MILLION


def read_prices(own: Path | None = None) -> Prices:
    """Read the table that comes with the program, and the user's ``own`` if there is one.

    Raises:
        SettingsError: if the user's file cannot be read.
    """
    table = _read(TABLE)
    if own is not None and own.is_file():
        for provider, models in _read(own).items():
            table[provider] = {**table.get(provider, {}), **models}
    return Prices(table)


def _read(path: Path) -> dict[str, dict[str, Price]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return TypeAdapter(dict[str, dict[str, Price]]).validate_python(content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"cannot use {path}: {first_problem(error)}") from error
