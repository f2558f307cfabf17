"""``python -m eval.bench``: speed and memory against their targets, each a ratio within one run."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from eval import surroundings
from eval.bench import processes
from eval.targets.target import Target, table, verdict
from eval.terminal import note, say

if TYPE_CHECKING:
    from assistant.library import Library

_RUNS = 5
_INGEST_RUNS = 3
_HEAVY = ("chromadb", "langchain", "onnxruntime", "streamlit")
_QUESTION = "What does DAPO reach on AIME 2024, and with which base model?"
_MEGABYTE = 1024 * 1024
_THESIS_PAGES = 136
_BATCH = 512
_AT_ONCE = 50
_REPLY_SECONDS = 0.2

_IMPORTED_BY_HELP = f"""
import sys
from assistant.cli.main import run
run(["--help"])
print([name for name in {_HEAVY!r} if name in sys.modules], file=sys.stdout)
"""


def main() -> None:
    """Measure everything and print the table. A target that falls short is a result, not a failure."""
    say(f"On {surroundings.digest().label}; medians of {_RUNS} runs.")
    targets: list[Target] = []
    # Processes first: a child's peak memory counts that of the process it was started from.
    for measure in (
        _help,
        _ask,
        _ingest,
        _pdfs,
        _models,
        _embedding,
        _parsing,
        _retrieval,
        _evaluating,
    ):
        note(f"measuring: {(measure.__doc__ or '').rstrip('.').lower()}")
        targets += measure()
    say(f"\n{table(targets)}\n\n{verdict(targets)}")


def _help() -> list[Target]:
    """Time the help, and look at what it imports."""
    with _home() as home:
        seconds = _median(lambda: processes.assistant(["--help"], home=home).seconds)
        imported = processes.python(_IMPORTED_BY_HELP, home=home).stdout.splitlines()[-1]
    heavy = json.loads(imported.replace("'", '"'))
    return [
        Target("assistant --help", seconds, 0.5, at_most=True, unit="s"),
        Target(
            f"packages that --help imports, of {len(_HEAVY)} heavy ones",
            len(heavy),
            0,
            at_most=True,
        ),
    ]


def _ask() -> list[Target]:
    """Time a question as a whole process beside the bare imports, and weigh its memory."""
    with _home() as home:
        processes.assistant(["ingest", str(surroundings.digest().path)], home=home)
        processes.assistant(["ask", _QUESTION], home=home)
        imports, asks = [], []
        for _ in range(_RUNS):
            imports.append(processes.python("import chromadb, onnxruntime, tantivy", home=home))
            asks.append(processes.assistant(["ask", _QUESTION], home=home))
    seconds = median(each.seconds for each in asks)
    bare = median(each.seconds for each in imports)
    peak = median(each.peak_bytes for each in asks)
    say(f"ask: {seconds:.2f} s; importing chromadb, onnxruntime and tantivy: {bare:.2f} s")
    return [
        Target("assistant ask / its bare imports", seconds / bare, 1.5, at_most=True),
        Target("peak memory of assistant ask", peak / _MEGABYTE, 600, at_most=True, unit="MB"),
    ]


def _ingest() -> list[Target]:
    """Time a second ingest of unchanged input beside the first."""
    reported, whole = [], []
    for _ in range(_INGEST_RUNS):
        with _home() as home:
            command = ["ingest", "--json", str(surroundings.digest().path)]
            first, second = (processes.assistant(command, home=home) for _ in range(2))
        work = [json.loads(each.stdout)["seconds"] for each in (first, second)]
        reported.append(work[1] / work[0])
        whole.append(second.seconds / first.seconds)
        say(
            f"ingest: first {work[0]:.2f} s, second {work[1]:.2f} s of work; "
            f"{first.seconds:.2f} and {second.seconds:.2f} s as whole processes"
        )
    say(f"second ingest / first as whole processes: {median(whole):.3f} (start-up included)")
    return [Target("second ingest / first, seconds of work", median(reported), 0.10, at_most=True)]


def _pdfs() -> list[Target]:
    """Ingest the PDFs beside the embedding of their chunks alone; weigh the ingest of a long one."""
    pdfs = surroundings.pdfs()
    if pdfs is None:
        say("The papers' PDFs are not beside the project: the rows on them are left out.")
        return []
    with _home() as home:
        processes.assistant(["ingest", str(surroundings.digest().path)], home=home)
        command = ["ingest", "--json", *map(str, pdfs.all)]
        ingest = json.loads(processes.assistant(command, home=home).stdout)
        alone = _seconds_to_embed(home)
    with tempfile.TemporaryDirectory() as folder, _home() as home:
        thesis = _thesis(max(pdfs.all, key=lambda path: path.stat().st_size), Path(folder))
        peak = processes.assistant(["ingest", str(thesis)], home=home).peak_bytes
    say(
        f"PDFs: {len(pdfs.all)} papers, {ingest['chunks']} chunks in {ingest['seconds']:.1f} s; "
        f"embedding the same chunks alone {alone:.1f} s"
    )
    return [
        Target("ingest of PDFs / embedding alone", ingest["seconds"] / alone, 1.3, at_most=True),
        Target(
            f"peak memory, ingest of {_THESIS_PAGES} pages",
            peak / _MEGABYTE,
            1024,
            at_most=True,
            unit="MB",
        ),
    ]


def _seconds_to_embed(home: Path) -> float:
    """Time the embedding of the chunks of all full texts, in large batches."""
    from assistant.chunk import embedding_text
    from assistant.models.minilm import MiniLM
    from assistant.store import Store

    with closing(Store.open(home=home)) as store:
        texts = [
            embedding_text(paper, chunk)
            for paper in store.papers()
            if paper.full_text
            for chunk in store.paper_chunks(paper.id)
        ]
    embedder = MiniLM(home / "models")
    embedder.embed(texts[:1])
    return _timed(
        lambda: [
            embedder.embed(texts[first : first + _BATCH]) for first in range(0, len(texts), _BATCH)
        ]
    )


def _thesis(pdf: Path, folder: Path) -> Path:
    """Make a long PDF: the pages of one, again and again."""
    from pypdf import PdfReader, PdfWriter

    pages, writer = PdfReader(pdf).pages, PdfWriter()
    for number in range(_THESIS_PAGES):
        writer.add_page(pages[number % len(pages)])
    path = folder / "thesis.pdf"
    writer.write(path)
    return path


def _parsing() -> list[Target]:
    """Time reading and cutting PDFs, in seconds of one core."""
    from assistant.chunk import chunk_document
    from assistant.models.minilm import MiniLM
    from assistant.parse import read_pdf
    from assistant.records import Paper

    pdfs = surroundings.pdfs()
    if pdfs is None:
        return []
    with surroundings.temporary_home() as folder:
        count_tokens = MiniLM(folder / "models").count_tokens
        count_tokens("warm up")
        read_pdf(pdfs.all[0])
        began, pages = time.process_time(), 0
        for path in pdfs.all:
            document = read_pdf(path)
            paper = Paper(id="p", title=document.title or "Untitled")
            chunk_document(paper, document, count_tokens=count_tokens)
            pages += len(document.pages)
        speed = pages / (time.process_time() - began)
    return [Target("parse + chunk, pages per second per core", speed, 15)]


def _models() -> list[Target]:
    """Time a language model's first words, and many questions at once, against a server on loopback."""
    from eval.cases.dataset import load

    cases = load(surroundings.DATASETS / "digest.yaml").cases
    questions = [case.question for case in cases if case.answerable and not case.history]
    with _home() as home:
        processes.assistant(["ingest", str(surroundings.digest().path)], home=home)
        with _library_with_model(home, delay=0.0) as library:
            added = sorted(
                filter(None, map(partial(_added_before_first_token, library), questions))
            )
        with _library_with_model(home, delay=_REPLY_SECONDS) as library:
            together, ideal = _ask_together(library, questions[:_AT_ONCE])
    say(
        f"first token of {len(added)} answers: {median(added):.0f} ms beside retrieval in the median, "
        f"{added[int(0.95 * len(added))]:.0f} ms in the 95th percentile; {_AT_ONCE} questions at once: "
        f"{together:.2f} s, ideal {ideal:.2f} s"
    )
    return [
        Target(
            "time before a model's first token, over retrieval",
            median(added),
            60,
            at_most=True,
            unit="ms",
        ),
        Target(f"{_AT_ONCE} questions at once / ideal", together / ideal, 1.5, at_most=True),
    ]


