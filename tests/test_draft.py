"""The sentences chosen become Markdown with citations."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.citations import cite, escape_markdown, markers, unescape_markdown
from assistant.answer.draft import Draft, draft
from assistant.answer.evidence import Sentence
from assistant.answer.extract import Extract
from assistant.records import Box, Chunk, Line, Passage
from assistant.text import Span, sentences

NOTHING = np.zeros(1, np.float32)


def group(text: str, *, title: str = "DAPO", paper: str = "p") -> tuple[Sentence, ...]:
    """Make a paper whose sentences are all chosen."""
    chunk = Chunk(
        id=f"{paper}:c", paper_id=paper, source="abstract", text=text, start=0, end=len(text)
    )
    passage = Passage(rank=1, chunk=chunk, title=title, url=f"https://x.org/{paper}", score=0.7)
    return tuple(
        Sentence(passage, span, text[slice(*span)], NOTHING, 0.5, 0.5, NOTHING)
        for span in sentences(text)
    )


def drafted(*groups: tuple[Sentence, ...]) -> Draft:
    return draft(Extract(groups, None))


TWO = drafted(group("It is RL. It is open."), group("It is a library.", title="PyGDA", paper="q"))


def test_an_answer_is_a_paragraph_a_paper_with_its_title_first() -> None:
    assert TWO.text == (
        "**DAPO**: It is RL. [1] It is open. [2]\n\n**PyGDA**: It is a library. [3]"
    )


def test_what_answers_best_stands_by_itself_before_several_more() -> None:
    text = drafted(group("It is RL. It is open. It is fast.")).text
    assert text == "**DAPO**: It is RL. [1]\n\nIt is open. [2] It is fast. [3]"


def test_the_head_of_a_table_stands_with_its_rows() -> None:
    text = drafted(group("Model\tScore\nDAPO\t50\nGRPO\t47")).text
    assert unescape_markdown(text) == "**DAPO**: Model | Score [1] DAPO | 50 [2] GRPO | 47 [3]"


def test_citations_are_numbered_in_the_order_of_the_text() -> None:
    assert [citation.number for citation in TWO.citations] == [1, 2, 3]
    assert re.findall(r"\[(\d)\]", TWO.text) == ["1", "2", "3"]


def test_each_claim_is_a_sentence_with_its_citation() -> None:
    assert [(claim.text, claim.citations) for claim in TWO.claims] == [
        ("It is RL.", (1,)), ("It is open.", (2,)), ("It is a library.", (3,)),
    ]  # fmt: skip


def test_claims_are_still_to_be_checked() -> None:
    assert {claim.verdict for claim in TWO.claims} == {"unchecked"}


def test_the_pieces_are_the_text() -> None:
    assert [piece.citation.number for piece in TWO.pieces if piece.citation] == [1, 2, 3]
    assert TWO.pieces[1].text == " It is open. [2]"


def test_quotes_are_verbatim_where_the_answer_is_escaped() -> None:
    written = drafted(group("Uses *stars* and <b>tags</b>."))
    assert written.citations[0].quote == "Uses *stars* and <b>tags</b>."
    assert r"Uses \*stars\* and \<b\>tags\</b\>. [1]" in written.text


@pytest.mark.parametrize("title", ["[x](javascript:y)", "![x](y)", "<img src=x>", "a **b**"])
def test_a_title_cannot_become_markup(title: str) -> None:
    lead = drafted(group("It is RL.", title=title)).text.removeprefix("**").partition("**: ")[0]
    assert not re.search(r"(?<!\\)[*\[\]<>`]", lead)


def test_a_refusal_says_so_and_why() -> None:
    written = draft(Extract((), "No paper mentions “X”."))
    assert written.text == "The papers don't say. No paper mentions “X”."
    assert (written.citations, written.claims) == ((), ())


def test_a_reason_is_escaped_too() -> None:
    assert r"\[x\](y)" in draft(Extract((), "No paper mentions “[x](y)”.")).text


class TestCite:
    def test_quotes_the_span_and_carries_its_place(self) -> None:
        chunk = Chunk(
            id="c", paper_id="p", source="pdf", text="One. Two.", start=10, end=19, section="Intro",
            page_first=2, page_last=3, lines=(
                Line(page=2, start=10, end=14, y0=90, y1=99, words=((0, 50, 80),)),
                Line(page=3, start=15, end=19, y0=80, y1=89, words=((0, 50, 80),)),
            ),
        )  # fmt: skip
        passage = Passage(rank=1, chunk=chunk, title="T", url=None, score=0.7)
        citation = cite(passage, Span(5, 9), number=4)
        assert citation.quote == "Two."
        assert citation.model_dump(include={"number", "source", "section", "page_first", "page_last"}) == {
            "number": 4, "source": "pdf", "section": "Intro", "page_first": 3, "page_last": 3,
        }  # fmt: skip
        assert citation.boxes == (Box(page=3, x0=50, y0=80, x1=80, y1=89),)

    def test_markers_are_bracketed_numbers(self) -> None:
        assert markers([1, 3]) == "[1][3]"


class TestEscape:
    @given(st.text(st.sampled_from("\\`*[]<>#|ab _"), max_size=20))
    def test_can_be_undone(self, text: str) -> None:
        assert unescape_markdown(escape_markdown(text)) == text

    @given(st.text(st.sampled_from("\\`*[]<>#|ab _"), max_size=20))
    def test_leaves_no_marker_that_is_not_escaped(self, text: str) -> None:
        unescaped = re.sub(r"\\[\\`*\[\]<>#|]", "", escape_markdown(text))
        assert not re.search(r"[\\`*\[\]<>#|]", unescaped)
