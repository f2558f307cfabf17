"""What a model writes is harmless once sanitised, however it is cut into pieces."""

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.answer.sanitise import Sanitiser, Token
from assistant.keys import KEY, KeyMaker

PAPER = "https://arxiv.org/abs/2503.14476"
CODE = "https://github.com/volcengine/verl"
KEYS = ("k7f2m", "kbcd3")

_AUTOLINK = re.compile(
    r"(?:https?|ftp)://|www\.|[\w.+-]+@[\w-]+\.[a-z]{2,}|javascript:\w|data:\w+/",
    re.IGNORECASE,
)
_ACTIVE = {"link_open", "image", "html_inline", "html_block", "fence", "code_block"}
_MARKDOWN = MarkdownIt("commonmark", {"html": True})

BITS = (
    "[", "]", "(", ")", "!", "<", ">", "&", "\\", "`", "~~~", "\x1b[31m", "\x1b]8;;", "\u200b", "\n", " ",
    "#", "|", "http", "https://", "s://", "://", "//", "www", "www.", ".", "evil.example", "/a?q=1",
    "javascript:", "data:", "a@b.org", "【", "】", "（", "{", "}", "\\cite", "see ", "。",
    "[k7f2m]", "[1]", "[^1]:", "k7f2m", "[x](", "![x](", "<img src=",
    "<b>", "</b>", "<!--", "-->", "lt;", "&lt;", "&#91;", "&#x3c;", "&amp;", "word", "Größe", "論文", "α",
    "\\alpha ", "**", "_", ":", PAPER, CODE,
)  # fmt: skip


def read(pieces: Sequence[str]) -> list[Token]:
    sanitiser = Sanitiser(keys=KEYS, links=[PAPER], mentions=f"Code: {CODE} or www.evil.example/a")
    tokens = [token for piece in pieces for token in sanitiser.feed(piece)]
    return [*tokens, *sanitiser.finish()]


def shown(text: str) -> str:
    return "".join(token.text for token in read([text]))


def keys(text: str) -> list[str]:
    return [key for token in read([text]) for key in token.keys]


def active(markdown: str) -> list[str]:
    """Name what a page would act on: Markdown's links and HTML, and what would become a link by itself."""
    blocks = _MARKDOWN.parse(markdown.replace(PAPER, ""))
    inline = [child for block in blocks for child in block.children or ()]
    found = [each.type for each in (*blocks, *inline) if each.type in _ACTIVE]
    words = "\n".join(each.content for each in inline if each.type == "text")
    return found + _AUTOLINK.findall(words)


class TestRemoves:
    @pytest.mark.parametrize(
        ("written", "left"),
        [
            ("see ![chart](https://evil.example/x.png) here", "see  here"),
            ("see [this](https://evil.example) here", "see this here"),
            ("see [this](javascript:alert(1)) here", "see this here"),
            ("see https://evil.example/?q=1 here", "see  here"),
            ("see <https://evil.example> here", "see  here"),
            ("see www.evil.example. Then", "see . Then"),
            ("mail eve@evil.example now", "mail  now"),
            ('a <img src="https://evil.example"> b', "a  b"),
            ("a <script>b</script> c", "a b c"),
            ("a <!-- b --> c", "a  c"),
            ("a &lt;b> c", "a  c"),
            ("red \x1b[31mtext\x1b[0m here", "red text here"),
            ("a \x1b]8;;https://evil.example\x1b\\b\x1b]8;;\x1b\\ c", "a b c"),
            ("in\u200bvis\u202eible", "invisible"),
            ("run ```rm``` now", "run rm now"),
            ("evil.example/steal?data=secret now", " now"),
        ],
    )
    def test_what_a_page_or_terminal_would_act_on(self, written: str, left: str) -> None:
        assert shown(written) == left

    @pytest.mark.parametrize(
        "marker", ["[1]", "[ 2 ]", "[1, 2]", "[1-3]", "[^1]", "[1][2]", "[42]"]
    )
    def test_numbers_in_brackets(self, marker: str) -> None:
        assert shown(f"so it is {marker}.") == "so it is ."

    @pytest.mark.parametrize(
        "written",
        [
            "&lt;img src=x&gt;",
            "&#33;&#91;x&#93;(http://e.org)",
            "&amp;lt;img src=https://evil.example&amp;gt;",
            "https:<b></b>//evil.example",
            f"{PAPER}<b></b>.evil.example",
            "htt[k9999]ps://evil.example",
            "www\x1b[0m.evil.example",
            "ww[w](x).evil.example",
            "https:\\//evil.example",
            "eve`@`evil.example",
            "\\https://evil.example",
            "[a](b [c](https://evil.example))",
            "[![a](https://evil.example/1)](https://evil.example/2)",
            "[a](<https://evil.example/ x>)",
            "[a]\n\n[a]: https://evil.example",
            "\\\\[a](https://evil.example)",
            "\\http://x.org< [1]img src=x onerror=alert(1)>",
            "<img\nsrc=https://evil.example/x",
            "<a href='https://evil.example'",
            "[" * 50 + "a](https://evil.example)",
            f"{PAPER}?q=secret",
            f"[paper]({PAPER}?q=secret)",
        ],
    )
    def test_what_would_come_together_again(self, written: str) -> None:
        assert active(shown(written)) == []


