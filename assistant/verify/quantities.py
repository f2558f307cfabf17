"""Quantities in a text: numbers with what they count or measure, and which of them agree."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from assistant.text import STOPWORDS, Span, fold, stem

_WORDS = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1000, "million": 1e6, "billion": 1e9,
    "trillion": 1e12, "dozen": 12, "half": 0.5, "twice": 2, "thrice": 3, "double": 2, "doubles": 2,
    "doubled": 2, "doubling": 2, "triple": 3, "triples": 3, "tripled": 3, "tripling": 3,
    "quadruple": 4, "halve": 0.5, "halves": 0.5, "halved": 0.5, "halving": 0.5,
}  # fmt: skip
_FACTORS = frozenset(
    """twice thrice double doubles doubled doubling triple triples tripled tripling quadruple halve
    halves halved halving""".split()  # noqa: SIM905 - a word list reads best as prose
)
_SCALES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6, "millions": 1e6, "b": 1e9,
    "bn": 1e9, "billion": 1e9, "billions": 1e9, "t": 1e12, "trillion": 1e12, "trillions": 1e12,
    "hundred": 100, "dozen": 12,
}  # fmt: skip
_UNITS = {
    "%": ("percent", 1.0), "percent": ("percent", 1.0), "per cent": ("percent", 1.0),
    "percentage": ("percent", 1.0), "pp": ("percent", 1.0), "×": ("times", 1.0), "x": ("times", 1.0),
    "times": ("times", 1.0), "fold": ("times", 1.0), "$": ("dollar", 1.0), "dollars": ("dollar", 1.0),
    "dollar": ("dollar", 1.0), "bucks": ("dollar", 1.0), "usd": ("dollar", 1.0), "€": ("euro", 1.0),
    "euros": ("euro", 1.0), "euro": ("euro", 1.0), "£": ("pound", 1.0), "ms": ("time", 1e-3),
    "milliseconds": ("time", 1e-3), "s": ("time", 1.0), "sec": ("time", 1.0), "second": ("time", 1.0),
    "seconds": ("time", 1.0), "min": ("time", 60.0), "mins": ("time", 60.0), "minute": ("time", 60.0),
    "minutes": ("time", 60.0), "h": ("time", 3600.0), "hr": ("time", 3600.0), "hrs": ("time", 3600.0),
    "hour": ("time", 3600.0), "hours": ("time", 3600.0), "day": ("time", 86400.0),
    "days": ("time", 86400.0), "week": ("time", 604800.0), "weeks": ("time", 604800.0),
    "month": ("month", 1.0), "months": ("month", 1.0), "year": ("month", 12.0), "years": ("month", 12.0),
    "decade": ("month", 120.0), "decades": ("month", 120.0), "kb": ("byte", 1e3), "mb": ("byte", 1e6),
    "gb": ("byte", 1e9), "tb": ("byte", 1e12), "mm": ("length", 1e-3), "cm": ("length", 1e-2),
    "km": ("length", 1e3), "g": ("mass", 1e-3), "mg": ("mass", 1e-6), "kg": ("mass", 1.0),
}  # fmt: skip
_LONGEST_DIGITS = 15
_NUMBER = re.compile(
    r"(?<![^\W_])(?<![^\W\d_][.\-_+])(?<!\d[._+])(?<!\d,)"  # not inside a name such as GPT-4
    r"(?P<money>[$€£]\s?)?(?P<minus>[-−](?=\d))?"
    r"(?P<digits>\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:\s?(?P<scale>[kKMBT](?![^\W_]|-[^\W\d_])|(?:thousand|mln|mn|million|billion|trillion|hundred|dozen)s?\b|bn\b))?"
    r"(?:[\s-]?(?P<unit>%|×(?!\s?\d)|percent(?:age)?\b|per cent\b|pp\b|fold\b|x(?![^\W_])"
    r"|(?:ms|mins?|hrs?|h|kb|mb|gb|tb|mm|cm|km|mg|kg|g)(?![^\W_])))?"
)
_WRITTEN = re.compile(
    rf"\b(?:{'|'.join(_WORDS)})(?:[\s-]+(?:and\s+)?(?:{'|'.join(_WORDS)}))*(?P<fold>-?fold)?\b",
    re.IGNORECASE,
)
_FOLLOWING_WORDS = re.compile(r"(?:(?:\s|-)?(?<!\w)[^\W\d_]+(?![^\W_])){1,3}")
_FOLLOWING_REACH = 60
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approximately|roughly|nearly|almost|close to|some|ca\.?)|[~≈])\s*[$€£]?$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:\b(?:over|more than|at least|above|greater than|exceed(?:s|ed|ing)?)|[>≥])\s*[$€£]?$",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"(?:\bunder|\bless than|\bfewer than|\bat most|\bbelow|\bup to|[<≤])\s*[$€£]?$", re.IGNORECASE
)
_RANGE_START = re.compile(r"(?<![\w.\-])[$€£]?\d[\d.,]*-$")
_HEDGE_REACH = 20
_TOLERANCE = 0.1
_BOUND = 1.25


class Quantity(NamedTuple):
    """A number in a text.

    ``kind`` is what it measures in base units (``percent``, ``times``, ``time``, …), empty where it counts
    things; ``hedge`` is ``about``, ``over``, ``under`` or empty; ``precise`` the size of its last digit.
    """

    span: Span
    value: float
    kind: str
    counted: tuple[str, ...]
    hedge: str
    precise: float


def quantities(text: str) -> list[Quantity]:
    """Find the numbers of a text in order, written in digits or words, but not those inside names."""
    found = [
        _from_digits(text, match)
        for match in _NUMBER.finditer(text)
        if not _ends_name(text, match.start())
    ]
    taken = [quantity.span for quantity in found]
    for match in _WRITTEN.finditer(text):
        start, end = match.span()
        if not any(start < span.end and span.start < end for span in taken):
            found.append(_from_words(text, match))
    return sorted(found)


def _ends_name(text: str, start: int) -> bool:
    """Tell whether a number after a hyphen belongs to a name, as in Llama-3.1-8B, and not to a range."""
    before = text[max(0, start - _HEDGE_REACH) : start]
    return before.endswith("-") and before[-2:-1].isdigit() and not _RANGE_START.search(before)


def agree(claimed: Quantity, given: Quantity) -> bool:
    """Tell whether a number in the evidence is the one in the claim, perhaps in another notation."""
    if _is_share(claimed, given) or _is_share(given, claimed):
        return True
    if not _are_comparable(claimed, given):
        return False
    return _close(claimed.value, given.value) or _is_rounded(claimed, given)


def unbacked(claimed: Sequence[Quantity], given: Sequence[Quantity]) -> list[Quantity]:
    """Return the numbers of a claim that no number of the evidence backs.

    "About 50" and "over 50" are backed by a number near enough that the claim does not give itself.
    """
    missing = [each for each in claimed if not any(agree(each, other) for other in given)]
    if not any(each.hedge for each in missing):
        return missing
    free = [other for other in given if not any(agree(each, other) for each in claimed)]
    return [each for each in missing if not any(_is_within(each, other) for other in free)]


def _is_within(claimed: Quantity, given: Quantity) -> bool:
    """Tell whether a number is within what "about", "over" or "under" allow."""
    # "Over 50" and "over 60" are two statements, not one and its evidence.
    if given.hedge or not _are_comparable(claimed, given):
        return False
    if claimed.hedge == "about":
        half = max(claimed.precise, _TOLERANCE * abs(claimed.value)) / 2
        return abs(given.value - claimed.value) <= half
    if claimed.hedge == "over":
        return claimed.value <= given.value <= claimed.value * _BOUND
    return claimed.hedge == "under" and claimed.value / _BOUND <= given.value <= claimed.value


def _are_comparable(claimed: Quantity, given: Quantity) -> bool:
    # "5 %" is more than "5 points" say, of which a benchmark may have any number.
    if claimed.kind == "percent" and given.counted[:1] == ("point",) and not given.kind:
        return False
    return claimed.kind == given.kind or _is_bare(claimed) or _is_bare(given)


def _is_rounded(claimed: Quantity, given: Quantity) -> bool:
    """Tell whether the claim gives the evidence's number with fewer digits, as 52 % for 52.3 %."""
    half = claimed.precise / 2
    return given.precise < claimed.precise and abs(claimed.value - given.value) <= half


