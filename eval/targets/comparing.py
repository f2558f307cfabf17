"""``python -m eval.targets.comparing``: tables of the digest's papers against what their cells should say."""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import ValidationError

from assistant.errors import InputError
from assistant.library import Library
from assistant.records import Cell, Comparison, ComparisonDone, Record
from eval import surroundings
from eval.cases.matching import normalise, states
from eval.targets.target import Target, table, verdict
from eval.terminal import say

_SPEED_PAPERS = 10

Facts = tuple[tuple[str, ...], ...]


class ComparisonCase(Record):
    """A table to ask for: what its cells should say, by aspect and paper."""

    id: str
    papers: tuple[str, ...]
    cells: Mapping[str, Mapping[str, Facts | Literal["silent"]]]


class CellScore(NamedTuple):
    """What one cell came to; None where a measure does not apply."""

    case: str
    cell: Cell
    own_paper: bool
    facts: float | None
    silent: bool | None


def load(path: Path) -> list[ComparisonCase]:
    """Read comparisons from YAML.

    Raises:
        InputError: if the file or one of its cases cannot be read.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [ComparisonCase.model_validate(row) for row in rows]
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def score(case: ComparisonCase, comparison: Comparison) -> Iterator[CellScore]:
    """Score each cell of a table."""
    for cell in comparison.cells:
        expected = case.cells[cell.aspect].get(cell.paper_id)
        text = normalise(cell.text)
        yield CellScore(
            case=case.id,
            cell=cell,
            own_paper=all(each.paper_id == cell.paper_id for each in cell.citations),
            facts=_recall(text, expected, found=cell.found)
            if isinstance(expected, tuple)
            else None,
            silent=not cell.found if expected == "silent" else None,
        )


def compare(library: Library, case: ComparisonCase) -> Comparison:
    """Fill a case's table."""
    events = library.compare(case.papers, aspects=list(case.cells))
    return next(event.comparison for event in events if isinstance(event, ComparisonDone))


def targets(scores: Sequence[CellScore], seconds: float) -> list[Target]:
    """Put the measures beside their targets."""
    facts = [each.facts for each in scores if each.facts is not None]
    silent = [each.silent for each in scores if each.silent is not None]
    own = [each.own_paper for each in scores if each.cell.found]
    return [
        Target("cells citing their own paper only", _mean(own), 1.00),
        Target("facts present in cells that have one", _mean(facts), 0.80),
        Target("silent cells reported as not stated", _mean(silent), 0.75),
        Target(f"{_SPEED_PAPERS} papers × 8 aspects", seconds, 5, at_most=True, unit="s"),
    ]


def time_default_table(library: Library) -> float:
    """Return the seconds that a table of the default aspects takes once the library is open."""
    papers = [paper.id for paper in library.papers()[:_SPEED_PAPERS]]
    library.search("warm up")
    began = time.perf_counter()
    list(library.compare(papers))
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table of targets. Falling short is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m eval.targets.comparing", description=__doc__)
    parser.add_argument("--dataset", default="compare", help="'compare' or 'compare-tuning'")
    parser.add_argument("--misses", action="store_true", help="print the cells that miss")
    options = parser.parse_args(arguments)
    cases = load(surroundings.DATASETS / f"{options.dataset}.yaml")
    digest = surroundings.digest()
    with surroundings.digest_library(digest) as library:
        seconds = time_default_table(library)
        scores = [each for case in cases for each in score(case, compare(library, case))]
    said = sum(each.facts is not None for each in scores)
    silent = sum(each.silent is not None for each in scores)
    say(f"{len(cases)} comparisons on {digest.label}: {said} cells with facts, {silent} silent.")
    if options.misses:
        for each in scores:
            if each.facts not in (None, 1.0) or each.silent is False:
                kind = "silent" if each.silent is False else f"{each.facts:.2f}"
                say(f"{kind} {each.case} {each.cell.paper_id} {each.cell.aspect}: {each.cell.text}")
    measured = targets(scores, seconds)
    say(f"\n{table(measured)}\n\n{verdict(measured)}")


def _recall(text: str, facts: Facts, *, found: bool) -> float:
    return sum(states(text, fact) for fact in facts) / len(facts) if found else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


if __name__ == "__main__":
    main()
