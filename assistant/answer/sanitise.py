"""What a model writes, made safe to render while it streams; the keys of passages in it are told apart.

Of Markdown, emphasis and lists stay. Images, HTML, links, addresses, code marks, escape sequences,
invisible characters and bracketed numbers go; brackets that are left are escaped. Nothing is let through
before it is certain to be harmless, so at most the beginning of a bracket, a tag or a word waits.
"""

import html
import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from assistant.answer.citations import escape_markdown
from assistant.keys import KEY
from assistant.text import clean

_LONGEST_WAIT = 2_000
_LONGEST_TAIL = 200
_AT_A_TIME = 500
"""Characters read at a time: what comes in one piece is read as what comes in many, and as fast."""

_REFERENCE = r"\^?(?:k[0-9a-z]{2,6}|\d{1,3})"
_MARKER_TEXT = rf"\s*{_REFERENCE}(?:(?:\s|[,;&–-]|and)*{_REFERENCE})*\s*"
_MARKER_LABEL = re.compile(_MARKER_TEXT, re.IGNORECASE)
_BESIDE_KEYS = (
    "passages?|sources?|keys?|refs?|references?|citations?|cite|cited|see|also|cf|from|in|and|or"
    "|pages?|pp?|sections?|sec|tables?|fig|figures?|eq|id|doc|und|et|y"
)
"""Words that a bracket with keys may hold as well."""
_BETWEEN_KEYS = r"[\s,;:&/|.–—^*_@#§\\-]"
_IN_MARKER = (
    rf"(?:{_BETWEEN_KEYS}|(?<![^\W_])(?:{_BESIDE_KEYS}|k[0-9a-z]{{2,6}}|\d{{1,4}})(?![^\W_]))"
)
_OPEN, _CLOSE = r"[\[［【〔]", r"\\?[\]］】〕]"
_MARK = rf"(?P<two>{_OPEN}(?={_OPEN}))?{_OPEN}(?P<in>{_IN_MARKER}{{1,60}}){_CLOSE}(?(two){_CLOSE})"
_MARK_BEGUN = rf"{_OPEN}{{1,2}}{_IN_MARKER}{{0,60}}\w{{0,10}}(?:{_CLOSE}){{0,2}}\\?"
_MARKER = re.compile(rf"{_MARK}(?!(?<=\])\()", re.IGNORECASE)
_MARKER_BEGUN = re.compile(rf"{_MARK_BEGUN}\Z", re.IGNORECASE)
_STRESSED = re.compile(rf"(?P<stress>\*{{1,3}}|_{{1,3}}){_MARK}(?P=stress)", re.IGNORECASE)
_STRESSED_BEGUN = re.compile(
    rf"(?:\*{{1,3}}|_{{1,3}})(?:{_MARK_BEGUN}[*_]{{0,3}})?\Z", re.IGNORECASE
)
_ROUND = re.compile(rf"[(（{{](?P<in>{_IN_MARKER}{{1,60}})[)）}}]", re.IGNORECASE)
_ROUND_BEGUN = re.compile(rf"[(（{{]{_IN_MARKER}{{0,60}}\w{{0,10}}\Z", re.IGNORECASE)
_CITE = re.compile(
    r"\\[a-z]{0,8}cite[a-z]{0,8}\*?(?:\[[^\[\]\n]{0,60}\]){0,2}\{(?P<in>[^{}\n]{0,120})\}",
    re.IGNORECASE,
)
_CITE_BEGUN = re.compile(
    r"\\(?:[a-z]{0,20}|[a-z]{0,8}cite[a-z]{0,8}\*?(?:\[[^\[\]\n]{0,60}\]?){0,2}(?:\{[^{}\n]{0,120})?)\Z",
    re.IGNORECASE,
)
_KEYED_TAG = re.compile(rf"<{_IN_MARKER}{{1,60}}>", re.IGNORECASE)
_LINK = re.compile(
    r"!?\[(?P<label>[^\[\]\n]{0,400})\]\((?P<to>(?:[^()\n]|\([^()\n]*\)){0,1500})\)?"
)
_LINK_BEGUN = re.compile(
    r"!\Z|!?\[[^\[\]\n]{0,400}(?:\](?:\((?:[^()\n]|\([^()\n]*\)?){0,1500})?)?\Z"
)
_COMMENT, _COMMENT_END = "<!--", "-->"
_TAG = re.compile(r"<[A-Za-z/!?][^<>]{0,2000}>")
_TAG_BEGUN = re.compile(r"<(?:[A-Za-z/!?][^<>]{0,300})?\Z")
_TAG_OPENING = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_BEGUN = re.compile(r"&#?[A-Za-z0-9]{0,32}\Z")
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\[\]])?")
_SEQUENCE_BEGUN = re.compile(r"\x1b(?:\[[ -?]{0,60}|\][^\x07\x1b]{0,500}(?:\x1b)?)?\Z")
_BACKSLASH = re.compile(r"\\(?:\\|[A-Za-z]{1,20}(?=[\s{}^_$()=,])|(?=[\[\]<>!&`]))?")
_BACKSLASH_BEGUN = re.compile(r"\\[A-Za-z]{0,20}\Z")
_CODE = re.compile(r"[`~]{2,}|`")
_CODE_BEGUN = re.compile(r"[`~]{1,60}\Z")
_WORD = re.compile(r"[^\s\[\]［］【】〔〕（<>&\\!`~\x1b]+")
_CJK_STOP = re.compile(r"[。！？｡]+")
_STRETCH = re.compile(r"[^\s\[\]<>`\x1b]*")
_SENTINEL = re.compile(r"NOT[ _-]IN[ _-]PAPERS", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{1,30}:/|www\.|javascript:|data:\w+/|//(?=\w))[^\s\[\]<>\"`\x1b]*"
    r"|(?<![\w.+%-])[\w.+%-]+@(?:[\w-]+\.)+[A-Za-z]{2,}"
    r"|(?<![\w-])(?<![\w-]\.)(?:[\w-]+\.)+(?:[A-Za-z]{2,}|\d{1,3})(?::\d+)?/[^\s\[\]<>\"`\x1b?]*\?[^\s\[\]<>\"`\x1b]*",
    re.IGNORECASE,
)
_ADDRESS_END = ".,;:!?)\"'*_”’"
_SCHEME = re.compile(r"^(?:[A-Za-z][\w+.-]*:)?/*(?:www\.)?", re.IGNORECASE)
_WITH_MORE_THAN_A_PLACE = re.compile(r"[?#@%;=&\\]")


