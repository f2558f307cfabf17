"""arXiv ids are recognised in every usual form, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.sources import ArxivId, find_arxiv_id, parse_arxiv_id

NEW = ArxivId("2503.14476")
NEW_V2 = ArxivId("2503.14476", 2)

new_ids = st.builds(
    lambda year, month, number: f"{year:02}{month:02}.{number:05}",
    st.integers(15, 99),
    st.integers(1, 12),
    st.integers(0, 99_999),
)
old_ids = st.builds(
    lambda archive, year, month, number: f"{archive}/{year:02}{month:02}{number:03}",
    st.sampled_from(["hep-th", "math", "cond-mat", "cs", "quant-ph", "astro-ph"]),
    st.sampled_from([92, 99, 0, 3, 6]),
    st.integers(1, 12),
    st.integers(0, 999),
)
forms = st.sampled_from(
    [
        "{}",
        "arXiv:{}",
        "arxiv: {}",
        "https://arxiv.org/abs/{}",
        "http://www.arxiv.org/pdf/{}.pdf",
        "https://export.arxiv.org/pdf/{}?download=1#page=2",
        "https://doi.org/10.48550/arXiv.{}",
    ]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2503.14476", NEW),
        ("  2503.14476\n", NEW),
        ("2503.14476v2", NEW_V2),
        ("arXiv:2503.14476", NEW),
        ("ARXIV:2503.14476V2", NEW_V2),
        ("arxiv: 2503.14476v1", ArxivId("2503.14476", 1)),
        ("arXiv 2503.14476", NEW),
        ("[2503.14476]", NEW),
        ("arXiv:2503.14476 [cs.LG]", NEW),
        ("arXiv preprint arXiv:2503.14476", NEW),
        ("arXiv e-prints, arXiv:2503.14476", NEW),
        ("abs/2503.14476", NEW),
        ("https://arxiv.org/abs/2503.14476", NEW),
        ("http://arxiv.org/abs/2503.14476v2", NEW_V2),
        ("arxiv.org/abs/2503.14476", NEW),
        ("<https://arxiv.org/abs/2503.14476>", NEW),
        ("https://www.arxiv.org/pdf/2503.14476", NEW),
        ("https://arxiv.org/pdf/2503.14476v2.pdf", NEW_V2),
        ("https://arxiv.org/pdf/2503.14476.pdf#page=3", NEW),
        ("https://arxiv.org/html/2503.14476v2", NEW_V2),
        ("https://arxiv.org/abs/2503.14476?context=cs.LG", NEW),
        ("https://export.arxiv.org/abs/2503.14476", NEW),
        ("https://ar5iv.labs.arxiv.org/html/2503.14476", NEW),
        ("https://ar5iv.org/abs/2503.14476", NEW),
        ("https://www.alphaxiv.org/abs/2503.14476", NEW),
        ("https://www.alphaxiv.org/overview/2503.14476v2", NEW_V2),
        ("https://huggingface.co/papers/2503.14476", NEW),
        ("https://hf.co/papers/2503.14476", NEW),
        ("https://www.semanticscholar.org/arxiv/2503.14476", NEW),
        ("https://doi.org/10.48550/arXiv.2503.14476", NEW),
        ("https://arxiv.org/abs/arXiv%3A2503.14476", NEW),
        ("http://127.0.0.1:8000/pdf/2503.14476v2", NEW_V2),
        ("0704.0001", ArxivId("0704.0001")),
        ("hep-th/9901001", ArxivId("hep-th/9901001")),
        ("arXiv:hep-th/9901001v3", ArxivId("hep-th/9901001", 3)),
        ("math.GT/0309136v1", ArxivId("math/0309136", 1)),
        ("https://arxiv.org/pdf/cond-mat.str-el/0309136", ArxivId("cond-mat/0309136")),
        ("https://arxiv.org/abs/hep-th/9901001v2", ArxivId("hep-th/9901001", 2)),
    ],
)
def test_every_usual_form_is_an_id(text: str, expected: ArxivId) -> None:
    assert parse_arxiv_id(text) == expected
    assert find_arxiv_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2513.14476",  # no month 13
        "2500.14476",
        "2503.1447",  # since 2015 numbers have five digits
        "1412.12345",  # until then, four
        "0703.0001",  # this scheme began in April 2007
        "2503.144761",
        "12503.14476",
        "2503.14476v0",
        "2503.14476v2x",
        "2503.14476.5",
        "foo/9901001",
        "hep-th/9913001",
        "hep-th/9106001",  # before the first archive
        "hep-th/0704001",  # after the last
        "hep-th/0801001",
        "hep-th/99010012",
        "papers/arxiv/2503.14476.pdf",  # a path, not a link
        "digest.txt",
        "https://example.org/data/2503.14476",
        "https://arxiv.org/list/cs.LG/recent",
        "see arXiv:2503.14476 for more",
    ],
)
def test_nothing_else_is_an_id_as_a_whole(text: str) -> None:
    assert parse_arxiv_id(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see arXiv:2503.14476 for more", NEW),
        ("PDF at https://arxiv.org/pdf/2503.14476v2 (12 pages)", NEW_V2),
        ("files/arxiv_2503.14476v2.pdf", NEW_V2),
        ("arXiv2503.14476", NEW),
        ("arXiv:2513.14476, arXiv:2503.14476", NEW),
        ("it took 2503.14476 seconds", None),
        ("https://arxiv.org/abs/12503.144761", None),
        ("https://example.org/arxiv/3.2503.14476", None),
        ("https://doi.org/10.1145/2503.14476", None),
        ("https://example.org/2503.14476.pdf", None),
    ],
)
def test_an_id_inside_a_field_needs_a_context(text: str, expected: ArxivId | None) -> None:
    assert find_arxiv_id(text) == expected


@given(base=new_ids | old_ids, version=st.none() | st.integers(1, 999), form=forms)
def test_an_id_survives_every_form(base: str, version: int | None, form: str) -> None:
    text = form.format(base + (f"v{version}" if version else ""))

    assert parse_arxiv_id(text) == ArxivId(base, version)


@given(base=new_ids | old_ids, version=st.none() | st.integers(1, 999))
def test_the_links_of_an_id_lead_back_to_it(base: str, version: int | None) -> None:
    arxiv = ArxivId(base, version)

    assert parse_arxiv_id(arxiv.abs_url) == ArxivId(base)
    assert parse_arxiv_id(arxiv.pdf_url) == arxiv


@given(before=st.text("0123456789", min_size=1), base=new_ids, after=st.text("0123456789"))
def test_no_id_is_cut_from_a_longer_number(before: str, base: str, after: str) -> None:
    assert find_arxiv_id(f"https://arxiv.org/abs/{before}{base}{after}") is None
    assert parse_arxiv_id(f"{before}.{base}{after}") is None


@given(st.text())
def test_any_text_is_an_id_or_not(text: str) -> None:
    assert parse_arxiv_id(text) is None or find_arxiv_id(text) is not None


def test_an_endless_text_is_searched_in_no_time() -> None:
    assert find_arxiv_id("arxiv" * 1_000_000) is None
    assert parse_arxiv_id("arxiv" * 1_000_000) is None
