"""Scanned pages: found, named with what to install, and read where text recognition is there."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pypdfium2
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

import pdfs
from assistant.config import load_settings
from assistant.errors import PdfError
from assistant.ingest.full_text import FullTexts
from assistant.library import Library
from assistant.parse import read_pdf, scans
from assistant.parse.places import boxes
from assistant.parse.pool import ParserPool
from assistant.parse.worker import Limits
from assistant.records import AnswerDone, Document, FullText, Paper

needs_extra = pytest.mark.skipif(
    find_spec("rapidocr") is None, reason=f"text recognition is not installed: {scans.INSTALL}"
)

TITLE = "Walrus: a small optimiser for large models"
METHOD = "Walrus keeps one moment per row. The learning rate is 0.0375 in all runs."
QUOTE = "The learning rate is 0.0375 in all runs."

Paint = Callable[[Canvas], None]


def paper(canvas: Canvas) -> None:
    """A page of a paper: a title, two sections, two columns."""
    pdfs.text(canvas, pdfs.LEFT, 780, TITLE, font=pdfs.BOLD, size=17)
    y = pdfs.heading(canvas, pdfs.LEFT, 740, "1 Method")
    y = pdfs.lines(canvas, pdfs.LEFT, y, [METHOD])
    y = pdfs.heading(canvas, pdfs.LEFT, y - 10, "2 Results")
    for x, first in ((pdfs.LEFT, "Seals"), (pdfs.SECOND, "Whales")):
        rows = pdfs.prose(8, first=first, last="it ends.", width=pdfs.COLUMN)
        pdfs.justified(canvas, x, y, rows, pdfs.COLUMN)


def photograph(folder: Path, paint: Paint, *, dpi: int = 150) -> ImageReader:
    """What a scanner makes of a page."""
    path = pdfs.draw(folder / "original.pdf", paint)
    with closing(pypdfium2.PdfDocument(path)) as pdf:
        return ImageReader(pdf[0].render(scale=dpi / 72, grayscale=True).to_pil())


def scan(folder: Path, *pages: Paint | None, original: Paint = paper, name: str = "scan") -> Path:
    """A PDF in which None is the scanned page, and all else is drawn as text."""
    image = photograph(folder, original)

    def paint(canvas: Canvas) -> None:
        for page in pages:
            if page is None:
                canvas.drawImage(image, 0, 0, pdfs.WIDTH, pdfs.HEIGHT)
            else:
                page(canvas)
            canvas.showPage()

    return pdfs.draw(folder / f"{name}.pdf", paint)


def prose(canvas: Canvas) -> None:
    pdfs.lines(canvas, pdfs.LEFT, 760, pdfs.prose(20, first="Tundra", last="is over."))


class TestFinding:
    def test_a_scan_from_first_to_last_is_scanned_and_has_no_text(self, tmp_path: Path):
        document = read_pdf(scan(tmp_path, None, None))
        assert (document.scanned, document.text) == ((1, 2), "")

    def test_a_scan_among_other_pages_is_found(self, tmp_path: Path):
        document = read_pdf(scan(tmp_path, prose, None, prose))
        assert document.scanned == (2,)
        assert document.text.startswith("Tundra")

    def test_an_empty_page_is_no_scan(self, tmp_path: Path):
        assert read_pdf(scan(tmp_path, prose, lambda _: None)).scanned == ()

    def test_a_stamp_on_a_scan_leaves_it_a_scan(self, tmp_path: Path):
        image = photograph(tmp_path, paper)

        def paint(canvas: Canvas) -> None:
            canvas.drawImage(image, 0, 0, pdfs.WIDTH, pdfs.HEIGHT)
            pdfs.text(canvas, pdfs.LEFT, 20, "Downloaded from an archive on 3 May 2025")
            pdfs.stamp(canvas, "arXiv:hep-th/9711200v3 22 Jan 1998")

        document = read_pdf(pdfs.draw(tmp_path / "stamped.pdf", paint))
        assert document.scanned == (1,)
        assert document.arxiv == "hep-th/9711200v3"

    def test_strips_of_a_scan_are_a_scan(self, tmp_path: Path):
        image = photograph(tmp_path, paper)

        def paint(canvas: Canvas) -> None:
            for strip in range(10):
                canvas.drawImage(image, 0, strip * 80, pdfs.WIDTH, 80)
            pdfs.text(canvas, pdfs.LEFT, 20, "page 7")

        assert read_pdf(pdfs.draw(tmp_path / "strips.pdf", paint)).scanned == (1,)

    def test_words_on_a_background_are_no_scan(self, tmp_path: Path):
        image = photograph(tmp_path, lambda canvas: canvas.rect(50, 50, 400, 400, fill=1))

        def paint(canvas: Canvas) -> None:
            canvas.drawImage(image, 0, 0, pdfs.WIDTH, pdfs.HEIGHT)
            pdfs.text(canvas, pdfs.LEFT, 500, "A slide with few words", size=30)

        assert read_pdf(pdfs.draw(tmp_path / "slide.pdf", paint)).scanned == ()

    @pytest.mark.parametrize(
        ("pages", "named"),
        [
            ((4,), "page 4 is a scan or a picture and was"),
            ((2, 3, 4, 7, 9, 10), "pages 2-4, 7, 9-10 are scans or pictures and were"),
        ],
    )
    def test_pages_are_named_in_one_line(self, pages: tuple[int, ...], named: str):
        assert scans.unread(pages, "why") == f"{named} not read: why"


# How the pool deals with scans, whoever reads them.

QUICK = Limits(seconds=20.0)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Path]:
    def make_file(stem: str) -> Path:
        path = tmp_path / f"{stem}.pdf"
        path.write_text(f"Words of {stem}")
        return path

    return make_file


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParserPool]:
    """A pool for whose readers every page is scanned; nothing reads scans."""
    folder = tmp_path_factory.mktemp("plain")
    readers = {"limits": QUICK, "workers": 1}
    none = ParserPool(
        folder / "scans", target="parse_readers:read", missing=scans.INSTALL, **readers
    )
    with ParserPool(folder, target="parse_readers:read_scan", scans=none, **readers) as pool:
        yield pool


@pytest.fixture(scope="module")
def recognising(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParserPool]:
    """The same, with a reader of scans that does as the name of the file says."""
    folder = tmp_path_factory.mktemp("recognising")
    readers = {"limits": QUICK, "workers": 1}
    reads_scans = ParserPool(folder / "scans", target="parse_readers:read", **readers)
    with ParserPool(folder, target="parse_readers:read_scan", scans=reads_scans, **readers) as pool:
        yield pool


class TestWithoutRecognition:
    def test_a_scan_is_one_line_with_what_to_install(self, plain: ParserPool, make):
        with pytest.raises(PdfError) as caught:
            plain.parse(make("whole"))
        assert str(caught.value) == (
            "is a scan or a picture, and holds no text: "
            "run pip install 'paper-assistant[ocr]', then ingest it again"
        )

    def test_what_is_no_scan_is_read_and_the_rest_is_named(self, plain: ParserPool, make):
        document = plain.parse(make("mixed"))
        assert document.text == "Words of mixed"
        assert document.scanned == (2, 3)
        assert document.unread == (
            "pages 2-3 are scans or pictures and were not read: "
            "run pip install 'paper-assistant[ocr]', then ingest it again"
        )


class TestRecognition:
    def test_is_asked_for_scans_only(self, recognising: ParserPool, make):
        assert recognising.parse(make("text")).title is None
        assert recognising.parse(make("mixed")).title is not None

    def test_reads_a_scan(self, recognising: ParserPool, make):
        assert recognising.parse(make("whole")).text == "Words of whole"

    @pytest.mark.parametrize(
        ("behaviour", "left"),
        [("refuse", ()), ("fail", ()), ("segfault", ()), ("lack", (2, 3)), ("jam", (2, 3))],
    )
    def test_that_fails_leaves_what_was_read(
        self, recognising: ParserPool, make, behaviour: str, left: tuple[int, ...]
    ):
        document = recognising.parse(make(f"{behaviour}-mixed"))
        assert document.text == f"Words of {behaviour}-mixed"
        assert document.scanned == left  # what is not the file's fault is tried again
        assert document.unread is not None
        assert document.unread.startswith(
            "pages 2-3 are scans or pictures and were not read: text rec"
        )

    def test_that_fails_on_a_scan_is_one_line(self, recognising: ParserPool, make):
        with pytest.raises(
            PdfError,
            match="^is a scan or a picture, and holds no text: text recognition fails: it cra",
        ):
            recognising.parse(make("segfault-whole"))

    def test_that_cannot_start_costs_no_more_than_the_scans(self, tmp_path: Path, make):
        broken = ParserPool(
            tmp_path / "scans",
            workers=1,
            limits=Limits(memory_bytes=1_000_000),
            target="parse_readers:read",
        )
        with ParserPool(
            tmp_path, workers=1, limits=QUICK, target="parse_readers:read_scan", scans=broken
        ) as pool:
            document = pool.parse(make("mixed"))
            assert "not start" in (document.unread or "")
            assert document.scanned == (2, 3)
            with pytest.raises(PdfError, match="text recognition fails"):
                pool.parse(make("whole"))

    @pytest.mark.parametrize(("reads_scans", "current"), [(True, False), (False, True)])
    def test_makes_that_what_was_not_read_is_read_again(
        self, plain: ParserPool, tmp_path: Path, reads_scans: bool, current: bool
    ):
        full_text = FullText(sha256="abc", reader="v", pages=3, scanned=(2,))
        assert is_current(plain, tmp_path, full_text, reads_scans=reads_scans) is current

    @pytest.mark.parametrize(
        ("reader", "current"), [("v", True), ("v-ocr", True), ("u-ocr", False)]
    )
    def test_of_another_version_has_its_scans_read_again(
        self, plain: ParserPool, tmp_path: Path, reader: str, current: bool
    ):
        full_text = FullText(sha256="abc", reader=reader, pages=3)
        assert is_current(plain, tmp_path, full_text, reads_scans=True) is current


def is_current(pool: ParserPool, folder: Path, full_text: FullText, *, reads_scans: bool) -> bool:
    texts = FullTexts(folder, pool, None, version="v", recognised="v-ocr", reads_scans=reads_scans)
    (folder / "abc.pdf").touch()
    return texts.is_current(Paper(id="x", title="X", full_text=full_text), "abc")


# The real thing.


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParserPool]:
    """What reads PDFs where the extra is installed."""
    folder = tmp_path_factory.mktemp("documents")
    recogniser = ParserPool(folder, workers=1, limits=scans.LIMITS, target=scans.READER)
    with ParserPool(folder, workers=1, scans=recogniser) as pool:
        yield pool


def place(document: Document, words: str) -> tuple[float, float, float, float]:
    start = document.text.index(words)
    [box] = boxes(document.lines, start, start + len(words))
    return box.x0, box.y0, box.x1, box.y1


@needs_extra
class TestReadingScans:
    def test_reads_the_words_their_sections_and_where_they_stand(
        self, reader: ParserPool, tmp_path: Path
    ):
        path = scan(tmp_path, None)
        drawn, read = read_pdf(tmp_path / "original.pdf"), reader.parse(path)

        assert read.text == drawn.text
        assert read.title == TITLE
        assert [block.section for block in read.blocks] == [block.section for block in drawn.blocks]
        assert read.notes == ("page 1: scanned: read by text recognition",)
        for words in (QUOTE, "0.0375", "Whales", TITLE):
            assert place(read, words) == pytest.approx(place(drawn, words), abs=1.5)

    def test_a_rotated_page_is_read_as_displayed(self, reader: ParserPool, tmp_path: Path):
        image = photograph(tmp_path, paper)

        def paint(canvas: Canvas) -> None:
            canvas.setPageRotation(90)
            canvas.translate(pdfs.HEIGHT, 0)  # reportlab swaps the sides of a page that it turns
            canvas.rotate(90)
            canvas.drawImage(image, 0, 0, pdfs.WIDTH, pdfs.HEIGHT)

        read = reader.parse(pdfs.draw(tmp_path / "rotated.pdf", paint))
        drawn = read_pdf(tmp_path / "original.pdf")
        assert read.pages[0] == pytest.approx(drawn.pages[0], abs=0.1)
        assert place(read, QUOTE) == pytest.approx(place(drawn, QUOTE), abs=1.5)

    def test_reads_the_scanned_pages_among_others(self, reader: ParserPool, tmp_path: Path):
        document = reader.parse(scan(tmp_path, prose, None, prose))

        assert QUOTE in document.text
        assert document.text.count("Tundra") == 2
        assert {line.page for line in document.lines} == {1, 2, 3}
        assert (document.scanned, document.recognised, document.unread) == ((), (2,), None)

    def test_finds_no_words_in_a_picture(self, reader: ParserPool, tmp_path: Path):
        path = scan(tmp_path, lambda canvas: canvas.circle(300, 400, 100, fill=1))
        with pytest.raises(PdfError, match="^is a scan or a picture, .*finds no words"):
            reader.parse(path)

    @pytest.mark.parametrize(
        ("limits", "said"),
        [
            (
                (1, 600.0),
                "page 2 is a scan or a picture and was not read: text recognition reads 1",
            ),
            (
                (9, -1.0),
                "pages 1-2 are scans or pictures and were not read: text recognition stops",
            ),
        ],
    )
    def test_says_what_it_leaves_out(self, tmp_path: Path, limits: tuple[int, float], said: str):
        from assistant.parse import reader
        from assistant.parse.recognition import Recogniser

        recogniser = Recogniser(max_pages=limits[0], seconds=limits[1])
        document = reader.read_pdf(scan(tmp_path, None, None), recogniser=recogniser)
        assert document.unread is not None
        assert document.unread.startswith(said)
        assert document.scanned == ()

    def test_a_scan_is_answered_from_once_it_is_installed(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        path = scan(tmp_path, prose, None)
        settings = load_settings({"home": home}, {})
        with closing(Library(settings)) as library:
            with monkeypatch.context() as context:
                context.setitem(sys.modules, "rapidocr", None)  # as if it were not installed
                first = library.ingest([str(path)])
                assert library.ingest([str(path)]).unchanged == 1
            assert (first.added, first.failed) == (1, ())
            [left_out] = first.incomplete
            assert scans.INSTALL in left_out.error

            second = library.ingest([str(path)])

            assert (second.updated, second.incomplete) == (1, ())
            *_, done = library.ask("Which learning rate does Walrus use?")
            assert isinstance(done, AnswerDone)
            cited = done.answer.citations[0]
            assert (cited.quote, cited.page_first) == (QUOTE, 2)
            again = library.ingest([str(path)])
            assert (again.unchanged, again.chunks) == (1, 0)
            with monkeypatch.context() as context:
                context.setitem(sys.modules, "rapidocr", None)  # and gone again: nothing is lost
                library.reindex([cited.paper_id])
                assert library.ingest([str(path)]).unchanged == 1
            *_, done = library.ask("Which learning rate does Walrus use?")
            assert isinstance(done, AnswerDone)
            assert done.answer.citations[0].quote == QUOTE
