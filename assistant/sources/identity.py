"""What makes two records one paper: ids, and content that is the same."""

import hashlib
import unicodedata

from assistant.records import Paper
from assistant.text import fold

SHORT_HASH = 12  # hex digits; among 50,000 papers two share them with a chance of 1 in 200,000
FILE_ID_PREFIX = "pdf-"

_KEPT_PUNCTUATION = "#%&@"


def content_key(title: str, abstract: str) -> str:
    """Fingerprint a content, regardless of case, white space, dashes, quotation marks and accents.

    Returns 64 hex digits.
    """
    content = f"{title_key(title)}\n{title_key(abstract)}"
    return hashlib.sha256(content.encode()).hexdigest()


def title_key(text: str) -> str:
    """Reduce a text to what tells it from another: folded letters, digits and symbols."""
    folded = fold(text)
    return folded.translate(_TELLING) or " ".join(folded.split())


class _Telling(dict[int, int | None]):
    """For str.translate: keeps characters that tell texts apart, and remembers which."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        telling = unicodedata.category(char)[0] in "LNMS" or char in _KEPT_PUNCTUATION
        self[code] = code if telling and char != "`" else None
        return self[code]


_TELLING = _Telling()


def content_id(title: str, abstract: str) -> str:
    """Make the id of a paper that came without one."""
    return content_key(title, abstract)[:SHORT_HASH]


def file_id(digest: str) -> str:
    """Make the id of a paper that is known by its PDF's content, given the SHA-256 of that in hex."""
    return FILE_ID_PREFIX + digest[:SHORT_HASH]


def link_id(link: str) -> str:
    """Make the id of a paper that is known by its PDF's link alone, until that is fetched."""
    return file_id(hashlib.sha256(link.encode()).hexdigest())


def arxiv_title(base: str) -> str:
    """Stand in for a title that is not known yet."""
    return f"arXiv:{base}"


def has_placeholder_title(paper: Paper) -> bool:
    """Tell a title that only stands in: an arXiv id, or the name of a PDF."""
    from_file = paper.id.startswith(FILE_ID_PREFIX) and not paper.abstract and not paper.authors
    return from_file or paper.title == arxiv_title(paper.id)
