"""``python -m eval``: the shipped questions against the committed baseline and against their targets."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from assistant import chunk
from assistant.errors import GateError
from eval import surroundings
from eval.analysis import differences
from eval.cases.dataset import load
from eval.runs import summary
from eval.runs.runner import Run, run
from eval.targets import baseline
from eval.targets.digest_targets import digest_targets, unfallen
from eval.targets.full_text import full_text_targets, run_full_text
from eval.targets.target import Target, table, verdict
from eval.terminal import note, say


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the sample's run with the baseline, and measure against the targets.

    A target that falls short is a result, not a failure; a measure that fell below the baseline beyond
    chance ends the program with exit code 6.
    """
    options = _parser().parse_args(arguments)
    digest = surroundings.digest()
    with surroundings.temporary_home() as folder:
        sample = baseline.run_sample(folder if digest.original else options.out or folder)
    if options.write_baseline:
        baseline.save(sample.results)
        say(f"The baseline is now this run: {baseline.PATH}")
        return
    fallen = _compare(sample)
    say(f"\nQuestions on {digest.label}.")
    finished = _run_digest(digest, options.out) if digest.original else sample
    _measure(finished, digest, options.home)
    if fallen:
        note(f"Below the baseline: {'; '.join(fallen)}")
        sys.exit(GateError.exit_code)


def _compare(sample: Run) -> list[str]:
    """Print what changed since the baseline; return what fell beyond chance."""
    diff = baseline.against_baseline(sample.results)
    say(f"Questions on the bundled sample digest, beside {baseline.PATH.name}:")
    say(differences.table(diff))
    say(differences.verdict(diff))
    return differences.failures(diff, {}, ())


def _measure(finished: Run, digest: surroundings.Digest, scifact_home: Path) -> None:
    """Print the table of measures and that of targets."""
    say(summary.table(finished.report))
    for failure in finished.report.failures:
        say(f"failed: {failure.id}: {failure.error}")
    targets = digest_targets(finished)
    pdfs = surroundings.pdfs()
    if not (pdfs and digest.original):
        say("\nThe papers' PDFs are not beside the project: the rows on full texts are left out.")
    else:
        targets += _full_text_targets(digest, pdfs, targets)
    data = surroundings.scifact()
    if data is None:
        say("\nSciFact's training data is not beside the project: its row is left out.")
    else:
        targets.append(_scifact_target(data, scifact_home))
    say(f"\n{table(targets)}\n\n{verdict(targets)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    parser.add_argument(
        "--out", type=Path, help="keep results.jsonl and report.json in this folder"
    )
    parser.add_argument(
        "--write-baseline", action="store_true", help="make this run's scores the baseline, no more"
    )
    parser.add_argument(
        "--home",
        type=Path,
        default=surroundings.cache(f"scifact-{chunk.VERSION}"),
        help="home that keeps SciFact's corpus between runs",
    )
    return parser


def _run_digest(digest: surroundings.Digest, out: Path | None) -> Run:
    questions = load(surroundings.DATASETS / "digest.yaml")
    with surroundings.digest_library(digest) as library, surroundings.temporary_home() as folder:
        return run(questions, library, out or folder)


def _full_text_targets(
    digest: surroundings.Digest, pdfs: surroundings.Pdfs, before: Sequence[Target]
) -> list[Target]:
    """Ask the digest's questions with two of its papers in full, then those on nine full texts."""
    with surroundings.digest_library(digest) as library, surroundings.temporary_home() as folder:
        library.ingest([str(path) for path in pdfs.of_digest], pdfs=False)
        again = run(load(surroundings.DATASETS / "digest.yaml"), library, folder / "digest")
        say(f"\nThe same questions with {len(pdfs.of_digest)} of the papers in full:")
        say(summary.table(again.report))
        finished = run_full_text(library, pdfs.all, folder / "fulltext")
    say(f"\nQuestions on the full text of {len(pdfs.all)} papers:")
    say(summary.table(finished.report))
    return [*unfallen(before, digest_targets(again)), *full_text_targets(finished.report)]


def _scifact_target(data: Path, home: Path) -> Target:
    from eval.targets.scifact import compare

    found = compare(data, home, progress=lambda line: note(f"SciFact: {line}"))
    say(
        f"\nSciFact nDCG@10: library {found.library:.4f}, BM25 alone {found.bm25:.4f}, "
        f"MiniLM alone {found.minilm:.4f}"
    )
    return Target("SciFact nDCG@10 / better engine alone", found.ratio, 1.06)


if __name__ == "__main__":
    main()
