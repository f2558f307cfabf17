"""Text recognition: a scanned page, drawn as a picture, into words with their places.

The only module that knows rapidocr, which carries its models (PP-OCRv6) in its package. One model finds
lines, another reads them; where a word begins and ends is then read off the ink, since a recogniser
that is trained without places knows them only roughly.
"""

import os
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pypdfium2

from assistant.errors import UnavailableError
from assistant.parse import scans
from assistant.parse.sheet import Face, Sheet, Word
from assistant.parse.worker import describe
from assistant.text import clean

_DPI = 150.0  # the models see lines 48 pixels high, whatever the resolution
_MAX_SIDE = 2_200  # pixels
_MIN_SIDE = 50
_PAGE_SECONDS = 60.0
_MAX_LINES = 400  # of one page
_MAX_THREADS = 2
_SURE = 0.6  # of 1: less sure lines are smudges and figures
_DARK = 0.5  # of the way from paper to ink
_BODY = 0.35  # of the fullest row's ink: rows of small letters have more, those of descenders less
_SPECK = 0.05  # of the fullest row's ink: a row of less is dust, or of the next line
_ASCENT = 0.67  # of the type size: how tall letters such as b and K are
_FRAMED = (1.05, 1.45)  # of the type size: how tall the models frame a line, at least and at most
_SAME_SIZE = 0.08  # lines that differ less in size are of one type
_BOLD = 1.28  # of the page's usual strokes

Pixels = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]


class _Box(NamedTuple):
    """Where a line stands in the picture, in pixels from the top left."""

    left: int
    top: int
    right: int
    bottom: int


class _Line(NamedTuple):
    """A line as read: its words with left and right edges, its baseline, and what its type looks like.

    All in pixels; ``stroke`` is how thick letters are drawn, in type sizes.
    """

    words: tuple[tuple[str, float, float], ...]
    base: float
    size: float
    stroke: float


class _Problem(NamedTuple):
    """Why a page was not read, or only in part."""

    why: str
    in_part: bool = False


class Recogniser:
    """Reads the scanned pages of one PDF.

    Args:
        max_pages: more scanned pages are left out.
        seconds: after which no further page is begun.
    """

    def __init__(self, *, max_pages: int, seconds: float) -> None:
        self._max_pages = max_pages
        self._seconds = seconds

    def read(self, pdf: pypdfium2.PdfDocument, sheets: Sequence[Sheet]) -> str | None:
        """Put the words of scanned pages into their sheets; return a line on what was left out."""
        scanned = [sheet for sheet in sheets if sheet.scanned]
        if not scanned:
            return None
        end = time.monotonic() + self._seconds
        engine = _engine()
        unread: dict[_Problem, list[int]] = {}
        for done, sheet in enumerate(scanned):
            if done >= self._max_pages:
                problem: _Problem | None = _Problem(
                    f"text recognition reads {self._max_pages} pages a file"
                )
            elif time.monotonic() > end:
                problem = _Problem(f"text recognition stops after {self._seconds:g} s a file")
            else:
                problem = _read_page(engine, pdf, sheet)
            if problem is not None:
                unread.setdefault(problem, []).append(sheet.number)
        said = (scans.unread(pages, why, in_part=part) for (why, part), pages in unread.items())
        return "; ".join(said) or None


def _engine() -> Any:  # noqa: ANN401 - rapidocr ships no types
    """Load the models. Raises ``UnavailableError`` where they do not load: that is no PDF's fault."""
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    try:
        from rapidocr import RapidOCR

        return RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.max_side_len": _MAX_SIDE,
                "Global.use_cls": False,
                # Else what is narrower than 736 pixels is enlarged till it is not, however long it is.
                "Det.limit_type": "max",
                "Det.limit_side_len": _MAX_SIDE,
                "Rec.rec_batch_num": 1,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
    except MemoryError:
        raise
    except Exception as error:
        raise UnavailableError(f"text recognition does not start: {error}") from error


