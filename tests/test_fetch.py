"""Fetching PDFs: politely, resumably, and without trusting what comes."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

import web
from assistant import __version__
from assistant.errors import FetchError, StorageError
from assistant.fetch import Fetcher, FetchLimits
from web import PDF, Web

QUICK = FetchLimits(
    max_bytes=200_000,
    seconds=5.0,
    connect_seconds=1.0,
    silent_seconds=0.3,
    bytes_per_second=1_000.0,
    backoff_seconds=0.01,
    longest_pause=2.0,
)

MakeFetcher = Callable[..., Fetcher]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def site() -> Iterator[Web]:
    with Web() as site:
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pdfs"


@pytest.fixture
def fetcher(site: Web, folder: Path) -> Fetcher:
    """A fetcher for which the site is arXiv."""
    return Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.0, limits=QUICK)


def _files(folder: Path) -> list[str]:
    """The PDFs under their final names."""
    return [path.name for path in folder.glob("*.pdf")]


class TestFetching:
    def test_a_paper_by_its_arxiv_id(self, site: Web, fetcher: Fetcher, folder: Path):
        site.on("/pdf/2503.14476", web.pdf())

        fetched = fetcher.pdf("2503.14476")

        assert fetched.path.read_bytes() == PDF
        assert fetched.sha256 == hashlib.sha256(PDF).hexdigest()
        assert fetched.path == folder / f"{fetched.sha256}.pdf"
        assert fetched.etag == '"one"'
        assert datetime.now(UTC) - fetched.fetched < timedelta(minutes=1)

    @pytest.mark.parametrize(
        "link",
        [
            "https://arxiv.org/abs/2503.14476",
            "http://www.arxiv.org/pdf/2503.14476.pdf",
            "https://export.arxiv.org/pdf/2503.14476#page=3",
        ],
    )
    def test_links_to_arxiv_lead_to_its_mirror(self, site: Web, fetcher: Fetcher, link: str):
        site.on("/pdf/2503.14476", web.pdf())

        assert fetcher.pdf(link).path.read_bytes() == PDF

    def test_a_paper_by_its_old_id(self, site: Web, fetcher: Fetcher):
        site.on("/pdf/math/0309136v2", web.pdf())

        assert fetcher.pdf("math/0309136v2").version == 2

    def test_a_mirror_may_lie_in_a_folder(self, site: Web, folder: Path):
        site.on("/arxiv/pdf/2503.14476", web.pdf())
        fetcher = Fetcher(folder, arxiv_url=f"{site.url}/arxiv/", contact=None, interval=0.0)

        assert fetcher.pdf("2503.14476").path.read_bytes() == PDF

    def test_says_who_asks(self, site: Web, folder: Path):
        url = site.on("/a.pdf", web.pdf())
        contact = "me@example.org\r\nX-Evil: 1"
        fetcher = Fetcher(folder, arxiv_url=site.url, contact=contact, interval=0.0, limits=QUICK)

        fetcher.pdf(url)

        (request,) = site.requests
        agent = f"paper-assistant/{__version__} (me@example.org X-Evil: 1)"
        assert request.headers["user-agent"] == agent
        assert request.headers["accept-encoding"] == "identity"
        assert "x-evil" not in request.headers
        assert "cookie" not in request.headers

    def test_takes_no_cookies_along(self, site: Web, fetcher: Fetcher):
        site.on("/a.pdf", web.answer(302, headers={"Location": "/b.pdf", "Set-Cookie": "id=1"}))
        site.on("/b.pdf", web.pdf())

        fetcher.pdf(f"{site.url}/a.pdf")

        assert all("cookie" not in request.headers for request in site.requests)

    def test_the_version_is_read_from_where_arxiv_shows_it(self, site: Web, fetcher: Fetcher):
        named = web.pdf(headers={"Content-Disposition": 'inline; filename="2503.14476v4.pdf"'})
        site.on("/pdf/2503.14476", named)
        site.on("/pdf/2503.00001", web.redirect("/pdf/2503.00001v3"))
        site.on("/pdf/2503.00001v3", web.pdf())
        site.on("/pdf/2503.00002", web.pdf())

        assert fetcher.pdf("2503.14476").version == 4
        assert fetcher.pdf("2503.00001").version == 3
        assert fetcher.pdf("2503.00002").version is None

    def test_an_unfit_type_does_not_matter_if_the_content_is_a_pdf(
        self, site: Web, fetcher: Fetcher
    ):
        url = site.on("/a", web.answer(200, PDF, {"Content-Type": "text/html"}))

        assert fetcher.pdf(url).path.read_bytes() == PDF

    @pytest.mark.parametrize("padding", [b"\0" * 5_000, b" \r\n" * 40_000], ids=["NUL", "blanks"])
    def test_a_pdf_that_is_filled_up_at_its_end_is_whole(
        self, site: Web, fetcher: Fetcher, padding: bytes
    ):
        url = site.on("/a", web.answer(200, PDF[:50_000] + b"%%EOF\n" + padding))

        assert fetcher.pdf(url).path.read_bytes().endswith(padding)

    def test_a_pdf_packed_without_being_asked_for_is_unpacked(self, site: Web, fetcher: Fetcher):
        import gzip

        url = site.on("/a", web.answer(200, gzip.compress(PDF), {"Content-Encoding": "gzip"}))

        assert fetcher.pdf(url).path.read_bytes() == PDF


class TestCopies:
    def test_what_is_there_is_not_asked_for_again(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.pdf())

        assert fetcher.pdf(url) == fetcher.pdf(url)
        assert len(site.requests) == 1

    def test_a_refresh_downloads_only_what_changed(self, site: Web, fetcher: Fetcher):
        newer = PDF.replace(b"line 7 ", b"line seven ")
        url = site.on("/a.pdf", web.pdf(), web.pdf(), web.pdf(newer, etag='"two"'))

        first, same, changed = (fetcher.pdf(url, refresh=True) for _ in range(3))

        assert site.requests[1].headers["if-none-match"] == '"one"'
        assert same.sha256 == first.sha256
        assert same.fetched > first.fetched
        assert changed.path.read_bytes() == newer

    def test_a_refresh_goes_by_date_where_there_is_no_tag(self, site: Web, fetcher: Fetcher):
        date = "Mon, 24 Nov 2025 10:00:00 GMT"
        url = site.on(
            "/a.pdf", web.answer(200, PDF, {"Last-Modified": date}), web.answer(304, headers={})
        )

        assert fetcher.pdf(url).sha256 == fetcher.pdf(url, refresh=True).sha256
        assert site.requests[1].headers["if-modified-since"] == date

    def test_a_version_of_a_paper_never_changes(self, site: Web, fetcher: Fetcher):
        site.on("/pdf/2503.14476v2", web.pdf())

        fetcher.pdf("2503.14476v2")
        fetcher.pdf("2503.14476v2", refresh=True)

        assert len(site.requests) == 1

    def test_one_content_is_kept_once(self, site: Web, fetcher: Fetcher, folder: Path):
        for path in ("/a.pdf", "/b.pdf"):
            fetcher.pdf(site.on(path, web.pdf()))

        assert len(_files(folder)) == 1

    @pytest.mark.parametrize("damaged", ["*.pdf", "links/*.json"])
    def test_what_is_damaged_is_fetched_again(
        self, site: Web, fetcher: Fetcher, folder: Path, damaged: str
    ):
        url = site.on("/a.pdf", web.answer(200, PDF))
        fetcher.pdf(url)
        (path,) = folder.glob(damaged)
        path.write_bytes(path.read_bytes()[:-5])

        assert fetcher.pdf(url).path.read_bytes() == PDF

    def test_a_folder_that_cannot_be_written_is_no_fault_of_the_site(
        self, site: Web, tmp_path: Path
    ):
        url = site.on("/a.pdf", web.pdf())
        (tmp_path / "taken").write_text("a file, not a folder")
        fetcher = Fetcher(tmp_path / "taken", arxiv_url=site.url, contact=None, interval=0.0)

        with pytest.raises(StorageError, match="cannot write to"):
            fetcher.pdf(url)


class TestInterruptions:
    def test_a_cut_download_is_continued(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.cut(30_000), web.pdf())

        assert fetcher.pdf(url).path.read_bytes() == PDF
        assert site.requests[1].headers["range"] == "bytes=30000-"
        assert site.requests[1].headers["if-range"] == '"one"'

    def test_it_starts_again_if_the_file_changed_meanwhile(self, site: Web, fetcher: Fetcher):
        newer = PDF.replace(b"line 7 ", b"line seven ")
        url = site.on("/a.pdf", web.cut(30_000), web.pdf(newer, etag='"two"'))

        assert fetcher.pdf(url).path.read_bytes() == newer

    def test_it_starts_again_if_the_tag_is_weak(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.cut(30_000, etag='W/"one"'), web.pdf(etag='W/"one"'))

        assert fetcher.pdf(url).path.read_bytes() == PDF
        assert "range" not in site.requests[1].headers

    @pytest.mark.parametrize(
        "place", ["bytes 0-9/10", "bytes 40000-49999/50000", "nonsense", "bytes */9"]
    )
    def test_it_starts_again_if_another_part_comes(self, site: Web, fetcher: Fetcher, place: str):
        wrong = web.answer(206, b"x" * 10_000, {"Content-Range": place})
        url = site.on("/a.pdf", web.cut(30_000), wrong, web.pdf())

        assert fetcher.pdf(url).path.read_bytes() == PDF

    def test_it_starts_again_if_there_is_no_such_part(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.cut(30_000), web.answer(416), web.pdf())

        assert fetcher.pdf(url).path.read_bytes() == PDF

    def test_the_next_run_continues_where_this_one_gave_up(self, site: Web, folder: Path):
        url = site.on("/a.pdf", web.cut(30_000), web.pdf())
        hasty = QUICK._replace(tries=1)

        with pytest.raises(FetchError, match="broke off"):
            Fetcher(folder, arxiv_url=site.url, contact=None, interval=0, limits=hasty).pdf(url)
        assert not _files(folder)
        later = Fetcher(folder, arxiv_url=site.url, contact=None, interval=0, limits=hasty).pdf(url)

        assert later.path.read_bytes() == PDF
        assert site.requests[1].headers["range"] == "bytes=30000-"

    def test_a_killed_process_leaves_no_half_file_under_a_final_name(self, site: Web, folder: Path):
        start = web.head(200, {"Content-Length": len(PDF), "ETag": '"one"'}) + PDF[:30_000]
        url = site.on("/a.pdf", web.drip(start, PDF[30_000:]), web.pdf())
        program = _program(folder, site, f"fetcher.pdf({url!r})", limits=FetchLimits())
        with subprocess.Popen([sys.executable, "-c", program], env=_environment()) as process:
            _wait_for(lambda: any((folder / "parts").glob("*.part")))
            process.kill()

        assert not _files(folder)
        fetcher = Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.0, limits=QUICK)
        assert fetcher.pdf(url).path.read_bytes() == PDF
        assert site.requests[1].headers["if-range"] == '"one"'


class TestManners:
    @pytest.mark.parametrize("trouble", [500, 502, 503, 504, 429, 408])
    def test_a_server_in_trouble_is_asked_again(self, site: Web, fetcher: Fetcher, trouble: int):
        url = site.on("/a.pdf", web.answer(trouble), web.pdf())

        assert fetcher.pdf(url).path.read_bytes() == PDF

    @pytest.mark.parametrize("reply", [web.hang_up, web.silent])
    def test_a_server_that_does_not_answer_is_asked_again(
        self, site: Web, fetcher: Fetcher, reply: web.Reply
    ):
        url = site.on("/a.pdf", reply, web.pdf())

        assert fetcher.pdf(url).path.read_bytes() == PDF

    def test_but_not_for_ever(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.answer(500))

        with pytest.raises(FetchError, match=r"127.0.0.1:\d+ answers 500; gave up after 4 tries"):
            fetcher.pdf(url)
        assert len(site.requests) == 4

    def test_the_pauses_grow(self, site: Web, folder: Path):
        url = site.on("/a.pdf", web.answer(500), web.answer(500), web.answer(500), web.pdf())
        limits = QUICK._replace(backoff_seconds=0.1)
        Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.0, limits=limits).pdf(url)

        times = [request.time for request in site.requests]
        first, second, third = (later - sooner for sooner, later in pairwise(times))
        assert first >= 0.05
        assert second >= 0.1
        assert third >= 0.2

    @pytest.mark.parametrize(
        "pause",
        [
            lambda: "1",
            lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True),
        ],
        ids=["seconds", "date"],
    )
    def test_a_pause_that_is_asked_for_is_kept(
        self, site: Web, fetcher: Fetcher, pause: Callable[[], str]
    ):
        url = site.on("/a.pdf", web.answer(429, headers={"Retry-After": pause()}), web.pdf())

        fetcher.pdf(url)

        first, second = site.requests
        assert second.time - first.time >= 0.95

    def test_a_long_pause_is_kept_by_giving_up_for_now(self, site: Web, fetcher: Fetcher):
        site.on("/pdf/2503.14476", web.answer(503, headers={"Retry-After": "3600"}))

        with pytest.raises(FetchError, match="answers 503 and asks to wait 3600 s: try again then"):
            fetcher.pdf("2503.14476")
        with pytest.raises(FetchError, match="asks not to be called for another 60 min"):
            fetcher.pdf("2503.00001")
        assert len(site.requests) == 1

    def test_a_pause_of_days_is_kept_for_one(self, site: Web, fetcher: Fetcher, folder: Path):
        site.on("/pdf/2503.14476", web.answer(429, headers={"Retry-After": "172800"}))

        with pytest.raises(FetchError, match="asks to wait 172800 s"):
            fetcher.pdf("2503.14476")
        next_run = Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.0, limits=QUICK)
        with pytest.raises(FetchError, match="asks not to be called for another 1440 min"):
            next_run.pdf("2503.00001")
        assert len(site.requests) == 1

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "soon",
            "-5",
            "1e9",
            "٣",
            "Mon, 99 Foo 2025",
            "Mon, 01 Jan 2030 00:00:00 +99999999999999999999",
            "Mon, 01 Jan 0001 00:00:00 +2359",
        ],
    )
    def test_a_pause_that_makes_no_sense_is_passed_over(
        self, site: Web, fetcher: Fetcher, value: str
    ):
        trouble = web.answer(429, headers={"Retry-After": value.encode().decode("latin-1")})
        url = site.on("/a.pdf", trouble, web.pdf())

        assert fetcher.pdf(url).path.read_bytes() == PDF

    def test_a_refusal_by_arxiv_ends_the_run_at_once(self, site: Web, fetcher: Fetcher):
        site.on("/pdf/2503.14476", web.answer(403))

        with pytest.raises(FetchError, match="answers 403: it is not called again in this run"):
            fetcher.pdf("2503.14476")
        for paper in ("2503.00001", "2503.00002"):
            with pytest.raises(FetchError, match="answers 403"):
                fetcher.pdf(paper)
        assert len(site.requests) == 1

    def test_a_refusal_by_another_site_is_that_of_one_paper(self, folder: Path, site: Web):
        site.on("/a.pdf", web.answer(403))
        url = site.on("/b.pdf", web.pdf())
        allowed = [f"127.0.0.1:{site.port}"]
        fetcher = Fetcher(folder, contact=None, allow_hosts=allowed, interval=0.0, limits=QUICK)

        with pytest.raises(FetchError, match="refuses to answer: fetch the PDF by hand"):
            fetcher.pdf(f"{site.url}/a.pdf")
        assert fetcher.pdf(url).path.read_bytes() == PDF

    def test_requests_keep_their_distance(self, site: Web, folder: Path):
        fetcher = Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.3, limits=QUICK)
        for number in range(3):
            fetcher.pdf(site.on(f"/{number}.pdf", web.pdf()))

        assert _distance(site) >= 0.28

    def test_also_those_of_several_threads(self, site: Web, folder: Path):
        fetcher = Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.1, limits=QUICK)
        urls = [site.on(f"/{number}.pdf", web.pdf()) for number in range(4)]

        with ThreadPoolExecutor(4) as threads:
            assert len(list(threads.map(fetcher.pdf, urls))) == 4
        assert _distance(site) >= 0.08

    def test_what_another_thread_fetched_meanwhile_is_not_downloaded_again(
        self, site: Web, fetcher: Fetcher
    ):
        url = site.on("/a.pdf", web.pdf())

        with ThreadPoolExecutor(4) as threads:
            assert len({fetched.path for fetched in threads.map(fetcher.pdf, [url] * 4)}) == 1
        conditional = [request for request in site.requests if "if-none-match" in request.headers]
        assert len(site.requests) - len(conditional) == 1

    def test_also_those_of_several_processes(self, site: Web, folder: Path):
        urls = [site.on(f"/{number}.pdf", web.pdf()) for number in range(6)]
        programs = [
            _program(folder, site, f"[fetcher.pdf(url) for url in {urls[part::2]!r}]", interval=0.3)
            for part in range(2)
        ]
        processes = [
            subprocess.Popen([sys.executable, "-c", program], env=_environment())
            for program in programs
        ]

        assert [process.wait(20) for process in processes] == [0, 0]
        assert len(site.requests) == 6
        assert _distance(site) >= 0.28


class TestBadServers:
    @pytest.mark.parametrize(
        ("reply", "message"),
        [
            (web.answer(404), "does not have it: check the link"),
            (web.answer(418), "answers 418"),
            (web.answer(304), "answers 304 instead of a PDF"),
            (web.answer(204), "answers 204 instead of a PDF"),
            (web.answer(200, b""), "sends an empty file"),
            (web.answer(200, b"<!DOCTYPE html><p>Log in"), "sends a web page, not a PDF"),
            (web.answer(200, b"PK\x03\x04" * 900), "sends something that is not a PDF"),
            (web.answer(200, PDF[:-100]), "is cut short at its source"),
            (web.answer(200, PDF[:-100] + bytes(9_000)), "is cut short at its source"),
            (web.unmeasured(PDF[:-100]), "broke off; gave up after 4 tries"),
            (web.answer(200, PDF, {"Content-Length": 10**12}), "is over 0.2 MB: too large"),
            (web.answer(200, PDF, {"Content-Length": "٣"}), "broke off"),
            (web.answer(200, PDF, {"Content-Length": len(PDF) + 9}), "broke off"),
            (web.answer(200, PDF, {"Content-Encoding": "br"}), "sends it packed as br"),
            (web.answer(200, PDF, {"Content-Encoding": "gzip"}), "sends it packed, and damaged"),
            (web.packed_bomb(5_000_000), "is over 0.2 MB: too large"),
            (web.endless(web.head(200, {}) + b"%PDF-1.7\n"), "is over 0.2 MB: too large"),
            (web.endless(web.head(200, {})), "sends something that is not a PDF"),
            (web.endless(b"HTTP/1.1 200 OK\r\nX: "), "broke off"),
            (web.drip(b"HTTP/1.1 200 OK\r\nX: "), "sends less than 1 kB/s: try again later"),
            (web.drip(web.head(200, {}) + b"%PDF-1.7\n"), "sends less than 1 kB/s"),
            (web.nonsense, "broke off"),
        ],
    )
    def test_cost_one_clear_line(
        self, site: Web, fetcher: Fetcher, folder: Path, reply: web.Reply, message: str
    ):
        url = site.on("/a.pdf", reply)

        with pytest.raises(FetchError) as caught:
            fetcher.pdf(url)

        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not _files(folder)

    def test_a_download_ends_some_time_even_if_it_flows(self, site: Web, folder: Path):
        steady = web.drip(web.head(200, {}) + PDF[:50_000], pause=0.005)
        url = site.on("/a.pdf", steady)
        limits = QUICK._replace(seconds=0.5)
        fetcher = Fetcher(folder, arxiv_url=site.url, contact=None, interval=0.0, limits=limits)

        with pytest.raises(FetchError, match=r"takes more than 0.5 s: try again later"):
            fetcher.pdf(url)

    def test_nobody_listens(self, folder: Path):
        import socket

        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{unused.getsockname()[1]}"
            fetcher = Fetcher(folder, arxiv_url=address, contact=None, interval=0, limits=QUICK)
            with pytest.raises(FetchError, match="cannot be reached .*: check the link"):
                fetcher.pdf("2503.14476")

    def test_redirects_in_a_circle(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.redirect("/a.pdf"))

        with pytest.raises(FetchError, match="redirects more than 5 times"):
            fetcher.pdf(url)
        assert len(site.requests) == 6


class TestWhereItMayGo:
    @pytest.mark.parametrize(
        "target",
        [
            "http://localhost:{port}/secret.pdf",
            "http://127.1:{port}/secret.pdf",
            "http://[::1]:{port}/secret.pdf",
            "http://[::ffff:127.0.0.1]:{port}/secret.pdf",
            "http://0.0.0.0:{port}/secret.pdf",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/router.pdf",
            "//localhost:{port}/secret.pdf",
        ],
    )
    def test_not_to_a_private_address_by_redirect(self, site: Web, fetcher: Fetcher, target: str):
        site.on("/secret.pdf", web.pdf())
        url = site.on("/a.pdf", web.redirect(target.format(port=site.port)))

        with pytest.raises(FetchError, match="is not on the public internet|cannot be found"):
            fetcher.pdf(url)
        assert not site.asked("/secret.pdf")

    def test_not_to_another_port_of_a_mirror(self, site: Web, fetcher: Fetcher):
        with Web() as other:
            secret = other.on("/secret.pdf", web.pdf())
            url = site.on("/a.pdf", web.redirect(secret))

            with pytest.raises(FetchError, match="is not on the public internet"):
                fetcher.pdf(url)
            assert not other.requests

    @pytest.mark.parametrize(
        "target", ["file:///etc/passwd", "ftp://127.0.0.1/a.pdf", "javascript:1", "", "data:,x"]
    )
    def test_only_to_the_web(self, site: Web, fetcher: Fetcher, target: str):
        url = site.on("/a.pdf", web.redirect(target))

        with pytest.raises(FetchError, match="which is no (web )?link"):
            fetcher.pdf(url)

    def test_not_to_a_host_that_no_name_stands_for(self, site: Web, fetcher: Fetcher):
        url = site.on("/a.pdf", web.redirect("http://xn--a.example/p.pdf"))

        with pytest.raises(FetchError, match="http://xn--a.example/p.pdf is no http"):
            fetcher.pdf(url)

    @pytest.mark.parametrize(
        "link",
        [
            "file:///etc/passwd",
            "/etc/passwd",
            "",
            "http://",
            "http://[::1",
            "http://xn--a.example/p.pdf",
            "\x1b[2J",
            "a" * 99_999,
        ],
    )
    def test_only_links_are_followed(self, fetcher: Fetcher, link: str):
        with pytest.raises(FetchError, match="is no http") as caught:
            fetcher.pdf(link)

        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 500

    def test_not_with_a_login(self, site: Web, fetcher: Fetcher):
        with pytest.raises(FetchError, match="holds a login") as caught:
            fetcher.pdf(f"http://me:hunter2@127.0.0.1:{site.port}/a.pdf")
        assert "hunter2" not in str(caught.value)

    def test_to_a_private_host_that_is_allowed(self, site: Web, folder: Path):
        url = site.on("/a.pdf", web.pdf())
        allowed = Fetcher(folder, contact=None, allow_hosts=["127.0.0.1"], interval=0.0)
        refused = Fetcher(folder / "other", contact=None, interval=0.0)

        assert allowed.pdf(url).path.read_bytes() == PDF
        with pytest.raises(FetchError, match=r"\(127.0.0.1\): allow the host if you trust it"):
            refused.pdf(url)

    def test_through_the_proxy_that_the_environment_names(
        self, site: Web, folder: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("http_proxy", site.url)
        site.on("http://paper.example/a.pdf", web.pdf())
        fetcher = Fetcher(folder, contact=None, interval=0.0, limits=QUICK)

        assert fetcher.pdf("http://paper.example/a.pdf").path.read_bytes() == PDF
        with pytest.raises(FetchError, match="is not on the public internet"):
            fetcher.pdf("http://192.168.0.1/a.pdf")
        assert len(site.requests) == 1


def _distance(site: Web) -> float:
    times = sorted(request.time for request in site.requests)
    return min(later - sooner for sooner, later in pairwise(times))


def _program(
    folder: Path, site: Web, action: str, *, interval: float = 0.0, limits: FetchLimits = QUICK
) -> str:
    return (
        "from pathlib import Path; from assistant.fetch import Fetcher, FetchLimits\n"
        f"fetcher = Fetcher(Path({str(folder)!r}), arxiv_url={site.url!r}, contact=None,"
        f" interval={interval}, limits={limits!r})\n{action}\n"
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