def _is_bare(quantity: Quantity) -> bool:
    """Tell whether the text leaves open what the number counts, as in "an accuracy of 95"."""
    counted = quantity.counted[:1]
    return not quantity.kind and (not counted or counted[0] in STOPWORDS | {"point"})


def _is_share(percent: Quantity, number: Quantity) -> bool:
    """Tell whether these are one share in two notations: 50 % is a half."""
    return (
        percent.kind == "percent" and not number.kind and _close(percent.value, 100 * number.value)
    )


def _close(first: float, second: float) -> bool:
    return abs(first - second) <= 1e-9 * max(abs(first), abs(second))


def _from_digits(text: str, match: re.Match[str]) -> Quantity:
    digits = re.sub(r"[,\u00a0\u202f]", "", match["digits"])[:_LONGEST_DIGITS]
    scale = _SCALES[fold(match["scale"]).removesuffix("s") or "s"] if match["scale"] else 1.0
    value = float(digits) * scale
    decimals = len(digits.partition(".")[2])
    sign = -1.0 if match["minus"] and not text[: match.start()].rstrip()[-1:].isdigit() else 1.0
    mark = (match["unit"] or match["money"] or "").strip().lower()
    return _measured(text, Span(*match.span()), sign * value, mark, 10.0**-decimals * scale)


def _from_words(text: str, match: re.Match[str]) -> Quantity:
    total = 0.0
    current = 0.0
    parts = re.findall(r"[a-z]+", match.group().lower().removesuffix("fold"))
    for part in parts:
        if part == "and":
            continue
        value = _WORDS[part]
        if value >= 1000:
            total, current = (total + max(current, 1) * value), 0.0
        elif value == 100 or part == "dozen":
            current = max(current, 1) * value
        else:
            current += value
    mark = "times" if match["fold"] or parts[-1] in _FACTORS else ""
    return _measured(text, Span(*match.span()), total + current, mark, 0.0)


def _measured(text: str, span: Span, value: float, mark: str, precise: float) -> Quantity:
    rest = _FOLLOWING_WORDS.match(text, span.end, span.end + _FOLLOWING_REACH)
    following = rest.group().replace("-", " ").split() if rest else []
    unit = mark or (fold(following[0]) if following else "")
    kind, factor = _UNITS.get(unit, ("", 1.0))
    before = text[max(0, span.start - _HEDGE_REACH) : span.start]
    hedge = (
        "about" if _ABOUT.search(before)
        else "over" if _OVER.search(before)
        else "under" if _UNDER.search(before)
        else ""
    )  # fmt: skip
    counted = tuple(stem(fold(word)) for word in following)
    return Quantity(span, value * factor, kind, counted, hedge, precise * factor)
