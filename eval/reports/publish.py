"""A finished run's reports for people and for CI, beside its results."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from assistant.errors import InputError
from assistant.files import write_whole
from eval.analysis.differences import Diff
from eval.reports import html, junit, markdown
from eval.runs.results import RESULTS, Result, read, read_passages
from eval.runs.runner import REPORT, read_manifest
from eval.runs.summary import Report

HTML, JUNIT, MARKDOWN = "report.html", "junit.xml", "summary.md"


def publish(folder: Path, *, diff: Diff | None = None, gate: Sequence[str] | None = None) -> Report:
    """Write ``report.html``, ``junit.xml`` and ``summary.md`` of a finished run; return its summary.

    Args:
        folder: the run's folder.
        diff: the run beside its baseline, if it was compared with one.
        gate: why the gate failed, a line each, none if it passed; None if there was no gate.

    Raises:
        InputError: if the folder holds no finished run, its files are damaged, or it cannot be written to.
    """
    report = _report(folder)
    results = read(folder / RESULTS, Result)
    passages = {name: each.passages for name, each in read_passages(folder).items()}
    page = html.render(report, results, passages, diff=diff, gate=gate)
    try:
        write_whole(folder / HTML, page.encode())
        write_whole(folder / JUNIT, junit.render(report, results, diff=diff, gate=gate))
        write_whole(folder / MARKDOWN, markdown.render(report, diff=diff, gate=gate).encode())
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error
    return report


def _report(folder: Path) -> Report:
    read_manifest(folder)
    path = folder / REPORT
    if not path.exists():
        raise InputError(
            f"the run in {folder} is not finished: go on with it with "
            f"`assistant eval run … --out {folder}`"
        )
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} cannot be read: it is damaged, or of another version") from error
