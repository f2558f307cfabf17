"""The digest run's results as the measures that have targets."""

from collections.abc import Sequence

from eval.runs.results import Result
from eval.runs.runner import Run
from eval.runs.summary import Report
from eval.targets.target import Target


def digest_targets(run: Run) -> list[Target]:
    """Take the measures with targets from a run of the digest's questions."""
    report = run.report
    return [
        Target(
            "expected paper cited, question names the system",
            _mean(report, "expected_paper_cited", kind="named"),
            0.98,
        ),
        Target(
            "expected paper cited, paraphrase without the name",
            _mean(report, "expected_paper_cited", kind="paraphrase"),
            0.95,
        ),
        Target("key facts present in the answer", _mean(report, "fact_recall"), 0.85),
        Target("citations that point to an expected paper", pooled_precision(run.results), 0.85),
        Target("refuses the unanswerable", _mean(report, "refused_correctly"), 0.80),
        Target("answers the answerable", _mean(report, "answered"), 0.97),
        Target("quotes verbatim in the source", _mean(report, "verbatim_quotes"), 1.00),
    ]


def unfallen(before: Sequence[Target], after: Sequence[Target]) -> list[Target]:
    """Make each measure's value before the least it has to reach after."""
    return [
        Target(f"with full texts: {new.measure}", new.value, old.value)
        for old, new in zip(before, after, strict=True)
        if old.value is not None
    ]


def pooled_precision(results: Sequence[Result]) -> float | None:
    """Return the share of all citations of answerable cases that point to an expected paper."""
    right = [
        citation.paper_id in result.case.papers
        for result in results
        if result.case.answerable and result.answer is not None
        for citation in result.answer.citations
    ]
    return _share(right)


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _mean(report: Report, name: str, *, kind: str | None = None) -> float | None:
    group = report.overall if kind is None else report.kinds.get(kind)
    measure = group.measures.get(name) if group is not None else None
    return measure.mean if measure is not None else None
