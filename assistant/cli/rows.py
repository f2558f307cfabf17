"""JSONL files of rows that commands take: earlier turns, batch queries."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import InputError, first_problem

Row = TypeVar("Row", bound=BaseModel)


class BatchQuery(BaseModel):
    """One query of a batch search; the id may be a number."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str = Field(alias="_id", pattern=r"^\S+$")
    text: str


def read_rows(path: Path, model: type[Row]) -> list[Row]:
    """Read a JSONL file, a validated row per line; blank lines are skipped.

    Raises:
        InputError: naming file, line and reason, if the file or one of its rows cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot read {path}: {reason}") from error
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(model.model_validate_json(line))
        except ValidationError as error:
            raise InputError(f"{path}:{number}: {first_problem(error)}") from error
    return rows