class TestKeeps:
    @pytest.mark.parametrize(
        "written",
        [
            "The loss is 0.5 (p = 0.01), 3-4 times **better**; see e.g. [sic].",
            "- one\n- two\n\n1. three",
            "L = \\alpha x_1 + b",
            "AT&T and R&D & co",
            "mAP@0.5 and recall@10",
            "Training data: 5M pairs!",
            f"It is at {PAPER}.",
        ],
    )
    def test_prose(self, written: str) -> None:
        assert shown(written).replace("\\[", "[").replace("\\]", "]") == written

    @pytest.mark.parametrize(
        ("written", "left"),
        [("p < 0.05", "p \\< 0.05"), ("a -> b", "a -\\> b"), ("a | b", "a \\| b")],
    )
    def test_marks_that_mean_themselves_escaped(self, written: str, left: str) -> None:
        assert shown(written) == left

    def test_the_address_of_a_cited_paper(self) -> None:
        assert shown(f"see [DAPO]({PAPER}).") == f"see DAPO ({PAPER})."

    def test_an_address_that_a_passage_holds_as_words_alone(self) -> None:
        assert shown(f"Code is at {CODE}.") == "Code is at `github.com/volcengine/verl`."


class TestKeys:
    @pytest.mark.parametrize(
        ("written", "found"),
        [
            ("so [k7f2m].", ["k7f2m"]),
            ("so [k7f2m][kbcd3].", ["k7f2m", "kbcd3"]),
            ("so [k7f2m, kbcd3].", ["k7f2m", "kbcd3"]),
            ("so [ k7f2m and kbcd3 ].", ["k7f2m", "kbcd3"]),
            ("so [K7F2M].", ["k7f2m"]),
            ("so (k7f2m).", ["k7f2m"]),
            ("so (k7f2m, kbcd3).", ["k7f2m", "kbcd3"]),
            ("so \\[k7f2m\\].", ["k7f2m"]),
            ("so [k7f2m](https://evil.example).", ["k7f2m"]),
            ("so [kzzz2].", ["kzzz2"]),
            ("so k7f2m.", ["k7f2m"]),
            ("so k7f2md.", []),
            ("so (see also) [in 2024].", []),
            *((f"so {form}.", ["k7f2m"]) for form in (
                "<k7f2m>", "【k7f2m】", "［k7f2m］", "[[k7f2m]]", "**[k7f2m]**", "[**k7f2m**]", "{k7f2m}",
                "\\cite{k7f2m}", "(source: k7f2m)", "[Passage k7f2m]", "[k7f2m, p. 3]", "`[k7f2m]`",
            )),
            ("so [k7f2m/kbcd3].", ["k7f2m", "kbcd3"]),
            ("so \\citep[p. 3]{k7f2m,kbcd3}.", ["k7f2m", "kbcd3"]),
            ("so (kzzzz).", ["kzzzz"]),
        ],
    )  # fmt: skip
    def test_are_told_from_text(self, written: str, found: list[str]) -> None:
        assert keys(written) == found
        assert not found or shown(written) == "so ."

    @given(st.lists(st.text(), max_size=5), st.binary(max_size=8))
    def test_do_not_occur_in_the_texts_and_stay_the_same(
        self, texts: list[str], secret: bytes
    ) -> None:
        first = KeyMaker(texts, secret=secret or b"x")
        drawn = first.keys(8)
        assert len(set(drawn)) == 8
        assert all(KEY.fullmatch(key) for key in drawn)
        assert not [key for key in drawn if any(key in text for text in texts)]
        assert KeyMaker(texts, secret=secret or b"x").keys(8) == drawn

    def test_of_another_secret_are_others(self) -> None:
        assert KeyMaker(["a"], secret=b"1").keys(1) != KeyMaker(["a"], secret=b"2").keys(1)


