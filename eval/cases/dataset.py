"""Eval cases: questions whose right answers are known, read from YAML or JSONL."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import Field, ValidationError

from assistant.errors import InputError, first_problem
from assistant.records import Record, Turn

Text = Annotated[str, Field(min_length=1)]


class Case(Record):
    """One question.

    ``facts`` holds a tuple of alternatives for each key fact of a right answer; ``pages`` are those
    of the PDF on which the answer stands, any of which will do.
    """

    id: Text
    kind: Text
    question: Text
    papers: tuple[Text, ...] = ()
    facts: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...] = ()
    pages: tuple[int, ...] = ()
    reference: str = ""
    answerable: bool
    history: tuple[Turn, ...] = ()


def cluster(case: Case) -> str:
    """Name the cluster that a case counts to in statistics: its first paper, or itself if it has none."""
    return case.papers[0] if case.papers else f"case {case.id}"


class Dataset(NamedTuple):
    """Named cases; ``digest`` is a short hash of their content, whatever file format they came in."""

    name: str
    cases: tuple[Case, ...]
    digest: str


class _Loader(yaml.SafeLoader):
    """Reads YAML without aliases: a few lines of them can stand for more than memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Read one value."""
        if self.check_event(yaml.AliasEvent):
            place = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases are not taken, write the value out", problem_mark=place
            )
        return super().compose_node(parent, index)


class _Row(NamedTuple):
    """One case as read: the line it begins on, and what is there."""

    line: int
    content: Any


def load(path: Path) -> Dataset:
    """Read a dataset, a YAML list (``.yaml``, ``.yml``) or JSONL.

    Raises:
        InputError: naming file, line and reason, if the file or one of its cases cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot read {path}: {reason}") from error
    is_yaml = path.suffix.lower() in {".yaml", ".yml"}
    rows = _yaml_rows(text, path) if is_yaml else _jsonl_rows(text, path)
    cases: dict[str, Case] = {}
    for row in rows:
        case = _case(row, path)
        if case.id in cases:
            raise InputError(f"{path}:{row.line}: a second case with the id '{case.id}'")
        cases[case.id] = case
    if not cases:
        raise InputError(f"{path} holds no cases")
    return Dataset(path.stem, tuple(cases.values()), content_hash(tuple(cases.values())))


def _case(row: _Row, path: Path) -> Case:
    if not isinstance(row.content, dict):
        raise InputError(f"{path}:{row.line}: expected a mapping of a case's fields")
    try:
        # By way of JSON, so that lists become tuples and nothing else is converted.
        return Case.model_validate_json(json.dumps(row.content, default=str), strict=True)
    except (TypeError, RecursionError) as error:
        raise InputError(
            f"{path}:{row.line}: names of fields must be text, and values not nested so deep"
        ) from error
    except ValidationError as error:
        raise InputError(f"{path}:{row.line}: {problem(error)}") from error


def problem(error: ValidationError) -> str:
    """Say in a line what is wrong with a case, in the words of whoever writes one."""
    first = error.errors(include_url=False, include_input=False)[0]
    words = _PROBLEMS.get(first["type"])
    return f"{'.'.join(map(str, first['loc']))}: {words}" if words else first_problem(error)


_PROBLEMS = {
    "bool_type": "expected true or false",
    "extra_forbidden": f"no such field; a case has {', '.join(Case.model_fields)}",
    "missing": "it is missing",
    "string_too_short": "it is empty",
    "string_type": "expected text; in YAML, put quotes around numbers and dates",
    "too_short": "it is empty",
    "tuple_type": "expected a list",
}
"""By pydantic's names of what is wrong."""


def _jsonl_rows(text: str, path: Path) -> Iterator[_Row]:
    # Not splitlines(): JSON strings may hold other line separators of Unicode as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _Row(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}:{number}: not JSON: {error}") from error


def _yaml_rows(text: str, path: Path) -> Iterator[_Row]:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise InputError(f"{path}: expected a list of cases")
        for node in root.value:
            yield _Row(node.start_mark.line + 1, loader.construct_object(node, deep=True))
    except RecursionError as error:
        raise InputError(f"{path}: not YAML: values are nested too deep") from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark is not None else str(path)
        raise InputError(
            f"{place}: not YAML: {getattr(error, 'problem', None) or error}"
        ) from error


def content_hash(cases: Sequence[Case]) -> str:
    """Return sixteen hex digits that change with the cases or their order."""
    content = [case.model_dump(mode="json") for case in cases]
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
