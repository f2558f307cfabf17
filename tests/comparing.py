"""Papers to compare, and what tests of comparisons do with them."""

import json
from pathlib import Path

from assistant.library import Library
from assistant.records import Cell, Comparison, ComparisonDone

PAPERS = {
    "ladder": (
        "StairNet: Curriculum Pretraining",
        "However, pretraining on long sequences remains expensive. We propose StairNet, a curriculum "
        "that grows the context window step by step. We fine-tune Llama-3.1-8B on 12,000 curated samples. "
        "Experiments on the GSM8K and MATH-500 benchmarks show that StairNet improves accuracy by 4.2% "
        "over the baseline. The code is available at https://github.com/example/stairnet.",
    ),
    "prune": (
        "TrimFast: Pruning for Speed",
        "Existing pruning methods suffer from costly retraining. We introduce TrimFast, a framework "
        "that prunes with reinforcement learning. It is initialized from Llama-3.1-8B. "
        "TrimFast outperforms the baseline by 6.5% on GSM8K. A limitation of our method is "
        "that it was tested on English text only.",
    ),
    "survey": (
        "A Survey of Tidal Energy",
        "Tides are caused by the moon. This survey reviews turbines in coastal waters.",
    ),
}


def ingest(library: Library, folder: Path, papers: dict[str, tuple[str, str]]) -> None:
    rows = [
        json.dumps({"id": paper_id, "title": title, "abstract": abstract})
        for paper_id, (title, abstract) in papers.items()
    ]
    path = folder / "papers.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    library.ingest([str(path)], pdfs=False)


def table(library: Library, *papers: str, **options: object) -> Comparison:
    events = list(library.compare(papers, **options))  # type: ignore[arg-type]  # forwarded as they are
    assert isinstance(events[-1], ComparisonDone)
    return events[-1].comparison


def cell(comparison: Comparison, paper_id: str, aspect: str) -> Cell:
    return next(
        each for each in comparison.cells if (each.paper_id, each.aspect) == (paper_id, aspect)
    )
