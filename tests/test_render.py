"""A page is drawn as it is displayed, with the places marked; what cannot be drawn costs a process."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from assistant.errors import PdfError
from assistant.parse import read_pdf
from assistant.parse.places import boxes
from assistant.parse.render import LIMITS, PageDrawer
from assistant.records import Box
from pdfs import WIDTH, draw, lines

_SENTENCE = "The retrieval system reads every passage."


def _two_pages(canvas: Canvas) -> None:
    lines(canvas, 60, 700, ["A first page with some words on it."])
    canvas.showPage()
    lines(canvas, 60, 700, [_SENTENCE, "Another line below that one, with more words."])


def _turned(canvas: Canvas) -> None:
    """Displayed upright, though it is drawn sideways."""
    canvas.setPageRotation(90)
    canvas.translate(WIDTH, 0)
    canvas.rotate(90)
    lines(canvas, 60, 500, [_SENTENCE, "Another line below that one, with more words."])


@pytest.fixture
def drawer(tmp_path: Path) -> Iterator[PageDrawer]:
    drawer = PageDrawer(tmp_path / "pages")
    yield drawer
    drawer.close()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _picture(drawer: PageDrawer, path: Path, page: int, places: tuple[Box, ...]) -> Image.Image:
    content = drawer.draw(path, sha256=_sha256(path), page=page, boxes=places)
    return Image.open(io.BytesIO(content)).convert("RGB")


def _places(path: Path, quote: str) -> tuple[Box, ...]:
    document = read_pdf(path)
    start = document.text.index(quote)
    return boxes(document.lines, start, start + len(quote))


def _share_of_yellow(picture: Image.Image, box: Box, height: float) -> float:
    area = picture.crop(
        (
            round(2 * box.x0),
            round(2 * (height - box.y1)),
            round(2 * box.x1),
            round(2 * (height - box.y0)),
        )
    )
    pixels = list(area.get_flattened_data())
    return sum(blue < 120 <= green for _, green, blue in pixels) / len(pixels)


@pytest.mark.parametrize(("paint", "page"), [(_two_pages, 2), (_turned, 1)])
def test_the_quote_is_marked_where_it_stands(
    tmp_path: Path, drawer: PageDrawer, paint, page: int
) -> None:
    path = draw(tmp_path / "paper.pdf", paint)
    (place,) = _places(path, "retrieval system")
    height = read_pdf(path).pages[page - 1][1]
    marked = _picture(drawer, path, page, (place,))
    plain = _picture(drawer, path, page, ())
    assert _share_of_yellow(marked, place, height) > 0.5
    assert _share_of_yellow(plain, place, height) == 0


def test_places_on_other_pages_are_not_marked(tmp_path: Path, drawer: PageDrawer) -> None:
    path = draw(tmp_path / "paper.pdf", _two_pages)
    places = _places(path, "retrieval system")
    assert _picture(drawer, path, 1, places).tobytes() == _picture(drawer, path, 1, ()).tobytes()


def test_a_page_drawn_once_is_kept(tmp_path: Path, drawer: PageDrawer) -> None:
    path = draw(tmp_path / "paper.pdf", _two_pages)
    sha256 = _sha256(path)
    first = drawer.draw(path, sha256=sha256, page=1, boxes=())
    path.unlink()
    assert drawer.draw(path, sha256=sha256, page=1, boxes=()) == first


@pytest.mark.parametrize("page", [0, 3, -1, 10**9])
def test_a_page_that_is_not_there_is_named(tmp_path: Path, drawer: PageDrawer, page: int) -> None:
    path = draw(tmp_path / "paper.pdf", _two_pages)
    with pytest.raises(PdfError, match=f"has no page {page}: it has 2"):
        drawer.draw(path, sha256=_sha256(path), page=page, boxes=())


def test_a_damaged_file_is_an_error_and_the_next_one_is_drawn(
    tmp_path: Path, drawer: PageDrawer
) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and nothing more")
    with pytest.raises(PdfError, match="cannot be drawn"):
        drawer.draw(broken, sha256=_sha256(broken), page=1, boxes=())
    path = draw(tmp_path / "paper.pdf", _two_pages)
    assert _picture(drawer, path, 1, ()).size == (1191, 1684)


def test_an_enormous_page_is_drawn_small(tmp_path: Path, drawer: PageDrawer) -> None:
    def enormous(canvas: Canvas) -> None:
        canvas.setPageSize((14_000, 14_000))
        lines(canvas, 60, 700, ["A page as large as a wall."])

    path = draw(tmp_path / "wall.pdf", enormous)
    assert max(_picture(drawer, path, 1, ()).size) <= 2400


def test_drawing_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = draw(tmp_path / "paper.pdf", _two_pages)
    drawer = PageDrawer(tmp_path / "pages", limits=LIMITS.model_copy(update={"seconds": 0.001}))
    try:
        with pytest.raises(PdfError, match=r"takes more than 0\.001 s|crashes"):
            drawer.draw(path, sha256=_sha256(path), page=1, boxes=())
    finally:
        drawer.close()
