"""The files of a run: a line per case in ``results.jsonl``, what was retrieved in ``passages.jsonl``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from assistant.errors import InputError, first_problem
from assistant.files import write_whole
from assistant.records import Answer, Passage, PassageRow, Record
from eval.cases.dataset import Case
from eval.scores.scorers import Score, Scores

RESULTS = "results.jsonl"
PASSAGES = "passages.jsonl"

R = TypeVar("R", bound=Record)


class Result(Record):
    """A line of ``results.jsonl``. A case that failed has an error and neither answer nor scores."""

    case: Case
    answer: Answer | None
    error: str | None
    scores: Scores
    seconds: Score


class Retrieved(Record):
    """A line of ``passages.jsonl``: what was retrieved for a case, best first."""

    id: str
    passages: tuple[PassageRow, ...]


class Journal:
    """The two files while they are written, a case at a time; a killed run leaves whole lines behind."""

    def __init__(self, folder: Path) -> None:
        """Name the folder, which must be there."""
        self._results, self._passages = folder / RESULTS, folder / PASSAGES

    def resume(self, known: Sequence[Case]) -> list[Result]:
        """Take up what is there of these cases: keep those that were answered, and forget the rest.

        Raises:
            InputError: if the files are damaged other than at their end, or hold other cases.
            OSError: if they cannot be written.
        """
        order = {case.id: place for place, case in enumerate(known)}
        found = read(self._results, Result, tail=True) if self._results.exists() else []
        if strange := next((each.case.id for each in found if each.case.id not in order), None):
            raise InputError(
                f"{self._results} holds the case '{strange}', which the data set has not: "
                "name another folder with --out, or remove this one"
            )
        kept = {each.case.id: each for each in found if each.error is None}
        self.finish(sorted(kept.values(), key=lambda each: order[each.case.id]))
        return list(kept.values())

    def add(self, result: Result, passages: Sequence[Passage]) -> None:
        """Write a case; its result last, which makes it count.

        Raises:
            OSError: if it cannot be written.
        """
        line = Retrieved(id=result.case.id, passages=tuple(map(PassageRow.of, passages)))
        for path, record in ((self._passages, line), (self._results, result)):
            with path.open("a", encoding="utf-8") as file:
                file.write(record.model_dump_json() + "\n")

    def finish(self, results: Sequence[Result]) -> None:
        """Write the files anew with these results, in their order, and what was retrieved for them.

        Raises:
            InputError: if the files are damaged other than at their end.
            OSError: if they cannot be written.
        """
        held = read_passages(self._passages.parent)
        write(self._results, results)
        kept = [held[each.case.id] for each in results if each.case.id in held]
        write(self._passages, kept)


def write(path: Path, records: Iterable[Record]) -> None:
    """Write a file of one record a line, wholly or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    write_whole(path, "".join(f"{each.model_dump_json()}\n" for each in records).encode())


def read(path: Path, record: type[R], *, tail: bool = False, remedy: str = "") -> list[R]:
    """Read a file of one record a line.

    Args:
        path: the file.
        record: what a line holds.
        tail: whether its last line may be cut off, as a killed run leaves it; it is left out then.
        remedy: what to do about a line that cannot be read.

    Raises:
        InputError: naming file, line and reason, if it cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (tail and number == len(lines)):
            continue
        try:
            found.append(record.model_validate_json(line))
        except ValidationError as error:
            reason = first_problem(error) + (f"; {remedy}" if remedy else "")
            raise InputError(
                f"{path}:{number}: damaged, or of another version: {reason}"
            ) from error
    return found


def read_passages(folder: Path) -> Mapping[str, Retrieved]:
    """Read what was retrieved, by case; of a case asked twice, the last time counts.

    Raises:
        InputError: if the file is damaged other than at its end.
    """
    path = folder / PASSAGES
    return {each.id: each for each in read(path, Retrieved, tail=True)} if path.exists() else {}