def _read_page(
    engine: Any,  # noqa: ANN401
    pdf: pypdfium2.PdfDocument,
    sheet: Sheet,
) -> _Problem | None:
    """Replace what little text a scanned page has by what is read off its picture."""
    scale = min(_DPI / 72, _MAX_SIDE / max(sheet.width, sheet.height))
    try:
        page = pdf[sheet.number - 1]
        try:
            drawn = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)
            picture: Pixels = drawn.to_numpy()[:, :, :3].copy()
        finally:
            page.close()
        lines, left = _lines(engine, picture, sheet)
    except pypdfium2.PdfiumError:
        sheet.notes.append("damaged: left out")
        return _Problem("it is damaged")
    except (MemoryError, OSError, ImportError):  # not the page's fault
        raise
    except Exception as error:  # noqa: BLE001 - whatever one page does, the others are read
        return _Problem(f"text recognition fails ({describe(error)})")
    sheet.words[:] = _words(lines, scale, sheet.height)
    # What is drawn is the page itself, not figures on it.
    sheet.figures, sheet.frames, sheet.forms = [], [], []
    if sheet.words:
        sheet.scanned, sheet.recognised = False, True
        sheet.notes.append("scanned: read by text recognition")
    else:
        sheet.notes.append("scanned: text recognition finds no words")
    return _Problem(f"{left} lines take it too long", in_part=True) if left else None


def _lines(
    engine: Any,  # noqa: ANN401
    picture: Pixels,
    sheet: Sheet,
) -> tuple[list[_Line], int]:
    """Find and read the lines of a page; also return how many are left out."""
    if min(picture.shape[:2]) < _MIN_SIDE:
        return [], 0
    end = time.monotonic() + _PAGE_SECONDS
    found = engine(picture, use_det=True, use_cls=False, use_rec=False)
    boxes = [] if found.boxes is None else [_box(corners, picture) for corners in found.boxes]
    upright = [box for box in boxes if box.right - box.left > 0.7 * (box.bottom - box.top) > 2]
    if len(boxes) > len(upright):
        sheet.notes.append(f"scanned: {len(boxes) - len(upright)} sideways lines dropped")
    lines: list[_Line] = []
    for done, box in enumerate(upright):
        if done == _MAX_LINES or time.monotonic() > end:
            return lines, len(upright) - done
        if line := _line(engine, picture, box):
            lines.append(line)
    return lines, 0


def _box(corners: Any, picture: Pixels) -> _Box:  # noqa: ANN401 - four points of a numpy array
    height, width = picture.shape[:2]
    xs = np.clip(corners[:, 0], 0, width)
    ys = np.clip(corners[:, 1], 0, height)
    return _Box(int(xs.min()), int(ys.min()), int(np.ceil(xs.max())), int(np.ceil(ys.max())))


def _line(engine: Any, picture: Pixels, box: _Box) -> _Line | None:  # noqa: ANN401
    """Read one line; None if that makes no sense."""
    crop = picture[box.top : box.bottom, box.left : box.right]
    read = engine(crop, use_det=False, use_cls=False, use_rec=True, return_word_box=True)
    if not read.txts or read.scores[0] < _SURE or not read.txts[0].strip():
        return None
    info = read.word_results[0]
    columns = [column for word in info.word_cols for column in word]
    texts = [clean(word) for word in read.txts[0].split()]
    if not info.line_txt_len or len(columns) != sum(map(len, read.txts[0].split())):
        return None
    centres = (np.array(columns) + 0.5) * (crop.shape[1] / info.line_txt_len)
    ink = _ink(crop)
    edges = _edges([len(word) for word in read.txts[0].split()], centres, ink.sum(axis=0))
    words = [
        (text, box.left + left, box.left + right)
        for text, (left, right) in zip(texts, edges, strict=True)
        if text
    ]
    top, base = _top_and_baseline(ink.sum(axis=1))
    least, most = _FRAMED
    size = min(max((base - top) / _ASCENT, len(ink) / most), len(ink) / least)
    begun = np.count_nonzero(ink[:, 1:] & ~ink[:, :-1]) + np.count_nonzero(ink[:, 0])
    stroke = ink.sum() / max(1, begun) / size
    return _Line(tuple(words), box.top + base, size, float(stroke)) if words else None


