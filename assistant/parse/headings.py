"""Section headings: told from running text by size, weight, capitals, numbers and standing alone."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from assistant.parse.layout import Profile
from assistant.parse.paragraphs import Part
from assistant.parse.scripts import IDEOGRAPH, has_ideographs, letter_count
from assistant.text import fold

_LONGEST = 200  # characters
_MOST_LINES = 4
_DEEPEST = 6
_CAPITALS = 0.85  # of the letters
_MOST_CANDIDATES = 800
_CONTENTS_PAGES = 4
_KNOWN_TITLES = """
    abstract; acknowledgement; acknowledgements; acknowledgment; acknowledgments; appendices;
    appendix; approach; author contributions; background; bibliography; broader impact;
    broader impacts; code availability; competing interests; conclusion;
    conclusion and future work; conclusions; conclusions and future work; conflict of interest;
    contents; contributions; data availability; discussion; ethical considerations; ethics;
    ethics statement; evaluation; experimental setup; experiments; funding; future work;
    impact statement; introduction; keywords; limitation; limitations; literature cited;
    materials and methods; method; methodology; methods; nomenclature; preliminaries;
    references; related work; related works; reproducibility statement; results; summary;
    supplementary material; table of contents; works cited;
    摘要; 引言; 前言; 绪论; 緒論; 相关工作; 相關工作; 方法; 实验; 實驗; 结果; 讨论; 结论; 結論;
    结束语; 总结; 致谢; 致謝; 附录; 参考文献; 參考文獻; 目录; 关键词; 要旨; 概要; はじめに; 序論; 関連研究;
    提案手法; 実験; 評価; 考察; おわりに; まとめ; 謝辞; 付録
"""
_KNOWN = frozenset(fold("".join(name.split())) for name in _KNOWN_TITLES.split(";"))
_REFERENCES = frozenset(
    {"references", "bibliography", "literature cited", "works cited", "references and notes"}
    | {"参考文献", "參考文獻"}
)
_ABSTRACT = frozenset({"abstract", "summary", "摘要", "要旨", "概要"})
_IDEOGRAPHIC = re.compile(
    r"(?:第(?P<chapter>[一二三四五六七八九十]{1,3})章|(?P<section>[一二三四五六七八九十]{1,3})[、．.])\s*(?=\S)"
)
_LONGEST_IDEOGRAPHIC = 60  # Latin characters
_NUMBER = re.compile(
    r"(?:(?:appendix|chapter|section|part)\s+)?"
    r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4}|[A-Z](?:\.\d{1,2}){1,4}|[IVX]{1,5}|[A-Z])(?P<mark>[.:)]?)"
    rf"(?:\s+|$|[、．]?(?={IDEOGRAPH}))",
)
_LEADERS = re.compile(r"(?:\.\s?){4,}")
_PAGE_AT_END = re.compile(r"[\s.]\d{1,3}$")
_ROMAN = {"I": 1, "V": 5, "X": 10}


class _Look(NamedTuple):
    """What a heading looks like."""

    size: float
    bold: bool
    italic: bool
    capitals: bool


class _Candidate(NamedTuple):
    part: Part
    look: _Look
    number: str
    title: str


def mark_headings(parts: Sequence[Part], profile: Profile) -> None:
    """Find the headings among parts and give each its level."""
    candidates = _without_contents(
        parts, [found for part in parts if (found := _candidate(part, profile))]
    )
    candidates = _without_front(candidates)
    numbered = Counter(found.look for found in candidates if found.number)
    roman = any(re.fullmatch(r"II|III|IV|VI{1,3}", found.number) for found in candidates)
    sequence = _sequence(candidates)
    kept: list[tuple[_Candidate, int]] = []
    for index, found in enumerate(candidates):
        if found.number[:1].isdigit():
            if index not in sequence:
                continue
        elif not found.number and not _stands_out(found, numbered, profile):
            continue
        kept.append((found, _depth(found, roman=roman, candidates=candidates)))
    levels = _levels([(found, depth) for found, depth in kept if depth])
    for found, depth in kept:
        found.part.kind = "heading"
        found.part.level = depth or _level_of(found, levels)


def _without_contents(parts: Sequence[Part], candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Drop the entries of tables of contents: dots lead from them, or they end with a page's number."""
    heights: dict[int, list[float]] = {}
    for part in parts:
        for piece in part.pieces:
            if _LEADERS.search(piece.text):
                heights.setdefault(piece.page, []).append(piece.base)
    listed = {
        page: (min(found) - 40, max(found) + 40)
        for page, found in heights.items()
        if len(found) > 3
    }
    kept: list[_Candidate] = []
    until = 0
    for found in candidates:
        first = found.part.pieces[0]
        if found.title in ("contents", "table of contents"):
            until = first.page + _CONTENTS_PAGES
        elif (first.page < until and _PAGE_AT_END.search(found.part.text)) or (
            first.page in listed and listed[first.page][0] < first.base < listed[first.page][1]
        ):
            continue
        kept.append(found)
    return kept


