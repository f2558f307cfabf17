"""``python -m eval``: the digest's questions and SciFact's training queries, against their targets."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from assistant import chunk
from eval import report, surroundings
from eval.cases import load
from eval.digest_targets import digest_targets, unfallen
from eval.full_text import full_text_targets, run_full_text
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
    pdfs = surroundings.pdfs()
    if not (pdfs and digest.original):
        say("\nThe papers' PDFs are not beside the project: the rows on full texts are left out.")
    else:
        targets += _full_text_targets(digest, pdfs, targets)
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
        say(report.table(again.report))
        finished = run_full_text(library, pdfs.all, folder / "fulltext")
    say(f"\nQuestions on the full text of {len(pdfs.all)} papers:")
    say(report.table(finished.report))
    return [*unfallen(before, digest_targets(again)), *full_text_targets(finished.report)]


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
