"""The characters of a page as PDFium reports them, made into words; what nobody can see is dropped."""

import ctypes
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from assistant.parse.drawings import Drawings, Fill, read_drawings
from assistant.parse.scripts import is_right_to_left, without_forms
from assistant.parse.sheet import Face, Rect, Sheet, Word
from assistant.parse.visibility import (
    COVERED,
    SAME_COLOUR,
    Doubt,
    Doubtful,
    cut_off,
    drawn,
    on_layer,
    unseen,
)
from assistant.text import clean

_TINY = 1.0  # points; nobody reads smaller type
_PALE = 216  # of 255: luminance from which text may be lost on white paper
_CLEAR = 40  # of 255: opacity below which text is not seen
_OCR_SHARE = 0.5  # of a page's characters: invisible text over an image is a scan's text layer
_SCAN_AREA = 0.6  # of the page: an image this large is a scan
_FEW_WORDS = 40  # on a scan: stamps and page numbers put on it later
_MARGIN = 0.12  # of the page's height: they stand no further in
_INK = 200  # grey level, of 255: what is darker shows on paper
_GAP = 0.5  # of the size: words part here even where the PDF has no space
_TOUCHING = 0.06  # of the size: no space of any font is as narrow
_TRACKING = 0.21  # of the size: the widest space between letters of one word
_SMALL_CAPITALS = (0.62, 0.93)  # of the capitals' size
_SAME_KERN = 1.25  # times what parts other letters of the line: as near as that is near
_MAX_GLYPHS = 200_000  # on one page; the densest real pages have 20,000

_BOLD = re.compile(
    r"bold|black|heavy|demi|medi\b|cmbx|cmb\d|sfbx|sfrb|ptmb|-b$|\bbd\b|lmbx", re.IGNORECASE
)
_ITALIC = re.compile(r"ital|obli|slant|cmti|cmsl|sfti|lmri|ptmri|-it\b|-i$", re.IGNORECASE)
_MATH = re.compile(
    r"cmmi|cmsy|cmex|cmbsy|cmmib|msam|msbm|eufm|rsfs|stmary|wasy|math|symbol|mtsy|mtmi|txsy|txmi|pxsy|pxmi|"
    r"newtxmi|ntxmi|ntxsy|lmmi|lmsy|lmex|esint|fourier-",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"csc|smallcap|-sc\b|sc$|capsandsmall", re.IGNORECASE)

# Accents that old TeX fonts draw as characters of their own, over the letter that follows.
_ACCENTS = {
    "´": "\u0301", "`": "\u0300", "¨": "\u0308", "ˆ": "\u0302", "˜": "\u0303", "¯": "\u0304", "˘": "\u0306",
    "˙": "\u0307", "˚": "\u030a", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328", "˝": "\u030b",
}  # fmt: skip
_LIGATURES = {
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
    "\x02": "-",
}
_DOTLESS = {"ı": "i", "ȷ": "j"}
_FIRST_BACKWARD = "\u0590"  # Latin and the scripts most like it come before
_PLAIN = Face(bold=False, italic=False, math=False, capitals=False)

_text_object = ctypes.cast(
    pdfium.FPDFText_GetTextObject, ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
)  # gives an address, which unlike a pointer can key a dictionary


class _Run(NamedTuple):
    """What the characters of one text object have in common."""

    face: Face
    size: float
    base: float
    turn: int  # quarter turns anticlockwise from upright; -1 aslant
    hidden: str  # why it is not seen, or ""
    doubt: Doubt | None  # why it may not be seen
    nested: bool


class _Frame(NamedTuple):
    """How the page is displayed: its crop box and its rotation."""

    box: Rect
    turns: int  # quarter turns clockwise

    @property
    def size(self) -> tuple[float, float]:
        """Width and height as displayed."""
        width, height = self.box.width, self.box.height
        return (height, width) if self.turns % 2 else (width, height)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A point of the PDF's own space, on the page as displayed."""
        box = self.box
        return (
            (x - box.x0, y - box.y0),
            (y - box.y0, box.x1 - x),
            (box.x1 - x, box.y1 - y),
            (box.y1 - y, x - box.x0),
        )[self.turns]


