"""The library and the local embedder as parts of LangChain, for programs built on it."""

import os
from pathlib import Path

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from assistant.answer.citations import cite
from assistant.config import load_settings
from assistant.library import Library
from assistant.models.minilm import MiniLM
from assistant.records import Passage
from assistant.text import Span


class LibraryRetriever(BaseRetriever):
    """Finds passages of a library; each is a document that says in its metadata where it stands.

    Raises what ``Library.search`` raises.
    """

    library: Library
    k: int = Field(default=8, ge=1, description="passages to find at most")
    papers: tuple[str, ...] | None = Field(
        default=None, description="ids of the only papers to search, or None for all"
    )

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        del run_manager  # there is nothing to call back about
        limit = self.k if k is None else k
        return [
            _document(each) for each in self.library.search(query, limit=limit, papers=self.papers)
        ]


class LocalEmbeddings(Embeddings):
    """The embedder that runs on this machine, all-MiniLM-L6-v2: unit vectors of 384 dimensions.

    Raises ``EmbedderUnavailableError`` where its weights are missing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Keep what is built of the weights in ``folder``; by default in the home that the settings name."""
        self._model = MiniLM(folder or load_settings({}, os.environ).home / "models")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, each into a row."""
        return [[float(value) for value in row] for row in self._model.embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Embed one text."""
        (row,) = self.embed_documents([text])
        return row


def _document(passage: Passage) -> Document:
    """Turn a passage into a document; boxes are in PDF points, origin at the bottom left."""
    chunk = passage.chunk
    boxes = cite(passage, Span(0, len(chunk.text)), number=passage.rank).boxes
    return Document(
        id=chunk.id,
        page_content=chunk.text,
        metadata={
            "paper_id": chunk.paper_id,
            "title": passage.title,
            "url": passage.url,
            "source": chunk.source,
            "page_first": chunk.page_first,
            "page_last": chunk.page_last,
            "section": chunk.section,
            "boxes": [box.model_dump() for box in boxes],
            "score": passage.score,
        },
    )
