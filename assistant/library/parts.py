"""What a library is made of: store, embedders, what fetches, reads and draws PDFs."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import chunk
from assistant.config import Settings
from assistant.keys import read_secret
from assistant.models import Embedder, ProviderEmbedder
from assistant.models.answer_head import AnswerHead
from assistant.models.kept import KeptReader
from assistant.models.minilm import MiniLM
from assistant.models.remembering import Remembering
from assistant.store import IndexFingerprint, Store

if TYPE_CHECKING:
    from assistant.fetch import Fetcher
    from assistant.parse.pool import ParserPool
    from assistant.parse.render import PageDrawer


class Parts:
    """The parts of one library, as its settings name them; each is made when first needed."""

    def __init__(self, settings: Settings, *, announce: Callable[[str], None]) -> None:
        """Name the settings to use; ``announce`` is told of a long wait."""
        self.settings = settings
        self.announce = announce

    def lend(self, other: "Parts") -> None:
        """Let another library in the same home use what is heavy here; closing one closes both."""
        vars(other).update(
            store=self.store,
            reader=self.reader,
            embedder=self.embedder,
            answer_head=self.answer_head,
        )

    def close(self) -> None:
        """Let go of files and connections."""
        made = vars(self)
        if "store" in made:
            self.store.close()
        if "page_drawer" in made:
            self.page_drawer.close()

    @cached_property
    def store(self) -> Store:
        """Catalog, vectors and lexical index."""
        return Store.open(
            home=self.settings.home, database=self.settings.database, chroma=self.settings.chroma
        )

    @cached_property
    def embedder(self) -> Embedder:
        """What the index is made with."""
        if self.settings.embeddings == self.reader.name:
            return self.reader
        return ProviderEmbedder(self.settings.embeddings)

    @cached_property
    def reader(self) -> MiniLM:
        """The local embedder, which weighs evidence whatever embedder the index is made with."""
        return MiniLM(self.settings.home / "models", announce=self.announce)

    @cached_property
    def kept_reader(self) -> KeptReader:
        """The reader, with the passages on disk that it read before."""
        path = self.settings.home / "read.db"
        return KeptReader(self.reader, path, generation=self.store.generation)

    @property
    def abstract_embedder(self) -> Embedder:
        """The embedder, for abstracts: where it is the reader, it keeps what it reads on the way."""
        return self.kept_reader if self.embedder is self.reader else self.embedder

    @cached_property
    def remembering_reader(self) -> Remembering:
        """The reader of passages, which many questions have in common."""
        return Remembering(self.kept_reader)

    @cached_property
    def answer_head(self) -> AnswerHead:
        """What reads sentences beside a question."""
        return AnswerHead()

    def fingerprint(self) -> IndexFingerprint:
        """Say what the index is to be made with."""
        return IndexFingerprint(
            embedder=self.embedder.name,
            dimension=self.embedder.dimension,
            chunking=chunk.VERSION,
        )

    @property
    def secret(self) -> bytes:
        """What the marks around texts that models see are drawn from."""
        return read_secret(self.settings.home / "secret")

    @property
    def pdf_folder(self) -> Path:
        """Where PDFs lie, each named after its SHA-256."""
        return self.settings.home / "pdfs"

    @cached_property
    def fetcher(self) -> "Fetcher":
        """What fetches PDFs and records from the web."""
        from assistant.fetch import Fetcher

        return Fetcher(
            self.pdf_folder,
            arxiv_url=self.settings.arxiv_url,
            contact=self.settings.contact,
            allow_hosts=self.settings.fetch_hosts.split(),
        )

    def pdf_reader(self) -> "ParserPool":
        """Make what reads PDFs; it is to be closed."""
        from assistant.parse import scans
        from assistant.parse.pool import ParserPool

        folder = self.settings.home / "documents"
        # One at a time: it takes more than one core as it is, and much memory.
        recogniser = ParserPool(
            folder,
            workers=1,
            limits=scans.LIMITS,
            target=scans.READER,
            missing=None if scans.is_installed() else scans.INSTALL,
        )
        return ParserPool(folder, workers=os.cpu_count() or 1, scans=recogniser)

    @cached_property
    def page_drawer(self) -> "PageDrawer":
        """What draws pages of PDFs."""
        from assistant.parse.render import PageDrawer

        return PageDrawer(self.settings.home / "pages")
