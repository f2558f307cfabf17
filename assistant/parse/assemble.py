"""Parts into a document: its text with broken words mended, and where every line of it stands."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from assistant.parse.glyphs import turned_back
from assistant.parse.paragraphs import Part
from assistant.parse.scripts import parted
from assistant.parse.sheet import Piece, Rect, Sheet
from assistant.records import Block, Line
from assistant.text import fold

_HYPHENS = "-‐\u2011"
_PAUSED = frozenset({"and", "or", "to", "und", "versus", "vs.", "as"})  # "pre- and post-training"
_CORE = re.compile(r"[^\W_]+(?:[-‐'’][^\W_]+)*")
_COMPOUNDING = frozenset(
    {"self", "cross", "non", "well", "high", "low", "long", "short", "large", "small"}
)
_ENDINGS = frozenset(
    {"based", "wise", "level", "free", "aware", "specific", "grained", "driven", "tuned", "tuning"}
)
_SOLID = frozenset(
    {"over", "under", "inter", "some", "there", "here", "with", "further", "every", "where", "what"}
)
_LONG_HALF = 4  # letters: a shorter half is more likely a syllable than a word

Words = tuple[tuple[int, float, float], ...]


class Vocabulary:
    """The document's own words decide whether a word at a line's end was one word or two."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._words: Counter[str] = Counter()
        for part in parts:
            broken = False
            for piece in part.pieces:
                # The halves of a word broken between lines are none of the document's words.
                whole = piece.words[1:] if broken else piece.words
                broken = piece.words[-1].text.endswith(tuple(_HYPHENS))
                for word in whole[:-1] if broken else whole:
                    for core in _CORE.findall(fold(word.text)):
                        self._words.update({core, *core.split("-")})

    def keeps_hyphen(self, head: str, tail: str) -> bool:
        """Whether ``head-`` at a line's end and ``tail`` on the next are a compound."""
        first, second = _last_core(head), _first_core(tail)
        if not first or not second:
            return True
        *outer, half = first.replace("‐", "-").split("-")
        joined = max(self._words[f"{first}{second}"], self._words[f"{half}{second}"])
        parted = self._words[f"{first}-{second}"]
        if joined or parted:
            return parted >= joined
        if outer or not head[-1].islower() or not tail[0].islower() or half in _COMPOUNDING:
            return True
        if second in _ENDINGS:
            return True
        whole, *rest = second.split("-")
        both = self._words[half] > 0 and self._words[whole] > 0
        return (
            both and half not in _SOLID and (bool(rest) or min(len(half), len(whole)) >= _LONG_HALF)
        )


def _last_core(text: str) -> str:
    cores = _CORE.findall(text)
    return fold(cores[-1]) if cores else ""


def _first_core(text: str) -> str:
    match = _CORE.match(text)
    return fold(match.group()) if match else ""


class Assembler:
    """Writes parts one after the other, noting where each line stands."""

    def __init__(self, parts: Sequence[Part], sheets: Sequence[Sheet]) -> None:
        self._vocabulary = Vocabulary(parts)
        self._sheets = sheets
        self._out: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []
        self.lines: list[Line] = []
        path: list[tuple[int, str]] = []
        for part in parts:
            self._add(part, path)

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self._out)

    def _add(self, part: Part, path: list[tuple[int, str]]) -> None:
        if self._out:
            self._write("\n\n")
        start, written = self._length, len(self._out)
        pieces = part.pieces
        for index, piece in enumerate(pieces):
            follower = pieces[index + 1] if index + 1 < len(pieces) else None
            self._add_piece(piece, follower, rows=part.rows)
        if part.kind == "heading":
            while path and path[-1][0] >= part.level:
                path.pop()
            path.append((part.level, "".join(self._out[written:])))
        self.blocks.append(
            Block(
                kind=part.kind,
                start=start,
                end=self._length,
                section=tuple(title for _, title in path),
                level=part.level if part.kind == "heading" else None,
            )
        )

    def _add_piece(self, piece: Piece, follower: Piece | None, *, rows: bool) -> None:
        start = self._length
        texts = [word.text for word in piece.words]
        between = ""
        if follower is not None:
            texts[-1], between = self._joint(piece, follower, texts[-1], rows=rows)
        offset = 0
        places: list[tuple[int, float, float]] = []
        for word, text in zip(piece.words, texts, strict=True):
            places.append((offset, word.x0, word.x1))
            offset += len(text) + 1
        self._write(" ".join(texts))
        self._note(piece, start, tuple(places))
        self._write(between)

    def _joint(self, piece: Piece, follower: Piece, last: str, *, rows: bool) -> tuple[str, str]:
        """A line's last word as it shall stand, and what parts it from the next line."""
        same_row = (
            piece.page == follower.page and abs(piece.base - follower.base) < 0.45 * piece.size
        )
        if rows:
            return last, "\t" if same_row else "\n"
        head, tail = last.rstrip(_HYPHENS), follower.words[0].text
        if (
            same_row
            or len(last) - len(head) != 1
            or not head
            or not head[-1].isalnum()
            or not tail[0].isalnum()
        ):
            return last, " " if same_row or parted(last, tail) else ""
        if fold(tail) in _PAUSED:
            return last, " "
        if "/" in head:  # a link breaks at its own hyphens
            return last, ""
        if self._vocabulary.keeps_hyphen(head, tail):
            return last, ""
        joined = head + tail
        if unicodedata.normalize("NFC", joined) != joined:
            return last, ""
        return head, ""

    def _note(self, piece: Piece, start: int, places: Words) -> None:
        if not piece.turned:
            sheet = self._sheets[piece.page - 1]
            if sheet.mirrored:
                places = tuple((at, sheet.width - x1, sheet.width - x0) for at, x0, x1 in places)
            y0, y1 = round(piece.y0, 2), round(piece.y1, 2)
            words = tuple((offset, round(x0, 2), round(x1, 2)) for offset, x0, x1 in places)
            self.lines.append(
                Line(page=piece.page, start=start, end=self._length, y0=y0, y1=y1, words=words)
            )
            return
        # Sideways, a line is no row of the page as displayed: every word is a line of its own.
        sheet = self._sheets[piece.page - 1]
        for index, (offset, x0, x1) in enumerate(places):
            stop = start + places[index + 1][0] - 1 if index + 1 < len(places) else self._length
            rect = turned_back(sheet, Rect(x0, piece.y0, x1, piece.y1))
            self.lines.append(
                Line(
                    page=piece.page,
                    start=start + offset,
                    end=stop,
                    y0=round(rect.y0, 2),
                    y1=round(rect.y1, 2),
                    words=((0, round(rect.x0, 2), round(rect.x1, 2)),),
                )
            )

    def _write(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._length += len(text)