class Token(NamedTuple):
    """A piece of the answer: Markdown and the plain text it shows, or the keys in a bracket.

    A bracket that held no key is a token of its own too, with nothing in it; so is what a ``heading``
    begins with, which is not shown.
    """

    text: str
    plain: str
    keys: tuple[str, ...] = ()
    heading: bool = False


class _Read(NamedTuple):
    """What was read: ``length`` characters, which gave ``token``, or text to read in their place."""

    length: int
    token: Token | None = None
    instead: str = ""


class _Rule(NamedTuple):
    """A construct: what it begins with, what may still become one, a whole one, and what to make of it.

    What it makes nothing of is left to the rules that follow.
    """

    starts: str
    begun: re.Pattern[str]
    whole: re.Pattern[str]
    read: Callable[[re.Match[str]], _Read | None]


class Sanitiser:
    """Makes pieces of a model's text into tokens. Feed it, then finish."""

    def __init__(
        self, *, keys: Collection[str] = (), links: Collection[str] = (), mentions: str = ""
    ) -> None:
        """Name what may stay.

        Args:
            keys: keys that are told from words even where they stand in no square brackets.
            links: addresses that stay as they are.
            mentions: text whose addresses stay as plain words.
        """
        self._loose_key = re.compile(rf"\(?(?<!\w)({'|'.join(keys) or '(?!)'})(?!\w)\)?[,;]?\)?")
        self._links = frozenset(links)
        self._mentions = {each.rstrip(_ADDRESS_END) for each in _ADDRESS.findall(mentions)}
        self._held = ""
        self._tail = ""  # what has been shown since the last white space
        self._rules = (
            _Rule("[［【〔", _MARKER_BEGUN, _MARKER, _read_marker),
            _Rule("*_", _STRESSED_BEGUN, _STRESSED, _read_keys),
            _Rule("(（{", _ROUND_BEGUN, _ROUND, _read_keys),
            _Rule("![", _LINK_BEGUN, _LINK, self._read_link),
            _Rule("<", _TAG_BEGUN, _KEYED_TAG, _read_keys),
            _Rule("<", _TAG_BEGUN, _TAG, _drop),
            _Rule("<", _TAG_BEGUN, _TAG_OPENING, _drop),
            _Rule("&", _ENTITY_BEGUN, _ENTITY, _read_entity),
            _Rule("\x1b", _SEQUENCE_BEGUN, _SEQUENCE, _drop),
            _Rule("\\", _CITE_BEGUN, _CITE, _read_keys),
            _Rule("\\", _BACKSLASH_BEGUN, _BACKSLASH, _read_backslash),
            _Rule("`~", _CODE_BEGUN, _CODE, _drop),
        )

    def feed(self, piece: str) -> Iterator[Token]:
        """Take the next piece and give what is certain by now."""
        for start in range(0, len(piece), _AT_A_TIME):
            part = piece[start : start + _AT_A_TIME]
            # Escape sequences may be cut in two; all else that is invisible goes at once.
            self._held += "\x1b".join(map(clean, part.split("\x1b")))
            yield from self._read(final=False)

    def finish(self) -> Iterator[Token]:
        """Give what was held back."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[Token]:
        while self._held:
            found = self._next(final=final or len(self._held) > _LONGEST_WAIT)
            if found is None:
                return
            self._held = found.instead + self._held[found.length :]
            if found.token is not None:
                yield self._shown(found.token)

    def _shown(self, token: Token) -> Token:
        """Note what is shown; part a parenthesis from a bracket, lest the two be taken for a link."""
        if token.plain.startswith("(") and self._tail.endswith("]"):
            token = token._replace(text=f" {token.text}", plain=f" {token.plain}")
        self._tail = (
            "" if token.plain[-1:].isspace() else (self._tail + token.plain)[-_LONGEST_TAIL:]
        )
        return token

    def _next(self, *, final: bool) -> _Read | None:
        """Read what stands first, or None if more of it has to come."""
        first = self._held[0]
        # Not a rule: patterns read far ahead at each beginning of a comment that has no end.
        if self._held.startswith(_COMMENT):
            end = self._held.find(_COMMENT_END, len(_COMMENT), _LONGEST_WAIT)
            if end >= 0:
                return _Read(end + len(_COMMENT_END))
            if not final:
                return None
        for rule in self._rules:
            if first in rule.starts:
                if not final and rule.begun.match(self._held):
                    return None
                match = rule.whole.match(self._held)
                read = rule.read(match) if match is not None else None
                if read is not None:
                    return read
        match = _WORD.match(self._held)
        if match is not None:
            return self._read_word(match.group(), final=final)
        shown = first if first == "\n" else " " if first.isspace() else first
        return _Read(1, Token(escape_markdown(shown), shown))

    def _read_link(self, match: re.Match[str]) -> _Read:
        """Keep a link to a cited paper; of another its words, of an image nothing."""
        label = match["label"]
        to = match["to"].strip().partition(" ")[0].strip("<>")
        if match.group().startswith("!"):
            return _Read(match.end())
        if _MARKER_LABEL.fullmatch(label):
            return _Read(match.end(), instead=f"[{label}]")
        if to in self._links and not _ADDRESS.search(label):
            shown = clean(label)
            return _Read(match.end(), Token(f"{escape_markdown(shown)} ({to})", f"{shown} ({to})"))
        return _Read(match.end(), instead=label)

    def _read_word(self, word: str, *, final: bool) -> _Read | None:
        stop = _CJK_STOP.search(word)
        if stop is not None and stop.end() < len(word):
            word = word[: stop.end()]
        if len(word) == len(self._held) and not final:
            return None
        # An address may go on where a word ends, but no further than this.
        stretch = _STRETCH.match(self._held)
        assert stretch is not None, "it matches nothing, too"
        held = stretch.group()
        key = self._loose_key.search(word)
        if key is not None:
            if not key.start():
                return _Read(key.end(), Token("", "", (key[1],)))
            word = held = word[: key.start()]
        if not self._tail and set(word) == {"#"}:
            return _Read(len(word), Token("", "", heading=True))
        found = _ADDRESS.search(held)
        words = word if found is None else word[: found.start()]
        if words:
            ends_one = not words.strip(_ADDRESS_END) and _ADDRESS.search(self._tail)
            if not ends_one and _ADDRESS.search(self._tail + words):
                # What stood between its halves was dropped: they must not become one now.
                return _Read(0, Token(" ", " "))
            return _show_word(words)
        assert found is not None, "a word without an address is shown whole"
        if found.end() == len(self._held) and not final:
            return None
        return self._read_address(found.group())

    def _read_address(self, found: str) -> _Read:
        """Keep the address of a cited paper, name one that the passages hold, drop any other."""
        address = found.rstrip(_ADDRESS_END)
        if address in self._links:
            return _Read(len(address), Token(address, address))
        if address in self._mentions and not _WITH_MORE_THAN_A_PLACE.search(address):
            bare = _SCHEME.sub("", address)
            return _Read(len(address), Token(f"`{bare}`", bare))
        return _Read(len(address if _ADDRESS.match(address) else found))


def _show_word(word: str) -> _Read:
    """Escape in a word what could make it a table or a heading; emphasis stays."""
    shown = _SENTINEL.sub("Not in the papers", word)
    return _Read(len(word), Token(shown.replace("|", "\\|").replace("#", "\\#"), shown))


def _drop(match: re.Match[str]) -> _Read:
    return _Read(match.end())


def _read_marker(match: re.Match[str]) -> _Read | None:
    """Read keys; numbers, and what looks like a key, are dropped."""
    if _MARKER_LABEL.fullmatch(match["in"]):
        return _Read(match.end(), Token("", "", tuple(KEY.findall(match["in"].lower()))))
    return _read_keys(match)


def _read_keys(match: re.Match[str]) -> _Read | None:
    """Read the keys in a bracket of any kind, if it holds any, known or not."""
    keys = tuple(KEY.findall(match.group().lower().replace("_", " ")))
    return _Read(match.end(), Token("", "", keys)) if keys else None


def _read_entity(match: re.Match[str]) -> _Read:
    """Read what an entity means in its place, as a browser would."""
    meant = clean(html.unescape(match.group()))
    if meant == match.group():
        return _Read(1, Token("&", "&"))
    return _Read(match.end(), instead=meant)


def _read_backslash(match: re.Match[str]) -> _Read:
    """Keep a command of LaTeX; drop one before what is escaped or removed anyway; escape any other."""
    found = match.group()
    if len(found) > 1:
        return _Read(match.end(), Token("\\\\" if found == "\\\\" else found, found))
    follows = match.string[1:2]
    if follows and follows in "[]<>!&`":
        return _Read(1)
    return _Read(1, Token("\\\\", "\\"))
