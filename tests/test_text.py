"""Cleaning, folding, terms and sentences."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text import (
    clean,
    content_terms,
    fold,
    one_line,
    sentences,
    stem,
    terms,
    word_spans,
    words,
)

BIDIRECTIONAL = {
    "\u061c",
    "\u200e",
    "\u200f",
    *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
}
ZERO_WIDTH = {"\u00ad", "\u180e", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"}
HOSTILE = sorted(BIDIRECTIONAL | ZERO_WIDTH | set("\x00\x07\x1b\x9b\x7f\r\n\t[]0;m\\e\u0301\u0323"))

any_text = st.text(st.one_of(st.characters(), st.sampled_from(HOSTILE)), max_size=40)
prose = st.text(st.sampled_from("abZé3φ .!?\n\"')(,:/-"), max_size=80)


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


class TestClean:
    @given(any_text)
    def test_drops_control_characters_but_tabs_and_line_breaks(self, text: str) -> None:
        controls = {char for char in clean(text) if unicodedata.category(char) in {"Cc", "Cs"}}
        assert controls <= set("\t\n\r")

    @given(any_text)
    def test_drops_bidirectional_and_zero_width_characters(self, text: str) -> None:
        assert not (BIDIRECTIONAL | ZERO_WIDTH) & set(clean(text))

    @given(any_text)
    def test_is_idempotent(self, text: str) -> None:
        assert clean(clean(text)) == clean(text)

    @given(any_text)
    def test_gives_composed_text(self, text: str) -> None:
        assert unicodedata.is_normalized("NFC", clean(text))

    @pytest.mark.parametrize(
        ("hostile", "harmless"),
        [
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]0;new title\x07text", "text"),
            ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("a\u202eb\u202c", "ab"),
            ("zero\u200bwidth", "zerowidth"),
            ("e\u200b\u0301", "é"),
            ("line\nbreak\tand tab", "line\nbreak\tand tab"),
            ("φ-Decoding — 10 %", "φ-Decoding — 10 %"),
        ],
    )
    def test_examples(self, hostile: str, harmless: str) -> None:
        assert clean(hostile) == harmless


class TestOneLine:
    @given(any_text)
    def test_is_clean_and_has_single_spaces_only(self, text: str) -> None:
        line = one_line(text)
        assert line == " ".join(line.split()) == clean(line)

    @given(any_text, st.integers(1, 20))
    def test_is_no_longer_than_it_may_but_for_the_ellipsis(self, text: str, most: int) -> None:
        cut = one_line(text, most)
        assert len(cut.removesuffix("…")) <= most

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("two\n lines\tand  more ", "two lines and more"),
            ("a page\x0cthe next", "a page the next"),
            ("\x1b[31mred\x1b[0m\n", "red"),
            ("a \u200b b", "a b"),
        ],
    )
    def test_examples(self, text: str, line: str) -> None:
        assert one_line(text) == line

    @pytest.mark.parametrize(
        ("text", "cut"),
        [
            ("four", "four"),
            ("fives", "five…"),
            ("one two", "one…"),
            (f"{' ' * 99}four\n", "four"),
        ],
    )
    def test_is_cut_where_it_is_too_long(self, text: str, cut: str) -> None:
        assert one_line(text, 4) == cut


class TestFold:
    @given(any_text)
    def test_is_idempotent(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)

    @given(st.text(st.characters(categories=["Lu", "Ll"]), max_size=20))
    def test_ignores_case(self, text: str) -> None:
        assert fold(text.upper()) == fold(text.upper().lower())

    @pytest.mark.parametrize(
        ("written", "folded"),
        [
            ("φ-Décoding", "phi-decoding"),
            ("Straße", "strasse"),
            ("eﬃcient", "efficient"),
            ("𝛼", "alpha"),
            ("Ω", "omega"),
            ("ά", "alpha"),
            ("ℌ", "h"),
            ("DAPO", "dapo"),
        ],
    )
    def test_examples(self, written: str, folded: str) -> None:
        assert fold(written) == folded


class TestTerms:
    @given(st.text(st.sampled_from("abcXYZéüφ25 .-_'’+/(),"), max_size=60))
    def test_of_folded_text_are_those_of_the_text(self, text: str) -> None:
        assert terms(fold(text)) == terms(text)

    @given(any_text)
    def test_never_hold_white_space_which_parts_them_in_the_index(self, text: str) -> None:
        assert all(term and not re.search(r"\s", term) for term in terms(text))

    @pytest.mark.parametrize("written", ["SWEET-RL", "sweet-rl", "Sweet_RL"])
    def test_of_a_compound_are_its_parts_and_the_whole(self, written: str) -> None:
        assert terms(written) == ["sweet", "rl", "sweetrl"]

    def test_of_a_name_written_as_one_word_meet_the_compound(self) -> None:
        assert set(terms("SWEETRL")) <= set(terms("SWEET-RL"))

    def test_of_forms_of_a_word_are_the_same(self) -> None:
        assert len({stem(word) for word in ("generate", "generated", "generating")}) == 1

    def test_keep_versions_together(self) -> None:
        assert words("Qwen2.5-32B beats GPT-4o at O(log N)") == [
            "Qwen2.5-32B", "beats", "GPT-4o", "at", "O", "log", "N",
        ]  # fmt: skip

    def test_content_terms_are_without_stop_words_and_each_once(self) -> None:
        assert content_terms("What is the model and which models does it model?") == ["model"]

    @given(any_text)
    def test_word_spans_are_the_words(self, text: str) -> None:
        assert [text[start:end] for start, end in word_spans(text)] == words(text)


class TestSentences:
    @given(prose)
    def test_are_in_order_and_do_not_overlap(self, text: str) -> None:
        bounds = [bound for span in sentences(text) for bound in span]
        assert bounds == sorted(bounds)

    @given(prose)
    def test_hold_every_character_but_white_space(self, text: str) -> None:
        assert "".join("".join(split(text)).split()) == "".join(text.split())

    @given(prose)
    def test_begin_and_end_with_text(self, text: str) -> None:
        assert all(sentence and sentence == sentence.strip() for sentence in split(text))

    @given(
        st.lists(
            st.one_of(
                st.decimals(0, 1000, places=2).map(str),
                st.sampled_from(
                    ["e.g.", "i.e.", "et al.", "vs.", "Fig. 3", "Eq. 12", "10.3%", "Qwen2.5-32B",
                     "v1.2", "GPT-4.1", "J. Smith", "J.K. Lee", "https://github.com/Foo/Bar.Baz",
                     "www.a-b.io",
                     "arXiv:2503.14476", "U.S.", "3.5", "approx. 7", "w.r.t. them", "model"]
                ),
            ),
            max_size=6,
        )
    )  # fmt: skip
    def test_are_not_ended_by_numbers_abbreviations_and_links(self, pieces: list[str]) -> None:
        text = " ".join(["We use", *pieces, "here."])
        assert split(text) == [text]

    @pytest.mark.parametrize(
        "expected",
        [
            ["It reaches 3.5.", "That is best."],
            ["Is it good?", "Yes!", "We show it."],
            ["He wrote “it works.”", "We agree."],
            ["See https://x.org/a.", "Code follows."],
            ["We use RL.", "β-VAE follows."],
            ["We use RL.", "φ-Decoding follows."],
            ["We use RL.", "Über-models follow."],
            ["We use RL.", "3 models follow."],
            ["We use RL.", "(See below.)"],
        ],
        ids=lambda expected: expected[-1],
    )
    def test_end_at_their_marks(self, expected: list[str]) -> None:
        assert split(" ".join(expected)) == expected

    def test_end_where_the_blank_was_forgotten(self) -> None:
        assert split("It is fast.We show it.") == ["It is fast.", "We show it."]

    def test_end_with_a_paragraph(self) -> None:
        assert split("A heading\n\nSee https://x.org/a\n\nNext") == [
            "A heading", "See https://x.org/a", "Next",
        ]  # fmt: skip

    def test_are_not_ended_by_two_blanks_before_a_small_letter(self) -> None:
        assert split("The tool make.  is old.") == ["The tool make.  is old."]

    def test_are_not_ended_inside_a_link(self) -> None:
        text = "See https://github.com/Foo/Bar.Baz for code."
        assert split(text) == [text]

    def test_of_blank_text_are_none(self) -> None:
        assert split(" \n\n ") == []
