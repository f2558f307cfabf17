"""Whether doubtful words are seen: what the page as drawn shows where they stand."""

import ctypes
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from assistant.parse.sheet import Rect, Word

SAME_COLOUR = "of the colour of what it is drawn on"
COVERED = "covered, cut off or on a layer that is not shown"

_CONTRAST = 24  # grey levels, of 255, that drawn text must differ from what it lies on
_GROUND = 0.75  # of a word's place in its own colour: that is what it lies on; letters fill less
_SHARED_GROUND = 0.5  # the same, where other letters hide a part of what it lies on
_OVERLAP = 0.25  # of a word's place: another word over it
_SCALE = 2.0  # pixels per point
_MOST_PIXELS = 4000  # of the longer side
_JUT = 1.0  # points that letters may reach beyond the path that clips them
_MOST_SEGMENTS = 12  # of a path that text is cut off at; real ones are rectangles


class Doubt(NamedTuple):
    """Why text may not be seen, and how bright it is itself: 0 to 255."""

    reason: str
    grey: int


class Doubtful(NamedTuple):
    """A word that may not be seen, and where it stands on the page as displayed."""

    word: Word
    place: Rect
    doubt: Doubt


def drawn(page: pypdfium2.PdfPage, *, scale: float = _SCALE) -> "Picture":
    """Draw a page in grey, a huge one smaller."""
    scale = min(scale, _MOST_PIXELS / max(*page.get_size(), 1.0))
    pixels = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_numpy()
    return Picture(pixels, scale)


class Picture(NamedTuple):
    """A page as drawn: grey levels, and how many pixels there are per point."""

    pixels: "np.ndarray[Any, np.dtype[np.uint8]]"
    scale: float

    def patch(self, place: Rect, height: float) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        """What is drawn at a place of a page of that height."""
        scale = self.scale
        top, bottom = int(scale * (height - place.y1)), int(scale * (height - place.y0)) + 1
        left, right = int(scale * place.x0), int(scale * place.x1) + 1
        return self.pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]


def unseen(
    doubtful: Sequence[Doubtful],
    places: Sequence[tuple[Word, Rect]],
    picture: Picture,
    height: float,
) -> Iterator[Doubtful]:
    """Find the words that nobody sees.

    Args:
        doubtful: the words in doubt.
        places: all words of the page, and where they stand.
        picture: the page as drawn.
        height: of the page, in points.
    """
    doubts = {id(each.word): each.doubt for each in doubtful}
    others = sorted(
        ((place, doubts.get(id(word))) for word, place in places), key=lambda each: each[0].y0
    )
    heights = [place.y0 for place, _ in others]
    for each in doubtful:
        place, doubt = each.place, each.doubt
        patch = picture.patch(place, height)
        if not patch.size or int(patch.max()) - int(patch.min()) < _CONTRAST:
            yield each
            continue
        tall = place.y1 - place.y0
        near = others[bisect_left(heights, place.y0 - tall) : bisect_right(heights, place.y1)]
        shared = any(_overlaps(place, other) for other, its in near if its != doubt)
        if doubt.reason == COVERED:
            if shared:  # what shows is the other word
                yield each
        elif _share(patch, doubt.grey) > (_SHARED_GROUND if shared else _GROUND):
            yield each


def _share(patch: "np.ndarray[Any, np.dtype[np.uint8]]", grey: int) -> float:
    """How much of a patch is of a grey level."""
    return float(np.mean(np.abs(patch.astype(np.int16) - grey) < _CONTRAST))


def _overlaps(place: Rect, other: Rect) -> bool:
    width = min(place.x1, other.x1) - max(place.x0, other.x0)
    height = min(place.y1, other.y1) - max(place.y0, other.y0)
    return width > 0 < height and width * height > _OVERLAP * place.width * place.height


def on_layer(item: object) -> bool:
    """Whether an object belongs to a layer that can be switched off."""
    count = pdfium.FPDFPageObj_CountMarks(item)
    if count <= 0:
        return False
    size = ctypes.c_ulong()
    name = ctypes.create_string_buffer(8)
    for index in range(count):
        mark = pdfium.FPDFPageObj_GetMark(item, index)
        code = ctypes.cast(name, ctypes.POINTER(pdfium.FPDF_WCHAR))
        if pdfium.FPDFPageObjMark_GetName(mark, code, 8, size) and name.raw[:6] == _LAYER:
            return True
    return False


_LAYER = "OC\0".encode("utf-16-le")


def cut_off(item: object) -> bool:
    """Whether an object reaches beyond a path that clips it."""
    clip = pdfium.FPDFPageObj_GetClipPath(item)
    count = pdfium.FPDFClipPath_CountPaths(clip)
    if count <= 0:
        return False
    edges = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(item, *edges):
        return True
    x0, y0, x1, y1 = (edge.value for edge in edges)
    boxes = (_clip_box(clip, index) for index in range(count))
    return not all(
        box is not None and box.holds(x0 + _JUT, y0 + _JUT) and box.holds(x1 - _JUT, y1 - _JUT)
        for box in boxes
    )


def _clip_box(clip: object, index: int) -> Rect | None:
    """The bounds of a path that clips, or nothing if it is no simple one."""
    count = pdfium.FPDFClipPath_CountPathSegments(clip, index)
    if not 0 < count <= _MOST_SEGMENTS:
        return None
    x, y = ctypes.c_float(), ctypes.c_float()
    xs, ys = [], []
    for number in range(count):
        segment = pdfium.FPDFClipPath_GetPathSegment(clip, index, number)
        if pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            xs.append(x.value)
            ys.append(y.value)
    return Rect(min(xs), min(ys), max(xs), max(ys)) if xs else None
