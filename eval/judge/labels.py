"""How far a judge model agrees with people, on items that they have labelled."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, Discriminator, Field, RootModel, Tag

from assistant.errors import ReplyFormError
from assistant.models.parallel import in_parallel
from assistant.records import Record
from eval.judge.judging import BEST, Better, Judge, Model
from eval.statistics.agreement import Agreement, agreement

T = TypeVar("T")


class AnswerLabel(BaseModel):
    """An answer, what a right one holds, and how correct people find it by the rubric, 0 to 2."""

    question: str
    reference: str
    answer: str
    label: int = Field(ge=0, le=BEST)


class ClaimLabel(BaseModel):
    """A claim, the text it rests on, and whether people find it supported: 1 or 0."""

    claim: str
    evidence: str
    label: Literal[0, 1]


class PairLabel(BaseModel):
    """Two answers to a question, what a right one holds, and which people prefer."""

    question: str
    reference: str
    first: str
    second: str
    label: Better


def _tag(row: object) -> str:
    """Tell by its fields what a row labels."""
    fields = row if isinstance(row, dict) else {}
    return "claims" if "claim" in fields else "pairs" if "first" in fields else "answers"


Label = AnswerLabel | ClaimLabel | PairLabel


class Row(
    RootModel[
        Annotated[
            Annotated[AnswerLabel, Tag("answers")]
            | Annotated[ClaimLabel, Tag("claims")]
            | Annotated[PairLabel, Tag("pairs")],
            Discriminator(_tag),
        ]
    ]
):
    """A line of a file of labels."""


class Checked(Record):
    """How far the judge agrees on one kind of item; ``None`` if it judged none of them."""

    agreement: Agreement | None
    unscored: int


class _Judged(NamedTuple):
    """An item's kind, and its label by the judge; ``None`` where that left it open."""

    kind: str
    label: Hashable


def check(
    labels: Sequence[Label],
    model: Model,
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Checked]:
    """Have a model judge what people have labelled, and compare, for each kind of item there is.

    Raises:
        SettingsError: if the model cannot be used.
        ModelUnavailableError: if it does not answer.
    """
    found: dict[str, list[tuple[Hashable, Hashable]]] = {}
    judged = in_parallel(
        lambda label, stop: _judge(label, Judge(model, stop)), labels, workers=workers
    )
    for done, (label, each) in enumerate(zip(labels, judged, strict=True), start=1):
        found.setdefault(each.kind, []).append((label.label, each.label))
        progress(done, len(labels))
    return {kind: _compare(rows) for kind, rows in found.items()}


def _judge(label: Label, judge: Judge) -> _Judged:
    match label:
        case ClaimLabel(claim=claim, evidence=evidence):
            support = _tried(partial(judge.support, claim, evidence))
            return _Judged("claims", support and int(support.support == "supported"))
        case PairLabel(question=question, reference=reference, first=first, second=second):
            return _Judged(
                "pairs", _tried(partial(judge.prefer, question, reference, first, second))
            )
        case AnswerLabel(question=question, reference=reference, answer=answer):
            grade = _tried(partial(judge.grade, question, reference, answer))
            return _Judged("answers", grade and grade.correctness)


def _tried(ask: Callable[[], T | None]) -> T | None:
    try:
        return ask()
    except ReplyFormError:
        return None


def _compare(rows: Sequence[tuple[Hashable, Hashable]]) -> Checked:
    judged = [(person, model) for person, model in rows if model is not None]
    return Checked(
        agreement=agreement([a for a, _ in judged], [b for _, b in judged]) if judged else None,
        unscored=len(rows) - len(judged),
    )
