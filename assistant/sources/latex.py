r"""LaTeX in titles and abstracts, rendered to plain text; what is not LaTeX is left as it stands.

A whole-text converter would take the ``%`` of "10% more" for a comment, the ``$`` of "$4 per test"
for mathematics and ``~2%`` for a tie. So only what can be nothing else is rendered: escapes such as
``\%``, accents, known commands, and ``$…$`` around something that looks like mathematics.
"""

import re
from collections.abc import Callable

from assistant.sources.latex_symbols import accented, symbol

_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_MAX_NESTING = 8
_GROUP = r"\{((?:[^{}\\]|\\[^\n])*)\}"  # braces without a group inside; escaped braces do not count
_COMMAND = r"(?<!\\)\\"
_STYLES = (
    "text(?:it|bf|tt|sc|rm|sf|sl|md|up|normal|superscript|subscript)?|emph|"
    "math(?:rm|bf|cal|bb|sf|it|frak|tt|scr)|boldsymbol|bm|mbox|hbox|operatorname|ensuremath|"
    "underline|overline|url"
)
_MARK = r"(?P<mark>[`'^~=.\"])"
_LETTER = r"(?:\\?(?P<dotless>[ij])|(?P<letter>[^\W\d_]))"


def plain_text(text: str) -> str:
    """Render the LaTeX in a text that is otherwise plain."""
    if "\\" not in text and "$" not in text and "``" not in text:
        return text
    return _applied(_TEXT_RULES, _unwrapped(_applied(_FIRST_RULES, text)))


def plain_bibtex(value: str) -> str:
    """Render a BibTeX value, where braces, ties and dashes are markup throughout."""
    if not _BIBTEX_MARKUP.search(value):
        return value
    text = _unwrapped(_applied(_FIRST_RULES, _TIE.sub(" ", value)))
    return _applied(_BIBTEX_RULES, text)


def _applied(rules: tuple[_Rule, ...], text: str) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _unwrapped(text: str) -> str:
    """Reduce commands to what they print, from the innermost out."""
    for _ in range(_MAX_NESTING):
        before = text
        text = _applied(_WRAPPERS, text)
        if text == before:
            break
    return text


