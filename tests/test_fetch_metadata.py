"""What arXiv knows of papers: asked in batches, read without trust."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import web
from assistant.errors import FetchError
from assistant.fetch import Fetcher, FetchLimits
from assistant.fetch.atom import read_feed
from web import Web

QUICK = FetchLimits(seconds=3.0, silent_seconds=0.5, backoff_seconds=0.01)


def _entry(arxiv_id: str, **fields: str) -> str:
    shown = {
        "title": "A\n  Title",
        "summary": " What we did. ",
        "published": "2025-03-18T17:59:59Z",
    } | fields
    elements = "".join(f"<{name}>{value}</{name}>" for name, value in shown.items())
    return (
        f"<entry><id>http://arxiv.org/abs/{arxiv_id}</id>{elements}"
        "<author><name>Ada Lovelace</name><arxiv:affiliation>London</arxiv:affiliation></author>"
        "<author><name>Émilie du Châtelet</name></author>"
        '<category term="cs.LG" scheme="x"/><category term="cs.CL"/></entry>'
    )


def _feed(*entries: str, before: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<feed xmlns="http://www.w3.org/2005/Atom"'
        ' xmlns:arxiv="http://arxiv.org/schemas/atom"><title>ArXiv Query</title><id>http://arxiv.org/api/x</id>'
        f"{''.join(entries)}</feed>"
    ).encode()


@pytest.fixture
def site() -> Iterator[Web]:
    with Web() as site:
        yield site


@pytest.fixture
def fetcher(site: Web, tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path, arxiv_url=site.url, contact=None, interval=0.0, limits=QUICK)


class TestAsking:
    def test_gives_what_arxiv_knows_by_the_id_as_given(self, site: Web, fetcher: Fetcher):
        site.on(
            "/api/query", web.answer(200, _feed(_entry("2503.14476v2"), _entry("math/0309136v1")))
        )

        found = fetcher.metadata(["2503.14476", "math/0309136v1", "2503.99999"])

        assert set(found) == {"2503.14476", "math/0309136v1"}
        paper = found["2503.14476"]
        assert paper.title == "A Title"
        assert paper.abstract == "What we did."
        assert paper.authors == ("Ada Lovelace", "Émilie du Châtelet")
        assert paper.year == 2025
        assert paper.categories == ("cs.LG", "cs.CL")
        assert paper.version == 2

    def test_goes_in_batches_of_100(self, site: Web, fetcher: Fetcher):
        site.on("/api/query", web.answer(200, _feed()))

        fetcher.metadata(f"2503.{number:05}" for number in range(150))

        queries = [parse_qs(urlsplit(request.path).query) for request in site.requests]
        assert [len(query["id_list"][0].split(",")) for query in queries] == [100, 50]
        assert [query["max_results"] for query in queries] == [["100"], ["50"]]

    def test_passes_over_what_is_no_id(self, site: Web, fetcher: Fetcher):
        assert fetcher.metadata(["", "pdf-0123456789ab", "2503.1&x=1", "10.1/abc"]) == {}
        assert not site.requests

    def test_tries_again_and_says_so_if_there_is_no_answer(self, site: Web, fetcher: Fetcher):
        site.on("/api/query", web.answer(503), web.answer(200, _feed(_entry("2503.14476v2"))))
        assert fetcher.metadata(["2503.14476"])

        site.on("/api/query", web.answer(503))
        with pytest.raises(FetchError, match="answers 503; gave up"):
            fetcher.metadata(["2503.14476"])

    def test_a_refusal_ends_the_run_for_pdfs_as_well(self, site: Web, fetcher: Fetcher):
        site.on("/api/query", web.answer(403))

        with pytest.raises(FetchError, match="answers 403"):
            fetcher.metadata(["2503.14476"])
        with pytest.raises(FetchError, match="answers 403"):
            fetcher.pdf("2503.14476")
        assert len(site.requests) == 1

    def test_more_than_can_be_is_not_read(self, site: Web, fetcher: Fetcher):
        site.on("/api/query", web.endless(web.head(200, {})))

        with pytest.raises(FetchError, match="more metadata than can be"):
            fetcher.metadata(["2503.14476"])


class TestFeeds:
    def test_entries_that_are_no_papers_are_left_out(self):
        error = (
            "<entry><id>http://arxiv.org/api/errors#incorrect_id</id><title>Error</title></entry>"
        )

        assert list(
            read_feed(_feed(error, _entry("2503.14476v2"), _entry("2503.1v1", title=" ")))
        ) == ["2503.14476"]

    def test_what_a_terminal_would_act_on_is_gone(self):
        feed = _feed(
            _entry("2503.14476v2", title="A &#x202E;Title&#xAD;", summary="&lt;b&gt; &amp;")
        )

        paper = read_feed(feed)["2503.14476"]
        assert paper.title == "A Title"
        assert paper.abstract == "<b> &"

    def test_a_missing_date_is_no_failure(self):
        assert read_feed(_feed(_entry("2503.14476v2", published="soon")))["2503.14476"].year is None

    @pytest.mark.parametrize(
        "doctype",
        [
            '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
        ],
    )
    def test_with_a_document_type_are_refused(self, doctype: str):
        with pytest.raises(FetchError, match="holds a document type"):
            read_feed(_feed(_entry("2503.14476v2"), before=doctype))

    def test_that_are_nested_without_end_are_refused(self):
        with pytest.raises(FetchError, match="nested too deeply"):
            read_feed(b"<a>" * 100_000)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>",
            b"{}",
            b"<feed>",
            _feed()[:-9],
            b'<?xml version="1.0" encoding="u7"?><a/>',
        ],
    )
    def test_that_are_no_xml_are_refused(self, content: bytes):
        with pytest.raises(FetchError, match="cannot be read"):
            read_feed(content)

    @given(title=st.text(), junk=st.binary(max_size=20), place=st.integers(0, 900))
    def test_damaged_anywhere_raise_nothing_else(self, title: str, junk: bytes, place: int):
        feed = _feed(_entry("2503.14476v2", title=title.replace("<", "").replace("&", "")))
        with suppress(FetchError):
            read_feed(feed[:place] + junk + feed[place + len(junk) :])