@dataclass(slots=True)
class _Pen:
    """The word being put together."""

    chars: list[str] = field(default_factory=list)
    lefts: list[float] = field(default_factory=list)
    rights: list[float] = field(default_factory=list)
    run: _Run | None = None
    base: float = 0.0
    size: float = 0.0
    doubtful: bool = False  # PDFium saw a space here, the PDF has none
    spaced: bool = False  # the same, and it is one unless the letters are small capitals
    backward: bool = False  # reads from right to left
    last: float = 0.0  # the last letter's size
    goes_on: Word | None = None  # what it is the rest of: a part of another shade
    kern: float = 0.0  # what parts letters of the line's small capitals
    line: float = 0.0  # the baseline of that line


def read_sheet(pdf: pypdfium2.PdfDocument, index: int) -> Sheet:
    """Read page ``index``, counted from 0."""
    page = pdf[index]
    try:
        text = page.get_textpage()
        try:
            return _Reader(page, text, index + 1).read()
        finally:
            text.close()
    finally:
        page.close()


def turned_back(sheet: Sheet, rect: Rect) -> Rect:
    """Where a rectangle among the turned words stands on the page as displayed."""
    if sheet.turn == 1:  # reads upwards
        return Rect(sheet.width - rect.y1, rect.x0, sheet.width - rect.y0, rect.x1)
    if sheet.turn == 2:  # upside down
        width, height = sheet.width, sheet.height
        return Rect(width - rect.x1, height - rect.y1, width - rect.x0, height - rect.y0)
    return Rect(rect.y0, sheet.height - rect.x1, rect.y1, sheet.height - rect.x0)


def turned_sheet(sheet: Sheet) -> Sheet:
    """The page turned so that its turned words are upright, with the lines that part them."""
    width, height = sheet.width, sheet.height
    rules, bars = sheet.rules, sheet.bars
    if sheet.turn != 2:
        width, height, rules, bars = height, width, bars, rules
    turned = Sheet(number=sheet.number, width=width, height=height)
    for lines, target in ((rules, turned.rules), (bars, turned.bars)):
        for line in lines:
            corners = [_turn(x, y, sheet.turn, sheet) for x, y in (line[:2], line[2:])]
            (xa, ya), (xb, yb) = corners
            target.append(Rect(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)))
    return turned


