"""What is drawn on a page besides text: rules, figures, images and filled areas."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from assistant.parse.sheet import Rect

_MAX_OBJECTS = 60_000  # looked at on one page; a plot of very many points is a figure before that
_THIN = 2.0  # points: a line, not an area
_BAR = 6.0  # points: a vertical line as tall as a line of text
_SHORT = 15.0  # points: shorter lines are parts of drawings
_CELL = 6.0  # points: the raster on which drawings that lie close grow together
_MOST_LINES = 2_000
_MOST_FILLS = 100
_MOST_IMAGES = 100
_PAPER = 0.8  # of the page: a filled area this large is its background
_OPAQUE = 200  # of 255: what is under it is hardly seen
_NEAR_COLOUR = 40  # of 255, in each channel

Place = Callable[[float, float], tuple[float, float]]


class Fill(NamedTuple):
    """A filled area, its colour and its place in the order of drawing, from 1."""

    rect: Rect
    colour: tuple[int, int, int]
    order: int
    opaque: bool

    def is_like(self, colour: tuple[int, int, int]) -> bool:
        """Whether it is of about that colour."""
        return all(abs(a - b) < _NEAR_COLOUR for a, b in zip(self.colour, colour, strict=True))


@dataclass(slots=True)
class Drawings:
    """The drawn objects of a page, as displayed."""

    rules: list[Rect] = field(default_factory=list)
    bars: list[Rect] = field(default_factory=list)  # vertical lines
    figures: list[Rect] = field(default_factory=list)
    forms: list[Rect] = field(default_factory=list)  # included figures; may reach beyond what shows
    frames: list[Rect] = field(
        default_factory=list
    )  # figures without images: boxes around text, perhaps
    fills: list[Fill] = field(default_factory=list)
    image_share: float = 0.0  # of the page, by the largest image
    images_share: float = 0.0  # by all of them: scans come in strips as well
    texts: dict[int, int] = field(
        default_factory=dict
    )  # addresses of text objects not inside forms, and when they are drawn, from 1

    def fills_at(self, x: float, y: float) -> list[Fill]:
        """The filled areas that a point lies in."""
        return [fill for fill in self.fills if fill.rect.holds(x, y)]


def read_drawings(page: pypdfium2.PdfPage, place: Place, width: float, height: float) -> Drawings:
    """Read what is drawn on a page of that displayed size."""
    drawings = Drawings()
    areas: list[Rect] = []
    images: list[Rect] = []
    raw = page.raw
    for index in range(min(pdfium.FPDFPage_CountObjects(raw), _MAX_OBJECTS)):
        item = pdfium.FPDFPage_GetObject(raw, index)
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            drawings.texts[ctypes.cast(item, ctypes.c_void_p).value or 0] = index + 1
            continue
        rect = _bounds(item, place)
        if rect is None:
            continue
        share = rect.width * rect.height / (width * height)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            drawings.image_share = max(drawings.image_share, share)
            drawings.images_share += share
            images.append(rect)
        is_line = kind == pdfium.FPDF_PAGEOBJ_PATH and _note_path(drawings, item, rect, index + 1)
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            drawings.forms.append(rect)
        elif share < _PAPER and not is_line:
            areas.append(rect)
    drawings.figures = _figures(areas, width, height)
    drawings.frames = [
        figure
        for figure in drawings.figures
        if not any(_meet(figure, image) for image in images[:_MOST_IMAGES])
    ]
    return drawings


def _note_path(drawings: Drawings, item: object, rect: Rect, order: int) -> bool:
    """Remember a path that is a line, and say that it is; or what it fills."""
    if rect.height > _THIN and rect.width > _THIN:
        _note_fill(drawings, item, rect, order)
        return False
    lines = drawings.rules if rect.width >= _SHORT else drawings.bars
    if max(rect.width / _SHORT, rect.height / _BAR) < 1:
        return False
    if len(lines) < _MOST_LINES:
        lines.append(rect)
    return True


def _meet(figure: Rect, image: Rect) -> bool:
    """Whether an image makes up a good part of a figure."""
    width = min(figure.x1, image.x1) - max(figure.x0, image.x0)
    height = min(figure.y1, image.y1) - max(figure.y0, image.y0)
    return width > 0 and height > 0 and width * height > 0.3 * figure.width * figure.height


def _bounds(item: object, place: Place) -> Rect | None:
    edges = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(item, *edges):
        return None
    left, bottom, right, top = (edge.value for edge in edges)
    (xa, ya), (xb, yb) = place(left, bottom), place(right, top)
    return Rect(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))


def _note_fill(drawings: Drawings, item: object, rect: Rect, order: int) -> None:
    """Remember a filled area that text may lie on."""
    if rect.height < 6 or rect.width < 6 or len(drawings.fills) >= _MOST_FILLS:
        return
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(item, mode, stroke) or not mode.value:
        return
    colours = [ctypes.c_uint() for _ in range(4)]
    if pdfium.FPDFPageObj_GetFillColor(item, *colours):
        red, green, blue, alpha = (colour.value for colour in colours)
        drawings.fills.append(Fill(rect, (red, green, blue), order, alpha > _OPAQUE))


def _figures(areas: list[Rect], width: float, height: float) -> list[Rect]:
    """Let drawn areas that touch grow together, on a raster of the page."""
    if not areas or not (0 < width < 20_000 and 0 < height < 20_000):
        return []
    rows, columns = int(height / _CELL) + 1, int(width / _CELL) + 1
    raster = np.zeros((rows, columns), dtype=bool)
    for area in areas:
        top, bottom = int(max(0.0, area.y0) / _CELL), int(max(0.0, area.y1) / _CELL)
        left, right = int(max(0.0, area.x0) / _CELL), int(max(0.0, area.x1) / _CELL)
        raster[top : bottom + 1, left : right + 1] = True
    return [
        Rect(x0 * _CELL, y0 * _CELL, min(width, x1 * _CELL), min(height, y1 * _CELL))
        for x0, y0, x1, y1 in _islands(raster)
    ]


def _islands(raster: "np.ndarray[Any, np.dtype[np.bool_]]") -> list[tuple[int, int, int, int]]:
    """Bounds (columns and rows, half open) of the connected areas of a raster."""
    rows, columns = raster.shape
    left = {int(cell) for cell in np.flatnonzero(raster)}
    islands = []
    while left:
        stack = [left.pop()]
        x0, y0, x1, y1 = columns, rows, 0, 0
        while stack:
            y, x = divmod(stack.pop(), columns)
            x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x + 1), max(y1, y + 1)
            for near_y in (y - 1, y, y + 1):
                for near_x in (x - 1, x, x + 1):
                    cell = near_y * columns + near_x
                    if 0 <= near_x < columns and cell in left:
                        left.remove(cell)
                        stack.append(cell)
        islands.append((x0, y0, x1, y1))
    return islands
