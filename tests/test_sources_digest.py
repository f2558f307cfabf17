"""The digest format: records of Title, PDF and Summary, parted by --- lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.records import Paper, SourcedPaper, SourceFailure
from assistant.sources.digest import read_digest
from assistant.sources.latex import plain_text
from assistant.text import one_line

SHARED = Path(__file__).parents[1].parent / "shared"

RECORD = """\
Title: DAPO: An Open-Source System
PDF: https://arxiv.org/pdf/2503.14476
Summary: We release it.
---
"""


def read(content: str | bytes) -> list[SourcedPaper | SourceFailure]:
    data = content if isinstance(content, bytes) else content.encode()
    return list(read_digest([data], Path("digest.txt")))


def papers(content: str | bytes) -> list[Paper]:
    items = read(content)
    assert [item for item in items if isinstance(item, SourceFailure)] == []
    return [item.paper for item in items if isinstance(item, SourcedPaper)]


def outcomes(content: str | bytes) -> list[str]:
    """Titles of the papers read, and places of the failures, in order."""
    return [
        item.paper.title if isinstance(item, SourcedPaper) else item.source
        for item in read(content)
    ]


def only_failure(content: str | bytes) -> SourceFailure:
    [failure] = [item for item in read(content) if isinstance(item, SourceFailure)]
    return failure


def test_a_record_becomes_a_paper_with_its_place() -> None:
    [item] = read(RECORD)

    assert item == SourcedPaper(
        paper=Paper(
            id="2503.14476",
            title="DAPO: An Open-Source System",
            abstract="We release it.",
            url="https://arxiv.org/abs/2503.14476",
            pdf_url="https://arxiv.org/pdf/2503.14476",
        ),
        location="digest.txt:1",
    )


def test_places_are_the_lines_on_which_records_begin() -> None:
    assert [getattr(item, "location", None) for item in read(RECORD + "\n\n" + RECORD)] == [
        "digest.txt:1",
        "digest.txt:7",
    ]


def test_a_field_continues_on_indented_lines() -> None:
    [paper] = papers("Title: Training Agents on\n  Collaborative\n\tTasks\nSummary: One\n  two.\n")

    assert paper.title == "Training Agents on Collaborative Tasks"
    assert paper.abstract == "One two."


def test_fields_come_in_any_order_and_case() -> None:
    [paper] = papers("SUMMARY: S\npdf: arxiv.org/abs/2503.14476v2\ntitle : T\n")

    assert (paper.title, paper.abstract, paper.id, paper.version) == ("T", "S", "2503.14476", 2)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_line_ends_and_byte_order_marks(line_end: str, encoding: str) -> None:
    content = (RECORD * 2).replace("DAPO", "φ-Decoding").replace("\n", line_end)

    read_papers = papers(content.encode(encoding))

    assert [paper.title for paper in read_papers] == ["φ-Decoding: An Open-Source System"] * 2


def test_line_ends_may_fall_on_the_edge_of_a_block() -> None:
    content = (RECORD * 2).replace("\n", "\r\n").encode()
    blocks = [content[i : i + 1] for i in range(len(content))]

    items = list(read_digest(blocks, Path("digest.txt")))

    assert [getattr(item, "location", None) for item in items] == ["digest.txt:1", "digest.txt:5"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_characters_may_fall_on_the_edge_of_a_block(encoding: str) -> None:
    content = "Title: φ-Decoding 🔬\n".encode(encoding)
    blocks = [content[:4], *(bytes([byte]) for byte in content[4:])]

    [item] = read_digest(blocks, Path("digest.txt"))

    assert isinstance(item, SourcedPaper)
    assert item.paper.title == "φ-Decoding 🔬"


def test_the_last_separator_may_be_missing_and_blank_lines_are_free() -> None:
    assert outcomes("\n---\n\nTitle: A\n\nSummary: a\n---\n---\n\nTitle: B") == ["A", "B"]


def test_latex_is_rendered() -> None:
    [paper] = papers("Title: 360{\\deg} Views\nSummary: 10.3\\% better at $4 and ~2%.\n")

    assert (paper.title, paper.abstract) == ("360° Views", "10.3% better at $4 and ~2%.")


def test_a_paper_elsewhere_gets_an_id_from_its_content() -> None:
    [paper] = papers("Title: A\nPDF: https://example.org/a.pdf\nSummary: B\n")
    [same] = papers("Title:  a\nSummary: “b”\n")

    assert paper.id == same.id
    assert paper.url == paper.pdf_url == "https://example.org/a.pdf"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "data:x", "none"])
def test_other_links_are_dropped_and_the_record_stays(link: str) -> None:
    [paper] = papers(f"Title: A\nPDF: {link}\n")

    assert (paper.url, paper.pdf_url) == (None, None)


def test_control_characters_never_get_in() -> None:
    [paper] = papers("Title: \x1b[31mRed\x1b[0m \x07bell\u202e\nSummary: a\x0cb\n")

    assert (paper.title, paper.abstract) == ("Red bell", "a b")


def test_a_title_is_enough() -> None:
    assert papers("Title: Only a title\n---\n")[0].abstract == ""


@pytest.mark.parametrize(
    ("record", "place", "reason"),
    [
        ("PDF: https://arxiv.org/pdf/2503.1\nSummary: S\n", 5, "no title"),
        ("Title:\nSummary: S\n", 5, "no title"),
        ("Title: A\nVenue: X\n", 6, '"Venue: X" is no field'),
        ("Title: A\nSummary: one\ntwo\n", 7, '"two" is no field'),
        ("  continues nothing\nTitle: A\n", 5, "no field"),
        ("Title: A\nTitle: B\n", 6, "a second Title:"),
        ("Title: A\nsummary: a\nSummary: b\n", 7, "a second Summary:"),
        (f"Title: {'x' * 3000}\n", 5, "over 2,000 characters"),
        (
            "Title: A\nSummary:" + ("\n  " + "x" * 1000) * 1001 + "\n",
            None,
            "over 1,000,000 characters",
        ),
    ],
)
def test_a_malformed_record_is_reported_and_the_good_ones_go_on(
    record: str, place: int | None, reason: str
) -> None:
    content = RECORD + record + "---\n" + RECORD

    failure = only_failure(content)

    assert place is None or failure.source == f"digest.txt:{place}"
    assert reason in failure.error
    assert outcomes(content)[0] == outcomes(content)[2] == "DAPO: An Open-Source System"


def test_bytes_that_are_not_utf8_cost_their_record_only() -> None:
    content = RECORD.encode() + "Title: Jérôme\n---\n".encode("latin-1") + RECORD.encode()

    failure = only_failure(content)

    assert failure.source == "digest.txt:5"
    assert "0xe9 at offset 8" in failure.error
    assert "UTF-8" in failure.error
    assert len(read(content)) == 3


def test_a_line_of_100_mb_costs_its_record_only() -> None:
    blocks = [b"Title: A\nSummary: ", *[b"x" * 1_000_000] * 100, b"\n---\n", RECORD.encode()]

    failure, paper = list(read_digest(blocks, Path("digest.txt")))

    assert isinstance(failure, SourceFailure)
    assert failure.source == "digest.txt:2"
    assert "longer than 10,000,000 bytes" in failure.error
    assert isinstance(paper, SourcedPaper)


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\\$`"),
    min_size=1,
    max_size=60,
).filter(lambda text: one_line(text) != "")


@given(records=st.lists(st.tuples(texts, texts, st.booleans()), min_size=1, max_size=5))
def test_what_is_written_in_the_format_is_read_back(records: list[tuple[str, str, bool]]) -> None:
    content = "---\n".join(
        f"Title: {title.replace(' ', chr(10) + '  ') if wrapped else title}\nSummary: {summary}\n"
        for title, summary, wrapped in records
    )

    read_back = [(paper.title, paper.abstract) for paper in papers(content)]

    assert read_back == [(one_line(title), one_line(summary)) for title, summary, _ in records]


@given(st.binary() | st.text("TitlePDFSummary:-\n\r \t\\$", max_size=80).map(str.encode))
def test_no_bytes_are_too_broken_to_read(content: bytes) -> None:
    for item in read(content):
        assert isinstance(item, SourcedPaper | SourceFailure)


def test_a_real_digest_is_read_to_the_last_record() -> None:
    digests = sorted((SHARED / "seeds").glob("*.txt"))
    if not digests:
        pytest.skip("the original digest is not beside the project")
    for digest in digests:
        content = digest.read_text("utf-8")
        joined = content.replace("\n  ", " ")
        titles = [line[7:] for line in joined.split("\n") if line.startswith("Title: ")]
        summaries = [line[9:] for line in joined.split("\n") if line.startswith("Summary: ")]

        read_papers = papers(content)

        assert [paper.title for paper in read_papers] == list(map(plain_text, titles))
        assert [paper.abstract for paper in read_papers] == [
            one_line(plain_text(summary)) for summary in summaries
        ]
        assert all(paper.pdf_url for paper in read_papers)