class _Reader:
    """Reads one page."""

    def __init__(self, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, number: int) -> None:
        self._page = page
        self._text = text.raw
        self._frame = _frame(page)
        width, height = self._frame.size
        self._sheet = Sheet(number=number, width=width, height=height)
        self._drawings: Drawings = read_drawings(page, self._frame.place, width, height)
        self._runs: dict[int, _Run] = {}
        self._faces: dict[int, Face] = {}
        self._hidden: dict[str, int] = {}
        self._doubtful: list[Doubtful] = []
        self._upside_down: list[tuple[Word, _Run]] = []
        self._invisible: list[Word] = []
        self._seams: list[tuple[Word, Word]] = []
        self._pen = _Pen()
        self._glyphs = 0
        self._garbage = 0

    def read(self) -> Sheet:
        """Read the words, then drop what is not seen."""
        self._read_words()
        sheet = self._sheet
        sheet.rules, sheet.bars = self._drawings.rules, self._drawings.bars
        sheet.frames, sheet.figures = self._drawings.frames, self._drawings.figures
        sheet.forms = self._drawings.forms
        if self._glyphs and self._garbage > self._glyphs / 2:
            sheet.words.clear()
            sheet.turned.clear()
            sheet.scanned = True
            sheet.notes.append("text layer unreadable: its fonts map to no characters")
            return sheet
        self._settle_upside_down()
        self._settle_doubtful()
        self._mend_seams()
        self._settle_invisible()
        for reason, count in self._hidden.items():
            sheet.notes.append(f"{count} characters dropped: {reason}")
        sheet.scanned = self._is_scanned()
        return sheet

    def _is_scanned(self) -> bool:
        """Whether the page is a picture: an image with no text but stamps on it, or ink without any text."""
        sheet = self._sheet
        if words := len(sheet.words) + len(sheet.turned):
            stamps = all(
                min(word.base, sheet.height - word.base) < _MARGIN * sheet.height
                for word in sheet.words
            )
            return stamps and words < _FEW_WORDS and self._drawings.images_share >= _SCAN_AREA
        pixels = drawn(self._page, scale=0.5).pixels
        return bool(pixels.size) and int(pixels.min()) < _INK

    def _read_words(self) -> None:
        text, pen = self._text, self._pen
        address = ctypes.cast(text, ctypes.c_void_p).value
        count = min(pdfium.FPDFText_CountChars(text), _MAX_GLYPHS)
        unicode_of, box_of = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
        rect = pdfium.FS_RECTF()
        pointer = ctypes.byref(rect)
        upright = self._frame.turns == 0
        shift = self._frame.box.x0
        high = 0
        for index in range(count):
            code = unicode_of(text, index)
            if code in (32, 13, 10, 9, 160, 0x3000):
                pen.doubtful = code == 32 and not _text_object(address, index)
                if not pen.doubtful:
                    pen.spaced = code == 32 and pdfium.FPDFText_IsGenerated(text, index) == 1
                    if not pen.spaced:
                        self._flush()
                continue
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
            high = 0
            key = _text_object(address, index)
            if not key:
                continue
            run = self._runs.get(key)
            if run is None:
                run = self._runs[key] = self._run(index, key)
            box_of(text, index, pointer)
            if upright and run.turn == 0:
                left, right = rect.left - shift, rect.right - shift
            else:
                left, right = self._edges(Rect(rect.left, rect.bottom, rect.right, rect.top), run)
            self._add(chr(code), left, right, run)
        self._flush()

    def _edges(self, rect: Rect, run: _Run) -> tuple[float, float]:
        """Left and right edge of a character in the direction in which its run reads."""
        corners = self._frame.place(rect.x0, rect.y0), self._frame.place(rect.x1, rect.y1)
        xs = [_turn(x, y, run.turn, self._sheet)[0] for x, y in corners]
        return min(xs), max(xs)

    def _add(self, char: str, left: float, right: float, run: _Run) -> None:
        pen = self._pen
        self._glyphs += 1
        if char in "\x00\ufffd" or "\ue000" <= char <= "\uf8ff":
            self._garbage += 1
            return
        last, gap = pen.run, left - pen.rights[-1] if pen.run else 0.0
        if pen.backward or char >= _FIRST_BACKWARD:
            pen.backward = is_right_to_left(char) or (pen.backward and not char.isalnum())
            if pen.backward and last is not None:
                gap = pen.lefts[-1] - right
        parted = (pen.doubtful or pen.spaced) and not self._in_small_capitals(char, gap, run)
        if last is not None and (
            abs(run.base - pen.base) > 0.8 * max(run.size, pen.size)
            or not (-0.8 * run.size < gap or left == pen.lefts[-1])  # ligatures share
            or gap > (_TOUCHING if parted else _GAP) * run.size
            or (parted and pen.spaced)
        ):
            self._flush()
        elif last is not None and last is not run:
            self._in_small_capitals(char, gap, run)  # it notes what parts them
            if (last.turn, last.hidden) != (run.turn, run.hidden):
                self._flush()
            elif last.doubt != run.doubt:
                on_line = abs(run.base - pen.base) < 0.5  # a script is a word of its own
                word = self._flush()
                pen.goes_on = word if on_line else None
        if pen.run is None or run.size > pen.size + 0.1:
            pen.size, pen.base, pen.run = run.size, run.base, run
        pen.doubtful = pen.spaced = False
        pen.last = run.size
        pen.chars.append(char)
        pen.lefts.append(left)
        pen.rights.append(right)

    def _in_small_capitals(self, char: str, gap: float, run: _Run) -> bool:
        """Whether a letter goes on a word of small capitals, which PDFium takes wide tracking for spaces in.

        A capital and smaller ones after it are a word; what parts them parts letters in all of the line.
        """
        pen = self._pen
        low, high = sorted((run.size, pen.last))
        if pen.run is None or not low:
            return False
        if gap > _TRACKING * high or abs(run.base - pen.base) > 0.5 or run.face.math:
            return False
        if _SMALL_CAPITALS[0] < run.size / pen.last < _SMALL_CAPITALS[1]:
            if pen.chars[-1].isupper() and char.isupper():
                pen.kern, pen.line = gap, run.base
                return True
            return False
        same_line = abs(pen.line - run.base) < 0.5
        return same_line and low > _SMALL_CAPITALS[0] * high and gap < _SAME_KERN * pen.kern

    def _flush(self) -> Word | None:
        """End the word; return it, as far as there is one."""
        pen = self._pen
        run = pen.run
        if run is None:
            return None
        text = _spell(pen.chars, pen.lefts, pen.rights)
        word = None
        if text:
            x0, x1 = min(pen.lefts), max(pen.rights)
            word = Word(text, x0, x1, pen.base, pen.size, run.face, run.nested)
            self._file(word, run)
            if pen.goes_on is not None:
                self._seams.append((pen.goes_on, word))
        pen.chars, pen.lefts, pen.rights, pen.run, pen.goes_on = [], [], [], None, None
        return word

    def _file(self, word: Word, run: _Run) -> None:
        """Put a word where it belongs: upright, sideways, doubtful, hidden."""
        sheet = self._sheet
        hidden = run.hidden
        if run.turn < 0:
            hidden = hidden or "aslant, as watermarks are"
        if hidden == _INVISIBLE and run.turn == 0:
            self._invisible.append(word)
        elif hidden:
            self._hide(hidden, word)
        elif run.turn:
            if run.turn == 2:
                self._upside_down.append((word, run))
            elif sheet.turn and sheet.turn != run.turn:
                self._hide("turned another way than others", word)
            else:
                self._file_turned(word, run)
        elif not (word.x1 > -1 and word.x0 < sheet.width + 1 and -1 < word.base < sheet.height + 1):
            self._hide("outside the page", word)
        else:
            sheet.words.append(word)
            if run.doubt is not None:
                self._doubtful.append(Doubtful(word, _letters(word), run.doubt))

    def _file_turned(self, word: Word, run: _Run) -> None:
        self._sheet.turn = run.turn
        self._sheet.turned.append(word)
        if run.doubt is not None:
            place = turned_back(self._sheet, _letters(word))
            self._doubtful.append(Doubtful(word, place, run.doubt))

    def _settle_upside_down(self) -> None:
        """Keep words that stand on their heads where all of the page does."""
        sheet, upside_down = self._sheet, self._upside_down
        whole = len(upside_down) > len(sheet.words) + len(sheet.turned)
        if whole:
            for word in sheet.turned:
                self._hide("turned another way than others", word)
            sheet.turned.clear()
        for word, run in upside_down:
            if whole:
                self._file_turned(word, run)
            else:
                self._hide("upside down", word)

    def _hide(self, reason: str, word: Word) -> None:
        self._hidden[reason] = self._hidden.get(reason, 0) + len(word.text)

    def _settle_doubtful(self) -> None:
        """Drop doubtful words, unless the page as drawn shows them."""
        if not self._doubtful:
            return
        sheet = self._sheet
        places = [(word, _letters(word)) for word in sheet.words]
        places.extend((word, turned_back(sheet, _letters(word))) for word in sheet.turned)
        lost: set[int] = set()
        for each in unseen(self._doubtful, places, drawn(self._page), sheet.height):
            lost.add(id(each.word))
            self._hide(each.doubt.reason, each.word)
        for words in (sheet.words, sheet.turned):
            words[:] = [word for word in words if id(word) not in lost]

    def _mend_seams(self) -> None:
        """Join the parts of words of two shades, each of which was seen."""
        for words in (self._sheet.words, self._sheet.turned):
            kept = {id(word) for word in words}
            gone: set[int] = set()
            for first, second in reversed(self._seams):
                if id(first) in kept and id(second) in kept:
                    first.text += second.text
                    first.x1 = max(first.x1, second.x1)
                    first.size = max(first.size, second.size)
                    gone.add(id(second))
            words[:] = [word for word in words if id(word) not in gone]

    def _settle_invisible(self) -> None:
        """Keep invisible text only where it is a scan's text layer."""
        sheet = self._sheet
        hidden = sum(len(word.text) for word in self._invisible)
        seen = sum(len(word.text) for word in sheet.words)
        scanned = self._drawings.image_share >= _SCAN_AREA and hidden >= _OCR_SHARE * (
            hidden + seen
        )
        if hidden and (scanned or not seen):
            sheet.words.extend(self._invisible)
            sheet.notes.append("scanned: read from its invisible text layer")
        elif hidden:
            self._hidden[_INVISIBLE] = hidden

    def _run(self, index: int, key: int) -> _Run:
        """Look up what the characters of a text object have in common."""
        item = ctypes.cast(key, pdfium.FPDF_PAGEOBJECT)
        matrix = pdfium.FS_MATRIX()
        pdfium.FPDFText_GetMatrix(self._text, index, matrix)
        nominal = ctypes.c_float()
        pdfium.FPDFTextObj_GetFontSize(item, nominal)
        size = abs(nominal.value) * math.hypot(matrix.c, matrix.d)
        x, y = ctypes.c_double(), ctypes.c_double()
        pdfium.FPDFText_GetCharOrigin(self._text, index, x, y)
        turn = self._direction(matrix.a, matrix.b)
        at = self._frame.place(x.value, y.value)
        base = _turn(*at, turn, self._sheet)[1]
        tall = self._tall(index)
        if size < _TINY < 2 < tall:  # a bitmap font whose size is a mere factor
            size = tall
        mode = pdfium.FPDFTextObj_GetTextRenderMode(item)
        colour = _colour(item, stroke=mode in _STROKED)
        hidden = ""
        if mode in (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP):
            hidden = _INVISIBLE
        elif size < _TINY:
            hidden = "smaller than 1 point"
        elif colour.alpha < _CLEAR:
            hidden = "transparent"
        order = self._drawings.texts.get(key, 0)
        doubt = None
        fills = self._drawings.fills_at(*at)
        if _is_pale(colour, fills) and not (
            mode in _OUTLINED and not _is_pale(_colour(item, stroke=True), fills)
        ):
            doubt = Doubt(SAME_COLOUR, colour.grey)
        elif (
            any(fill.opaque and fill.order > order for fill in fills)
            or on_layer(item)
            or (order and cut_off(item))
        ):
            doubt = Doubt(COVERED, 0)
        return _Run(self._face(item), round(size, 1), base, turn, hidden, doubt, not order)

    def _tall(self, index: int) -> float:
        """Height of a character's box."""
        edges = [ctypes.c_double() for _ in range(4)]
        pdfium.FPDFText_GetCharBox(self._text, index, *edges)
        return max(abs(edges[3].value - edges[2].value), abs(edges[1].value - edges[0].value))

    def _direction(self, a: float, b: float) -> int:
        """Quarter turns of a run against the page as displayed; -1 where it is aslant."""
        degrees = math.degrees(math.atan2(b, a)) - 90 * self._frame.turns
        nearest = round(degrees / 90)
        return nearest % 4 if abs(degrees - 90 * nearest) < 8 else -1

    def _face(self, item: object) -> Face:
        font = pdfium.FPDFTextObj_GetFont(item)
        if not font:
            return _PLAIN
        key = ctypes.cast(font, ctypes.c_void_p).value or 0
        face = self._faces.get(key)
        if face is None:
            buffer = ctypes.create_string_buffer(200)
            pdfium.FPDFFont_GetBaseFontName(font, buffer, 200)
            name = buffer.value.decode("latin-1").split("+", 1)[-1]
            flags = max(0, pdfium.FPDFFont_GetFlags(font))
            face = self._faces[key] = Face(
                bold=bool(_BOLD.search(name))
                or bool(flags & 1 << 18)
                or pdfium.FPDFFont_GetWeight(font) >= 600,
                italic=bool(_ITALIC.search(name)) or bool(flags & 1 << 6),
                math=bool(_MATH.search(name)),
                capitals=bool(_CAPITALS.search(name)),
            )
        return face


