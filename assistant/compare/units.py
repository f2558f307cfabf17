"""Numbers and their units: what a model leaves out of a number, its source has."""

import re
from collections.abc import Sequence

from assistant.text import STOPWORDS
from assistant.verify.quantities import Quantity, quantities

_NEXT_WORD = re.compile(r"[\s-]?[^\W\d_]+")


def with_units(text: str, sources: Sequence[str]) -> str:
    """Write a text's bare numbers as its sources have them, where these agree on the unit.

    "Improves accuracy by 4.2" becomes "… by 4.2%" if the only 4.2 in the sources is one of per cent.
    """
    given = [(each, _written(each, source)) for source in sources for each in quantities(source)]
    for quantity in reversed(quantities(text)):
        number = text[quantity.span.start : quantity.span.end]
        same = [(each, written) for each, written in given if _number(written) == number]
        forms = {written for each, written in same if each.kind}
        if _is_bare(quantity) and len(forms) == 1 and all(each.kind for each, _ in same):
            text = f"{text[: quantity.span.start]}{forms.pop()}{text[quantity.span.end :]}"
    return text


def _is_bare(quantity: Quantity) -> bool:
    """Tell whether the text leaves open what the number measures or counts."""
    return not quantity.kind and (not quantity.counted or quantity.counted[0] in STOPWORDS)


def _written(quantity: Quantity, source: str) -> str:
    """Return a number as its source writes it, its unit included."""
    start, end = quantity.span
    if quantity.kind and _number(source[start:end]) == source[start:end]:
        unit = _NEXT_WORD.match(source, end)
        end = unit.end() if unit else end
    return source[start:end]


def _number(written: str) -> str:
    """Return the number alone: 4.2 for 4.2%."""
    found = re.search(r"\d[\d.,]*\d|\d", written)
    return found.group() if found else written
