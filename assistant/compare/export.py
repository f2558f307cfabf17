"""A comparison as Markdown, CSV, LaTeX and JSON. Pure."""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import groupby

from assistant.answer.citations import escape_markdown, markers
from assistant.export import citation_keys, escape_formula, escape_latex
from assistant.names import short_title
from assistant.records import Cell, Citation, Comparison, Paper

_ASPECTS_PER_TABLE = 4
_WIDTH = 0.94
_PAPER_WIDTH = 0.13
_EDITED = "(edited)"

_GREEK = frozenset(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau
    upsilon phi chi psi omega""".split()  # noqa: SIM905 - a word list reads best as prose
)
_LATIN_CAPITALS = {
    "alpha": "A", "beta": "B", "epsilon": "E", "zeta": "Z", "eta": "H", "iota": "I", "kappa": "K",
    "mu": "M", "nu": "N", "omicron": "O", "rho": "P", "tau": "T", "chi": "X",
}  # fmt: skip
_MATH = {
    "±": r"\pm", "×": r"\times", "÷": r"\div", "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    "≈": r"\approx", "∼": r"\sim", "≪": r"\ll", "≫": r"\gg", "∞": r"\infty", "→": r"\rightarrow",
    "←": r"\leftarrow", "↑": r"\uparrow", "↓": r"\downarrow", "⇒": r"\Rightarrow", "∈": r"\in",
    "∑": r"\sum", "∏": r"\prod", "√": r"\surd", "∂": r"\partial", "∇": r"\nabla", "−": "-",
    "ℓ": r"\ell", "∝": r"\propto", "≡": r"\equiv", "⊂": r"\subset", "∩": r"\cap",
    "∪": r"\cup", "∀": r"\forall", "∃": r"\exists", "⊕": r"\oplus", "⊗": r"\otimes", "µ": r"\mu",
    "ϵ": r"\epsilon", "ϕ": r"\phi", "ϑ": r"\vartheta", "ς": r"\varsigma", "†": r"\dagger", "‡": r"\ddagger",
}  # fmt: skip
# A bracket at the start of a row would be taken for an option of the line break before it.
_TEXT = {
    "–": "--", "—": "---", "‐": "-", "‑": "-", "‒": "--", "―": "---", "‘": "`", "’": "'", "‚": ",",
    "“": "``", "”": "''", "„": ",,", "«": "''", "»": "''", "…": r"\ldots{}", "•": r"\textbullet{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": "`",
    "[": "{[}", "]": "{]}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "đ": r"\dj{}", "§": r"\S{}", "¶": r"\P{}",
    "°": r"\textdegree{}",
    "£": r"\pounds{}", "©": r"\copyright{}", "€": "EUR", "¿": "?`", "¡": "!`", "™": "(TM)", "®": "(R)",
    "⚠": "(!)",
}  # fmt: skip
_ACCENTS = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=", "\u0306": r"\u",
    "\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r", "\u030b": r"\H", "\u030c": r"\v", "\u0323": r"\d",
    "\u0327": r"\c", "\u0328": r"\k", "\u0331": r"\b",
}  # fmt: skip
_DOCUMENT_HEAD = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage{array,booktabs,longtable}
\begin{document}
\sloppy\footnotesize
% Tables to copy need array, booktabs and longtable; the \cite keys are those of the BibTeX export.
"""


class TableFormat(StrEnum):
    """Formats of a comparison."""

    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"
    JSON = "json"


def render(comparison: Comparison, library: Sequence[Paper], table_format: TableFormat) -> str:
    """Write a comparison in ``table_format``, ending with a line break.

    Args:
        comparison: the table.
        library: all papers of the library, so that keys are those of its BibTeX export.
        table_format: the format.
    """
    papers = {paper.id: paper for paper in library}
    keys = citation_keys(library)
    match table_format:
        case TableFormat.MARKDOWN:
            return _markdown(comparison, papers)
        case TableFormat.CSV:
            return _csv(comparison, papers, keys)
        case TableFormat.LATEX:
            return _latex(comparison, papers, keys)
        case TableFormat.JSON:
            marked = tuple(
                cell.model_copy(update={"text": _text(cell)}) for cell in comparison.cells
            )
            document = comparison.model_copy(update={"cells": marked}).model_dump(mode="json")
            return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def rows(comparison: Comparison) -> dict[str, dict[str, Cell]]:
    """Return the cells by paper and aspect, in the table's order."""
    found: dict[str, dict[str, Cell]] = {paper_id: {} for paper_id in comparison.papers}
    for cell in comparison.cells:
        found[cell.paper_id][cell.aspect] = cell
    return found


def _markdown(comparison: Comparison, papers: Mapping[str, Paper]) -> str:
    lines = [
        _row(["paper", *map(_plain, comparison.aspects)]),
        _row(["---"] * (1 + len(comparison.aspects))),
    ]
    for paper_id, cells in rows(comparison).items():
        name = f"{_plain(short_title(papers[paper_id].title))} ({_plain(paper_id)})"
        lines.append(_row([name, *(_marked(cells[aspect]) for aspect in comparison.aspects)]))
    lines += ["", comparison.summary, ""]
    for place, cited in groupby(comparison.citations, key=_place):
        lines.append(f"- {markers([citation.number for citation in cited])} {place}")
    return "\n".join(lines) + "\n"


def _text(cell: Cell) -> str:
    """Return what a cell says; what a reader wrote is no statement of the paper, and marked so."""
    return f"{cell.text} {_EDITED}" if cell.edited else cell.text


def _marked(cell: Cell) -> str:
    cited = markers([citation.number for citation in cell.citations])
    return f"{_plain(_text(cell))} {cited}".rstrip()


def _place(citation: Citation) -> str:
    source = "abstract" if citation.source == "abstract" else "full text"
    page = f", p. {citation.page_first}" if citation.page_first is not None else ""
    return f"{_plain(citation.title)} ({_plain(citation.paper_id)}), {source}{page}"


def _plain(text: str) -> str:
    """Return text as one line of Markdown in which nothing is markup and no bar parts a cell."""
    return escape_markdown(" ".join(text.split()))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _csv(comparison: Comparison, papers: Mapping[str, Paper], keys: Mapping[str, str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(map(escape_formula, ["id", "key", "title", *comparison.aspects]))
    for paper_id, cells in rows(comparison).items():
        values = [paper_id, keys[paper_id], papers[paper_id].title]
        values += [_text(cells[aspect]) for aspect in comparison.aspects]
        writer.writerow([escape_formula(" ".join(value.split())) for value in values])
    return out.getvalue()


def _latex(comparison: Comparison, papers: Mapping[str, Paper], keys: Mapping[str, str]) -> str:
    """Write a document of tables with a few aspects each: more columns could not be read."""
    tables = [
        _latex_table(
            comparison, comparison.aspects[start : start + _ASPECTS_PER_TABLE], papers, keys
        )
        for start in range(0, len(comparison.aspects), _ASPECTS_PER_TABLE)
    ]
    used = "\n".join(f"%   {keys[paper_id]}" for paper_id in comparison.papers)
    return (
        _DOCUMENT_HEAD + "\n".join(tables) + f"% Keys cited:\n{used}\n"
        "% \\bibliographystyle{plain}\\bibliography{papers}\n\\end{document}\n"
    )


def _latex_table(
    comparison: Comparison,
    aspects: Sequence[str],
    papers: Mapping[str, Paper],
    keys: Mapping[str, str],
) -> str:
    width = f"{(_WIDTH - _PAPER_WIDTH) / len(aspects) - 0.02:.3f}"
    column = rf">{{\raggedright\arraybackslash}}p{{{width}\linewidth}}"
    first = rf">{{\raggedright\arraybackslash}}p{{{_PAPER_WIDTH}\linewidth}}"
    head = " & ".join(["Paper", *map(typeset, aspects)])
    lines = [rf"\begin{{longtable}}{{@{{}}{first}{column * len(aspects)}@{{}}}}"]
    lines += [r"\toprule", rf"{head} \\", r"\midrule", r"\endhead"]
    for paper_id, cells in rows(comparison).items():
        name = rf"{typeset(short_title(papers[paper_id].title))}~\cite{{{keys[paper_id]}}}"
        shown = [name, *(_cell(cells[aspect]) for aspect in aspects)]
        lines.append(" & ".join(shown) + r" \\ \addlinespace")
    return "\n".join([*lines, r"\bottomrule", r"\end{longtable}", ""])


def _cell(cell: Cell) -> str:
    written = typeset(_text(cell))
    return written if cell.found else rf"\emph{{{written}}}"


def typeset(text: str) -> str:
    """Write text for pdflatex: what its fonts lack is mapped to what they have, or left out."""
    return "".join(
        _character(char) for char in unicodedata.normalize("NFC", " ".join(text.split()))
    )


def _character(char: str) -> str:
    if char in _TEXT:
        return _TEXT[char]
    if char.isascii():
        # A break may follow what parts a long link; escape_latex would strip a lone space.
        escaped = escape_latex(char) or " "
        return rf"{escaped}\allowbreak{{}}" if char in "/_" else escaped
    if char in _MATH:
        return rf"\ensuremath{{{_MATH[char]}}}"
    return _greek(char) or _accented(char)


def _greek(char: str) -> str:
    """Write a Greek letter, without its accents; nothing if it is none."""
    # A name reads "GREEK SMALL LETTER PHI"; Unicode spells lambda without its b.
    script, case, _, name, *_ = [*unicodedata.name(char, "").lower().split(), *[""] * 4]
    letter = name.replace("lamda", "lambda")
    if script != "greek" or letter not in _GREEK:
        return ""
    if case == "capital":
        return _LATIN_CAPITALS.get(letter) or rf"\ensuremath{{\{letter.capitalize()}}}"
    return "o" if letter == "omicron" else rf"\ensuremath{{\{letter}}}"


def _accented(char: str) -> str:
    """Write a letter with its accent; a compatible plain form of anything else; or nothing."""
    base, *marks = list(unicodedata.normalize("NFKD", char))
    if len(marks) == 1 and marks[0] in _ACCENTS and base.isalpha() and base.isascii():
        return rf"{_ACCENTS[marks[0]]}{{{base}}}"
    return "".join(escape_latex(each) for each in (base, *marks) if each.isascii())