_INVISIBLE = "drawn invisibly"
_STROKED = (pdfium.FPDF_TEXTRENDERMODE_STROKE, pdfium.FPDF_TEXTRENDERMODE_STROKE_CLIP)
_OUTLINED = (pdfium.FPDF_TEXTRENDERMODE_FILL_STROKE, pdfium.FPDF_TEXTRENDERMODE_FILL_STROKE_CLIP)


class _Colour(NamedTuple):
    """Each 0 to 255."""

    red: int
    green: int
    blue: int
    alpha: int

    @property
    def grey(self) -> int:
        """Luminance."""
        return round(0.299 * self.red + 0.587 * self.green + 0.114 * self.blue)


def _colour(item: object, *, stroke: bool) -> _Colour:
    """With what text is drawn."""
    get = pdfium.FPDFPageObj_GetStrokeColor if stroke else pdfium.FPDFPageObj_GetFillColor
    parts = [ctypes.c_uint() for _ in range(4)]
    return _Colour(*(part.value for part in parts)) if get(item, *parts) else _Colour(0, 0, 0, 255)


def _is_pale(colour: _Colour, fills: Sequence[Fill]) -> bool:
    """Whether text of a colour may be lost on paper or on the areas that it lies on."""
    return colour.grey > _PALE or any(fill.is_like(colour[:3]) for fill in fills)


