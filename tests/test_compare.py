"""Comparison tables: cells cite their own paper, verbatim; what a paper does not say is "not stated"."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.main import run
from assistant.compare.aspects import DEFAULTS, Aspect, read_aspects
from assistant.compare.clauses import shorten
from assistant.compare.saved import fingerprint, saved
from assistant.compare.table import compare
from assistant.config import load_settings
from assistant.errors import (
    InputError,
    LibraryEmptyError,
    NotFoundError,
    PaperNotFoundError,
    StorageError,
    VectorStoreError,
)
from assistant.library import Library
from assistant.records import Cell, CellFilled, Comparison, ComparisonDone, Paper

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def library(folder: Path) -> Iterator[Library]:
    with closing(Library(load_settings({"home": folder / "home"}, {}))) as library:
        ingest(library, folder, PAPERS)
        yield library


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


@pytest.fixture(scope="module")
def default(library: Library) -> Comparison:
    return table(library, *PAPERS)


def test_by_default_eight_aspects_are_compared(default: Comparison) -> None:
    assert default.aspects == DEFAULTS
    assert default.papers == tuple(PAPERS)
    assert len(default.cells) == 3 * 8


@pytest.mark.parametrize(
    ("paper_id", "aspect", "fact"),
    [
        ("ladder", "problem", "expensive"),
        ("ladder", "method", "We propose StairNet"),
        ("ladder", "data", "12,000"),
        ("ladder", "base model", "Llama-3.1-8B"),
        ("ladder", "benchmarks", "GSM8K and MATH-500"),
        ("ladder", "headline result", "4.2%"),
        ("ladder", "code", "https://github.com/example/stairnet"),
        ("prune", "problem", "costly retraining"),
        ("prune", "base model", "Llama-3.1-8B"),
        ("prune", "limitations", "English text only"),
        ("survey", "method", "reviews turbines"),
    ],
)
def test_a_cell_says_what_its_paper_states(
    default: Comparison, paper_id: str, aspect: str, fact: str
) -> None:
    assert fact in cell(default, paper_id, aspect).text


@pytest.mark.parametrize(
    ("paper_id", "aspect"),
    [("ladder", "limitations"), ("prune", "code"), ("survey", "base model"), ("survey", "code")],
)
def test_what_a_paper_does_not_say_is_not_stated(
    default: Comparison, paper_id: str, aspect: str
) -> None:
    silent = cell(default, paper_id, aspect)
    assert (silent.found, silent.text, silent.citations) == (False, "not stated", ())


def test_cells_cite_their_own_paper_to_the_letter_and_in_order(default: Comparison) -> None:
    for each in default.cells:
        for citation in each.citations:
            assert citation.paper_id == each.paper_id
            assert citation.quote in PAPERS[each.paper_id][1]
            assert each.text == citation.quote
    assert [citation.number for citation in default.citations] == list(
        range(1, len(default.citations) + 1)
    )


def test_cells_come_one_by_one_and_the_table_last(library: Library) -> None:
    events = list(library.compare(["ladder", "prune"], aspects=["code", "data"]))
    cells = [event for event in events[:-1] if isinstance(event, CellFilled)]
    assert len(cells) == cells[0].total == 4
    assert isinstance(events[-1], ComparisonDone)
    assert events[-1].comparison.cells == tuple(event.cell for event in cells)


def test_the_summary_says_what_is_shared_what_ranges_and_what_is_missing(
    default: Comparison,
) -> None:
    summary = default.summary
    shared = cell(default, "ladder", "base model").citations[0].number
    assert summary.startswith("Summary from the table, without a language model.")
    assert f"StairNet [{shared}]" in summary
    assert "name Llama-3.1-8B." in summary
    assert "between 4.2% (StairNet" in summary
    assert "**limitations**: Not stated by StairNet and A Survey of Tidal Energy." in summary


@pytest.mark.parametrize(
    ("aspect", "paper_id", "fact"),
    [
        ("reinforcement learning", "prune", "reinforcement learning"),
        ("context window", "ladder", "context window"),
        ("Repository", "ladder", "github.com"),
        ("coastal waters", "survey", "coastal waters"),
    ],
)
def test_any_aspect_may_be_asked(library: Library, aspect: str, paper_id: str, fact: str) -> None:
    found = table(library, *PAPERS, aspects=[aspect])
    assert fact in cell(found, paper_id, aspect).text
    if aspect != "Repository":
        others = [each for each in found.cells if each.paper_id != paper_id]
        assert not any(each.found for each in others)


class HalfBroken:
    """Fails for some papers, and finds nothing in the others."""

    def __init__(self, *broken: str) -> None:
        self._broken = broken

    def fill(self, paper: Paper, aspect: Aspect) -> None:
        if paper.id in self._broken:
            raise VectorStoreError(f"no {aspect.name} today: try again")


def test_a_failure_is_its_own_cells_alone() -> None:
    papers, aspects = [Paper(id="a", title="A"), Paper(id="b", title="B")], read_aspects(["code"])
    *_, last = compare(papers, aspects, HalfBroken("a"), known={})
    assert isinstance(last, ComparisonDone)
    assert [each.error for each in last.comparison.cells] == ["no code today: try again", None]
    assert "Could not be filled for A." in last.comparison.summary
    assert "error" not in last.comparison.cells[0].model_dump()
    kept = saved(papers, ["code"], last.comparison.cells, backend="extractive")
    assert [each.paper_id for each in kept.cells] == ["b"]


def test_where_every_cell_fails_the_comparison_does() -> None:
    papers, aspects = [Paper(id="a", title="A"), Paper(id="b", title="B")], read_aspects(["code"])
    with pytest.raises(VectorStoreError):
        list(compare(papers, aspects, HalfBroken("a", "b"), known={}))


def test_papers_may_be_chosen_by_a_question(library: Library) -> None:
    found = table(
        library,
        "survey",
        question="Which papers outperform or improve on the baseline on GSM8K?",
        aspects=["code"],
    )
    assert {"survey", "ladder", "prune"} == set(found.papers)


def test_a_paper_or_aspect_given_twice_counts_once(library: Library) -> None:
    found = table(library, "ladder", "prune", "ladder", aspects=["Code", "code"])
    assert (found.papers, found.aspects) == (("ladder", "prune"), ("Code",))


def test_what_cannot_be_compared_is_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(PaperNotFoundError):
        library.compare(["ladder", "nowhere"])
    with pytest.raises(InputError, match="2 papers at least"):
        library.compare(["ladder"])
    with pytest.raises(InputError, match="empty"):
        library.compare(["ladder", "prune"], aspects=["?"])
    with pytest.raises(InputError, match="too many"):
        library.compare(["ladder", "prune"], aspects=[f"aspect {n}" for n in range(21)])
    with pytest.raises(InputError, match="characters"):
        library.compare(["ladder", "prune"], aspects=["long " * 50])
    with (
        closing(Library(load_settings({"home": tmp_path}, {}))) as empty,
        pytest.raises(LibraryEmptyError),
    ):
        empty.compare(question="anything")


def test_with_a_model_in_the_settings_the_table_is_still_extracted(library: Library) -> None:
    settings = library.settings.model_copy(update={"llm": "openai:some-model"})
    with closing(Library(settings)) as other:
        assert "without a language model" in table(other, "ladder", "prune").summary


class TestSaved:
    """A comparison that is kept is filled only where something is new."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> Iterator[Library]:
        with closing(Library(load_settings({"home": tmp_path / "home"}, {}))) as own:
            ingest(own, tmp_path, PAPERS)
            yield own

    def test_adding_papers_and_aspects_keeps_the_finished_cells(self, own: Library) -> None:
        table(own, "ladder", "prune", aspects=["code"], save="mine")
        self._mark_cells(own)
        grown = table(own, "survey", aspects=["method"], save="mine")
        assert grown.papers == ("ladder", "prune", "survey")
        assert grown.aspects == ("code", "method")
        assert cell(grown, "ladder", "code").text == "kept"
        assert "StairNet" in cell(grown, "ladder", "method").text
        assert [citation.number for citation in grown.citations] == [1, 2, 3, 4]

    def test_a_changed_paper_is_stale_and_filled_anew(self, own: Library, tmp_path: Path) -> None:
        table(own, "ladder", "prune", aspects=["code"], save="mine")
        self._mark_cells(own)
        title, abstract = PAPERS["ladder"]
        ingest(own, tmp_path, {"ladder": (title, abstract.replace("/stairnet", "/moved"))})
        held = {paper.id: paper for paper in own.papers()}
        assert own.comparison("mine").stale(held) == {"ladder"}
        again = table(own, save="mine")
        assert "https://github.com/example/moved" in cell(again, "ladder", "code").text
        assert own.comparison("mine").stale(held) == set()

    def test_a_run_cut_short_leaves_its_finished_rows(self, own: Library) -> None:
        events = own.compare(["ladder", "prune", "survey"], aspects=["code"], save="mine")
        next(events), next(events)
        events.close()  # type: ignore[attr-defined]  # it is a generator
        kept = own.comparison("mine")
        assert {each.paper_id for each in kept.cells} == {"ladder", "prune"}
        assert len(kept.papers) == 3

    def test_a_removed_paper_leaves_the_table(self, own: Library) -> None:
        table(own, *PAPERS, aspects=["code"], save="mine")
        own.remove(["survey"])
        assert table(own, save="mine").papers == ("ladder", "prune")

    @pytest.mark.parametrize("name", ["../mine", "", ".hidden", "a/b", "x" * 81])
    def test_a_name_cannot_lead_elsewhere(self, own: Library, name: str) -> None:
        with pytest.raises(InputError, match="cannot name"):
            own.compare(["ladder", "prune"], save=name)

    def test_what_is_missing_or_damaged_is_said(self, own: Library) -> None:
        with pytest.raises(NotFoundError):
            own.comparison("never")
        folder = own.settings.home / "comparisons"
        folder.mkdir()
        (folder / "mine.json").write_text("{", encoding="utf-8")
        with pytest.raises(StorageError, match="damaged"):
            own.compare(["ladder", "prune"], save="mine")

    def _mark_cells(self, own: Library) -> None:
        """Change what is kept, so that a cell taken over can be told from one filled anew."""
        path = own.settings.home / "comparisons" / "mine.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        for each in document["cells"]:
            each["text"] = "kept" if each["found"] else each["text"]
        path.write_text(json.dumps(document), encoding="utf-8")


