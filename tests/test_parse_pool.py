"""Reading PDFs in worker processes: whatever a file does, it costs one worker and one clear line."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import PdfError, StorageError, UnavailableError
from assistant.parse.cache import DocumentCache
from assistant.parse.pool import ParserPool
from assistant.parse.worker import Limits
from assistant.records import Block, Document

READER = "parse_readers:read"
QUICK = Limits(seconds=3.0, memory_bytes=600_000_000, output_bytes=1_000_000, file_bytes=2_000_000)

Files = Callable[..., Path]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared pool's cache."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pool(cache: Path) -> Iterator[ParserPool]:
    """A pool of one worker, shared: to start one takes half a second."""
    with ParserPool(cache, workers=1, limits=QUICK, target=READER) as pool:
        yield pool


@pytest.fixture
def own_pool(tmp_path: Path) -> Iterator[ParserPool]:
    """A pool that a test may close."""
    with ParserPool(tmp_path / "cache", workers=1, limits=QUICK, target=READER) as pool:
        yield pool


@pytest.fixture
def make(tmp_path: Path) -> Files:
    """Make a file whose name says how reading it goes; no other test has one of that content."""

    def make_file(stem: str, content: str = "Hello") -> Path:
        path = tmp_path / f"{stem}.pdf"
        path.write_text(f"{content} from {tmp_path.name}")
        return path

    return make_file


def _entry(cache: Path, path: Path) -> Path:
    """The cache's entry of a file."""
    (entry,) = cache.glob(f"{hashlib.sha256(path.read_bytes()).hexdigest()}-*.json.gz")
    return entry


