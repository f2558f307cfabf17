"""Cases from data sets of common public shapes: BEIR folders, SQuAD-style JSON, question/answer CSV.

What is malformed is reported with its place and reason, and the rest is taken.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import InputError, first_problem
from eval.cases.dataset import Case, problem

SHAPES = "a BEIR folder, SQuAD-style JSON (.json), or a CSV or TSV file with question and answer"

_LONGEST_FACT = 8
"""Words. A longer answer is a reference to compare with, not a fact that stands in a right answer."""
_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


class Rejected(NamedTuple):
    """A row that was not taken: where it stands, such as ``queries.jsonl:12``, and why."""

    place: str
    reason: str


class Imported(NamedTuple):
    """Cases in the order of the source, and the rows that gave none."""

    cases: tuple[Case, ...]
    rejected: tuple[Rejected, ...]


class _BadRowError(Exception):
    """A row that cannot become a case; says why."""


_Item = Case | Rejected
_Line = TypeVar("_Line", bound=BaseModel)


def read(source: Path) -> Imported:
    """Read the cases of a data set, its shape told by the name.

    Args:
        source: a folder, a ``.json``, a ``.csv`` or a ``.tsv`` file.

    Raises:
        InputError: if it has none of these shapes, cannot be read at all, or gives no case.
    """
    cases: dict[str, Case] = {}
    rejected: list[Rejected] = []
    for place, item in _reader(source)(source):
        if isinstance(item, Rejected):
            rejected.append(item)
        elif item.id in cases:
            rejected.append(Rejected(place, f"a second case with the id '{item.id}'"))
        else:
            cases[item.id] = item
    if not cases:
        first = f": {rejected[0].place}: {rejected[0].reason}" if rejected else ""
        raise InputError(f"{source} gives no cases{first}")
    return Imported(tuple(cases.values()), tuple(rejected))


_Reader = Callable[[Path], Iterator[tuple[str, _Item]]]


def _reader(source: Path) -> _Reader:
    if not source.exists():
        raise InputError(f"there is no {source}: name {SHAPES}")
    if source.is_dir():
        return _read_beir
    readers: dict[str, _Reader] = {".json": _read_squad, ".csv": _read_table, ".tsv": _read_table}
    if source.suffix.lower() not in readers:
        raise InputError(f"{source} is not {SHAPES}")
    return readers[source.suffix.lower()]


# BEIR: queries.jsonl, qrels/*.tsv, corpus.jsonl


def _read_beir(folder: Path) -> Iterator[tuple[str, _Item]]:
    """Read each query that has a relevant document; documents are papers, under the corpus's ids."""
    known = set(_corpus_ids(folder / "corpus.jsonl"))
    relevant: dict[str, list[str]] = {}
    for path in sorted((folder / "qrels").glob("*.tsv")):
        for place, row in _qrels(path):
            if isinstance(row, Rejected):
                yield place, row
            elif known and row.document not in known:
                yield place, Rejected(place, f"no document '{row.document}' in corpus.jsonl")
            elif row.score > 0:
                relevant.setdefault(row.query, []).append(row.document)
    if not relevant:
        raise InputError(f"{folder} holds no relevance judgements: expected qrels/*.tsv")
    for place, query in _rows(folder / "queries.jsonl", _Query):
        if isinstance(query, Rejected):
            yield place, query
        elif query.id in relevant:  # the others belong to another split
            papers = tuple(dict.fromkeys(relevant[query.id]))
            yield (
                place,
                _case(place, id=query.id, kind="retrieval", question=query.text, papers=papers),
            )


class _Query(BaseModel):
    """A line of ``queries.jsonl``."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str = Field(alias="_id")
    text: str


class _Document(BaseModel):
    """A line of ``corpus.jsonl``, as far as it is needed."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str = Field(alias="_id")


class _Judged(NamedTuple):
    """How relevant a document is to a query."""

    query: str
    document: str
    score: float


def _corpus_ids(path: Path) -> Iterator[str]:
    if path.is_file():  # some data sets come without
        for _, row in _rows(path, _Document):
            if isinstance(row, _Document):
                yield row.id


