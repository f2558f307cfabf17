"""Scores of comparison tables, and the data sets that go with them."""

from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.records import Cell, Citation, Comparison
from eval import surroundings
from eval.targets.comparing import ComparisonCase, load, score, targets


def cite(paper_id: str) -> Citation:
    return Citation(
        number=1, paper_id=paper_id, title="T", url=None, source="abstract", page_first=None,
        page_last=None, section=None, quote="q", boxes=(), chunk_id="c", score=1.0,
    )  # fmt: skip


def cell(paper_id: str, text: str | None, *, cited: str | None = None) -> Cell:
    citations = (cite(cited or paper_id),) if text else ()
    return Cell(
        paper_id=paper_id,
        aspect="code",
        text=text or "not stated",
        found=bool(text),
        citations=citations,
    )


CASE = ComparisonCase(
    id="case",
    papers=("a", "b", "c"),
    cells={"code": {"a": (("http://x", "X"), ("MIT",)), "b": "silent"}},
)


def scored(*cells: Cell) -> list[tuple[bool, float | None, bool | None]]:
    table = Comparison(papers=CASE.papers, aspects=("code",), cells=cells, summary="", citations=())
    return [(each.own_paper, each.facts, each.silent) for each in score(CASE, table)]


def test_facts_are_counted_where_some_are_expected() -> None:
    assert scored(cell("a", "at http://x")) == [(True, 0.5, None)]
    assert scored(cell("a", "X, under MIT")) == [(True, 1.0, None)]
    assert scored(cell("a", None)) == [(True, 0.0, None)]


def test_a_silent_cell_is_right_when_nothing_is_found() -> None:
    assert scored(cell("b", None)) == [(True, None, True)]
    assert scored(cell("b", "something")) == [(True, None, False)]


def test_a_cell_must_not_cite_another_paper() -> None:
    assert scored(cell("c", "anything", cited="a")) == [(False, None, None)]


def test_measures_stand_beside_their_targets() -> None:
    table = Comparison(
        papers=CASE.papers,
        aspects=("code",),
        cells=(cell("a", "X, under MIT"), cell("b", "something")),
        summary="",
        citations=(),
    )
    measured = targets(list(score(CASE, table)), 6.0)
    assert [(target.value, target.verdict) for target in measured] == [
        (1.0, "ok"), (1.0, "ok"), (0.0, "SHORT"), (6.0, "SHORT"),
    ]  # fmt: skip


def test_the_sets_are_large_enough_and_share_no_paper() -> None:
    measuring = load(surroundings.DATASETS / "compare.yaml")
    tuning = load(surroundings.DATASETS / "compare-tuning.yaml")
    assert len(measuring) >= 22
    assert len(tuning) == 8
    assert all(2 <= len(case.papers) <= 8 and 2 <= len(case.cells) <= 5 for case in measuring)
    for case in (*measuring, *tuning):
        assert all(set(column) <= set(case.papers) for column in case.cells.values())
    used = {paper for case in measuring for paper in case.papers}
    assert used.isdisjoint(paper for case in tuning for paper in case.papers)


def test_a_damaged_set_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text("- id: x\n", encoding="utf-8")
    with pytest.raises(InputError, match="set.yaml"):
        load(path)