def _reader_of(document: Document) -> str:
    return (document.title or "").rpartition(" ")[2]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TestReading:
    def test_gives_the_document_that_the_reader_makes(self, pool: ParserPool, make: Files):
        document = pool.parse(make("plain", "Bonjour"))

        assert document.text.startswith("Bonjour from ")
        assert document.title is not None
        assert document.title.startswith("1000 pages")

    def test_happens_in_another_process_that_stays_for_the_next_file(
        self, pool: ParserPool, make: Files
    ):
        readers = {_reader_of(pool.parse(make("plain", str(number)))) for number in range(3)}

        assert len(readers) == 1
        assert str(os.getpid()) not in readers

    def test_is_not_put_off_by_a_name_that_is_no_text(self, pool: ParserPool, tmp_path: Path):
        path = tmp_path / os.fsdecode(b"\xff\xfe.pdf")
        path.write_text("any")

        assert pool.parse(path).text == "any"

    def test_many_threads_share_few_workers(self, tmp_path: Path, make: Files):
        documents: list[Document] = []
        with ParserPool(tmp_path / "cache", workers=2, limits=QUICK, target=READER) as pool:
            threads = [
                threading.Thread(target=lambda path=path: documents.append(pool.parse(path)))
                for path in [make(f"plain-{number}", str(number)) for number in range(8)]
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert len({document.text for document in documents}) == 8
        assert len({_reader_of(document) for document in documents}) <= 2

    def test_all_yields_every_file_with_its_outcome(self, pool: ParserPool, make: Files):
        plain = [make(f"plain-{number}", str(number)) for number in range(5)]
        paths = [make("refuse"), *plain, make("segfault", "Ouch")]

        outcomes = {parsed.path: parsed.outcome for parsed in pool.parse_all(paths)}

        assert set(outcomes) == set(paths)
        failed = [path.stem for path in paths if isinstance(outcomes[path], PdfError)]
        assert failed == ["refuse", "segfault"]

    def test_all_looks_ahead_only_a_little(self, pool: ParserPool, make: Files):
        taken: list[int] = []

        def paths() -> Iterator[Path]:
            for number in range(50):
                taken.append(number)
                yield make(f"plain-{number}", str(number))

        results = pool.parse_all(paths())
        next(results)

        assert len(taken) <= 2
        assert len(list(results)) == 49

    def test_all_may_be_given_up_half_way(self, own_pool: ParserPool, make: Files):
        results = own_pool.parse_all([make("plain"), make("hang", "…"), make("plain-2", "2")])
        next(results)

        started = time.monotonic()
        results.close()
        own_pool.close()

        assert time.monotonic() - started < 3


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("behaviour", "message"),
        [
            ("hang", "takes more than 3 s to read"),
            ("spin", "takes more than 3 s to read"),
            ("stop", "takes more than 3 s to read"),
            ("babble", "takes more than 3 s to read"),
            ("segfault", "crashes the PDF reader, which ended with SIGSEGV"),
            ("leave", "crashes the PDF reader, which ended with exit code 1"),
            ("eat", "needs more than the 600 MB of memory that reading a PDF may take"),
            ("refuse", "has no text: it is a scan"),
            ("fail", "cannot be read: ValueError: bad xref"),
            ("recurse", "cannot be read: RecursionError: maximum recursion depth exceeded"),
            ("swell", "holds too much text: over 1 MB as read"),
        ],
    )
    def test_cost_one_clear_line_and_the_next_is_read(
        self, pool: ParserPool, make: Files, behaviour: str, message: str
    ):
        with pytest.raises(PdfError) as caught:
            pool.parse(make(behaviour))

        assert str(caught.value) == message
        assert pool.parse(make("plain", "Still there")).text.startswith("Still there")

    def test_may_say_that_memory_ran_out_below_python(self, pool: ParserPool, make: Files):
        with pytest.raises(PdfError, match="SIGABRT, maybe for want of memory"):
            pool.parse(make("abort"))

    def test_cannot_talk_to_the_pool_through_what_they_print(self, tmp_path: Path, make: Files):
        patient = QUICK.model_copy(update={"seconds": 5.0})
        with ParserPool(tmp_path / "cache", workers=1, limits=patient, target=READER) as pool:
            with pytest.raises(PdfError, match="wrote (too much|nonsense)"):
                pool.parse(make("flood"))
            assert pool.parse(make("plain", "Still there")).text.startswith("Still there")

    def test_are_blamed_for_their_own_memory_only(self, pool: ParserPool, make: Files):
        """Three files of 200 MB each fill a worker of 600 MB; each by itself is fine."""
        for number in range(3):
            assert pool.parse(make("hoard", str(number))).text

    def test_see_no_secrets(self, pool: ParserPool, make: Files, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("ASSISTANT_CONTACT", "me@example.org")

        seen = pool.parse(make("secrets")).text

        assert "PATH=" in seen
        assert "sk-secret" not in seen
        assert "me@example.org" not in seen
        assert f"HOME={Path.home()}\n" not in seen

    def test_that_contradict_themselves_are_refused(self, tmp_path: Path, make: Files):
        with (
            ParserPool(tmp_path / "cache", limits=QUICK, target="parse_readers:read_lies") as pool,
            pytest.raises(PdfError, match="has blocks out of order"),
        ):
            pool.parse(make("plain"))

    def test_that_are_too_large_are_not_even_opened(self, pool: ParserPool, make: Files):
        with pytest.raises(PdfError, match="is over 2 MB"):
            pool.parse(make("plain", "x" * 2_000_000))

    def test_that_are_missing_or_no_files_say_so(self, pool: ParserPool, tmp_path: Path):
        fifo = tmp_path / "pipe.pdf"
        os.mkfifo(fifo)

        for path in (tmp_path / "gone.pdf", tmp_path, fifo):
            with pytest.raises(PdfError, match="is not a file"):
                pool.parse(path)


class TestWorkers:
    def test_that_die_in_between_are_replaced_in_silence(self, pool: ParserPool, make: Files):
        first = _reader_of(pool.parse(make("plain", "1")))
        os.kill(int(first), signal.SIGKILL)

        assert _reader_of(pool.parse(make("plain", "2"))) != first

    def test_end_with_the_pool(self, tmp_path: Path, make: Files):
        with ParserPool(tmp_path / "cache", limits=QUICK, target=READER) as pool:
            reader = _reader_of(pool.parse(make("plain")))

        assert not _is_running(int(reader))
        with pytest.raises(UnavailableError, match="has been closed"):
            pool.parse(make("plain", "Too late"))

    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
    def test_die_when_their_pool_is_killed_while_they_are_busy(self, tmp_path: Path, make: Files):
        program = (
            "import sys; from pathlib import Path; from assistant.parse.pool import ParserPool\n"
            f"with ParserPool(Path({str(tmp_path / 'cache')!r}), target={READER!r}) as pool:\n"
            f"    print(pool.parse(Path({str(make('plain'))!r})).title, flush=True)\n"
            f"    pool.parse(Path({str(make('hang'))!r}))\n"
        )
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TMPDIR": str(tmp_path),
        }
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
        ) as parent:
            assert parent.stdout is not None
            worker = int(parent.stdout.readline().split()[-1])
            parent.kill()

        end = time.monotonic() + 10
        while _is_running(worker) and time.monotonic() < end:
            time.sleep(0.05)
        assert not _is_running(worker)

    def test_that_are_ended_while_they_read_are_no_fault_of_the_file(
        self, own_pool: ParserPool, make: Files
    ):
        own_pool.parse(make("plain"))
        threading.Timer(0.2, own_pool.close).start()

        with pytest.raises(UnavailableError, match="has been closed"):
            own_pool.parse(make("hang", "…"))

    def test_that_cannot_start_say_why(self, tmp_path: Path, make: Files):
        with (
            ParserPool(tmp_path / "cache", limits=QUICK, target="parse_readers:absent") as pool,
            pytest.raises(UnavailableError, match="does not start: AttributeError: .*absent"),
        ):
            pool.parse(make("plain"))