def _qrels(path: Path) -> Iterator[tuple[str, _Judged | Rejected]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        place = f"{path.name}:{number}"
        fields = line.rstrip("\r").split("\t")
        score = _number(fields[-1])
        if not line.strip() or (number == 1 and score is None):
            continue  # the head
        if len(fields) != 3 or score is None:
            yield place, Rejected(place, "expected query id, document id and score, parted by tabs")
        elif not math.isfinite(score):
            yield place, Rejected(place, "the score is no finite number")
        else:
            yield place, _Judged(fields[0], fields[1], score)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _rows(path: Path, model: type[_Line]) -> Iterator[tuple[str, _Line | Rejected]]:
    # Not splitlines(): JSON strings may hold other line separators of Unicode as they are.
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            place = f"{path.name}:{number}"
            try:
                yield place, model.model_validate_json(line)
            except ValidationError as error:
                yield place, Rejected(place, first_problem(error))


# SQuAD: articles of paragraphs of questions


def _read_squad(path: Path) -> Iterator[tuple[str, _Item]]:
    """Read each question; its answers are alternatives of one fact.

    ``paper_id`` of an article or paragraph, where there is one, names the paper.
    """
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: not JSON: {error}") from error
    articles = content.get("data") if isinstance(content, dict) else None
    if not isinstance(articles, list):
        raise InputError(f"{path} is not SQuAD-style JSON: expected a list under 'data'")
    for place, found in _squad_questions(path.name, articles):
        if isinstance(found, Rejected):
            yield place, found
            continue
        try:
            yield place, _squad_case(place, found)
        except _BadRowError as error:
            yield place, Rejected(place, str(error))


class _Asked(NamedTuple):
    """A question of a SQuAD file, and the paper that it is about."""

    fields: dict[str, Any]
    paper: str | None


def _squad_questions(name: str, articles: list[Any]) -> Iterator[tuple[str, _Asked | Rejected]]:
    for i, article in enumerate(articles):
        for j, paragraph in enumerate(_listed(article, "paragraphs")):
            questions = _listed(paragraph, "qas")
            if not questions:
                place = f"{name}: data[{i}].paragraphs[{j}]"
                yield place, Rejected(place, "expected a list of questions under 'qas'")
            paper = _named(paragraph) or _named(article)
            for k, fields in enumerate(questions):
                place = f"{name}: data[{i}].paragraphs[{j}].qas[{k}]"
                if isinstance(fields, dict):
                    yield place, _Asked(fields, paper)
                else:
                    yield place, Rejected(place, "expected a mapping of a question's fields")


def _squad_case(place: str, asked: _Asked) -> _Item:
    impossible = asked.fields.get("is_impossible") is True
    texts = [
        answer["text"].strip()
        for answer in _listed(asked.fields, "answers")
        if isinstance(answer, dict) and isinstance(answer.get("text"), str)
    ]
    answers = tuple(dict.fromkeys(text for text in texts if text))
    if not answers and not impossible:
        raise _BadRowError("no answer, and 'is_impossible' is not true")
    return _case(
        place,
        id=asked.fields.get("id"),
        kind="unanswerable" if impossible else "reading",
        question=asked.fields.get("question"),
        papers=(asked.paper,) if asked.paper else (),
        facts=() if impossible else (answers,),
        reference="" if impossible else answers[0],
        answerable=not impossible,
    )


def _listed(value: object, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _named(value: object) -> str | None:
    found = value.get("paper_id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and found else None


# CSV: question, answer, and what else a column names


def _read_table(path: Path) -> Iterator[tuple[str, _Item]]:
    """Read a row a question; columns ``id``, ``kind``, ``papers`` (parted by ;) and ``answerable`` may be."""
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    # Lines end as CSV ends them, not where Unicode does.
    rows = io.StringIO(_text(path), newline="")
    reader = csv.DictReader(rows, delimiter=delimiter, strict=True)
    try:
        head = [name.strip().lower() for name in reader.fieldnames or ()]
        if not {"question", "answer"} <= set(head):
            raise InputError(f"{path}: expected a head with the columns 'question' and 'answer'")
        if twice := next((name for name in head if name and head.count(name) > 1), None):
            raise InputError(f"{path}: the column '{twice}' is there twice: keep one of them")
        for row in reader:
            place = f"{path.name}:{reader.line_num}"
            try:
                yield place, _table_case(path.stem, place, row)
            except _BadRowError as error:
                yield place, Rejected(place, str(error))
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not CSV: {error}") from error


def _table_case(stem: str, place: str, row: dict[str | Any, str | Any]) -> _Item:
    if None in row:
        raise _BadRowError("more fields than the head has columns")
    fields = {name.strip().lower(): (value or "").strip() for name, value in row.items()}
    answer = fields["answer"]
    answerable = _answerable(fields.get("answerable", ""))
    if answerable and not answer:
        raise _BadRowError("no answer; say 'false' under 'answerable' if there is none")
    is_fact = answerable and len(answer.split()) <= _LONGEST_FACT
    papers = fields.get("papers", "").split(";")
    return _case(
        place,
        id=fields.get("id") or f"{stem}-{place.rpartition(':')[2]}",
        kind=fields.get("kind") or ("imported" if answerable else "unanswerable"),
        question=fields["question"],
        papers=tuple(name for each in papers if (name := each.strip())),
        facts=((answer,),) if is_fact else (),
        reference=answer if answerable else "",
        answerable=answerable,
    )


def _answerable(written: str) -> bool:
    if written and written.lower() not in _YES | _NO:
        raise _BadRowError(f"'{written}' under 'answerable': expected true or false")
    return written.lower() not in _NO


def _case(place: str, *, answerable: bool = True, **fields: object) -> _Item:
    try:
        return Case.model_validate({**fields, "answerable": answerable}, strict=True)
    except ValidationError as error:
        return Rejected(place, problem(error))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot read {path}: {reason}") from error