def _without_front(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Drop what stands over the abstract or the first section on the first page: names, links."""
    for index, found in enumerate(candidates):
        if found.part.pieces[0].page > 1:
            break
        if found.number or found.title.replace(" ", "") in _KNOWN:
            return list(candidates[index:])
    return list(candidates)


def is_references(part: Part) -> bool:
    """Whether a heading opens the list of references."""
    return part.kind == "heading" and _bare(_title(part.text)[1]) in _REFERENCES


def is_abstract(part: Part) -> bool:
    """Whether a heading opens the abstract."""
    return part.kind == "heading" and _bare(_title(part.text)[1]) in _ABSTRACT


def _title(text: str) -> tuple[str, str]:
    """A heading's number and its folded words."""
    if match := _IDEOGRAPHIC.match(text):
        number = _value(match["chapter"] or match["section"])
        return str(number), fold(text[match.end() :]).strip(" .:—-")
    match = _NUMBER.match(text)
    if match and (text[match.end() :].strip() or match["number"][:1].isdigit()):
        return match["number"], fold(text[match.end() :]).strip(" .:—-")
    return "", fold(text).strip(" .:—-")


def _value(numeral: str) -> int:
    """The number that a Chinese numeral up to 99 writes."""
    tens, ten, ones = numeral.rpartition("十")
    return 10 * (_DIGITS.find(tens[:1] or "一") if ten else 0) + max(
        0, _DIGITS.find(ones[:1] or "零")
    )


_DIGITS = "零一二三四五六七八九"


def _bare(title: str) -> str:
    """A title, without the blanks that spread out two ideographs."""
    return title.replace(" ", "") if has_ideographs(title) else title


def _candidate(part: Part, profile: Profile) -> _Candidate | None:
    if part.kind != "text" or part.masthead or len(part.pieces) > _MOST_LINES:
        return None
    text = part.text
    if len(text) > _LONGEST or _letters(text) < 3:
        return None
    look = _look(part)
    number, title = _title(text)
    if part.aside and _bare(title) not in {"abstract", "摘要"}:
        return None
    if title.replace(" ", "") in _KNOWN and (
        look.bold or look.capitals or look.size > profile.size - 0.7
    ):
        return _Candidate(part, look, number, title)
    larger = look.size > profile.size + 0.7
    numbered = (
        bool(_IDEOGRAPHIC.match(text))
        and len(part.pieces) == 1
        and letter_count(text) <= _LONGEST_IDEOGRAPHIC
    )
    if not (larger or look.bold or look.capitals or (look.italic and number) or numbered):
        return None
    if look.size < profile.size - 1.2 or not _reads_as_title(text, number):
        return None
    return _Candidate(part, look, number, title)


def _letters(text: str) -> int:
    return letter_count("".join(char for char in text if char.isalpha()))


def _usual_size(part: Part) -> float:
    sizes: Counter[float] = Counter()
    for piece in part.pieces:
        sizes[piece.size] += len(piece.text)
    return sizes.most_common(1)[0][0]


def _look(part: Part) -> _Look:
    letters = [char for char in part.text if char.isalpha()]
    upper = sum(char.isupper() for char in letters) / max(1, len(letters))
    words = [word for piece in part.pieces for word in piece.words]
    # Small capitals have larger initials.
    return _Look(
        size=max(word.size for word in words) if upper > _CAPITALS else _usual_size(part),
        bold=all(piece.bold > 0.97 for piece in part.pieces),
        italic=all(piece.italic > 0.97 for piece in part.pieces),
        capitals=(upper > _CAPITALS and len(letters) > 3)
        or (
            all(word.face.capitals for word in words if word.text.isalpha())
            and not has_ideographs(part.text)
        ),
    )


def _reads_as_title(text: str, number: str) -> bool:
    if text[-1] in ".,;:。，；：！？" and not (number and text[-1] == "."):
        return False
    bare = text if not number else text.split(None, 1)[-1]
    first = next((char for char in bare if char.isalnum()), "")
    letters = sum(char.isalpha() for char in bare)
    if _LEADERS.search(text):
        return False
    return (
        bool(first)
        and not first.islower()
        and letters >= 0.6 * len(bare.replace(" ", ""))
        and "@" not in text
    )


def _sequence(candidates: Sequence[_Candidate]) -> set[int]:
    """The longest run of section numbers that count upwards: lists within sections count anew."""
    numbers = [
        (index, tuple(int(piece) for piece in found.number.split(".")))
        for index, found in enumerate(candidates[:_MOST_CANDIDATES])
        if found.number[:1].isdigit()
    ]
    best: list[tuple[int, int]] = []  # length of the best run that ends here, and what comes before
    for place, (_, number) in enumerate(numbers):
        options = [
            (best[other][0] + 1, other)
            for other in range(place)
            if numbers[other][1] < number and number[0] - numbers[other][1][0] <= 2
        ]
        best.append(max(options, default=(1, -1)))
    chosen: set[int] = set()
    place = max(range(len(best)), key=lambda each: best[each][0], default=-1)
    while place >= 0:
        chosen.add(numbers[place][0])
        place = best[place][1]
    return chosen


def _stands_out(found: _Candidate, numbered: Counter[_Look], profile: Profile) -> bool:
    """Whether a heading without a number looks as headings of this document do."""
    if found.title.replace(" ", "") in _KNOWN or not numbered:
        return True
    look = found.look
    if look.size > profile.size + 0.7:
        return True
    return look.bold and look.size >= profile.size - 0.3


def _depth(found: _Candidate, *, roman: bool, candidates: Sequence[_Candidate]) -> int:
    """The level that a heading's number gives it, or 0."""
    number = found.number
    if not number:
        return 1 if _bare(found.title) in {"abstract", "摘要", *_REFERENCES} else 0
    if number[0].isdigit() or "." in number:
        return number.count(".") + 1
    if roman:
        top = next(
            each.look for each in candidates if re.fullmatch(r"II|III|IV|VI{1,3}", each.number)
        )
        is_roman = all(char in _ROMAN for char in number) and (len(number) > 1 or found.look == top)
        return 1 if is_roman or found.look == top else 2
    return 1


def _levels(numbered: Sequence[tuple[_Candidate, int]]) -> dict[_Look, int]:
    """The level of each look, as the numbered headings show it."""
    votes: dict[_Look, Counter[int]] = {}
    for found, depth in numbered:
        votes.setdefault(found.look, Counter())[depth] += 1
    return {look: counter.most_common(1)[0][0] for look, counter in votes.items()}


def _level_of(found: _Candidate, levels: dict[_Look, int]) -> int:
    """The level of a heading without a number, by the numbered ones that look like it."""
    if found.look in levels:
        return levels[found.look]
    if found.title.replace(" ", "") in _KNOWN or not levels:
        return 1
    larger = [level for look, level in levels.items() if look.size >= found.look.size - 0.2]
    return min(_DEEPEST, max(larger) + 1) if larger else 1
