"""Abstracts and full texts into chunks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.chunk import MAX_TOKENS, chunk_abstract, chunk_document, embedding_text, rename
from assistant.records import Block, Chunk, Document, Line, Paper
from assistant.text import sentences

sentence = st.integers(1, 130).map(lambda length: "Word" + " word" * (length - 1) + ".")
abstracts = st.lists(sentence, min_size=1, max_size=12).map(" ".join)
papers = st.builds(
    Paper,
    id=st.just("2503.14476"),
    title=st.integers(1, 260).map(lambda length: " ".join(["Title"] * length)),
    abstract=abstracts,
)


def count_words(text: str) -> int:
    return len(text.split())


def cut(paper: Paper) -> tuple[Chunk, ...]:
    return chunk_abstract(paper, count_tokens=count_words)


@given(papers)
def test_a_chunk_is_the_abstract_at_its_place_to_the_letter(paper: Paper) -> None:
    assert all(chunk.text == paper.abstract[chunk.start : chunk.end] for chunk in cut(paper))


def budget_of(paper: Paper) -> int:
    """Words that a chunk of an abstract has room for; a long title leaves it eighty."""
    return max(80, MAX_TOKENS - count_words(paper.title))


@given(papers)
def test_every_sentence_that_fits_is_whole_in_some_chunk(paper: Paper) -> None:
    spans = [(chunk.start, chunk.end) for chunk in cut(paper)]
    assert all(
        any(start <= span.start and span.end <= end for start, end in spans)
        for span in sentences(paper.abstract)
        if count_words(paper.abstract[span.start : span.end]) <= budget_of(paper)
    )


@given(papers)
def test_chunks_begin_and_end_with_sentences_or_in_one_that_does_not_fit(paper: Paper) -> None:
    text = paper.abstract
    found = sentences(text)
    long = [s for s in found if count_words(text[s.start : s.end]) > budget_of(paper)]
    for chunk in cut(paper):
        assert chunk.start in {s.start for s in found} or any(
            s.start < chunk.start < s.end for s in long
        )
        assert chunk.end in {s.end for s in found} or any(s.start < chunk.end < s.end for s in long)


@given(papers)
def test_every_word_of_an_abstract_is_in_some_chunk(paper: Paper) -> None:
    held = {place for chunk in cut(paper) for place in range(chunk.start, chunk.end)}
    assert all(place in held for place, char in enumerate(paper.abstract) if not char.isspace())


@given(papers)
def test_a_chunk_fits_the_embedder(paper: Paper) -> None:
    assert all(count_words(chunk.text) <= budget_of(paper) for chunk in cut(paper))


@pytest.mark.parametrize(
    "words",
    ["实验表明该方法优于以往的所有方法，" * 40 + "句号。", "x" * 700, "a,b" * 300, "字、" * 400],
)
def test_what_has_no_blanks_is_cut_all_the_same(words: str) -> None:
    paper = Paper(id="x", title="Title", abstract=words)
    found = chunk_abstract(paper, count_tokens=len)
    assert all(len(chunk.text) <= MAX_TOKENS for chunk in found)
    assert "".join(chunk.text for chunk in found) == words


@given(papers)
def test_chunks_are_in_order_and_none_lies_in_another(paper: Paper) -> None:
    found = cut(paper)
    assert all(
        first.start < second.start and first.end < second.end for first, second in pairwise(found)
    )


@given(papers)
def test_ids_are_unique_and_stable(paper: Paper) -> None:
    ids = [chunk.id for chunk in cut(paper)]
    assert len(set(ids)) == len(ids)
    assert ids == [chunk.id for chunk in cut(paper)]


def test_an_id_changes_with_the_title() -> None:
    first = Paper(id="x", title="One", abstract="The same text.")
    second = Paper(id="x", title="Two", abstract="The same text.")
    assert cut(first)[0].id != cut(second)[0].id


def test_a_chunk_begins_with_the_last_sentence_of_the_one_before() -> None:
    texts = [f"{name}{' word' * 99}." for name in ("One", "Two", "Three")]
    first, second = cut(Paper(id="x", title="Title", abstract=" ".join(texts)))
    assert (first.text, second.text) == (" ".join(texts[:2]), " ".join(texts[1:]))


def test_a_short_abstract_is_one_chunk() -> None:
    paper = Paper(id="x", title="Title", abstract="One. Two.")
    assert [chunk.text for chunk in cut(paper)] == ["One. Two."]


def test_a_paper_without_an_abstract_is_one_chunk_of_its_title() -> None:
    assert [chunk.text for chunk in cut(Paper(id="x", title="On trees"))] == ["On trees"]


def test_a_blank_abstract_is_none() -> None:
    assert [chunk.text for chunk in cut(Paper(id="x", title="On trees", abstract=" \n"))] == [
        "On trees"
    ]


def test_a_chunk_is_embedded_under_its_title() -> None:
    paper = Paper(id="x", title="On trees", abstract="Oaks and elms.")
    assert embedding_text(paper, cut(paper)[0]) == "On trees. Oaks and elms."


def test_a_chunk_of_the_title_is_embedded_once() -> None:
    paper = Paper(id="x", title="On trees")
    assert embedding_text(paper, cut(paper)[0]) == "On trees"


# Full texts


def blocks_of(*parts: tuple[str, str, tuple[str, ...]]) -> Document:
    """Make a document of ``(kind, text, section)``, each block a line on a page of its own."""
    text, blocks, lines = "", [], []
    for page, (kind, piece, section) in enumerate(parts, 1):
        text += "\n\n" if text else ""
        start, end = len(text), len(text) + len(piece)
        blocks.append(Block(kind=kind, start=start, end=end, section=section))
        lines.append(
            Line(page=page, start=start, end=end, y0=100, y1=110, words=((0, 50.0, 500.0),))
        )
        text += piece
    return Document(text=text, blocks=blocks, lines=lines, pages=((612, 792),) * len(parts))


PAPER = Paper(id="p", title="A title", abstract="Own words of ours.")

kinds = st.sampled_from(["text", "text", "text", "heading", "caption", "table", "reference"])
sections = st.sampled_from([("1 One",), ("1 One", "1.1 Deeper"), ("2 Two",)])
pieces = st.lists(sentence, min_size=1, max_size=4).map(" ".join)
documents = st.lists(st.tuples(kinds, pieces, sections), min_size=1, max_size=10).map(
    lambda parts: blocks_of(*parts)
)


def cut_document(document: Document, paper: Paper = PAPER) -> tuple[Chunk, ...]:
    return chunk_document(paper, document, count_tokens=count_words)


@given(documents)
def test_a_chunk_is_the_document_at_its_place_to_the_letter(document: Document) -> None:
    assert all(
        chunk.text == document.text[chunk.start : chunk.end] for chunk in cut_document(document)
    )


@given(documents)
def test_chunks_hold_all_but_headings_and_references_and_nothing_else(document: Document) -> None:
    held = {place for chunk in cut_document(document) for place in range(chunk.start, chunk.end)}
    wanted = {
        place
        for block in document.blocks
        if block.kind not in {"heading", "reference"}
        for place in range(block.start, block.end)
    }
    words = {place for place in wanted if not document.text[place].isspace()}
    assert words <= held
    assert {place for place in held - wanted if not document.text[place].isspace()} == set()


@given(documents)
def test_a_chunk_overlaps_the_one_before_by_a_sentence_at_most(document: Document) -> None:
    for before, after in pairwise(cut_document(document)):
        assert before.start < after.start
        assert before.end < after.end
        shared = document.text[after.start : before.end]
        assert len(sentences(shared)) <= 1


@given(documents)
def test_every_chunk_of_a_full_text_fits_the_embedder(document: Document) -> None:
    for chunk in cut_document(document):
        assert count_words(embedding_text(PAPER, chunk)) <= MAX_TOKENS + 3


@given(documents)
def test_a_chunk_knows_its_section_and_pages(document: Document) -> None:
    for chunk in cut_document(document):
        inside = [b for b in document.blocks if b.start < chunk.end and chunk.start < b.end]
        assert {" › ".join(block.section) for block in inside} == {chunk.section}
        pages = [
            line.page
            for line in document.lines
            if line.start < chunk.end and chunk.start < line.end
        ]
        assert (chunk.page_first, chunk.page_last) == (min(pages), max(pages))
        assert [line.page for line in chunk.lines] == pages


def on_one_page(*heights: float, of: Document) -> Document:
    """Put the blocks of a document on its first page, each ten points high."""
    lines = [
        line.model_copy(update={"page": 1, "y0": height, "y1": height + 10})
        for line, height in zip(of.lines, heights, strict=True)
    ]
    return of.model_copy(update={"lines": tuple(lines)})


TABLES = blocks_of(
    ("text", "Before it.", ()),
    ("table", "Model\tScore\nOurs\t50", ()),
    ("caption", "Table 1: Scores.", ()),
    ("table", "Model\tSpeed\nOurs\t9", ()),
    ("caption", "Figure 1: A plot.", ()),
    ("text", "After it.", ()),
)


@pytest.mark.parametrize(
    ("heights", "first", "second"),
    [
        ((700, 650, 635, 500, 480, 400), "Model\tScore\nOurs\t50\n\nTable 1: Scores.", None),
        ((700, 650, 515, 500, 480, 400), None, "Table 1: Scores.\n\nModel\tSpeed\nOurs\t9"),
    ],
)
def test_a_table_stays_with_the_caption_nearest_to_it_and_apart_from_the_rest(
    heights: tuple[float, ...], first: str | None, second: str | None
) -> None:
    texts = [chunk.text for chunk in cut_document(on_one_page(*heights, of=TABLES))]

    assert texts == [
        "Before it.",
        first or "Model\tScore\nOurs\t50",
        second or "Model\tSpeed\nOurs\t9",
        "Figure 1: A plot.",
        "After it.",
    ]


def test_the_rest_of_a_long_table_is_embedded_with_its_caption_and_head() -> None:
    rows = "\n".join(f"Model{number}\t{'word ' * 30}" for number in range(20))
    document = blocks_of(("caption", "Table 4: Long.", ()), ("table", f"Model\tScore\n{rows}", ()))

    first, *others = cut_document(on_one_page(700, 685, of=document))

    assert first.context is None
    assert others
    for chunk in others:
        assert chunk.context == "Table 4: Long. Model\tScore"
        assert embedding_text(PAPER, chunk) == f"A title. {chunk.context}. {chunk.text}"


def test_an_abstract_the_paper_has_already_is_not_indexed_twice() -> None:
    document = blocks_of(
        ("text", "We train models on long texts.", ("Abstract",)),
        ("text", "The body.", ("1 Body",)),
    ).model_copy(update={"abstract": (0, 30)})
    known = PAPER.model_copy(update={"abstract": "We train models on long texts."})

    assert [chunk.text for chunk in cut_document(document, known)] == ["The body."]
    assert len(cut_document(document, PAPER)) == 2


def test_front_matter_is_left_out_but_its_captions_and_sentences_are_not() -> None:
    document = blocks_of(
        ("text", "On trees and their leaves", ()),
        ("text", "Ada Lovelace, University of London", ()),
        ("caption", "Figure 1: Oaks grow to 40 metres.", ()),
        ("text", "The working group met in Lisbon and agreed.", ()),
        ("text", "工作组在里斯本开会并且同意了这个预算。", ()),
        ("heading", "1 Introduction", ("1 Introduction",)),
        ("text", "The body.", ("1 Introduction",)),
    ).model_copy(update={"title": "On trees and their leaves"})

    assert [chunk.text for chunk in cut_document(document)] == [
        "Figure 1: Oaks grow to 40 metres.",
        "The working group met in Lisbon and agreed.\n\n工作组在里斯本开会并且同意了这个预算。",
        "The body.",
    ]


def test_the_section_is_embedded_with_a_chunk_but_is_no_part_of_its_text() -> None:
    [chunk] = cut_document(blocks_of(("text", "The body.", ("1 Body", "1.1 Part"))))

    assert chunk.text == "The body."
    assert embedding_text(PAPER, chunk) == "A title. 1 Body › 1.1 Part. The body."


def test_a_renamed_paper_gives_its_chunks_other_ids() -> None:
    [chunk] = cut_document(blocks_of(("text", "The body.", ())))

    assert rename(PAPER, chunk) == chunk
    other = rename(PAPER.model_copy(update={"title": "Another"}), chunk)
    assert other.id != chunk.id
    assert other.text == chunk.text
