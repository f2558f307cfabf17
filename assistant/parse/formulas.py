"""Formulas set apart from the text: scattered signs that belong together, and their number."""

import re
from collections.abc import Sequence

from assistant.parse.captions import caption_label
from assistant.parse.scripts import has_ideographs
from assistant.parse.sheet import Piece, Rect, hull

_EQUATION_NUMBER = re.compile(r"\((?:[A-Z]\.?)?\d{1,3}(?:\.\d{1,3})?[a-z]?\)")
_PLAIN_WORD = re.compile(r"[A-Za-z][a-z]{2,}[,.;:]?|[Aa]|of|in|is|to|we|by|as|on|or|it|an|at|be|if")
_RELATION = re.compile(r"[=≈≤≥<>∑∏∫∈→←⊆∝≜≡∼+×⇒∀∃∧∨]|:=")
_PLAIN = 0.34  # of the words: more is text with formulas in it
_MATH = 0.25  # of the characters in a mathematical font
_BESIDE = 2.0  # sizes between parts of one formula
_BELOW = 0.9
_PITCH = 1.4  # sizes from line to line of a paragraph, at most
_PROSE = 6  # words


def find_formulas(pieces: Sequence[Piece], *, width: float) -> list[list[Piece]]:
    """Find the formulas of a page of that width, each from top to bottom, left to right."""
    signs = [piece for piece in pieces if _is_sign(piece) and not _within_text(piece, pieces)]
    clusters = [cluster for cluster in _clusters(signs) if _says_something(cluster)]
    taken = {id(piece) for cluster in clusters for piece in cluster}
    for cluster in clusters:
        rect = hull(cluster)
        size = max(piece.size for piece in cluster)
        near = Rect(rect.x0 - _BESIDE * size, rect.y0, rect.x1 + _BESIDE * size, rect.y1)
        for piece in pieces:
            inside = near.holds((piece.x0 + piece.x1) / 2, piece.base + 0.3 * piece.size)
            if id(piece) not in taken and inside and piece.word_count < _PROSE:
                taken.add(id(piece))
                cluster.append(piece)
    numbers = [
        piece
        for piece in pieces
        if _EQUATION_NUMBER.fullmatch(piece.text) and id(piece) not in taken
    ]
    for number in numbers:
        _attach(number, clusters, width)
    return [
        sorted(cluster, key=lambda piece: (-round(piece.base / 6), piece.x0))
        for cluster in clusters
    ]


def _attach(number: Piece, clusters: list[list[Piece]], width: float) -> None:
    """Give an equation's number to the formula at its left, or let it stand alone."""
    best: list[Piece] | None = None
    nearest = 0.6 * width
    for cluster in clusters:
        rect = hull(cluster)
        gap = number.x0 - rect.x1
        if rect.y0 - 2 < number.base + 0.3 * number.size < rect.y1 + 2 and -1 < gap < nearest:
            best, nearest = cluster, gap
    if best is not None:
        best.append(number)
    else:
        clusters.append([number])


def _is_sign(piece: Piece) -> bool:
    """Whether a piece is more signs than words."""
    if caption_label(piece) or piece.bold > 0.9 or _EQUATION_NUMBER.fullmatch(piece.text):
        return False
    plain = sum(
        bool(_PLAIN_WORD.fullmatch(word.text) or has_ideographs(word.text)) and not word.face.math
        for word in piece.words
    )
    if plain > _PLAIN * len(piece.words):
        return False
    return (
        piece.math > _MATH
        or bool(_RELATION.search(piece.text))
        or (not plain and len(piece.text) < 5)
    )


def _within_text(piece: Piece, pieces: Sequence[Piece]) -> bool:
    """Whether a piece belongs to a paragraph: flush with lines of words, or beside one."""
    for other in pieces:
        if other.word_count < _PROSE or other is piece:
            continue
        step = abs(other.base - piece.base)
        if abs(other.x0 - piece.x0) < 2 and 0 < step < _PITCH * other.size:
            return True
        beside = max(piece.x0, other.x0) - min(piece.x1, other.x1) < _BESIDE * piece.size
        if beside and step < 0.45 * other.size:
            return True
    return False


def _clusters(signs: list[Piece]) -> list[list[Piece]]:
    """Group pieces that lie close."""
    ordered = sorted(signs, key=lambda piece: -piece.y1)
    group = list(range(len(ordered)))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    for index, upper in enumerate(ordered):
        for other in range(index + 1, len(ordered)):
            lower = ordered[other]
            size = max(upper.size, lower.size)
            if upper.y0 - lower.y1 > 2 * size:
                break
            apart = max(upper.x0, lower.x0) - min(upper.x1, lower.x1)
            if apart < _BESIDE * size and upper.y0 - lower.y1 < _BELOW * size:
                group[root(other)] = root(index)
    clusters: dict[int, list[Piece]] = {}
    for index, piece in enumerate(ordered):
        clusters.setdefault(root(index), []).append(piece)
    return list(clusters.values())


def _says_something(cluster: Sequence[Piece]) -> bool:
    """Whether a cluster holds a relation and letters, not a stray mark."""
    text = " ".join(piece.text for piece in cluster)
    return (
        bool(_RELATION.search(text) or any(piece.math > _MATH for piece in cluster))
        and len(text) > 4
    )