class TestStreaming:
    def test_only_the_beginning_of_a_bracket_or_word_waits(self) -> None:
        sanitiser = Sanitiser()
        assert "".join(token.text for token in sanitiser.feed("It is so [k7")) == "It is so "
        assert "".join(token.text for token in sanitiser.feed("f2m] and")) == " "

    @pytest.mark.parametrize("text", ["www.k7f2m", "wwwwww.", "www."])
    def test_half_an_address_is_none(self, text: str) -> None:
        assert "www." not in shown(text)

    def test_a_comment_waits_for_its_end(self) -> None:
        assert _joined(read(["a <!--<", "-->b"])) == _joined(read(["a <!--<-->b"])) == ["a b"]

    @given(st.lists(st.sampled_from(BITS), max_size=25), st.data())
    def test_pieces_make_no_difference(self, bits: list[str], data: st.DataObject) -> None:
        text = "".join(bits)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert [*_joined(read(pieces))] == [*_joined(read([text]))]

    @given(st.lists(st.sampled_from(BITS), max_size=30))
    def test_nothing_active_gets_through(self, bits: list[str]) -> None:
        assert active(shown("".join(bits))) == []

    @given(st.text(max_size=300))
    def test_no_text_makes_it_fail(self, text: str) -> None:
        assert active(shown(text)) == []

    @pytest.mark.parametrize(
        "bit",
        ["[", "![", "<", "<!--", "&", "\\", "[a](", "[k7f2m", "\x1b]", "(", "https://", "a.b", "a&b"],
    )  # fmt: skip
    def test_a_long_text_takes_no_long_time(self, bit: str) -> None:
        text = bit * (20_000 // len(bit))
        began = time.process_time()
        left = shown(text)
        assert time.process_time() - began < 8
        assert active(left) == []

    @pytest.mark.parametrize("inside", [1_900, 2_100, 5_000])
    def test_a_long_comment_is_read_alike_in_one_piece_and_in_many(self, inside: int) -> None:
        text = f"Before. <!-- {'The gain is 50. ' * (inside // 16)}--> After. <!--> x -->."
        many = [text[start : start + 7] for start in range(0, len(text), 7)]
        assert [*_joined(read([text]))] == [*_joined(read(many))]
        assert ("gain" in shown(text)) == (inside > 2_000)

    def test_a_long_reply_is_read_as_fast_in_one_piece(self) -> None:
        text = "It reaches 50 points, a gain of 3.2 over (the) best one before. " * 1_000
        began = time.process_time()
        assert shown(text) == text.rstrip() + " "
        assert time.process_time() - began < 20


def _joined(tokens: Sequence[Token]) -> list[object]:
    """Join neighbouring texts; keep keys apart."""
    found: list[object] = []
    for token in tokens:
        if not token.text:
            found += [token.keys] if token.keys else []
        elif found and isinstance(found[-1], str):
            found[-1] += token.text
        else:
            found.append(token.text)
    return found
