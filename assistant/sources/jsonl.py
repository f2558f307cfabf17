"""JSONL: one JSON object per line, one paper per object."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from assistant.errors import InputError
from assistant.sources.authors import split_authors
from assistant.sources.draft import Draft, build_paper
from assistant.sources.failures import Item, excerpt, failure, location
from assistant.sources.latex import plain_text
from assistant.sources.lines import read_lines

_YEARS = range(1000, 10_000)
_YEAR = re.compile(r"[0-9]{4}")

_Row = dict[str, Any]


class _RowError(InputError):
    """A line that is no paper; the message says why."""


def read_jsonl(blocks: Iterable[bytes], path: Path) -> Iterator[Item]:
    """Read papers line by line; a line that is no paper is one failure and the next goes on.

    Keys: ``id``, ``title``, ``abstract``, ``authors``, ``year``, ``pdf``, ``url``; also BEIR's
    ``_id`` and ``text``. Others are ignored, and null counts as missing.
    """
    for line in read_lines(blocks):
        place = location(path, line.number)
        if line.problem:
            yield failure(place, line.problem)
        elif line.text.strip():
            yield _read_row(line.text, place)


def _read_row(text: str, place: str) -> Item:
    try:
        draft = _draft(_parsed(text))
    except _RowError as error:
        return failure(place, str(error))
    return build_paper(draft, place)


def _parsed(text: str) -> _Row:
    try:
        row = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at column {error.colno}"
        raise _RowError(f"is not JSON ({reason}): write one JSON object per line") from error
    except RecursionError as error:
        raise _RowError("is nested too deeply: write one flat JSON object per line") from error
    except ValueError as error:
        raise _RowError("holds a number of thousands of digits: shorten it") from error
    if not isinstance(row, dict):
        raise _RowError(f"is {_kind(row)}, not an object: write one JSON object per line")
    return row


def _unique_keys(pairs: list[tuple[str, Any]]) -> _Row:
    row: _Row = {}
    for key, value in pairs:
        if key in row:
            raise _RowError(f"the key {excerpt(key)} is there twice: keep one")
        row[key] = value
    return row


def _refuse_constant(name: str) -> NoReturn:
    raise _RowError(f"{name} is not JSON: write null, or leave the key out")


def _draft(row: _Row) -> Draft:
    return Draft(
        id=_id(row),
        title=plain_text(_text(row, "title")),
        abstract=plain_text(_text(row, "abstract") or _text(row, "text")),
        authors=_authors(row),
        year=_year(row),
        pdf=_text(row, "pdf"),
        url=_text(row, "url"),
    )


def _id(row: _Row) -> str:
    for key in ("id", "_id"):
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if text := _text(row, key):
            return text
    return ""


def _text(row: _Row, key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RowError(f'"{key}" is {_kind(value)}: write it as a string')
    return value


def _authors(row: _Row) -> tuple[str, ...]:
    value = row.get("authors")
    if isinstance(value, list):
        if not all(isinstance(name, str) for name in value):
            raise _RowError('"authors" holds more than strings: write a list of names')
        return tuple(plain_text(name) for name in value)
    return split_authors(plain_text(_text(row, "authors")))


def _year(row: _Row) -> int | None:
    value = row.get("year")
    if value is None or value == "":
        return None
    is_text = isinstance(value, str) and _YEAR.fullmatch(value.strip())
    if is_text or (isinstance(value, float) and value.is_integer()):  # data frames write 2024.0
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _YEARS:
        raise _RowError('"year" is not a year: write a number such as 2024')
    return value


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    kinds = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")
