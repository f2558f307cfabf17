"""The library's papers as BibTeX, CSV and JSON. Pure."""

import csv
import io
import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from assistant.text import fold, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.records import Paper

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_COLUMNS = ("id", "title", "authors", "year", "url", "pdf_url", "abstract")
# BibTeX counts braces even after a backslash, so one that has no partner must not be written as one.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
    "%": r"\%", "&": r"\&", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_LATEX_TABLE = str.maketrans(_LATEX)


class Format(StrEnum):
    """Formats of an export."""

    BIBTEX = "bibtex"
    CSV = "csv"
    JSON = "json"


def render(papers: "Iterable[Paper]", file_format: Format) -> str:
    """Write papers in ``file_format``, ending with a line break."""
    match file_format:
        case Format.BIBTEX:
            return _bibtex(papers)
        case Format.CSV:
            return _csv(papers)
        case Format.JSON:
            rows = [paper.model_dump(mode="json") for paper in papers]
            return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def citation_keys(papers: "Iterable[Paper]") -> dict[str, str]:
    """Give each paper id a BibTeX key, ``dapo2503.14476``-like: unique, ASCII, stable."""
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for paper in papers:
        name = re.sub(r"[^a-z0-9]", "", fold(next(iter(words(paper.title)), "paper"))) or "paper"
        place = re.sub(r"[^A-Za-z0-9.\-]", "", paper.id)
        key, count = f"{name}-{place}", 1
        while key in taken:
            count += 1
            key = f"{name}-{place}-{count}"
        taken.add(key)
        keys[paper.id] = key
    return keys


def escape_latex(text: str) -> str:
    """Escape what LaTeX would act on."""
    return " ".join(text.translate(_LATEX_TABLE).split())


def escape_formula(text: str) -> str:
    """Keep a spreadsheet from running a cell as a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _bibtex(papers: "Iterable[Paper]") -> str:
    listed = list(papers)
    keys = citation_keys(listed)
    return "".join(_entry(paper, keys[paper.id]) for paper in listed)


def _entry(paper: "Paper", key: str) -> str:
    fields = {
        "title": f"{{{escape_latex(paper.title)}}}",
        "author": escape_latex(" and ".join(paper.authors)),
        "year": str(paper.year or ""),
        "url": _url(paper.url or paper.pdf_url or ""),
        "abstract": escape_latex(paper.abstract),
    }
    if paper.url and "arxiv.org/" in paper.url:
        fields |= {"eprint": escape_latex(paper.id), "archiveprefix": "arXiv"}
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@misc{{{key},\n{''.join(lines)}}}\n\n"


def _url(url: str) -> str:
    return re.sub(r"[{}\\\s]", "", url)


def _csv(papers: "Iterable[Paper]") -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for paper in papers:
        values = paper.model_dump(include=set(_COLUMNS)) | {"authors": "; ".join(paper.authors)}
        writer.writerow([escape_formula(str(values[column] or "")) for column in _COLUMNS])
    return out.getvalue()
