"""Links as they stand in records: only those to web pages are kept."""

import re
from urllib.parse import urlsplit

from assistant.text import clean

_MAX_LINK = 2_000
_WEB_LINK = re.compile(r"[\s<\"'(\[]*(https?://[^\s<>\"]+)", re.IGNORECASE)
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")


def web_link(text: str) -> str | None:
    """Keep the http(s) link that a field begins with; ``None`` without one (javascript:, file:)."""
    match = _WEB_LINK.match(clean(text)) if len(text) <= _MAX_LINK else None
    if match is None:
        return None
    link = match[1].rstrip(",;")
    try:
        return link if urlsplit(link).hostname else None
    except ValueError:  # such as a broken IPv6 address
        return None


def doi_link(text: str) -> str | None:
    """Link to a DOI, given bare or as a link."""
    match = _DOI.search(clean(text[:_MAX_LINK]))
    return f"https://doi.org/{match[0]}" if match else None
