"""Looking after a library: papers are indexed anew, counted and exported; backends share what is open."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant import chunk, samples
from assistant.config import Settings
from assistant.errors import PaperNotFoundError
from assistant.export import Format
from assistant.library import Library, Stop
from assistant.records import AnswerDone
from fake_openai import FakeOpenAI
from pdfs import draw, lines

_DIGEST = """Title: DAPO: An Open-Source LLM Reinforcement Learning System
PDF: https://arxiv.org/pdf/2503.14476
Summary: DAPO is a reinforcement learning system. It reaches 50 points on AIME 2024.
---
Title: EvalTree: Profiling Language Model Weaknesses
PDF: https://arxiv.org/pdf/2503.08893
Summary: EvalTree builds a tree of capabilities from a benchmark. It finds weaknesses of models.
"""


@pytest.fixture
def library(tmp_path: Path, model_cache: Path) -> Iterator[Library]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(model_cache, target_is_directory=True)
    (tmp_path / "digest.txt").write_text(_DIGEST)
    library = Library(Settings(home=home))
    library.ingest([str(tmp_path / "digest.txt")], pdfs=False)
    yield library
    library.close()


@pytest.fixture
def paper(tmp_path: Path) -> str:
    def paint(canvas) -> None:
        lines(
            canvas, 60, 760, ["Sleep of the Zebrafish in Still Water"], font="Times-Bold", size=18
        )
        lines(canvas, 60, 700, ["Zebrafish larvae slept for eleven hours a night in still water."])

    return str(draw(tmp_path / "zebrafish.pdf", paint))


def _chunks(library: Library) -> dict[str, list[str]]:
    return {paper.id: [each.id for each in library.chunks(paper.id)] for paper in library.papers()}


def test_a_library_cut_by_an_older_version_is_searched_and_reported(library: Library) -> None:
    home = library.settings.home
    library.close()
    with closing(sqlite3.connect(home / "catalog.db")) as database, database:
        changed = database.execute(
            "UPDATE meta SET value = replace(value, ?, 'sentences-0') WHERE key = 'fingerprint'",
            (chunk.VERSION,),
        )
        assert changed.rowcount == 1
    with closing(Library(Settings(home=home))) as older:
        assert older.search("reinforcement learning", limit=1)[0].chunk.paper_id == "2503.14476"
        assert any("chunking sentences-0" in problem for problem in older.diagnose().problems)
        assert older.repair()[0].startswith("2 papers were indexed anew")
        assert older.diagnose().problems == ()


def test_a_paper_indexed_anew_is_what_it_was(library: Library, paper: str) -> None:
    library.ingest([paper])
    before, ids = _chunks(library), [each.id for each in library.papers()]
    told: list[tuple[str, int, int]] = []
    report = library.reindex(ids, progress=lambda *step: told.append(step))
    assert (report.updated, report.failed) == (3, ())
    assert report.chunks == sum(library.chunk_counts().values())
    assert told == [("Indexing", done, 3) for done in range(3)]
    assert _chunks(library) == before
    assert library.search("How long do zebrafish sleep?", limit=1)[0].chunk.source == "pdf"
    assert library.diagnose().problems == ()


def test_a_pdf_that_was_damaged_since_fails_alone_and_stays_as_it_was(
    library: Library, paper: str
) -> None:
    library.ingest([paper])
    before = _chunks(library)
    (fish,) = [each for each in library.papers() if each.full_text]
    path = library.pdf(fish.id)
    assert path is not None
    path.write_bytes(b"%PDF-1.7 and nothing more")
    report = library.reindex([fish.id, "2503.14476"])
    assert [failure.source for failure in report.failed] == [fish.id]
    assert report.updated == 1
    assert _chunks(library) == before


@pytest.mark.parametrize(
    "call", [Library.reindex, lambda each, ids: each.export(Format.CSV, papers=ids)]
)
def test_a_paper_that_is_not_there_is_named(
    library: Library, call: Callable[[Library, list[str]], object]
) -> None:
    with pytest.raises(PaperNotFoundError, match="nope"):
        call(library, ["2503.14476", "nope"])


def test_chosen_papers_are_exported_alone(library: Library) -> None:
    written = library.export(Format.BIBTEX, papers=["2503.08893"])
    assert "EvalTree" in written
    assert "DAPO" not in written
    assert library.export(Format.BIBTEX).count("@misc{") == 2


def test_a_chunk_is_found_by_its_id(library: Library) -> None:
    (chunk,) = library.chunks("2503.14476")
    assert library.chunk(chunk.id) == chunk
    assert library.chunk("gone") is None
    assert library.chunk_counts() == {"2503.14476": 1, "2503.08893": 1}


def test_another_backend_answers_from_the_same_library(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with FakeOpenAI() as model:
        settings = library.settings.model_copy(update={"llm_base_url": model.url})
        first = Library(settings)
        second = first.with_llm("openai:fake")
        for asked, backend in ((first, "extractive"), (second, "openai:fake")):
            *_, done = asked.ask("What does DAPO reach on AIME 2024?")
            assert isinstance(done, AnswerDone)
            assert done.answer.backend == backend
        (checked,) = first.check_models(["openai:fake"])
        assert checked.problem is None
        first.close()


def test_warming_up_an_empty_library_is_no_error(tmp_path: Path, model_cache: Path) -> None:
    (tmp_path / "models").symlink_to(model_cache, target_is_directory=True)
    library = Library(Settings(home=tmp_path))
    library.warm_up(Stop())
    library.close()


def test_leaving_while_abstracts_are_read_ahead_is_no_crash(home: Path, model_cache: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "models").symlink_to(model_cache, target_is_directory=True)
    with closing(Library(Settings(home=home))) as library:
        library.ingest([str(samples.DIGEST)])
    code = "import time; from ui import state; state.warm_up(); time.sleep(0.8)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "ASSISTANT_HOME": str(home)}, check=False
    )
    assert done.returncode == 0


def test_what_was_read_of_papers_is_kept_until_one_is_removed(
    library: Library, tmp_path: Path
) -> None:
    long = " ".join(
        f"It also reaches {count} points on benchmark number {count}." for count in range(20)
    )
    digest = tmp_path / "long.txt"
    digest.write_text(_DIGEST.replace("AIME 2024.", f"AIME 2024. {long}"))
    library.ingest([str(digest)], pdfs=False)
    first = list(library.ask("What does DAPO reach on AIME 2024?"))[-1]
    kept = tmp_path / "home" / "read.db"
    assert kept.stat().st_size > 100_000
    with closing(Library(Settings(home=tmp_path / "home"))) as again:
        second = list(again.ask("What does DAPO reach on AIME 2024?"))[-1]
    assert isinstance(first, AnswerDone)
    assert isinstance(second, AnswerDone)
    assert second.answer.answer == first.answer.answer
    assert second.answer.citations == first.answer.citations
    library.remove(["2503.14476"])
    assert not kept.exists()
