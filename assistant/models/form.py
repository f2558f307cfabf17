"""What a model is asked to fill in, read with forbearance: small models miss a form by little."""

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, model_validator
from pydantic.fields import FieldInfo

_NUMBER = re.compile(r"\s*(?P<number>-?\d+(?:\.\d+)?)\s*(?:%|(?:/|out of|of)\s*\d+(?:\.\d+)?)?\s*")


class Form(BaseModel):
    """A form whose values are tidied before they are validated.

    A list or text that is null or missing is empty, a text in place of a list is its only item, ``90%`` and
    ``8/10`` are 90 and 8, and a choice may be written in any case or go on: ``Supported by …``.
    """

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, given: object) -> object:
        # An object without any of the fields is another one, such as what was wrapped around it.
        if not isinstance(given, Mapping) or not cls.model_fields.keys() & given.keys():
            return given
        return {**given, **dict(_tidied(cls.model_fields, given))}


def _tidied(fields: Mapping[str, FieldInfo], given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    read = [(name, _read(field.annotation, given.get(name))) for name, field in fields.items()]
    return [(name, value) for name, value in read if value is not None]


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 - JSON, whatever it is
    """Read a value as one of a kind, or as it is where it cannot be."""
    if get_origin(kind) is list:
        return [_item(each) for each in _items(value)]
    if kind is str:
        return "" if value is None else _item(value)
    if kind is float and isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        return value if found is None else float(found["number"])
    if get_origin(kind) is Literal and isinstance(value, str):
        return _choice(get_args(kind), value)
    return value


def _items(value: Any) -> list[Any]:  # noqa: ANN401
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _item(value: Any) -> Any:  # noqa: ANN401
    """Take a text out of an object or list that holds just one."""
    inner = list(value.values()) if isinstance(value, dict) else value
    return inner[0] if isinstance(inner, list) and len(inner) == 1 else value


def _choice(choices: tuple[str, ...], value: str) -> str:
    said = value.strip(" \t\n*_\"'`.").casefold()
    return next((choice for choice in choices if said.startswith(choice.casefold())), value)
