"""Text from papers, models and readers made fit for a page: it shows, and does nothing else.

A page knows Markdown, and Streamlit adds formulas, colours, icons and emoji to it. Escaping takes care
of what is recognised while Markdown is parsed; links without brackets, icons and emoji are recognised in
the text that is left, so a word joiner, which nobody sees, breaks them.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from assistant.text import clean, one_line

_JOINER = "\u2060"
_SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~$:@&=^]")
_MARKER = re.compile(r"\[(\d{1,3})\]")
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\((https?://[^\s()<>\"']{1,500})\)")
_CODE = re.compile(r"`([\w ,.+\-/=%^()*]{1,200})`")
_TOKEN = re.compile(
    rf"(?P<escaped>\\[^\w\s])|(?P<code>{_CODE.pattern})|(?P<marker>{_MARKER.pattern})"
    rf"|(?P<link>{_LINK.pattern})|(?P<special>[\\`\[\]<>!$:&~@^])|(?P<www>www(?=\.))",
    re.IGNORECASE,
)
_INDENTED = re.compile(r"^(?:\t| {4,})+", re.MULTILINE)
_UNDERLINE = re.compile(r"^(\s*)([=-])(?=[=-]*\s*$)", re.MULTILINE)


def plain(text: str) -> str:
    """Return text for one line of Markdown or a label that shows exactly it."""
    line = one_line(text)
    return _break_links(_SPECIAL.sub(r"\\\g<0>", line))


def paragraphs(text: str) -> str:
    """Return text for Markdown that keeps its line breaks and shows exactly it."""
    lines = [plain(line) for line in clean(text).splitlines()]
    return "  \n".join(lines)


def short(text: str, *, most: int) -> str:
    """Return :func:`plain` text of ``most`` characters at most, an ellipsis included."""
    line = one_line(text)
    return plain(line if len(line) <= most else line[: most - 1].rstrip() + "…")


def answer(markdown: str, *, numbers: Collection[int] = (), urls: Collection[str] = ()) -> str:
    """Return an answer's Markdown with nothing in it that loads, links elsewhere or runs.

    Args:
        markdown: the answer, from our own draft or a model.
        numbers: of the citations; their markers become badges, other brackets stay brackets.
        urls: the only addresses that a link may lead to.
    """
    cleaned = _INDENTED.sub("", clean(markdown))

    def replace(found: re.Match[str]) -> str:
        if found["escaped"]:
            return _broken(found["escaped"], found)
        if found["code"]:
            return found["code"]
        if found["marker"]:
            number = int(found["marker"][1:-1])
            return f":blue-badge[{number}]" if number in numbers else f"\\[{number}\\]"
        if found["link"]:
            return _link(found["link"], urls)
        if found["www"]:
            return found["www"] + _JOINER
        return _broken("\\" + found["special"], found)

    return _UNDERLINE.sub(r"\1\\\2", _TOKEN.sub(replace, cleaned))


def mark(text: str, start: int, end: int) -> str:
    """Return :func:`paragraphs` text with ``[start:end]`` marked."""
    before, quote, after = text[:start], text[start:end], text[end:]
    marked = "  \n".join(
        f":yellow-background[{plain(line)}]" for line in clean(quote).splitlines() if line.strip()
    )
    lead = paragraphs(before) + (" " if before[-1:].isspace() else "")
    tail = (" " if after[:1].isspace() else "") + paragraphs(after).lstrip()
    return f"{lead}{marked}{tail}"


def web_address(url: str | None) -> str | None:
    """Return an address if it is one of a web page and nothing else."""
    if url is None or len(url) > 2000 or clean(url) != url or re.search(r"[\s<>\"'\\`]", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    good = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return url if good else None


def _link(found: str, urls: Collection[str]) -> str:
    match = _LINK.fullmatch(found)
    assert match is not None, "it was found by the same pattern"
    label, url = plain(match[1]), match[2]
    if url in urls and web_address(url):
        return f"[{label}]({url})"
    return label


def _broken(pair: str, found: re.Match[str]) -> str:
    """Keep an escaped character, broken where what follows could make a link or an icon of it."""
    follows = found.string[found.end() : found.end() + 1].strip()
    return pair + _JOINER if pair in {"\\:", "\\@"} and follows else pair


def _break_links(escaped: str) -> str:
    escaped = re.sub(r"\\:(?=\S)", rf"\\:{_JOINER}", escaped)
    escaped = escaped.replace("\\@", f"\\@{_JOINER}")
    return re.sub(r"(?i)www(?=\\\.)", rf"\g<0>{_JOINER}", escaped)
