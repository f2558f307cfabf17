"""Sources into the library, from end to end: records, PDFs on this machine, PDFs that are fetched."""

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

import pdfs
import web
from assistant.config import load_settings
from assistant.fetch import FetchedPdf, Fetcher
from assistant.ingest.full_text import FullTexts, Read, Wanted
from assistant.ingest.index import cut, embed
from assistant.library import Library
from assistant.parse.places import boxes
from assistant.parse.pool import ParserPool
from assistant.records import AnswerDone, IngestReport, Paper, PdfFile, SourceFailure
from assistant.sources.failures import excerpt
from web import Web

TITLE = "Walrus: a small optimiser for large models"
ABSTRACT = ["We present Walrus, an optimiser that trains large models with half of the memory."]
METHOD = ["Walrus keeps one moment per row. The learning rate is 0.0375 in all runs."]
RESULTS = ["On the Tundra benchmark Walrus reaches an accuracy of 81.4 percent."]


def write_paper(
    path: Path,
    *,
    title: str = TITLE,
    method: list[str] = METHOD,
    pages: int = 1,
    stamp: str = "",
) -> Path:
    """Draw a paper with a title, an abstract and two sections."""

    def paint(canvas: Canvas) -> None:
        pdfs.text(canvas, pdfs.LEFT, 780, title, font=pdfs.BOLD, size=17)
        if stamp:
            pdfs.stamp(canvas, f"arXiv:{stamp} [cs.LG] 18 Mar 2025")
        y = pdfs.heading(canvas, pdfs.LEFT, 740, "Abstract")
        y = pdfs.lines(canvas, pdfs.LEFT, y, ABSTRACT)
        y = pdfs.heading(canvas, pdfs.LEFT, y - 10, "1 Method")
        y = pdfs.lines(canvas, pdfs.LEFT, y, method)
        y = pdfs.heading(canvas, pdfs.LEFT, y - 10, "2 Results")
        pdfs.lines(canvas, pdfs.LEFT, y, RESULTS)
        for page in range(1, pages):
            canvas.showPage()
            pdfs.lines(canvas, pdfs.LEFT, 760, pdfs.prose(30, first=f"Page{page}", last="here."))

    return pdfs.draw(path, paint)


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with closing(open_library(home)) as library:
        yield library


def open_library(home: Path, **settings: Any) -> Library:
    return Library(load_settings({"home": home, **settings}, {}))


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, len(report.failed)


def chunk_texts(library: Library) -> dict[str, list[str]]:
    """All that can be found, by paper."""
    question = "Walrus learning rate Tundra accuracy memory text words"
    return {
        paper.id: sorted(
            passage.chunk.text for passage in library.search(question, limit=500, papers=[paper.id])
        )
        for paper in library.papers()
    }


def only_paper(library: Library) -> Paper:
    [paper] = library.papers()
    return paper


# PDFs on this machine


