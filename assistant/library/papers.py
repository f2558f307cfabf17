"""The papers of a library and their PDFs: found, shown, cut anew and removed."""

import time
from collections.abc import Sequence
from pathlib import Path

from assistant import parse
from assistant.errors import PaperNotFoundError, PdfError
from assistant.ingest import Ingest, Progress
from assistant.ingest.full_text import FullTexts
from assistant.ingest.index import Cut, cut, embed
from assistant.library.parts import Parts
from assistant.parse import scans
from assistant.records import Box, Chunk, Document, IngestReport, Paper, SourceFailure
from assistant.sources import parse_arxiv_id
from assistant.sources.identity import has_placeholder_title


class Papers:
    """The papers of a library."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def ingest(
        self, sources: Sequence[str], *, pdfs: bool | None, progress: Progress
    ) -> IngestReport:
        """Add or update papers; see :meth:`Library.ingest`."""
        parts = self._parts
        with parts.pdf_reader() as reader:
            fetcher = None if pdfs is False else parts.fetcher
            return Ingest(
                store=parts.store,
                embedder=parts.embedder,
                abstract_embedder=parts.abstract_embedder,
                fingerprint=parts.fingerprint,
                full_texts=FullTexts(
                    parts.pdf_folder,
                    reader,
                    fetcher,
                    version=parse.VERSION,
                    recognised=scans.VERSION,
                    reads_scans=scans.is_installed(),
                ),
                fetcher=fetcher,
                wants_pdf=(lambda paper: bool(paper.pdf_url)) if pdfs else has_placeholder_title,
                progress=progress,
            ).run(sources)

    def get(self, paper_id: str) -> Paper:
        """Return a paper by its id, an alias, or any usual form of an arXiv id.

        Raises:
            PaperNotFoundError: if the library holds no such paper.
        """
        store, arxiv_id = self._parts.store, parse_arxiv_id(paper_id)
        found = store.paper(paper_id) or (
            store.paper(arxiv_id.base) if arxiv_id is not None else None
        )
        if found is None:
            raise PaperNotFoundError(
                f"no paper '{paper_id}' in the library: `assistant papers list` shows its ids"
            )
        return found

    def ids(self, papers: Sequence[str] | None) -> list[str] | None:
        """Return the ids under which the library holds papers; None stays None, which is all of them."""
        return None if papers is None else [self.get(paper_id).id for paper_id in papers]

    def pdf(self, paper: Paper) -> Path | None:
        """Return the PDF that a paper's full text was read from; None if there is none."""
        folder = self._parts.pdf_folder
        path = folder / f"{paper.full_text.sha256}.pdf" if paper.full_text else None
        return path if path and path.is_file() else None

    def document(self, paper: Paper) -> Document | None:
        """Return a paper's full text; None if there is no PDF.

        Raises:
            PdfError: if the PDF was damaged since it was read.
        """
        path = self.pdf(paper)
        if path is None:
            return None
        with self._parts.pdf_reader() as reader:
            return reader.parse(path)

    def page_image(self, paper: Paper, page: int, *, boxes: Sequence[Box]) -> bytes | None:
        """Draw a page of a paper's PDF; see :meth:`Library.page_image`."""
        full_text, path = paper.full_text, self.pdf(paper)
        if full_text is None or path is None:
            return None
        return self._parts.page_drawer.draw(path, sha256=full_text.sha256, page=page, boxes=boxes)

    def remove(self, papers: Sequence[Paper]) -> int:
        """Remove papers, and the PDFs that no other paper has; return how many papers that were."""
        store = self._parts.store
        found = {paper.id: paper for paper in papers}
        with store.writer() as writer:
            writer.remove(sorted(found))
        kept = {paper.full_text.sha256 for paper in store.papers() if paper.full_text}
        for paper in found.values():
            if paper.full_text and paper.full_text.sha256 not in kept:
                self._forget(paper.full_text.sha256, ("pdfs", "documents", "pages"))
        if found:
            self._parts.kept_reader.forget()
        return len(found)

    def reindex(self, papers: Sequence[Paper], *, progress: Progress) -> IngestReport:
        """Read the PDFs of papers anew, cut and embed them anew; what fails stays as it was."""
        began = time.perf_counter()
        distinct = list({paper.id: paper for paper in papers}.values())
        failed: list[SourceFailure] = []
        chunks = 0
        for done, paper in enumerate(distinct):
            progress("Indexing", done, len(distinct))
            try:
                chunks += self._reindex(paper)
            except PdfError as error:
                failed.append(SourceFailure(source=paper.id, error=str(error)))
        return IngestReport(
            added=0,
            updated=len(distinct) - len(failed),
            unchanged=0,
            failed=tuple(failed),
            chunks=chunks,
            seconds=round(time.perf_counter() - began, 3),
        )

    def cut_anew(self, paper: Paper) -> Sequence[Chunk]:
        """Cut a paper; where its PDF is gone, the chunks of its full text stay as they are."""
        parts = self._parts
        document = self.document(paper)
        kept: list[Chunk] = []
        if paper.full_text and document is None:
            kept = [each for each in parts.store.paper_chunks(paper.id) if each.source == "pdf"]
        return cut(paper, parts.embedder, document=document, kept=kept).chunks

    def _reindex(self, paper: Paper) -> int:
        """Index one paper anew; return how many chunks that makes."""
        parts = self._parts
        if paper.full_text and self.pdf(paper):
            # What text recognition read may not be to be had anew: it can be gone, or fail.
            self._forget(paper.full_text.sha256, ("documents", "pages"), keep=scans.VERSION)
        cuts = [Cut(paper, tuple(self.cut_anew(paper)))]
        indexed = embed(cuts, parts.embedder, abstracts=parts.abstract_embedder)
        with parts.store.writer() as writer:
            # What another process has changed meanwhile, it has indexed as well.
            if parts.store.paper(paper.id) == paper:
                writer.put(indexed, fingerprint=parts.fingerprint())
        return len(indexed[0].chunks)

    def _forget(self, sha256: str, folders: Sequence[str], *, keep: str | None = None) -> None:
        """Delete a PDF, or what was read and drawn of it, but for what the reader ``keep`` read."""
        for folder in folders:
            for path in (self._parts.settings.home / folder).glob(f"{sha256}*"):
                if keep is None or keep not in path.name:
                    path.unlink(missing_ok=True)