def _frame(page: pypdfium2.PdfPage) -> _Frame:
    x0, y0, x1, y1 = page.get_bbox()
    return _Frame(Rect(x0, y0, x1, y1), page.get_rotation() // 90 % 4)


def _turn(x: float, y: float, turn: int, sheet: Sheet) -> tuple[float, float]:
    """A displayed point in coordinates in which a run turned by quarter turns is upright."""
    if turn == 1:
        return y, sheet.width - x
    if turn == 2:
        return sheet.width - x, sheet.height - y
    if turn == 3:
        return sheet.height - y, x
    return x, y


def _letters(word: Word) -> Rect:
    """Where a word's letters stand, from the baseline up."""
    return Rect(word.x0, word.base, word.x1, word.base + 0.7 * word.size)


def _spell(chars: list[str], lefts: list[float], rights: list[float]) -> str:
    """The text of a word: ligatures apart, accents on their letters, nothing unprintable."""
    text = "".join(chars)
    if text.isascii() and text.isprintable():
        return text
    if any(char in _ACCENTS for char in chars):
        chars = _compose(chars, lefts, rights)
    text = clean("".join(_LIGATURES.get(char) or without_forms(char) for char in chars))
    text = "".join(text.split())  # a zero-width or wide space is none of a word's characters
    while text and unicodedata.combining(text[0]):
        text = text[1:]
    return text


def _compose(chars: list[str], lefts: list[float], rights: list[float]) -> list[str]:
    """Put accents that are drawn over a letter onto that letter."""
    composed: list[str] = []
    index = 0
    while index < len(chars):
        char = chars[index]
        mark = _ACCENTS.get(char)
        if mark and index + 1 < len(chars) and _over(lefts, rights, index, index + 1):
            index += 1
            letter = chars[index]
            composed.append(
                _DOTLESS.get(letter, letter) + mark if letter.isalpha() else char + letter
            )
        elif mark and index and composed[-1].isalpha() and _over(lefts, rights, index, index - 1):
            composed[-1] = _DOTLESS.get(composed[-1], composed[-1]) + mark
        else:
            composed.append(char)
        index += 1
    return composed


def _over(lefts: list[float], rights: list[float], accent: int, letter: int) -> bool:
    """Whether an accent's middle lies over a letter."""
    return lefts[letter] < (lefts[accent] + rights[accent]) / 2 < rights[letter]
