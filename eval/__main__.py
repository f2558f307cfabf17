"""``python -m eval``: the digest's questions and SciFact's training queries, against their targets."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from eval import report, surroundings
from eval.cases import load
from eval.digest_targets import digest_targets
from eval.runner import Run, run
from eval.targets import Target, table, verdict
from eval.terminal import note, say


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table of targets. Falling short is a result, not a failure."""
    options = _parser().parse_args(arguments)
    digest = surroundings.digest()
    say(f"Questions on {digest.label}.")
    finished = _run_digest(digest, options.out)
    say(report.table(finished.report))
    for failure in finished.report.failures:
        say(f"failed: {failure.id}: {failure.error}")
    targets = digest_targets(finished)
    data = surroundings.scifact()
    if data is None:
        say("\nSciFact's training data is not beside the project: its row is left out.")
    else:
        targets.append(_scifact_target(data, options.home))
    say(f"\n{table(targets)}\n\n{verdict(targets)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    parser.add_argument(
        "--out", type=Path, help="keep results.jsonl and report.json in this folder"
    )
    parser.add_argument(
        "--home",
        type=Path,
        default=surroundings.cache("scifact"),
        help="home that keeps SciFact's corpus between runs",
    )
    return parser


def _run_digest(digest: surroundings.Digest, out: Path | None) -> Run:
    questions = load(surroundings.DATASETS / "digest.yaml")
    with surroundings.digest_library(digest) as library, surroundings.temporary_home() as folder:
        return run(questions, library, out or folder)


def _scifact_target(data: Path, home: Path) -> Target:
    from eval.scifact import compare

    found = compare(data, home, progress=lambda line: note(f"SciFact: {line}"))
    say(
        f"\nSciFact nDCG@10: library {found.library:.4f}, BM25 alone {found.bm25:.4f}, "
        f"MiniLM alone {found.minilm:.4f}"
    )
    return Target("SciFact nDCG@10 / better engine alone", found.ratio, 1.06)


if __name__ == "__main__":
    main()
