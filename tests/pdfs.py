"""Small PDFs that each show one thing a paper can do, drawn with reportlab."""

from collections.abc import Callable, Sequence
from itertools import chain, cycle
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
LEFT, RIGHT = 60.0, WIDTH - 60.0
GUTTER = 20.0
COLUMN = (RIGHT - LEFT - GUTTER) / 2
SECOND = LEFT + COLUMN + GUTTER
BODY, LEADING = 10.0, 12.0
SERIF, BOLD, ITALIC = "Times-Roman", "Times-Bold", "Times-Italic"

_TEXT = (
    "the retrieval system reads every passage and ranks them by how well they answer what was asked while "
    "a second model checks each claim against its source so that readers can trust what they see here"
)


def draw(path: Path, paint: Callable[[Canvas], None], *, password: str | None = None) -> Path:
    """Save what ``paint`` draws."""
    encrypt = StandardEncryption(password, ownerPassword="owner") if password else None
    canvas = Canvas(str(path), pagesize=A4, encrypt=encrypt, invariant=1, initialFontName=SERIF)
    paint(canvas)
    canvas.save()
    return path


def text(
    canvas: Canvas, x: float, y: float, words: str, *, font: str = SERIF, size: float = BODY
) -> None:
    """One line."""
    canvas.setFont(font, size)
    canvas.drawString(x, y, words)


def stamp(canvas: Canvas, words: str, *, x: float = 32, size: float = 20) -> None:
    """A line up the left margin, as arXiv prints its ids; with ``x`` and ``size`` somewhere else."""
    canvas.saveState()
    canvas.translate(x, 240)
    canvas.rotate(90)
    text(canvas, 0, 0, words, size=size)
    canvas.restoreState()


def lines(
    canvas: Canvas,
    x: float,
    y: float,
    rows: Sequence[str],
    *,
    font: str = SERIF,
    size: float = BODY,
) -> float:
    """Lines one under the other; returns the height of the next one."""
    for row in rows:
        text(canvas, x, y, row, font=font, size=size)
        y -= LEADING * size / BODY
    return y


def justified(
    canvas: Canvas, x: float, y: float, rows: Sequence[str], width: float, *, size: float = BODY
) -> float:
    """Lines that all reach the right edge but the last."""
    for row in rows[:-1]:
        words = row.split(" ")
        canvas.setFont(SERIF, size)
        space = width - sum(canvas.stringWidth(word) for word in words)
        at = x
        for word in words:
            canvas.drawString(at, y, word)
            at += canvas.stringWidth(word) + space / max(1, len(words) - 1)
        y -= LEADING * size / BODY
    return lines(canvas, x, y, rows[-1:], size=size)


def prose(count: int, *, first: str, last: str = "", width: float = RIGHT - LEFT) -> list[str]:
    """Rows of plain words, each as long as fits, that begin and end as told."""
    words = chain([first], cycle(_TEXT.split()))
    rows: list[str] = []
    row = next(words)
    while len(rows) < count:
        word = next(words)
        if stringWidth(f"{row} {word}", SERIF, BODY) > width:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}"
    return [*rows[:-1], f"{' '.join(rows[-1].split()[:3])} {last}".strip()]


def heading(canvas: Canvas, x: float, y: float, words: str, *, size: float = 12.0) -> float:
    """A bold heading with space around it; returns the height of the next line."""
    text(canvas, x, y - 8, words, font=BOLD, size=size)
    return y - 8 - 1.8 * size