def test_a_pdf_is_read_in_full_and_cited_by_page_section_and_place(
    library: Library, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf")

    assert counts(library.ingest([str(path)])) == (1, 0, 0, 0)
    paper = only_paper(library)
    assert (paper.title, paper.abstract) == (TITLE, ABSTRACT[0])
    *_, done = library.ask("Which learning rate does Walrus use?")
    assert isinstance(done, AnswerDone)
    cited = done.answer.citations[0]
    assert cited.quote == "The learning rate is 0.0375 in all runs."
    assert (cited.source, cited.page_first, cited.page_last) == ("pdf", 1, 1)
    assert cited.section == "1 Method"
    [box] = cited.boxes
    first, second = METHOD[0].split(". ")
    width = Canvas("x").stringWidth(f"{first}. ", pdfs.SERIF, pdfs.BODY)
    assert box.x0 == pytest.approx(pdfs.LEFT + width, abs=2)
    assert second in METHOD[0]


def test_the_same_pdf_again_costs_nothing(library: Library, tmp_path: Path) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    library.ingest([str(path)])

    again = library.ingest([str(path)])

    assert counts(again) == (0, 0, 1, 0)
    assert again.chunks == 0


def test_a_copy_of_a_pdf_is_the_same_paper(library: Library, tmp_path: Path) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    library.ingest([str(path)])
    shutil.copy(path, tmp_path / "copy.pdf")

    assert counts(library.ingest([str(tmp_path / "copy.pdf")])) == (0, 0, 1, 0)


def test_a_changed_pdf_replaces_its_chunks_and_leaves_none(
    library: Library, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    library.ingest([str(path)])
    write_paper(path, method=["The learning rate is now 0.5 everywhere."])

    assert counts(library.ingest([str(path)])) == (0, 1, 0, 0)
    [texts] = chunk_texts(library).values()
    assert any("0.5 everywhere" in text for text in texts)
    assert not any("0.0375" in text for text in texts)
    assert library.diagnose().problems == ()


def test_removal_removes_all(library: Library, tmp_path: Path) -> None:
    library.ingest([str(write_paper(tmp_path / "walrus.pdf"))])
    other = write_paper(tmp_path / "other.pdf", title="Another paper on a quite different thing")
    library.ingest([str(other)])
    [walrus] = [paper.id for paper in library.papers() if paper.title == TITLE]

    library.remove([walrus])

    assert walrus not in chunk_texts(library)
    assert library.diagnose().problems == ()


def test_a_record_and_its_pdf_are_one_paper(library: Library, tmp_path: Path) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(
        f"Title: {TITLE}\nPDF: https://arxiv.org/pdf/2503.01234\nSummary: Own words on Walrus.\n---\n"
    )
    library.ingest([str(digest)])

    report = library.ingest([str(write_paper(tmp_path / "2503.01234v2.pdf"))])

    assert counts(report) == (0, 1, 0, 0)
    paper = only_paper(library)
    assert (paper.id, paper.version, paper.abstract) == ("2503.01234", 2, "Own words on Walrus.")
    [texts] = chunk_texts(library).values()
    assert "Own words on Walrus." in texts
    assert any("0.0375" in text for text in texts)


def test_a_later_record_keeps_the_full_text(library: Library, tmp_path: Path) -> None:
    library.ingest([str(write_paper(tmp_path / "2503.01234.pdf"))])
    digest = tmp_path / "digest.txt"
    digest.write_text(
        "Title: Walrus, renamed\nPDF: https://arxiv.org/pdf/2503.01234\nSummary: Own words.\n---\n"
    )

    assert counts(library.ingest([str(digest)])) == (0, 1, 0, 0)
    assert only_paper(library).title == "Walrus, renamed"
    [texts] = chunk_texts(library).values()
    assert any("0.0375" in text for text in texts)
    assert library.diagnose().problems == ()


def test_what_cannot_be_read_fails_alone(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    write_paper(folder / "good.pdf")
    pdfs.draw(folder / "blank.pdf", Canvas.showPage)
    pdfs.draw(folder / "locked.pdf", lambda canvas: canvas.drawString(9, 9, "x"), password="p")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")

    report = library.ingest([str(folder)])

    assert counts(report) == (1, 0, 0, 3)
    reasons = {Path(failure.source).name: failure.error for failure in report.failed}
    assert "no text" in reasons["blank.pdf"]
    assert "encrypted" in reasons["locked.pdf"]
    assert "damaged" in reasons["broken.pdf"]
    assert only_paper(library).title == TITLE


def test_the_pdf_of_a_paper_can_be_shown_after_the_file_has_moved(
    library: Library, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    library.ingest([str(path)])
    content = path.read_bytes()
    path.unlink()

    paper_id = only_paper(library).id
    kept = library.pdf(paper_id)
    assert kept is not None
    assert kept.read_bytes() == content
    document = library.document(paper_id)
    assert document is not None
    start = document.text.index("0.0375")
    assert boxes(document.lines, start, start + 6)


def test_the_order_of_record_and_pdf_makes_no_difference(home: Path, tmp_path: Path) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(
        f"Title: {TITLE}\nPDF: https://arxiv.org/pdf/2503.01234\nSummary: Own words on Walrus.\n---\n"
    )
    pdf = write_paper(tmp_path / "walrus.pdf")
    found = []
    for name, order in (("a", (digest, pdf)), ("b", (pdf, digest))):
        with closing(open_library(home / name)) as library:
            for source in order:
                library.ingest([str(source)])
            paper = only_paper(library)
            assert (paper.id, paper.abstract) == ("2503.01234", "Own words on Walrus.")
            found.append(set(chunk_texts(library)["2503.01234"]))
    assert "Own words on Walrus." in found[0] & found[1]
    assert any("0.0375" in text for text in found[0] & found[1])


def test_another_paper_in_the_place_of_a_file_is_another_paper(
    library: Library, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "download.pdf")
    library.ingest([str(path)])
    write_paper(path, title="A quite different paper about something else")

    assert counts(library.ingest([str(path)])) == (1, 0, 0, 0)
    assert len(library.papers()) == 2


def write_article(path: Path, *, subject: str, abstract: bool = True, more: str = "") -> Path:
    """Draw an article whose largest words are its journal's name."""
    texts = pdfs.prose(9, first=subject, last="here.")

    def paint(canvas: Canvas) -> None:
        pdfs.text(canvas, pdfs.LEFT, 790, "International Journal of Arctic Research", size=20)
        pdfs.text(canvas, pdfs.LEFT, 750, f"On {subject} and its habits", font=pdfs.BOLD, size=15)
        y = pdfs.heading(canvas, pdfs.LEFT, 720, "Abstract") if abstract else 720
        y = pdfs.lines(canvas, pdfs.LEFT, y, [f"{subject} {line}" for line in texts])
        y = pdfs.heading(canvas, pdfs.LEFT, y - 10, "1 Introduction")
        pdfs.lines(canvas, pdfs.LEFT, y, [*(f"{line} {subject}" for line in texts), more])

    return pdfs.draw(path, paint)


@pytest.mark.parametrize("abstract", [True, False])
def test_articles_that_have_only_their_journal_s_name_in_common_are_two(
    library: Library, tmp_path: Path, abstract: bool
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for subject in ("Walrus", "Permafrost"):
        write_article(folder / f"{subject}.pdf", subject=subject, abstract=abstract)

    assert counts(library.ingest([str(folder)])) == (2, 0, 0, 0)
    assert counts(library.ingest([str(folder)])) == (0, 0, 2, 0)
    assert library.diagnose().problems == ()


@pytest.mark.parametrize("abstract", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_an_article_mended_and_in_another_place_is_the_same_one(
    library: Library, tmp_path: Path, abstract: bool, together: bool
) -> None:
    first = write_article(tmp_path / "a.pdf", subject="Walrus", abstract=abstract)
    mended = write_article(
        tmp_path / "b.pdf", subject="Walrus", abstract=abstract, more="A word more."
    )

    for sources in [[first, mended]] if together else [[first], [mended]]:
        library.ingest([str(source) for source in sources])

    assert len(library.papers()) == 1


def test_a_file_named_as_another_paper_fails(library: Library, tmp_path: Path) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(
        "Title: Cooking pasta with neural schedulers at home\n"
        "PDF: https://arxiv.org/pdf/2503.01234\nSummary: We cook.\n---\n"
    )
    library.ingest([str(digest)])

    report = library.ingest([str(write_paper(tmp_path / "2503.01234.pdf"))])

    assert counts(report) == (0, 0, 1, 1)
    assert "is titled" in report.failed[0].error
    assert "0.0375" not in str(chunk_texts(library))


def test_a_pdf_lost_from_the_library_comes_back_with_the_next_ingest(
    library: Library, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    library.ingest([str(path)])
    kept = library.pdf(only_paper(library).id)
    assert kept is not None
    kept.unlink()

    assert counts(library.ingest([str(path)])) == (0, 0, 1, 0)
    assert kept.is_file()


def test_removal_takes_the_pdf_along(home: Path, library: Library, tmp_path: Path) -> None:
    library.ingest([str(write_paper(tmp_path / "walrus.pdf"))])
    paper = only_paper(library)
    assert library.page_image(paper.id, 1) is not None
    folders = [home / name for name in ("pdfs", "documents", "pages")]
    assert all(list(folder.glob("*.*")) for folder in folders)

    library.remove([paper.id])

    assert [path for folder in folders for path in folder.glob("*.*")] == []


def test_a_name_that_is_no_text_is_one_failure(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    path = write_paper(folder / "good.pdf")
    shutil.copy(path, os.fsencode(folder) + b"/bad\xff.pdf")

    report = library.ingest([str(folder)])

    assert counts(report) == (1, 0, 0, 1)
    assert "not UTF-8" in report.failed[0].error


def test_what_another_process_wrote_meanwhile_is_not_lost(home: Path, tmp_path: Path) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(
        f"Title: {TITLE}\nPDF: https://arxiv.org/pdf/2503.01234\nSummary: Own words on Walrus.\n---\n"
    )
    pdf = write_paper(tmp_path / "2503.01234.pdf")
    with closing(open_library(home)) as library:

        def interrupt(stage: str, done: int, total: int) -> None:
            if stage == "Reading PDFs":
                with closing(open_library(home)) as other:
                    other.ingest([str(digest)])

        library.ingest([str(pdf)], progress=interrupt)
        paper = only_paper(library)
        assert paper.abstract == "Own words on Walrus."
        assert paper.full_text is not None
        assert "Own words on Walrus." in chunk_texts(library)["2503.01234"]
        assert library.diagnose().problems == ()


# PDFs that arXiv has stamped


def write_digest(path: Path, *, title: str, arxiv_id: str = "2503.01234") -> Path:
    """A digest of one paper."""
    path.write_text(
        f"Title: {title}\nPDF: https://arxiv.org/pdf/{arxiv_id}\nSummary: Own words on it.\n---\n"
    )
    return path


def test_a_stamped_pdf_is_that_paper_in_that_version(library: Library, tmp_path: Path) -> None:
    path = write_paper(tmp_path / "walrus.pdf", stamp="2503.01234v2")

    assert counts(library.ingest([str(path)])) == (1, 0, 0, 0)
    paper = only_paper(library)
    assert (paper.id, paper.version, paper.title) == ("2503.01234", 2, TITLE)
    assert paper.url == "https://arxiv.org/abs/2503.01234"
    assert paper.pdf_url == "https://arxiv.org/pdf/2503.01234v2"

    again = library.ingest([str(path)])
    assert (counts(again), again.chunks) == ((0, 0, 1, 0), 0)


def test_a_stamped_pdf_joins_the_record_of_its_paper(library: Library, tmp_path: Path) -> None:
    digest = write_digest(
        tmp_path / "digest.txt", title="Walrus: a small optimiser that saves memory"
    )
    library.ingest([str(digest)])

    report = library.ingest([str(write_paper(tmp_path / "walrus.pdf", stamp="2503.01234v2"))])

    assert counts(report) == (0, 1, 0, 0)
    paper = only_paper(library)
    assert (paper.id, paper.version) == ("2503.01234", 2)
    assert (paper.title, paper.abstract) == (
        "Walrus: a small optimiser that saves memory",
        "Own words on it.",
    )
    [texts] = chunk_texts(library).values()
    assert "Own words on it." in texts
    assert any("0.0375" in text for text in texts)
    assert counts(library.ingest([str(digest), str(tmp_path / "walrus.pdf")])) == (0, 0, 1, 0)


def test_a_stamp_does_not_make_a_pdf_another_paper(library: Library, tmp_path: Path) -> None:
    library.ingest(
        [str(write_digest(tmp_path / "digest.txt", title="Cooking pasta with neural schedulers"))]
    )
    before = library.papers()
    path = write_paper(tmp_path / "walrus.pdf", stamp="2503.01234v2")

    report = library.ingest([str(path)])

    assert counts(report) == (0, 0, 0, 1)
    assert report.failed[0].error.startswith(
        'is stamped arXiv:2503.01234, which is "Cooking pasta with neural schedulers" in the library'
    )
    assert library.papers() == before
    assert "0.0375" not in str(chunk_texts(library))


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Untitled", "does not say so on its first page"),
        ("Open-Source System", 'is titled "Open-Source System"'),
        ("Learning Cooking System Scale", 'is titled "Learning Cooking System Scale"'),
    ],
    ids=["no title", "a fragment", "the same words"],
)
def test_a_forged_stamp_replaces_no_paper(
    library: Library, tmp_path: Path, title: str, said: str
) -> None:
    held = "DAPO: An Open-Source LLM Reinforcement Learning System at Scale"
    library.ingest([str(write_digest(tmp_path / "digest.txt", title=held))])
    genuine = write_paper(tmp_path / "dapo.pdf", title=held, stamp="2503.01234v1")
    library.ingest([str(genuine)])
    before = library.papers()
    forged = tmp_path / "forged.pdf"
    if title == "Untitled":
        pdfs.draw(forged, untitled)
    else:
        write_paper(forged, title=title, stamp="2503.01234v999")

    report = library.ingest([str(forged)])

    assert counts(report) == (0, 0, 0, 1)
    assert excerpt(held) in report.failed[0].error
    assert said in report.failed[0].error
    assert library.papers() == before
    newer = write_paper(tmp_path / "new.pdf", title=held, method=["New."], stamp="2503.01234v2")
    assert counts(library.ingest([str(newer)])) == (0, 1, 0, 0)
    assert only_paper(library).version == 2


def untitled(canvas: Canvas) -> None:
    """A page with a stamp and no run of words that could be a title."""
    pdfs.stamp(canvas, "arXiv:2503.01234v999 [cs.LG] 18 Mar 2025")
    pdfs.text(canvas, pdfs.LEFT, 700, "Boil it.")


def test_a_stamped_pdf_without_a_title_of_its_own_joins_the_paper_it_names(
    library: Library, tmp_path: Path
) -> None:
    library.ingest([str(write_digest(tmp_path / "digest.txt", title=TITLE))])

    def paint(canvas: Canvas) -> None:
        pdfs.stamp(canvas, "arXiv:2503.01234v2 [cs.LG] 18 Mar 2025")
        pdfs.text(canvas, pdfs.LEFT, 790, "Proceedings of the Arctic Society", size=20)
        pdfs.lines(canvas, pdfs.LEFT, 740, [TITLE, *METHOD])

    path = pdfs.draw(tmp_path / "walrus.pdf", paint)

    assert counts(library.ingest([str(path)])) == (0, 1, 0, 0)
    assert (only_paper(library).id, only_paper(library).version) == ("2503.01234", 2)


def test_of_two_papers_with_one_stamp_in_one_go_the_second_fails(
    library: Library, tmp_path: Path
) -> None:
    write_paper(tmp_path / "a.pdf", stamp="2503.01234v2")
    write_paper(tmp_path / "b.pdf", stamp="2503.01234v2", title="Pasta cooked by neural schedulers")

    report = library.ingest([str(tmp_path)])

    assert counts(report) == (1, 0, 0, 1)
    assert only_paper(library).id == "2503.01234"
    assert library.diagnose().problems == ()


def test_a_record_does_not_take_over_what_a_wrong_stamp_claims(
    library: Library, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "pasta.pdf", stamp="2503.01234v2", title="Pasta by schedulers")
    library.ingest([str(path)])

    report = library.ingest(
        [str(write_digest(tmp_path / "digest.txt", title="Seals of the Arctic"))]
    )

    assert counts(report) == (0, 0, 0, 1)
    assert report.failed[0].error.endswith("correct the id, or remove that paper first")
    assert str(path) in report.failed[0].error
    assert only_paper(library).title == "Pasta by schedulers"


def test_a_stamp_does_not_outweigh_an_id_from_elsewhere(library: Library, tmp_path: Path) -> None:
    library.ingest([str(write_digest(tmp_path / "digest.txt", title=TITLE))])
    path = write_paper(tmp_path / "walrus.pdf", stamp="2412.00001v1")
    named = write_paper(
        tmp_path / "2503.05678.pdf", title="Seals of the Arctic", stamp="2412.00002v1"
    )

    assert counts(library.ingest([str(path), str(named)])) == (1, 1, 0, 0)
    assert {paper.id for paper in library.papers()} == {"2503.01234", "2503.05678"}


@pytest.mark.parametrize("together", [True, False])
def test_the_newest_of_several_versions_is_kept(
    library: Library, tmp_path: Path, together: bool
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    newer = write_paper(folder / "a.pdf", method=["It is 0.5 now."], stamp="2503.01234v2")
    older = write_paper(folder / "b.pdf", stamp="2503.01234v1")

    for source in [folder] if together else [newer, older]:
        library.ingest([str(source)])

    again = library.ingest([str(folder)])
    assert (counts(again), again.chunks) == ((0, 0, 1, 0), 0)
    paper = only_paper(library)
    assert (paper.id, paper.version) == ("2503.01234", 2)
    [texts] = chunk_texts(library).values()
    assert any("0.5 now" in text for text in texts)
    assert not any("0.0375" in text for text in texts)


def test_a_library_that_knows_a_stamped_pdf_by_its_hash_learns_its_id(
    home: Path, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf", stamp="2503.01234v2")
    digest = write_digest(
        tmp_path / "digest.txt", title="A small optimiser for large models, named Walrus"
    )
    with closing(open_library(home)) as library:
        library.ingest([str(path)])
        old = as_read_before_stamps(library, only_paper(library))
        library.ingest([str(digest)])
        assert {paper.id for paper in library.papers()} == {old.id, "2503.01234"}
        assert library.paper(old.id).full_text is not None

        assert counts(library.ingest([str(path)])) == (0, 1, 0, 0)

        paper = only_paper(library)
        assert paper.id == "2503.01234"
        assert old.id in paper.aliases
        assert library.paper(old.id) == paper
        assert (paper.title, paper.abstract) == (
            "A small optimiser for large models, named Walrus",
            "Own words on it.",
        )
        assert library.diagnose().problems == ()
        again = library.ingest([str(path)])
        assert (counts(again), again.chunks) == ((0, 0, 1, 0), 0)


def as_read_before_stamps(library: Library, paper: Paper) -> Paper:
    """Store a paper as the reader of an earlier release left it: under a hash, with that reader's name."""
    assert paper.full_text is not None
    full_text = paper.full_text.model_copy(update={"reader": "parse-1"})
    old = paper.model_copy(
        update={
            "id": f"pdf-{full_text.sha256[:12]}",
            "version": None,
            "url": None,
            "pdf_url": None,
            "full_text": full_text,
        }
    )
    parts = library._parts
    document = library.document(paper.id)
    cuts = [cut(old, parts.embedder, document=document)]
    indexed = embed(cuts, parts.embedder, abstracts=parts.embedder)
    with parts.store.writer() as writer:
        writer.put(indexed, replaces=[paper.id], fingerprint=parts.fingerprint())
    return old


# PDFs that are fetched


@pytest.fixture
def arxiv() -> Iterator[Web]:
    with Web() as site:
        yield site


def feed(arxiv_id: str, title: str) -> bytes:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry>'
        f"<id>http://arxiv.org/abs/{arxiv_id}v3</id><title>{title}</title><summary>It is ours.</summary>"
        "<published>2025-03-18T17:59:59Z</published><author><name>Ada Lovelace</name></author>"
        '<category term="cs.LG"/></entry></feed>'
    ).encode()


def test_an_arxiv_id_is_fetched_with_its_metadata(home: Path, arxiv: Web, tmp_path: Path) -> None:
    arxiv.on("/api/query", web.answer(200, feed("2503.01234", TITLE)))
    arxiv.on("/pdf/2503.01234", web.pdf(write_paper(tmp_path / "walrus.pdf").read_bytes()))

    with closing(open_library(home, arxiv_url=arxiv.url)) as library:
        assert counts(library.ingest(["arXiv:2503.01234"])) == (1, 0, 0, 0)
        paper = only_paper(library)
        assert (paper.id, paper.title, paper.year) == ("2503.01234", TITLE, 2025)
        assert (paper.authors, paper.categories) == (("Ada Lovelace",), ("cs.LG",))
        assert paper.version == 3
        assert any("0.0375" in text for text in chunk_texts(library)["2503.01234"])
        assert counts(library.ingest(["arXiv:2503.01234"])) == (0, 0, 1, 0)
    assert len(arxiv.asked("/pdf/2503.01234")) == 1


def test_a_paper_that_cannot_be_fetched_keeps_its_abstract_and_is_tried_again(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(f"Title: {TITLE}\nPDF: {arxiv.url}/walrus.pdf\nSummary: Own words.\n---\n")
    host = arxiv.url.removeprefix("http://")
    body = write_paper(tmp_path / "walrus.pdf").read_bytes()
    arxiv.on("/walrus.pdf", web.answer(404), web.pdf(body))

    with closing(open_library(home, fetch_hosts=host)) as library:
        first = library.ingest([str(digest)], pdfs=True)
        assert counts(first) == (1, 0, 0, 1)
        assert first.failed[0].source.endswith("digest.txt:1")
        assert counts(library.ingest([str(digest)], pdfs=True)) == (0, 1, 0, 0)
        [texts] = chunk_texts(library).values()
        assert "Own words." in texts
        assert any("0.0375" in text for text in texts)


def test_a_link_that_leads_nowhere_is_the_failure_of_its_paper(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    nowhere = "http://xn--a.example/p.pdf"
    arxiv.on("/moved.pdf", web.redirect(nowhere))
    links = [nowhere, f"{arxiv.url}/moved.pdf"]
    links.append(arxiv.on("/walrus.pdf", web.pdf(write_paper(tmp_path / "a.pdf").read_bytes())))
    titles = ["Seals of the Arctic", "Pasta by schedulers", TITLE]
    digest = tmp_path / "digest.txt"
    digest.write_text(
        "".join(
            f"Title: {title}\nPDF: {link}\nSummary: Own words on {title}.\n---\n"
            for title, link in zip(titles, links, strict=True)
        )
    )

    with closing(open_library(home, fetch_hosts=f"127.0.0.1:{arxiv.port}")) as library:
        report = library.ingest([str(digest)], pdfs=True)
        texts = chunk_texts(library)

    assert counts(report) == (3, 0, 0, 2)
    assert all(nowhere in failure.error for failure in report.failed)
    assert "0.0375" in str(texts)


def test_what_nobody_thought_of_is_the_failure_of_its_paper(tmp_path: Path) -> None:
    class Broken(Fetcher):
        def pdf(self, source: str, **_: object) -> FetchedPdf:
            raise RuntimeError(f"no such thing as {source}")

    fetcher = Broken(tmp_path, contact=None)
    with ParserPool(tmp_path / "documents", workers=1) as reader:
        texts = FullTexts(tmp_path, reader, fetcher, version="1", recognised="2", reads_scans=False)
        bad = Wanted(Paper(id="2503.01234", title=TITLE), "digest.txt:1", None)
        path = write_paper(tmp_path / "walrus.pdf")
        pdf = PdfFile(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        good = Wanted(Paper(id="pdf-1", title=TITLE), "walrus.pdf", pdf)
        read, failed = sorted(texts.read([bad, good]), key=lambda item: type(item).__name__)

    assert isinstance(read, Read)
    assert isinstance(failed, SourceFailure)
    assert failed.source == "digest.txt:1"
    assert "no such thing" in failed.error


@pytest.mark.parametrize("says", ["the server", "the stamp"])
def test_an_older_file_does_not_replace_a_newer_version_that_was_fetched(
    home: Path, arxiv: Web, tmp_path: Path, says: str
) -> None:
    stamp = "2503.01234v4" if says == "the stamp" else ""
    newer = write_paper(tmp_path / "new.pdf", method=["It is 0.5 now."], stamp=stamp).read_bytes()
    name = {} if stamp else {"Content-Disposition": 'inline; filename="2503.01234v4.pdf"'}
    arxiv.on("/pdf/2503.01234", web.pdf(newer, headers=name))
    older = write_paper(tmp_path / "old.pdf", stamp="2503.01234v2")

    with closing(open_library(home, arxiv_url=arxiv.url)) as library:
        library.ingest(["2503.01234"])
        assert only_paper(library).version == 4
        assert counts(library.ingest([str(older)])) == (0, 0, 1, 0)
        assert only_paper(library).version == 4
        assert "0.5 now" in str(chunk_texts(library))
    # A version that nobody named is not asked for: there may be a newer one.
    shutil.rmtree(home / "pdfs")
    with closing(open_library(home, arxiv_url=arxiv.url)) as library:
        library.ingest(["2503.01234"])
    assert len(arxiv.asked("/pdf/2503.01234")) == 2
    assert not arxiv.asked("/pdf/2503.01234v4")


def test_a_mirror_that_falls_behind_does_not_take_a_version_back(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    newer = write_paper(tmp_path / "new.pdf", method=["It is 0.5 now."], stamp="2503.01234v4")
    older = write_paper(tmp_path / "old.pdf", stamp="2503.01234v2")
    replies = (web.pdf(path.read_bytes()) for path in (newer, older))
    arxiv.on("/pdf/2503.01234", *replies)

    with closing(open_library(home, arxiv_url=arxiv.url)) as library:
        library.ingest(["2503.01234"])
        shutil.rmtree(home / "pdfs" / "links")  # so that it is fetched again
        assert counts(library.ingest(["2503.01234"])) == (0, 0, 1, 0)
        assert only_paper(library).version == 4
        assert "0.5 now" in str(chunk_texts(library))
    assert len(arxiv.asked("/pdf/2503.01234")) == 2


def test_two_papers_with_links_to_one_pdf_both_get_it(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    body = write_paper(tmp_path / "walrus.pdf").read_bytes()
    links = [arxiv.on(path, web.pdf(body)) for path in ("/a.pdf", "/b.pdf", "/c.pdf")]
    titles = [TITLE, f"{TITLE}, extended", "Pasta cooked by neural schedulers"]
    digest = tmp_path / "digest.txt"
    digest.write_text(
        "".join(
            f"Title: {title}\nPDF: {link}\nSummary: Own words on {title}.\n---\n"
            for title, link in zip(titles, links, strict=True)
        )
    )

    with closing(open_library(home, fetch_hosts=f"127.0.0.1:{arxiv.port}")) as library:
        report = library.ingest([str(digest)], pdfs=True)
        papers = library.papers()
        assert library.diagnose().problems == ()

    assert counts(report) == (3, 0, 0, 1)
    assert "is titled" in report.failed[0].error
    assert [paper.title for paper in papers if paper.full_text] == titles[:2]


def test_of_two_arxiv_ids_with_one_pdf_the_second_fails(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    body = write_paper(tmp_path / "walrus.pdf").read_bytes()
    for arxiv_id in ("2503.01234", "2503.05678"):
        arxiv.on(f"/pdf/{arxiv_id}", web.pdf(body))

    with closing(open_library(home, arxiv_url=arxiv.url)) as library:
        report = library.ingest(["2503.01234", "2503.05678"])
        assert counts(report) == (1, 0, 0, 1)
        assert report.failed[0].source == "2503.05678"
        assert "which is 2503.01234 in the library" in report.failed[0].error
        assert counts(library.ingest(["2503.05678"])) == (0, 0, 0, 1)
        assert only_paper(library).id == "2503.01234"


def test_a_link_to_a_pdf_is_fetched_and_is_the_paper_with_that_content(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    link = arxiv.on("/papers/some-small-optimiser-here.pdf", web.pdf(path.read_bytes()))

    with closing(open_library(home, fetch_hosts=f"127.0.0.1:{arxiv.port}")) as library:
        assert counts(library.ingest([link])) == (1, 0, 0, 0)
        paper = only_paper(library)
        assert (paper.title, paper.abstract, paper.url) == (TITLE, ABSTRACT[0], link)
        assert paper.full_text is not None
        assert paper.id == f"pdf-{paper.full_text.sha256[:12]}"
        for source in (link, str(path), link):
            library.ingest([source])
            assert only_paper(library).id == paper.id
        again = library.ingest([link])
        assert (counts(again), again.chunks) == ((0, 0, 1, 0), 0)
    assert len(arxiv.requests) == 1


def test_the_order_of_a_pdf_and_the_link_to_it_makes_no_difference(
    home: Path, arxiv: Web, tmp_path: Path
) -> None:
    path = write_paper(tmp_path / "walrus.pdf")
    link = arxiv.on("/walrus.pdf", web.pdf(path.read_bytes()))

    with closing(open_library(home, fetch_hosts=f"127.0.0.1:{arxiv.port}")) as library:
        library.ingest([str(path)])
        library.ingest([link])
        assert only_paper(library).pdf_url == link
        again = library.ingest([link])
        assert (counts(again), again.chunks) == ((0, 0, 1, 0), 0)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_link_to_a_pdf_that_cannot_be_had_leaves_nothing(
    home: Path, arxiv: Web, allowed: bool
) -> None:
    link = arxiv.on("/walrus.pdf", web.answer(404))
    hosts = {"fetch_hosts": f"127.0.0.1:{arxiv.port}"} if allowed else {}

    with closing(open_library(home, **hosts)) as library:
        report = library.ingest([link])
        assert (counts(report), library.papers()) == ((0, 0, 0, 1), [])

    [failed] = report.failed
    assert (failed.source, failed.unavailable) == (link, True)
    assert ("does not have it" if allowed else "not on the public internet") in failed.error
    assert len(arxiv.requests) == int(allowed)


def test_nothing_is_fetched_unless_asked_for(home: Path, arxiv: Web, tmp_path: Path) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(f"Title: {TITLE}\nPDF: {arxiv.url}/walrus.pdf\nSummary: Own words.\n---\n")

    with closing(open_library(home, arxiv_url=arxiv.url)) as library:
        library.ingest([str(digest)])
        library.ingest(["arXiv:2503.01234"], pdfs=False)

    assert arxiv.requests == []


# SIGKILL


def run_ingest(home: Path, folder: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "ASSISTANT_HOME": str(home)}
    command = [sys.executable, "-m", "assistant", "ingest", str(folder)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def state(home: Path) -> dict[str, list[str]]:
    with closing(open_library(home)) as library:
        assert library.diagnose().problems == ()
        return chunk_texts(library)


def wait(process: "subprocess.Popen[bytes]") -> int:
    return process.wait(timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    for number in range(3):
        title = f"Paper number {number} about optimisers of many kinds"
        write_paper(folder / f"{number}.pdf", title=title, pages=2)
    return folder


def test_a_killed_ingest_is_finished_by_the_next(folder: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    assert wait(run_ingest(tmp_path / "whole", folder)) == 0
    seconds = time.monotonic() - started
    expected = state(tmp_path / "whole")
    assert len(expected) == 3

    moments: Callable[[], float] = random.Random(0).random
    for attempt in range(3):
        home = tmp_path / f"killed{attempt}"
        process = run_ingest(home, folder)
        time.sleep(seconds * moments())
        process.send_signal(signal.SIGKILL)
        wait(process)
        assert wait(run_ingest(home, folder)) == 0
        assert state(home) == expected


# Repair


def test_a_repair_with_another_chunking_cuts_full_texts_anew(home: Path, tmp_path: Path) -> None:
    with closing(open_library(home)) as library:
        library.ingest([str(write_paper(tmp_path / "walrus.pdf"))])
        expected = chunk_texts(library)
    # What an older version of the assistant would have left behind.
    with closing(sqlite3.connect(home / "catalog.db")) as catalog, catalog:
        catalog.execute("update meta set value = replace(value, 'sentences', 'older')")

    with closing(open_library(home)) as library:
        assert library.search("Walrus")
        assert any("older" in problem for problem in library.diagnose().problems)
        library.repair()
        assert chunk_texts(library) == expected
        assert library.diagnose().problems == ()


def test_a_repair_keeps_full_texts_whose_pdfs_are_gone(home: Path, tmp_path: Path) -> None:
    with closing(open_library(home)) as library:
        library.ingest([str(write_paper(tmp_path / "walrus.pdf"))])
        expected = chunk_texts(library)
    shutil.rmtree(home / "pdfs")
    with closing(sqlite3.connect(home / "catalog.db")) as catalog, catalog:
        catalog.execute("update meta set value = replace(value, 'sentences', 'older')")

    with closing(open_library(home)) as library:
        library.repair()
        assert chunk_texts(library) == expected
