"""Questions on the full text of papers whose PDFs lie beside the project."""

from collections.abc import Sequence
from pathlib import Path

from assistant.library import Library
from eval.cases.dataset import Case, Dataset, load
from eval.runs.runner import Run, run
from eval.runs.summary import Report
from eval.surroundings import DATASETS
from eval.targets.target import Target


def questions(library: Library, pdfs: Sequence[Path], *, name: str = "fulltext") -> Dataset:
    """Load the questions; a paper named by its file's stem gets the id the library gave it."""
    dataset = load(DATASETS / f"{name}.yaml")
    ids = {
        Path(paper.full_text.path).stem: paper.id
        for paper in library.papers()
        if paper.full_text and paper.full_text.path
    }
    missing = {path.stem for path in pdfs} - ids.keys()
    if missing:
        raise ValueError(f"not indexed: {', '.join(sorted(missing))}")
    return dataset._replace(cases=tuple(_mapped(case, ids) for case in dataset.cases))


def run_full_text(library: Library, pdfs: Sequence[Path], out: Path) -> Run:
    """Index the PDFs and ask the questions on them."""
    library.ingest([str(path) for path in pdfs], pdfs=False)
    return run(questions(library, pdfs), library, out)


def full_text_targets(report: Report) -> list[Target]:
    """Take the measures with targets from a run of these questions."""
    measures = report.overall.measures
    return [
        Target("full text: right paper cited", measures["expected_paper_cited"].mean, 0.95),
        Target("full text: right page among the citations", measures["page_hit"].mean, 0.80),
        Target("full text: key facts", measures["fact_recall"].mean, 0.70),
        Target("full text: quotes verbatim", measures["verbatim_quotes"].mean, 1.00),
    ]


def _mapped(case: Case, ids: dict[str, str]) -> Case:
    return case.model_copy(update={"papers": tuple(ids.get(each, each) for each in case.papers)})
