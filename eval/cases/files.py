"""Writes cases to a file that ``eval.cases.dataset`` reads, for a person to look through and edit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from assistant.errors import InputError
from assistant.files import write_whole
from eval.cases.dataset import Case


def save(cases: Sequence[Case], path: Path) -> None:
    """Write cases, fields that say nothing left out: a YAML list, or JSONL for any other suffix.

    Raises:
        InputError: if the file is there already, or cannot be written.
    """
    check_free(path)
    rows = [_row(case) for case in cases]
    try:
        write_whole(path, (_yaml(rows) if _is_yaml(path) else _jsonl(rows)).encode())
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def check_free(path: Path) -> None:
    """See that there is no such file yet: a person may have edited it.

    Raises:
        InputError: if there is.
    """
    if path.exists():
        raise InputError(f"{path} is there already: name another file, or remove it first")


def _is_yaml(path: Path) -> bool:
    return path.suffix.lower() in {".yaml", ".yml"}


def _row(case: Case) -> dict[str, Any]:
    return case.model_dump(mode="json", exclude_defaults=True)


def _yaml(rows: Sequence[dict[str, Any]]) -> str:
    text: str = yaml.safe_dump(list(rows), allow_unicode=True, sort_keys=False, width=100)
    return text


def _jsonl(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
