"""Abstracts into chunks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.chunk import MAX_TOKENS, chunk_abstract, embedding_text
from assistant.records import Chunk, Paper
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


@given(papers)
def test_every_sentence_is_whole_in_some_chunk(paper: Paper) -> None:
    spans = [(chunk.start, chunk.end) for chunk in cut(paper)]
    assert all(
        any(start <= span.start and span.end <= end for start, end in spans)
        for span in sentences(paper.abstract)
    )


@given(papers)
def test_chunks_begin_and_end_with_sentences(paper: Paper) -> None:
    found = sentences(paper.abstract)
    assert {chunk.start for chunk in cut(paper)} <= {span.start for span in found}
    assert {chunk.end for chunk in cut(paper)} <= {span.end for span in found}


@given(papers)
def test_a_chunk_fits_the_embedder_unless_it_is_one_sentence(paper: Paper) -> None:
    budget = MAX_TOKENS - count_words(paper.title)
    assert all(
        count_words(chunk.text) <= budget or len(sentences(chunk.text)) == 1 for chunk in cut(paper)
    )


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