def _accent(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return (
        accented(groups["dotless"] or groups["letter"], groups["mark"] or groups["name"])
        or match[0]
    )


def _symbol(match: re.Match[str]) -> str:
    found = symbol(match[1])
    if found is None:
        return match[0]
    before = match.string[: match.start()][-1:]
    # n\log n: a name takes the space that TeX would set.
    return f" {found}" if found.isascii() and found.isalpha() and before.isalnum() else found


def _math(match: re.Match[str]) -> str:
    content = next(group for group in match.groups() if group is not None)
    if not _is_math(content, before_digit=match.string[match.end() : match.end() + 1].isdigit()):
        return match[0]
    text = _applied(_AFTER_MATH, _unwrapped(_applied(_BEFORE_MATH, content)))
    for _ in range(_MAX_NESTING):
        before = text
        text = _SCRIPT.sub(_script, text)
        if text == before:
            break
    return _ESCAPE.sub(r"\1", _BRACE.sub("", text)).strip()


def _is_math(content: str, *, before_digit: bool) -> bool:
    if "\\" in content:
        return True
    if before_digit or _WORDS.search(content):  # amounts: $4-$5, "$4 for one run or 5$"
        return False
    return bool(_MATH_MARK.search(content)) or not _GAP.search(content)


def _script(match: re.Match[str]) -> str:
    mark, content = match[1], match[2].strip()
    return f"{mark}{content}" if _SIMPLE_SCRIPT.fullmatch(content) else f"{mark}({content})"


_MATH = re.compile(
    r"(?<![\\$])\$\$([^$]{1,500})\$\$"
    r"|(?<!\\)\\\(([^$]{1,500}?)\\\)"
    r"|(?<!\\)\\\[([^$]{1,500}?)\\\]"
    r"|(?<![\\$])\$(?![\s$])((?:[^$\\]|\\.){1,500})(?<!\s)\$"
)
_WORDS = re.compile(r"\b[A-Za-z]{2,} [A-Za-z]{2,}")
_MATH_MARK = re.compile(r"[\^_{}=<>]")
_GAP = re.compile(r"[^,+\-*/|:] (?![,+\-*/|:])")  # what n, 3.5, O(n) and a + b do not have
_SCRIPT = re.compile(r"([\^_])\{([^{}]*)\}")
_SIMPLE_SCRIPT = re.compile(r"[+\-−]?\w*|.")
_BIBTEX_MARKUP = re.compile(r"[\\{}$~]|--|``")
_TIE = re.compile(r"(?<=[^\s\\])~(?=\S)")
_BRACE = re.compile(r"(?<!\\)[{}]")
_ESCAPE = re.compile(r"(?<!\\)\\([%$&#_{}])")
_SPACE = re.compile(r"\\[,;: ]")
_QUOTES = re.compile(r"``([^`'\n]{1,500})''")

_SYMBOL = re.compile(_COMMAND + r"([A-Za-z]{2,})(?![A-Za-z])(?:\{\})?")
_SYMBOL_GROUP = re.compile(r"(?<!\\)\{\s?\\([A-Za-z]+)\s?\}")
_LETTER_SYMBOL = re.compile(_COMMAND + r"([oOlLijSP])(?:\{\}|(?![A-Za-z]) ?)")
_ENDED_LETTER_SYMBOL = re.compile(_COMMAND + r"([oOlLijSP])\{\}")

_BRACED_ACCENT = re.compile(
    r"(?<!\\)(?P<outer>\{)?\\"
    rf"(?:{_MARK}|(?P<name>[uvHcdbkr]|(?:wide)?(?:hat|tilde)|bar|d?dot|vec)\s?)"
    rf"\{{{_LETTER}(?:\{{\}})?\}}(?(outer)\}})"
)
_GROUPED_ACCENT = re.compile(
    rf"(?<!\\)\{{\\(?:{_MARK}|(?P<name>[uvHcdbkr])\s)\s?{_LETTER}(?:\{{\}})?\}}"
)
# Without braces an accent can also be an escaped quotation mark: it\'s, \"word\".
_BARE_ACCENT = re.compile(
    _COMMAND + r"(?!'(?:s|t|d|m|ll|re|ve)(?!\w))(?!(?<!\w.)(['\"])[^\\]{1,200}\\\1(?!\w))"
    rf"(?P<mark>[`'^~\"]){_LETTER}"
)

_FIRST_RULES: tuple[_Rule, ...] = (
    (_MATH, _math),
    (_BRACED_ACCENT, _accent),
    (_GROUPED_ACCENT, _accent),
    (_BARE_ACCENT, _accent),
    (_SYMBOL_GROUP, _symbol),
)
_WRAPPERS: tuple[_Rule, ...] = (
    (
        re.compile(
            r"[ ~]?(?<!\\)\\(?:cite[a-z]*|[aA]utoref|[cC]?ref|eqref|label)\*?"
            rf"(?:\[[^\[\]{{}}]{{0,200}}\]){{0,2}}{_GROUP}"
        ),
        "",
    ),
    (re.compile(_COMMAND + rf"(?:{_STYLES})\*?\s?{_GROUP}"), r"\1"),
    (re.compile(rf"(?<!\\)\{{\\(?:bf|it|em|tt|sc|rm|sf|sl)\b\s*{_GROUP[2:]}"), r"\1"),
    (re.compile(_COMMAND + rf"sqrt\s?{_GROUP}"), r"√(\1)"),
    (re.compile(_COMMAND + rf"[dt]?frac\s?{_GROUP}\s?{_GROUP}"), r"\1/\2"),
    (re.compile(_COMMAND + rf"(?:href|texorpdfstring)\s?{_GROUP}\s?{_GROUP}"), r"\2"),
)
_TEXT_RULES: tuple[_Rule, ...] = (
    (_SYMBOL, _symbol),
    (_ENDED_LETTER_SYMBOL, _symbol),
    (_QUOTES, r"“\1”"),
    (re.compile(r"(?<=\w)\\,(?=\w)"), " "),
    (_ESCAPE, r"\1"),
)
_BIBTEX_RULES: tuple[_Rule, ...] = (
    (_SPACE, " "),
    (_SYMBOL, _symbol),
    (_LETTER_SYMBOL, _symbol),
    (_QUOTES, r"“\1”"),
    (re.compile("---"), "—"),
    (re.compile("--"), "–"),
    (_BRACE, ""),
    (re.compile(r"\\\\"), " "),
    (_ESCAPE, r"\1"),
)
_BEFORE_MATH: tuple[_Rule, ...] = (
    (re.compile(r"\^\s?(?:\\circ(?![A-Za-z])|\{\s?\\circ\s?\})"), "°"),
    # In running text \deg is the degree sign, in mathematics the degree of something.
    (re.compile(r"\\deg(?![A-Za-z])"), "deg"),
    (re.compile(r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|(?:no)?limits)(?![A-Za-z])\.?"), ""),
    (_TIE, " "),
    (_SPACE, " "),
    (re.compile(r"\\!"), ""),
    (_BRACED_ACCENT, _accent),
    (_SYMBOL_GROUP, _symbol),
)
_AFTER_MATH: tuple[_Rule, ...] = ((_SYMBOL, _symbol), (_LETTER_SYMBOL, _symbol))
