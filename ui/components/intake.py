"""Adding papers: the sample, files, ids and addresses; and how far that is."""

import re
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from assistant.records import IngestReport, Paper
from assistant.samples import DIGEST
from ui import safe, state, uploads
from ui.components import work
from ui.jobs import Job, Tell

INGEST = "ingest"
_ARXIV_ID = re.compile(
    r"(?:arxiv:)?(\d{4}\.\d{4,5}(?:v\d{1,3})?|[a-z-]{2,20}(?:\.[a-z]{2})?/\d{7}(?:v\d{1,3})?)",
    re.IGNORECASE,
)


def draw(*, offer_sample: bool) -> None:
    """Draw the ways to add papers."""
    if offer_sample:
        with st.container(border=True):
            st.markdown("**Try it with a sample**")
            st.caption("A digest of recent papers on language models: titles and abstracts.")
            if st.button("Load the sample digest", type="primary", icon=":material/bolt:"):
                _start([str(DIGEST)], "Sample digest", pdfs=False)
    with st.container(border=True):
        _files()
    with st.container(border=True):
        _ids()


def progress(*, successes: bool = True) -> None:
    """Show how far papers are on their way in, and what became of those that came before."""

    def worth_showing(job: Job) -> bool:
        return successes or job.running or job.error is not None or bool(job.result.failed)

    work.progress(INGEST, finished=_report, only=worth_showing)


def _files() -> None:
    st.markdown("**Drop files**")
    key = f"uploads-{st.session_state.setdefault('uploads-taken', 0)}"
    files = st.file_uploader(
        "PDFs, digests (.txt), .bib or .jsonl",
        type=list(uploads.SUFFIXES),
        accept_multiple_files=True,
        key=key,
        max_upload_size=uploads.MAX_MEGABYTES,
    )
    if files and st.button(f"Add {_count(len(files), 'file')}", type="primary"):
        kept = uploads.keep(files, state.settings().home / uploads.FOLDER)
        for failure in kept.refused:
            st.error(f"{safe.plain(failure.source)} {safe.plain(failure.error)}")
        st.session_state["uploads-taken"] += not kept.refused
        if kept.paths:
            label = files[0].name if len(files) == 1 else _count(len(files), "file")
            _start(list(kept.paths), label, pdfs=None, clean=partial(uploads.discard, kept.folder))


def _ids() -> None:
    st.markdown("**Paste arXiv ids or links**")
    with st.form("ids", border=False, clear_on_submit=True, enter_to_submit=True):
        text = st.text_input(
            "arXiv ids or links, parted by spaces",
            placeholder="2503.14476  https://arxiv.org/abs/2501.12948",
            max_chars=2000,
        )
        full = st.checkbox("Read the PDF too", value=True)
        if st.form_submit_button("Add") and text.split():
            wanted = [source for each in text.split() if (source := _remote(each))]
            if len(wanted) < len(text.split()):
                st.error("Only arXiv ids and links are taken here: 2503.14476 or https://…")
            else:
                _start(wanted, text, pdfs=True if full else None)


def _remote(text: str) -> str | None:
    """Return the id or link that a reader typed, if it can name nothing on this machine's disk."""
    found = _ARXIV_ID.fullmatch(text)
    return f"arXiv:{found[1]}" if found else safe.web_address(text)


def reindex(papers: Sequence[Paper]) -> None:
    """Begin to read and index papers anew."""
    library, ids = state.library(), [paper.id for paper in papers]
    label = papers[0].title if len(papers) == 1 else _count(len(papers), "paper")
    state.jobs().start(
        INGEST, f"Indexing anew: {label}", lambda tell: library.reindex(ids, progress=tell)
    )
    st.rerun()


def can_fetch(paper: Paper) -> bool:
    """Tell whether it is known where a paper's PDF lies."""
    return _pdf_of(paper) is not None


def fetch(paper: Paper) -> None:
    """Begin to fetch and read a paper's PDF."""
    source = _pdf_of(paper)
    if source is not None:
        _start([source], paper.title, pdfs=True)


def _pdf_of(paper: Paper) -> str | None:
    return _remote(paper.id) or (_remote(paper.pdf_url) if paper.pdf_url else None)


def _start(
    sources: Sequence[str],
    label: str,
    *,
    pdfs: bool | None,
    clean: Callable[[], None] = lambda: None,
) -> None:
    library = state.library()

    def ingest(tell: Tell) -> IngestReport:
        return library.ingest(sources, pdfs=pdfs, progress=tell)

    state.jobs().start(INGEST, label, ingest, clean=clean)
    st.rerun()


def _report(label: str, report: IngestReport) -> None:
    counts = _counts(report)
    problems = [*report.failed, *report.incomplete]
    if not problems:
        st.success(f"**{label}**: {counts}.", icon=":material/check:")
        return
    with st.container(gap="small"):
        st.warning(f"**{label}**: {counts}.", icon=":material/warning:")
        for problem in problems[:20]:
            where = problem.source.replace("\\", "/").rsplit("/", 1)[-1]
            st.caption(f"{safe.plain(where)}: {safe.plain(problem.error)}")


def _counts(report: IngestReport) -> str:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "failed": len(report.failed),
        "read in part": len(report.incomplete),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing new"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
