"""LaTeX is rendered to plain text; plain text stays as it is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.sources.latex import plain_bibtex, plain_text

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"360{\deg} rotation", "360° rotation"),
        (r"a 10.3\% accuracy gain", "a 10.3% accuracy gain"),
        (r"$360^\circ$ and 90$^{\circ}$", "360° and 90°"),
        (r"$\alpha$ and $\phi$-Decoding", "α and ϕ-Decoding"),
        (r"$\deg(v)$", "deg(v)"),
        (r"2$\times$ faster, $\sim$2\%", "2× faster, ~2%"),
        (r"\textit{x} and {\bf y}", "x and y"),
        (r"\textbf{a \emph{b {\it c}} d}", "a b c d"),
        (r"Poincar\'e, na\"ive, \'Etude", "Poincaré, naïve, Étude"),
        (r"G{\"o}del, Erd\H{o}s, {\c c}, \v{s}, {\'{\i}}", "Gödel, Erdős, ç, š, í"),
        (r"{\o}re, stra{\ss}e, S\o{}ren", "øre, straße, Søren"),
        (r"R\&D costs \$5 \#1 a\_b \{x\}", "R&D costs $5 #1 a_b {x}"),
        (r"$10^{-3}$, $x^{a+b}$, $x_{ij}$, $\pi_\theta$", "10^-3, x^(a+b), x_ij, π_θ"),
        (r"$\mathcal{O}(n\log n)$", "O(n log n)"),
        (r"$\frac{1}{2}$ of $\sqrt{n}$", "1/2 of √(n)"),
        (r"$\{a, b\}$ in \(x\), \[y\] and $$E = mc^2$$", "{a, b} in x, y and E = mc^2"),
        (r"$n$, $k$-shot, $O(n)$, $a + b$", "n, k-shot, O(n), a + b"),
        (r"$\hat{x}$", "x̂"),
        (r"\href{https://x.org}{the page}, \url{https://x.org/a_b}", "the page, https://x.org/a_b"),
        (r"as shown~\cite{a, b} \cite[p. 3]{c}.", "as shown."),
        ("``aha'' moment", "“aha” moment"),
        (r"3\,ms", "3 ms"),
    ],
)
def test_latex_is_rendered(latex: str, plain: str) -> None:
    assert plain_text(latex) == plain


@pytest.mark.parametrize(
    "text",
    [
        "only a ~2% drop, 10% more & 5 #1 runs",
        "limited to TC^0, file_name_x, {a, b}",
        "just $4 per test",
        "from $4 to $5, US$37,000/QALY to $140,000/QALY and A$ 3",
        "$4 for one run or 5$ for two",
        "A$AP and K$ sha",
        "a -- b --- c",
        r"it\'s and don\'t and we\'re",
        r"the \"open\" kind",
        r"C:\new\data and \\server\share, \d+\w and example\.com",
        r"\unknown{x} stays",
        r"an open {\bf brace",
    ],
)
def test_plain_text_is_untouched(text: str) -> None:
    assert plain_text(text) == text


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (r"{DAPO}: An {\"O}pen $\alpha$ {S}ystem", "DAPO: An Öpen α System"),
        (r"M{\"u}ller--Lee~X \& \o re {\L}ukasz", "Müller–Lee X & øre Łukasz"),
        (r"{{\bf A} b} {\TeX}book", "A b TeXbook"),
        (r"a ~2\% drop of 10% costs $4", "a ~2% drop of 10% costs $4"),
        (r"one\\two --- three", "one two — three"),
    ],
)
def test_markup_of_bibtex_is_rendered(value: str, plain: str) -> None:
    assert plain_bibtex(value) == plain


@given(st.text(st.characters(exclude_characters="\\$`")))
def test_text_without_a_mark_of_latex_never_changes(text: str) -> None:
    assert plain_text(text) == text


@given(st.text("\\{}$^_'\"`~%[]() \nacfimoqrstuxH1", max_size=80))
def test_no_text_is_too_broken_to_render(text: str) -> None:
    plain_text(text)
    plain_bibtex(text)


@pytest.mark.parametrize(
    "piece",
    ["\\text{", "{\\it ", "\\frac{a}{", "$a", "\\cite[", "\\'a", "``a", "^{", "\\\\", "\\["],
)
def test_a_hostile_text_takes_linear_time(piece: str) -> None:
    # With quadratic time this would take minutes.
    plain_text(piece * 50_000)
    plain_bibtex(piece * 50_000)


def test_a_hostile_formula_takes_no_time() -> None:
    formula = "$" + "a,a" * 150 + "  b$"

    assert plain_text(formula) == formula


def test_of_a_real_digest_only_the_latex_changes() -> None:
    digests = sorted((SHARED / "seeds").glob("*.txt"))
    if not digests:
        pytest.skip("the original digest is not beside the project")
    lines = [line for path in digests for line in path.read_text("utf-8").splitlines()]

    changed = [line for line in lines if plain_text(line) != line]

    assert changed == [line for line in lines if "\\" in line]
    for line in changed:
        assert plain_text(line) == line.replace(r"{\deg}", "°").replace(r"\%", "%")


def test_of_real_abstracts_only_the_latex_changes() -> None:
    corpus = SHARED / "data" / "scifact-train" / "corpus.jsonl"
    if not corpus.exists():
        pytest.skip("the corpus is not beside the project")
    rows = [json.loads(line) for line in corpus.read_text("utf-8").split("\n") if line]

    changed = [row["abstract"] for row in rows if plain_text(row["abstract"]) != row["abstract"]]

    assert all("\\" in abstract for abstract in changed)