def _added_before_first_token(library: "Library", question: str) -> float | None:
    """Measure the milliseconds to the first piece of an answer, less those of retrieval; None if refused."""
    from assistant.records import AnswerDone, AnswerText

    began = time.perf_counter()
    first = None
    for event in library.ask(question):
        if isinstance(event, AnswerText) and first is None:
            first = 1000 * (time.perf_counter() - began)
        if isinstance(event, AnswerDone) and not event.answer.refused and first is not None:
            return first - event.answer.timings_ms.retrieve
    return None


def _ask_together(library: "Library", questions: Sequence[str]) -> tuple[float, float]:
    """Ask all at once; return the seconds it took, and those the replies alone take a few at a time.

    Raises:
        RuntimeError: if an answer is not that to its question.
    """
    from assistant.records import AnswerDone

    def ask(question: str) -> str:
        *_, done = library.ask(question)
        assert isinstance(done, AnswerDone)
        return done.answer.question

    ask(questions[0])
    with ThreadPoolExecutor(len(questions)) as pool:
        began = time.perf_counter()
        answered = list(pool.map(ask, questions))
        seconds = time.perf_counter() - began
    if answered != list(questions):
        raise RuntimeError("answers to questions asked at once are mixed up")
    rounds = len(questions) / library.settings.llm_concurrency
    return seconds, rounds * _REPLY_SECONDS


