"""JSON in what a model wrote, mended and validated."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assistant.errors import first_problem
from assistant.models.thinking import without_thinking

Schema = TypeVar("Schema", bound=BaseModel)

_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_LONGEST = 100_000


def parse(text: str, schema: type[Schema]) -> Schema:
    """Read the JSON object in ``text``.

    Prose and Markdown around it, trailing commas, raw line breaks in strings, and brackets left open at
    the end are mended.

    Raises:
        ValueError: if there is no object, or it does not fit; the message says what is wrong.
    """
    problem = "no JSON object in it"
    for candidate in _unwrapped(without_thinking(text)[:_LONGEST]):
        try:
            return schema.model_validate(candidate)
        except ValidationError as error:
            problem = _describe(error)
    raise ValueError(problem)


def _candidates(text: str) -> list[dict[str, Any]]:
    """Read the objects that begin at a brace of the outermost level."""
    from langchain_core.utils.json import parse_partial_json

    found: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(strict=False)
    position = text.find("{")
    while position >= 0 and len(found) < 8:
        mended = _TRAILING_COMMA.sub(r"\1", text[position:])
        try:
            value, length = decoder.raw_decode(mended)
        except (ValueError, RecursionError):
            value, length = None, 1
            with suppress(ValueError, RecursionError):
                value = parse_partial_json(mended.partition("```")[0].strip())
        if isinstance(value, dict):
            found.append(value)
        position = text.find("{", position + length)
    return found


def _unwrapped(text: str) -> Iterator[dict[str, Any]]:
    """Read the objects, and what is wrapped into them: some models name what they fill in."""
    for found in _candidates(text):
        yield found
        yield from (inner for inner in found.values() if isinstance(inner, dict))


def _describe(error: ValidationError) -> str:
    return first_problem(error, whole="the object")
