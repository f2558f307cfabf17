"""A finished run's reports for people and for CI, beside its results."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from assistant.errors import InputError
from assistant.files import write_whole
from assistant.records import Record
from eval.analysis.differences import Diff
from eval.judge.judged import MEASURES, read_judged, read_run
from eval.reports import html, junit, markdown
from eval.runs.results import read_passages
from eval.runs.runner import REPORT, read_manifest
from eval.runs.summary import Report, graded

HTML, JUNIT, MARKDOWN, GATE = "report.html", "junit.xml", "summary.md", "gate.json"

R = TypeVar("R", bound=Record)


class Gate(Record):
    """What a gate has said of a run: the run beside its baseline, and why it fails, a line each."""

    diff: Diff | None
    reasons: tuple[str, ...]


def publish(folder: Path, *, diff: Diff | None = None, gate: Sequence[str] | None = None) -> Report:
    """Write ``report.html``, ``junit.xml`` and ``summary.md`` of a finished run; return its summary.

    Where a judge has graded the answers, its scores go in as well, into ``report.json`` too.

    Args:
        folder: the run's folder.
        diff: the run beside its baseline, if it was compared with one.
        gate: why the gate failed, a line each, none if it passed; None if there was no gate.

    Raises:
        InputError: if the folder holds no finished run, its files are damaged, or it cannot be written to.
    """
    said = None if gate is None else Gate(diff=diff, reasons=tuple(gate))
    try:
        if said is not None:
            write_whole(folder / GATE, said.model_dump_json(indent=2).encode() + b"\n")
        else:
            (folder / GATE).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return _write(folder, said)


def republish(folder: Path) -> Report:
    """Write a finished run's reports anew, with what its gate has said. Raises as :func:`publish` does."""
    path = folder / GATE
    remedy = "delete it, and `assistant eval run` with --gate writes it anew"
    return _write(folder, _parsed(path, Gate, remedy=remedy) if path.exists() else None)


def _write(folder: Path, said: Gate | None) -> Report:
    report = _report(folder)
    results = read_run(folder)
    judged = {each.id: each for each in read_judged(folder)}
    if judged:
        judges = dict.fromkeys(each.judge for each in judged.values())
        report = graded(report, results, MEASURES, ", ".join(judges))
    diff, gate = (said.diff, said.reasons) if said is not None else (None, None)
    passages = {name: each.passages for name, each in read_passages(folder).items()}
    page = html.render(report, results, passages, judged=judged, diff=diff, gate=gate)
    try:
        if judged:
            write_whole(folder / REPORT, report.model_dump_json(indent=2).encode() + b"\n")
        write_whole(folder / HTML, page.encode())
        write_whole(folder / JUNIT, junit.render(report, results, diff=diff, gate=gate))
        write_whole(folder / MARKDOWN, markdown.render(report, diff=diff, gate=gate).encode())
    except OSError as error:
        raise _unwritable(folder, error) from error
    return report


def _report(folder: Path) -> Report:
    read_manifest(folder)
    path = folder / REPORT
    if not path.exists():
        raise InputError(
            f"the run in {folder} is not finished: go on with it with "
            f"`assistant eval run … --out {folder}`"
        )
    remedy = f"delete it, and `assistant eval run … --out {folder}` writes it anew"
    return _parsed(path, Report, remedy=remedy)


def _parsed(path: Path, record: type[R], *, remedy: str) -> R:
    try:
        return record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{path} cannot be read: it is damaged, or of another version; {remedy}"
        ) from error


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(f"cannot write to {folder}: {error.strerror}")