@contextmanager
def _library_with_model(home: Path, *, delay: float) -> Iterator["Library"]:
    """Open a library whose model is the stand-in server of the tests, in a process of its own."""
    from assistant.config import load_settings
    from assistant.library import Library

    with processes.server("tests.fake_openai", "--port", "0", "--delay", str(delay)) as said:
        settings = {
            "home": home,
            "llm": "openai:fake",
            "llm_base_url": said.split()[2],
            "cache": False,
        }
        with closing(Library(load_settings(settings, {}))) as library:
            for _ in range(2):
                list(library.ask(_QUESTION))
            yield library


def _embedding() -> list[Target]:
    """Time the embedder beside Chroma's class on the same weights and texts."""
    from assistant.models.minilm import MiniLM
    from eval.bench import chroma_minilm

    texts = _texts()
    with surroundings.temporary_home() as folder:
        ours = MiniLM(folder / "models").embed
        theirs = chroma_minilm.embedder(folder / "chroma")
        ours(texts[:1]), theirs(texts[:1])
        rounds = [(_timed(lambda: ours(texts)), _timed(lambda: theirs(texts))) for _ in range(3)]
    mine, chroma = (median(column) for column in zip(*rounds, strict=True))
    say(
        f"embedding {len(texts)} texts: {mine:.2f} s; Chroma's ONNXMiniLM_L6_V2, given the same weights "
        f"and the same fused graph: {chroma:.2f} s"
    )
    return [Target("embedding time / Chroma's class", mine / chroma, 1 / 1.5, at_most=True)]


def _retrieval() -> list[Target]:
    """Time one retrieval over many chunks."""
    from eval.bench import synthetic
    from eval.cases.dataset import load

    questions = [case.question for case in load(surroundings.DATASETS / "digest.yaml").cases]
    with closing(surroundings.library_at(synthetic.home())) as library:
        for question in questions[:20]:
            library.search(question)
        percentiles = []
        for _ in range(3):
            seconds = sorted(_timed(partial(library.search, each)) for each in questions)
            percentiles.append(seconds[int(0.95 * len(seconds))])
    return [
        Target(
            f"one retrieval over {synthetic.CHUNKS} chunks, p95",
            1000 * median(percentiles),
            40,
            at_most=True,
            unit="ms",
        )
    ]


def _evaluating() -> list[Target]:
    """Time an eval run once the library is open."""
    from assistant.library import Stop
    from eval.cases.dataset import load
    from eval.runs.runner import run

    questions = load(surroundings.DATASETS / "digest.yaml")
    with (
        surroundings.digest_library(surroundings.digest()) as library,
        surroundings.temporary_home() as folder,
    ):
        library.warm_up(Stop())
        seconds = _timed(lambda: run(questions, library, folder / "run"))
    return [
        Target(
            f"the digest's {len(questions.cases)} cases asked and scored",
            seconds,
            20,
            at_most=True,
            unit="s",
        )
    ]


def _texts() -> list[str]:
    """Return the digest's abstracts and each of their sentences."""
    from assistant.records import SourcedPaper
    from assistant.sources import read_source
    from assistant.text import sentences

    abstracts = [
        item.paper.abstract
        for item in read_source(str(surroundings.digest().path))
        if isinstance(item, SourcedPaper)
    ]
    return abstracts + [
        text[span.start : span.end] for text in abstracts for span in sentences(text)
    ]


def _median(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(_RUNS))


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


@contextmanager
def _home() -> Iterator[Path]:
    """Make a home in a folder of its own that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="assistant-bench-") as folder:
        yield Path(folder) / "home"


if __name__ == "__main__":
    main()
