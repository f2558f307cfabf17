"""Comparison tables: cells cite their own paper, verbatim; what a paper does not say is "not stated"."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.main import run
from assistant.compare.aspects import DEFAULTS, Aspect, read_aspects
from assistant.compare.clauses import shorten
from assistant.compare.comparer import Comparer
from assistant.compare.export import TableFormat, render
from assistant.compare.saved import Shelf, fingerprint
from assistant.compare.table import silent
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
from assistant.records import (
    Cell,
    CellFilled,
    Comparison,
    ComparisonDone,
    ComparisonPlanned,
    Paper,
)
from tests.comparing import PAPERS, cell, ingest, table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def library(folder: Path) -> Iterator[Library]:
    with closing(Library(load_settings({"home": folder / "home"}, {}))) as library:
        ingest(library, folder, PAPERS)
        yield library


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
    planned, *cells, done = events
    assert planned == ComparisonPlanned(total=4, missing=4, expected=None)
    assert isinstance(done, ComparisonDone)
    assert [each.text for each in done.comparison.cells] == [
        each.cell.text for each in cells if isinstance(each, CellFilled) and each.total == 4
    ]


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

    paid = False

    def __init__(self, *broken: str, workers: int = 1) -> None:
        self.workers = workers
        self.asked: list[str] = []
        self._broken = broken

    def fill(self, paper: Paper, aspect: Aspect) -> Cell:
        self.asked.append(paper.id)
        if paper.id in self._broken:
            raise VectorStoreError(f"no {aspect.name} today: try again")
        return silent(paper, aspect, nearest=None)

    def stop(self) -> None:
        pass


def fill_half(filler: HalfBroken, folder: Path, *papers: str) -> Comparison:
    """Fill a table of one aspect, and keep it as "half"."""
    held = [Paper(id=each, title=each.upper()) for each in papers]
    comparer = Comparer(filler, shelf=Shelf(folder), backend="extractive")
    *_, last = comparer.compare(held, ["code"], held=held, save="half")
    assert isinstance(last, ComparisonDone)
    return last.comparison


@pytest.mark.parametrize("workers", [1, 3])
def test_a_failure_is_its_own_cells_alone(tmp_path: Path, workers: int) -> None:
    found = fill_half(HalfBroken("a", workers=workers), tmp_path, "a", "b")
    assert [each.error for each in found.cells] == ["no code today: try again", None]
    assert "Could not be filled for A." in found.summary
    assert "error" not in found.cells[0].model_dump()
    assert [each.paper_id for each in Shelf(tmp_path).get("half").cells] == ["b"]


def test_where_every_cell_fails_the_comparison_does(tmp_path: Path) -> None:
    with pytest.raises(VectorStoreError):
        fill_half(HalfBroken("a", "b"), tmp_path, "a", "b")


def test_a_failure_beside_cells_that_are_kept_leaves_them(tmp_path: Path) -> None:
    fill_half(HalfBroken("a"), tmp_path, "a", "b")
    again = fill_half(HalfBroken("a"), tmp_path, "a", "b")
    assert [each.error is None for each in again.cells] == [False, True]


def test_a_backend_that_fails_again_and_again_is_given_up(tmp_path: Path) -> None:
    papers = [f"p{n}" for n in range(30)]
    filler = HalfBroken(*papers[1:])
    found = fill_half(filler, tmp_path, *papers)
    assert len(filler.asked) == 1 + 10
    assert sum(each.error is not None for each in found.cells) == 29


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
        assert own.comparison("mine").stale == {"ladder"}
        again = table(own, save="mine")
        assert "https://github.com/example/moved" in cell(again, "ladder", "code").text
        assert own.comparison("mine").stale == set()

    def test_a_run_cut_short_leaves_its_finished_rows(self, own: Library) -> None:
        events = own.compare(["ladder", "prune", "survey"], aspects=["code"], save="mine")
        next(events), next(events), next(events)
        events.close()  # type: ignore[attr-defined]  # it is a generator
        kept = own.comparison("mine")
        assert [each.error is None for each in kept.table.cells] == [True, True, False]
        assert "compare again" in kept.table.cells[2].text
        assert len(kept.table.papers) == 3

    def test_what_is_kept_is_listed_and_opened_as_it_was(self, own: Library) -> None:
        before = datetime.now(UTC) - timedelta(seconds=5)
        first = table(own, "ladder", "prune", aspects=["code"], save="mine")
        table(own, *PAPERS, aspects=["code", "data"], save="other.2")
        listed = {each.name: each for each in own.comparisons()}
        assert list(listed) == ["other.2", "mine"]
        assert (listed["other.2"].papers, listed["other.2"].aspects) == (3, 2)
        assert before < listed["mine"].changed < datetime.now(UTC) + timedelta(seconds=5)
        found = own.comparison("mine")
        assert found.table.model_dump() == first.model_dump()
        assert found.table.cells[1].nearest == first.cells[1].nearest is not None
        assert (found.backend, found.stale) == ("extractive", set())

    def test_an_edited_cell_is_marked_and_survives(self, own: Library, tmp_path: Path) -> None:
        table(own, "ladder", "prune", aspects=["code", "data"], save="mine")
        own.edit_cell("mine", "prune", "code", "On\nrequest,\x1b[31m see =1+1")
        own.edit_cell("mine", "ladder", "code", "Moved.")
        title, abstract = PAPERS["ladder"]
        ingest(own, tmp_path, {"ladder": (title, abstract.replace("/stairnet", "/moved"))})
        again = table(own, "survey", save="mine")
        edited = cell(again, "prune", "code")
        assert (edited.text, edited.found, edited.edited) == (
            "On request, see =1+1", True, True,
        )  # fmt: skip
        assert cell(again, "ladder", "code").text == "Moved."
        assert cell(again, "ladder", "data").edited is False
        for table_format in TableFormat:
            assert "Moved. (edited)" in render(again, own.papers(), table_format)

    def test_an_edit_can_be_taken_back(self, own: Library) -> None:
        first = table(own, "ladder", "prune", aspects=["code"], save="mine")
        edited = own.edit_cell("mine", "ladder", "code", "Mine.").table
        assert cell(edited, "ladder", "code").citations == first.cells[0].citations
        assert "Mine." not in first.summary
        assert own.edit_cell("mine", "ladder", "code", " ").table == first

    def test_only_a_cell_that_is_there_can_be_edited(self, own: Library) -> None:
        table(own, "ladder", "prune", aspects=["code"], save="mine")
        for name, paper_id, aspect in (
            ("other", "ladder", "code"), ("mine", "survey", "code"), ("mine", "ladder", "data"),
        ):  # fmt: skip
            with pytest.raises(NotFoundError):
                own.edit_cell(name, paper_id, aspect, "Text.")
        with pytest.raises(InputError, match="2000 at most"):
            own.edit_cell("mine", "ladder", "code", "x" * 2001)

    def test_edits_of_several_threads_and_a_run_are_all_kept(self, own: Library) -> None:
        table(own, *PAPERS, aspects=["code"], save="mine")
        work = [partial(own.edit_cell, "mine", each, "code", f"Edit {each}") for each in PAPERS]
        work += [partial(table, own, aspects=["data"], save="mine")] * 2
        with ThreadPoolExecutor(len(work)) as threads:
            for done in [threads.submit(each) for each in work]:
                done.result()
        found = own.comparison("mine").table
        assert [cell(found, each, "code").text for each in PAPERS] == [f"Edit {p}" for p in PAPERS]
        assert cell(found, "ladder", "data").found

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
