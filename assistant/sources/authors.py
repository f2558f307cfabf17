"""Names of authors as people type them into one field."""

import re

_AND = re.compile(r" ?; ?|,? and |,? & ", re.IGNORECASE)


def split_authors(text: str) -> tuple[str, ...]:
    """Split "A and B", "A, B and C", "Last, First and Last, First" or "A; B" into names."""
    parts = [part for part in _AND.split(" ".join(text.split())) if part]
    last_first = ";" in text or (len(parts) > 1 and all(part.count(",") == 1 for part in parts))
    if last_first:
        return tuple(first_last(part) for part in parts)
    names = (name.strip() for part in parts for name in part.split(","))
    return tuple(filter(None, names))


def first_last(name: str) -> str:
    """Turn "Last, First" round; other names stay."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}".strip() if comma else name.strip()
