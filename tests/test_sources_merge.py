"""Merging: one paper, however many records it came in."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.records import Paper, SourcedPaper, SourceFailure
from assistant.sources import content_key, merge, merge_papers
from assistant.sources.identity import content_id

URL = "https://arxiv.org/abs/2503.14476"


def arxiv(title: str = "DAPO", abstract: str = "", version: int | None = None) -> Paper:
    suffix = f"v{version}" if version else ""
    return Paper(
        id="2503.14476", title=title, abstract=abstract, version=version,
        url=URL, pdf_url=f"https://arxiv.org/pdf/2503.14476{suffix}",
    )  # fmt: skip


def batch(*papers: Paper) -> list[SourcedPaper | SourceFailure]:
    return merge_papers(
        SourcedPaper(paper=paper, location=f"digest.txt:{line}")
        for line, paper in enumerate(papers, start=1)
    )


def merged(*papers: Paper) -> list[Paper]:
    items = batch(*papers)
    assert [item for item in items if isinstance(item, SourceFailure)] == []
    return [item.paper for item in items if isinstance(item, SourcedPaper)]


def test_different_papers_stay_in_their_order() -> None:
    papers = [Paper(id=name, title=name) for name in "cab"]

    assert merged(*papers) == papers


def test_records_with_one_id_fill_each_other() -> None:
    first = Paper(id="x", title="T", abstract="A")
    second = Paper(id="x", title="t.", authors=("Ann Lee",), year=2024, abstract="Other")

    assert merged(first, second) == [
        Paper(id="x", title="T", abstract="A", authors=("Ann Lee",), year=2024)
    ]


def test_the_place_of_the_first_record_stays() -> None:
    [item] = batch(Paper(id="x", title="T"), Paper(id="x", title="T", abstract="A"))

    assert isinstance(item, SourcedPaper)
    assert item.location == "digest.txt:1"


def test_the_newer_version_wins_field_by_field_in_any_order() -> None:
    old = arxiv("Old title", "Old abstract", version=1).model_copy(update={"year": 2025})
    new = arxiv("New title", version=2)

    expected = arxiv("New title", "Old abstract", version=2).model_copy(update={"year": 2025})

    assert merged(old, new) == merged(new, old) == [expected]


@pytest.mark.parametrize(
    "placeholder", [arxiv("arXiv:2503.14476"), arxiv("arXiv:2503.14476", version=3)]
)
def test_a_placeholder_title_gives_way(placeholder: Paper) -> None:
    real = arxiv("DAPO", "A", version=1)

    for papers in permutations([placeholder, real]):
        [paper] = merged(*papers)
        assert (paper.title, paper.abstract) == ("DAPO", "A")


def test_one_pdf_under_two_names_keeps_the_first_name() -> None:
    first, second = (Paper(id="pdf-0123456789ab", title=title) for title in ("one", "two"))

    assert merged(first, second) == [first]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("φ-Decoding: Foresight", "Φ–decoding:  foresight"),
        ("DAPO: An Open-Source System", "DAPO"),
        ("What's “new”?", "whats new"),
    ],
)
def test_titles_that_differ_in_typography_or_subtitle_are_one(first: str, second: str) -> None:
    assert merged(arxiv(first), arxiv(second)) == [arxiv(first)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (arxiv("Paper A"), arxiv("Paper B")),
        (arxiv("Paper A", version=1), arxiv("Paper B", version=1)),
        (arxiv("Paper A"), arxiv("Paper B", version=2)),
        (Paper(id="7", title="Paper A"), Paper(id="7", title="Paper B")),
        (Paper(id="7", title="Intro to C++"), Paper(id="7", title="Intro to C#")),
    ],
)
def test_two_papers_with_one_id_are_a_mistake_of_the_second(first: Paper, second: Paper) -> None:
    kept, failed = batch(first, second)

    assert kept == SourcedPaper(paper=first, location="digest.txt:1")
    assert isinstance(failed, SourceFailure)
    assert failed.source == "digest.txt:2"
    for named in (first.title, second.title, first.id, "digest.txt:1"):
        assert named in failed.error


def test_the_same_content_under_other_ids_is_one_paper() -> None:
    contents = {"title": "The Title", "abstract": "The “abstract” – here."}
    papers = [
        Paper(id="zzz", year=2024, **contents),
        arxiv(**contents),
        Paper(id="key", title="the title", abstract='The "abstract" - here.'),
        Paper(id=content_id(**contents), url="https://x.org/a", **contents),
    ]

    for order in permutations(papers):
        [paper] = merged(*order)
        assert (paper.id, paper.url, paper.year) == ("2503.14476", URL, 2024)
        assert sorted(paper.aliases) == sorted(["zzz", "key", content_id(**contents)])


def test_an_id_that_came_with_the_paper_is_better_than_a_hash() -> None:
    hashed = Paper(id=content_id("T", "A"), title="T", abstract="A")

    [paper] = merged(hashed, Paper(id="zzz", title="T", abstract="A"))

    assert paper.id == "zzz"


def test_titles_alone_do_not_make_papers_one() -> None:
    papers = [Paper(id="a", title="Introduction"), Paper(id="b", title="Introduction")]

    assert merged(*papers) == papers


def test_a_record_can_join_two_that_came_before() -> None:
    by_id, by_content = arxiv("Old", "Old", version=1), Paper(id="x", title="New", abstract="New")

    [paper] = merged(by_id, by_content, arxiv("New", "New", version=2))

    assert (paper.id, paper.title, paper.aliases) == ("2503.14476", "New", ("x",))


def test_an_alias_stands_for_its_paper() -> None:
    a, b = (Paper(id=name, title="T", abstract="A") for name in "ab")

    [paper] = merged(a, b, Paper(id="b", title="T", year=2024))

    assert (paper.id, paper.aliases, paper.year) == ("a", ("b",), 2024)


def test_failures_pass_through_in_their_place() -> None:
    failure = SourceFailure(source="digest.txt:5", error="no title")
    items = [SourcedPaper(paper=arxiv(), location="digest.txt:1"), failure]

    assert merge_papers([*items, items[0]]) == items


def test_a_later_record_updates_the_stored_paper() -> None:
    stored = Paper(id="x", title="Old", abstract="Old", year=2024, aliases=("y",))

    assert merge(stored, Paper(id="x", title="New", authors=("Ann Lee",))) == Paper(
        id="x", title="New", abstract="Old", year=2024, authors=("Ann Lee",), aliases=("y",)
    )


@pytest.mark.parametrize(
    ("stored", "new", "expected"),
    [
        (arxiv("T", version=2), arxiv("Older", version=1), arxiv("T", version=2)),
        (arxiv("T", version=1), arxiv("Newer", version=2), arxiv("Newer", version=2)),
        (arxiv("T", version=2), arxiv("Newer"), arxiv("Newer", version=2)),
        (arxiv("T"), arxiv("Newer", version=1), arxiv("Newer", version=1)),
        (arxiv("T", "A"), arxiv("arXiv:2503.14476", version=2), arxiv("T", "A", version=2)),
        (arxiv("arXiv:2503.14476"), arxiv("T", "A"), arxiv("T", "A")),
    ],
)
def test_versions_and_placeholders_against_the_stored_paper(
    stored: Paper, new: Paper, expected: Paper
) -> None:
    assert merge(stored, new) == expected


def test_a_stored_paper_takes_the_arxiv_id_of_the_same_content() -> None:
    stored = Paper(id="x", title="T", abstract="A", url="https://x.org/a")

    updated = merge(stored, arxiv("T", "A", version=2))

    assert updated == arxiv("T", "A", version=2).model_copy(update={"aliases": ("x",)})


def test_content_keys_ignore_case_white_space_and_typography() -> None:
    assert content_key("A “Title”", "One – two.") == content_key("a  'TITLE'", "one - two")
    assert content_key("Naïve φ", "") == content_key("NAIVE phi", "")
    assert content_key("A", "B") != content_key("AB", "")
    assert content_key("C++", "") != content_key("C#", "")
    assert content_key("?!", "") != content_key("!?", "")


papers = st.builds(
    Paper,
    id=st.sampled_from(["2503.14476", "2401.00001", "a", "b", "pdf-0123456789ab"]),
    title=st.sampled_from(["T", "t", "U", "arXiv:2503.14476"]),
    abstract=st.sampled_from(["", "A", "a.", "B"]),
    authors=st.sampled_from([(), ("Ann Lee",)]),
    year=st.none() | st.just(2024),
    version=st.none() | st.integers(1, 3),
    pdf_url=st.none() | st.just("https://x.org/a.pdf"),
)
one_title = papers.map(lambda paper: paper.model_copy(update={"title": "T", "abstract": "A"}))


@given(st.lists(papers, max_size=8))
def test_every_id_ends_in_one_place(given_papers: list[Paper]) -> None:
    items = batch(*given_papers)
    kept = [item.paper for item in items if isinstance(item, SourcedPaper)]

    ids = [name for paper in kept for name in (paper.id, *paper.aliases)]

    assert len(ids) == len(set(ids))
    assert set(ids) == {paper.id for paper in given_papers}


@given(st.lists(one_title, max_size=6), st.randoms())
def test_the_order_of_records_does_not_change_the_ids(given_papers: list[Paper], random) -> None:
    shuffled = random.sample(given_papers, len(given_papers))

    assert {paper.id for paper in merged(*given_papers)} == {
        paper.id for paper in merged(*shuffled)
    }


@given(st.lists(papers, max_size=8))
def test_merging_what_is_merged_changes_nothing(given_papers: list[Paper]) -> None:
    once = batch(*given_papers)

    assert merge_papers(once) == once


@given(papers, papers)
def test_a_second_merge_of_the_same_record_changes_nothing(old: Paper, new: Paper) -> None:
    once = merge(old, new.model_copy(update={"id": old.id}))

    assert merge(once, new.model_copy(update={"id": old.id})) == once
    assert merge(old, old) == old