class TestCache:
    def test_one_content_is_read_once_whatever_its_name(self, pool: ParserPool, make: Files):
        assert pool.parse(make("plain")) == pool.parse(make("hang"))

    def test_a_reader_of_another_version_reads_again(
        self, pool: ParserPool, make: Files, cache: Path
    ):
        path = make("plain")
        pool.parse(path)
        digest = _entry(cache, path).name[:64]

        assert DocumentCache(cache, version="test-1000", max_bytes=1000).get(digest)
        assert DocumentCache(cache, version="later-1000", max_bytes=1000).get(digest) is None

    @pytest.mark.parametrize(
        "damage",
        [b"", b"nonsense", gzip.compress(b"{}"), gzip.compress(b"[]" * 900_000)],
        ids=["empty", "nonsense", "another shape", "bomb"],
    )
    def test_a_damaged_entry_is_read_again(
        self, pool: ParserPool, make: Files, cache: Path, damage: bytes
    ):
        document = pool.parse(make("plain"))
        entry = _entry(cache, make("plain"))
        whole = entry.read_bytes()
        entry.write_bytes(damage)

        assert pool.parse(make("plain")).text == document.text
        assert len(entry.read_bytes()) > len(whole) / 2

    def test_a_cut_entry_is_read_again(self, pool: ParserPool, make: Files, cache: Path):
        document = pool.parse(make("plain"))
        entry = _entry(cache, make("plain"))
        entry.write_bytes(entry.read_bytes()[:-20])

        assert pool.parse(make("plain")).text == document.text

    def test_what_the_reader_refuses_is_refused_at_once_the_next_time(
        self, pool: ParserPool, make: Files
    ):
        for path in (make("refuse", "a scan"), make("hang", "a scan")):
            with pytest.raises(PdfError, match="has no text: it is a scan"):
                pool.parse(path)

    def test_what_took_too_long_gets_another_chance(self, pool: ParserPool, make: Files):
        with pytest.raises(PdfError, match="takes more than"):
            pool.parse(make("hang", "long"))

        assert pool.parse(make("plain", "long")).text.startswith("long")

    def test_a_home_that_cannot_be_written_is_no_fault_of_the_file(
        self, make: Files, tmp_path: Path
    ):
        (tmp_path / "taken").write_text("a file, not a folder")
        with (
            ParserPool(tmp_path / "taken", limits=QUICK, target=READER) as pool,
            pytest.raises(StorageError, match="cannot write to"),
        ):
            pool.parse(make("plain"))

    @given(content=st.binary(max_size=400))
    def test_no_content_of_an_entry_raises(
        self, content: bytes, tmp_path_factory: pytest.TempPathFactory
    ):
        folder = tmp_path_factory.getbasetemp()
        cache = DocumentCache(folder, version="any", max_bytes=10_000)
        (folder / f"{'0' * 64}-any.json.gz").write_bytes(content)
        (folder / f"{'0' * 64}-any.failed").write_bytes(content)

        assert cache.get("0" * 64) is None

    @given(spans=st.lists(st.tuples(st.integers(-2, 12), st.integers(-2, 12)), max_size=4))
    def test_only_documents_whose_blocks_are_in_order_pass(self, spans: list[tuple[int, int]]):
        cache = DocumentCache(Path("unused"), version="any", max_bytes=10_000)
        document = Document(
            text="0123456789",
            blocks=tuple(Block(kind="text", start=start, end=end) for start, end in spans),
            lines=(),
            pages=(),
        )
        ends: list[Any] = [value for span in spans for value in span]

        if ends == sorted(ends) and all(0 <= value <= 10 for value in ends):
            assert cache.check(document.model_dump_json().encode()) == document
        else:
            with pytest.raises(ValueError, match="out of order"):
                cache.check(document.model_dump_json().encode())
