"""The committed baseline: the scores of the digest's questions on the bundled sample digest.

The sample comes with the project, so that every checkout compares the same cases on the same papers.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from eval import surroundings
from eval.analysis.differences import Diff, Loaded, compare
from eval.analysis.differences import load as load_run
from eval.cases.dataset import content_hash, load
from eval.runs.results import Result
from eval.runs.runner import Run, run

PATH = Path(__file__).parents[1] / "baselines" / "digest-sample.jsonl"


def run_sample(out: Path) -> Run:
    """Ask the digest's questions about the sample digest, without a language model."""
    with surroundings.digest_library(surroundings.SAMPLE) as library:
        return run(load(surroundings.DATASETS / "digest.yaml"), library, out)


def against_baseline(results: Sequence[Result]) -> Diff:
    """Compare results with the baseline.

    Raises:
        InputError: if the questions have changed since it was made.
    """
    before = load_run(PATH)
    now = Loaded(Path("this run"), content_hash([each.case for each in results]), results, None)
    return compare(before, now)


def save(results: Sequence[Result]) -> None:
    """Make results the baseline: their cases and scores, without answers and times."""
    rows = [
        {
            "case": result.case.model_dump(mode="json", exclude_defaults=True),
            "answer": None,
            "error": result.error,
            "scores": {name: value for name, value in result.scores.items() if value is not None},
            "seconds": 0.0,
        }
        for result in results
    ]
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    PATH.write_text(lines, encoding="utf-8")
