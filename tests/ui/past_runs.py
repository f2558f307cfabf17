"""Finished runs as the eval harness leaves them in a home, for the pages that show them."""

from collections.abc import Sequence
from pathlib import Path

from assistant.records import Answer, Citation, Timings, Usage
from eval.cases.dataset import Case
from eval.runs.manifest import Manifest
from eval.runs.results import RESULTS, Result, write
from eval.runs.runner import MANIFEST, REPORT
from eval.runs.summary import summarise

FIRST, SECOND = "20260101-101010-000000", "20260102-101010-000000"


def result(number: int, text: str, *, hostile: str = "") -> Result:
    """Answer one case; what is hostile stands wherever a model or a paper can put it."""
    case = Case(
        id=f"case {number}", kind="named", question=f"What of number {number}? {hostile}",
        papers=(f"paper {number}",), reference=f"It is {number}. {hostile}", answerable=True,
    )  # fmt: skip
    citation = Citation(
        number=1, paper_id=f"paper {number}", title=f"A paper {hostile}", url="https://evil.example/paper",
        source="abstract", page_first=None, page_last=None, section=hostile or None,
        quote=f"Quoted for {text} {hostile}", boxes=(), chunk_id="c", score=1.0,
    )  # fmt: skip
    answer = Answer(
        question=case.question, standalone_question=case.question, answer=f"{text} [1] {hostile}",
        refused=False, refusal_reason=None, citations=(citation,), claims=(), backend="extractive",
        usage=Usage(input_tokens=0, output_tokens=0, cost_usd=0.0),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    return Result(case=case, answer=answer, error=None, scores={"fact_recall": 1.0}, seconds=0.1)


def write_run(home: Path, name: str, results: Sequence[Result], *, dataset: str = "set") -> None:
    """Write a run as finished."""
    manifest = Manifest(
        dataset=dataset, dataset_hash=dataset, version="1", settings={"llm": f"model-of-{name[:8]}"},
        repeats=1, code="c", prompts={}, library="l", papers=1, chunks=1, versions={},
    )  # fmt: skip
    folder = home / "runs" / name
    folder.mkdir(parents=True)
    write(folder / RESULTS, results)
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    (folder / REPORT).write_text(summarise(manifest, results).model_dump_json())


def write_two(home: Path, *, cases: int = 6, hostile: str = "") -> None:
    """Write two runs: one says Good and one Poor, but for the last case, where both say the same."""
    same = result(cases, "Both alike.")
    for name, word in ((FIRST, "Good"), (SECOND, "Poor")):
        own = [result(n, f"{word} words on {n}.", hostile=hostile) for n in range(1, cases)]
        write_run(home, name, [*own, same])