def _ink(crop: Pixels) -> npt.NDArray[np.bool_]:
    """Which pixels of a line are letters: the rarer of dark and bright."""
    grey = crop.astype(np.float32).mean(axis=2)
    low, high = np.percentile(grey, (1, 99))
    dark = np.asarray(grey < low + _DARK * (high - low))
    return dark if dark.mean() <= 0.5 else ~dark


def _edges(
    lengths: Sequence[int],
    centres: npt.NDArray[np.float64],
    inked: Counts,
) -> list[tuple[float, float]]:
    """Find where words begin and end: at the widest gap in the ink between two letters.

    Args:
        lengths: characters of each word.
        centres: roughly where each character of the line stands, in pixels.
        inked: how many pixels of each column are ink.
    """
    width = len(inked)
    filled = np.flatnonzero(inked)
    first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, width)
    ends = np.cumsum(lengths)
    cuts: list[tuple[float, float]] = []
    for end in ends[:-1]:
        before, after = int(centres[end - 1]), int(np.ceil(centres[end]))
        cuts.append(_widest_gap(inked, max(0, before), min(width, max(after, before + 1))))
    lefts = [float(first), *(right for _, right in cuts)]
    rights = [*(left for left, _ in cuts), float(last)]
    return [(min(a, width - 1.0), max(b, a + 1.0)) for a, b in zip(lefts, rights, strict=True)]


def _widest_gap(inked: Counts, start: int, stop: int) -> tuple[float, float]:
    """The widest run of columns without ink in ``[start:stop]``; its middle where there is none."""
    filled = [start - 1, *(start + np.flatnonzero(inked[start:stop])).tolist(), stop]
    gaps = [(after - before - 1, before + 1, after) for before, after in pairwise(filled)]
    size, left, right = max(gaps, key=lambda gap: gap[0])
    return (float(left), float(right)) if size else ((start + stop) / 2, (start + stop) / 2)


def _top_and_baseline(inked: Counts) -> tuple[float, float]:
    """The edges of a line's letters but for descenders: their rows hold less ink than small letters."""
    most = max(1, int(inked.max()))
    seen, full = np.flatnonzero(inked >= _SPECK * most), np.flatnonzero(inked >= _BODY * most)
    return (float(seen[0]), float(full[-1] + 1)) if len(full) else (0.0, float(len(inked)))


def _words(lines: Sequence[_Line], scale: float, height: float) -> list[Word]:
    """Words in points from the bottom left, in the few sizes of type that a page has."""
    sizes = _usual_sizes([line.size / scale for line in lines])
    letters = [line.stroke for line in lines for text, *_ in line.words for _ in text]
    bold = _BOLD * float(np.median(letters)) if letters else 0.0
    return [
        Word(text, left / scale, right / scale, height - line.base / scale, size, _face(line, bold))
        for line, size in zip(lines, sizes, strict=True)
        for text, left, right in line.words
    ]


def _face(line: _Line, bold: float) -> Face:
    return Face(bold=line.stroke >= bold, italic=False, math=False, capitals=False)


def _usual_sizes(sizes: Sequence[float]) -> list[float]:
    """Take sizes that differ by no more than a picture's blur for one: the commonest near each."""
    left = set(range(len(sizes)))
    settled = list(sizes)
    while left:
        near = {
            index: [other for other in left if abs(sizes[other] / sizes[index] - 1) < _SAME_SIZE]
            for index in left
        }
        group = near[max(left, key=lambda index: (len(near[index]), -index))]
        usual = round(float(np.median([sizes[index] for index in group])), 1)
        for index in group:
            settled[index] = usual
        left.difference_update(group)
    return settled