def test_the_command_prints_the_public_format(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(library.settings.home))
    assert run(["compare", "ladder", "prune", "--aspect", "code", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["papers", "aspects", "cells", "summary", "citations"]
    assert list(document["cells"][0]) == ["paper_id", "aspect", "text", "found", "citations"]
    assert document["cells"][0]["citations"][0]["quote"] == document["cells"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ladder", "nowhere"], 3),
        (["ladder"], 2),
        (["ladder", "ladder"], 2),
        (["ladder", "prune", "--format", "word"], 2),
        (["ladder", "prune", "--save", "../up"], 2),
    ],
)
def test_exit_codes(
    library: Library, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(library.settings.home))
    assert run(["compare", *arguments]) == code


@given(st.text(alphabet=st.sampled_from("aB9,;.-( )while and we which %"), max_size=300))
def test_what_is_kept_of_a_sentence_lies_in_it(text: str) -> None:
    span = shorten(text, wanted=None, stems=("while",))
    assert 0 <= span.start <= span.end <= len(text)


def test_a_long_sentence_keeps_the_clause_that_answers() -> None:
    (code,) = read_aspects(["code"])
    assert code.cues is not None
    text = (
        "The first experiments on several large collections are described in the second section; "
        "our code is available at https://github.com/example/x, which also hosts the manual of all parts."
    )
    span = shorten(text, wanted=code.cues.wanted, cue_only=True)
    assert text[span.start : span.end] == "our code is available at https://github.com/example/x"


def test_a_paper_whose_text_changes_has_another_fingerprint() -> None:
    paper = Paper(id="a", title="A", abstract="Text.")
    assert fingerprint(paper) != fingerprint(paper.model_copy(update={"abstract": "Other."}))
