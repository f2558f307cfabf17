"""The library as parts of LangChain: its own suites, and what a document says of its passage."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests
from pydantic import ValidationError
from reportlab.pdfgen.canvas import Canvas

from assistant.config import load_settings
from assistant.errors import PaperNotFoundError, QuestionError
from assistant.langchain import LibraryRetriever, LocalEmbeddings
from assistant.library import Library
from assistant.models.minilm import MiniLM
from assistant.records import AnswerDone
from assistant.samples import DIGEST
from tests import pdfs

QUESTION = "What does DAPO reach on AIME 2024?"
METHOD = "The turquoise walrus network is trained with nine thousand icicles."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library with the sample digest and one full text."""
    folder = tmp_path_factory.mktemp("langchain")
    with closing(Library(load_settings({"home": folder / "home"}, {}))) as library:
        library.ingest([str(DIGEST), str(paper(folder / "walrus.pdf"))], pdfs=False)
        yield library


def paper(path: Path) -> Path:
    def paint(canvas: Canvas) -> None:
        pdfs.text(canvas, pdfs.LEFT, 790, "Walruses on Ice", font=pdfs.BOLD, size=20)
        y = pdfs.heading(canvas, pdfs.LEFT, 740, "Abstract")
        pdfs.lines(canvas, pdfs.LEFT, y, pdfs.prose(6, first="Here", last="ends."))
        canvas.showPage()
        y = pdfs.heading(canvas, pdfs.LEFT, 740, "2 Training")
        pdfs.lines(canvas, pdfs.LEFT, y, [METHOD, *pdfs.prose(8, first="Then", last="ends.")])

    return pdfs.draw(path, paint)


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:The test .* is not an async function")  # of the suite
class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _library(self, library: Library) -> None:
        self.library = library

    @property
    def retriever_constructor(self) -> type[LibraryRetriever]:
        return LibraryRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"library": self.library}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


class Embedding:
    """What the two suites are told."""

    @pytest.fixture(autouse=True)
    def _folder(self, model_cache: Path) -> None:
        self.folder = model_cache

    @property
    def embeddings_class(self) -> type[LocalEmbeddings]:
        return LocalEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"folder": self.folder}


class TestEmbeddingsUnit(Embedding, EmbeddingsUnitTests):
    pass


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:The test .* is not an async function")  # of the suite
class TestEmbeddingsIntegration(Embedding, EmbeddingsIntegrationTests):
    pass


def test_a_document_says_where_its_passage_stands(library: Library) -> None:
    (found,) = LibraryRetriever(library=library, k=1).invoke(METHOD)
    assert METHOD in found.page_content
    metadata = found.metadata
    assert metadata["title"] == "Walruses on Ice"
    assert metadata["source"] == "pdf"
    assert metadata["page_first"] == metadata["page_last"] == 2
    assert "Training" in metadata["section"]
    assert metadata["score"] > 0
    assert {box["page"] for box in metadata["boxes"]} == {2}
    assert all(box["x0"] < box["x1"] and box["y0"] < box["y1"] for box in metadata["boxes"])


def test_of_no_papers_nothing_is_found_and_none_is_not_no_papers(library: Library) -> None:
    assert LibraryRetriever(library=library, papers=()).invoke(QUESTION) == []
    assert library.search(QUESTION, papers=[]) == []
    assert LibraryRetriever(library=library, papers=None).invoke(QUESTION)
    *_, done = library.ask(QUESTION, papers=[])
    assert isinstance(done, AnswerDone)
    assert done.answer.refused
    assert done.answer.refusal_reason


def test_a_document_of_an_abstract_has_a_link_and_no_boxes(library: Library) -> None:
    found = LibraryRetriever(library=library).invoke(QUESTION)[0]
    assert found.metadata["paper_id"] == "2503.14476"
    assert found.metadata["url"] == "https://arxiv.org/abs/2503.14476"
    assert found.metadata["boxes"] == []


def test_documents_are_those_of_a_search_in_its_order(library: Library) -> None:
    passages = library.search(QUESTION, limit=5)
    found = LibraryRetriever(library=library, k=5).invoke(QUESTION)
    assert [each.id for each in found] == [each.chunk.id for each in passages]


def test_only_the_papers_named_are_searched(library: Library) -> None:
    retriever = LibraryRetriever(library=library, papers=("2503.14476",))
    assert {each.metadata["paper_id"] for each in retriever.invoke("graphs")} == {"2503.14476"}


def test_what_cannot_be_searched_is_told_as_the_library_tells_it(library: Library) -> None:
    with pytest.raises(QuestionError, match="empty"):
        LibraryRetriever(library=library).invoke(" ")
    with pytest.raises(PaperNotFoundError):
        LibraryRetriever(library=library, papers=("nosuch",)).invoke(QUESTION)
    with pytest.raises(ValidationError):
        LibraryRetriever(library=library, k=0)


def test_embeddings_are_those_of_the_index(embedder: MiniLM, model_cache: Path) -> None:
    texts = ["a paper", "about graphs"]
    found = LocalEmbeddings(model_cache).embed_documents(texts)
    assert np.asarray(found) == pytest.approx(embedder.embed(texts), abs=1e-6)
    assert LocalEmbeddings(model_cache).embed_documents([]) == []


def test_embeddings_keep_what_they_build_in_the_home(home: Path) -> None:
    assert len(LocalEmbeddings().embed_query("a paper")) == 384
    assert list((home / "models").iterdir())
