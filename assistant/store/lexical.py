"""The lexical index: BM25 over analysed terms. The only module that knows tantivy.

Index and queries share :func:`assistant.text.terms`; tantivy sees terms parted by blanks, and its query
parser never sees anything.
"""

import hashlib
import json
import shutil
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import text
from assistant.errors import StorageError
from assistant.store.model import NOTHING, WRITING, Entry, Hit, State, best_first, best_with_ties
from assistant.text import one_line

if TYPE_CHECKING:
    import tantivy

_HEAP_BYTES = 50_000_000


class DamagedIndexError(Exception):
    """The index is not there or its files cannot be read; it is to be made anew."""


class Lexical:
    """The lexical index of one library, in a folder or, where none can be written, in memory."""

    def __init__(self, folder: Path) -> None:
        self.generation: int | None = None
        self._folder = folder
        self._record = folder / "state.json"
        self._index: tantivy.Index | None = None
        self._stored = False
        self._frequencies: dict[str, int] = {}
        self._words: dict[str, list[str]] = {}

    def exists(self) -> bool:
        """Tell whether there is a folder."""
        return self._folder.exists()

    def library(self) -> str | None:
        """Return the id of the library the folder was made for, if it says."""
        return self._read_record().get("library")

    def stamp(self, library: str) -> int:
        """Return the generation the folder holds, or WRITING, or NOTHING that could be used."""
        record = self._read_record()
        if record.get("library") != library or record.get("analyser") != _analyser():
            return NOTHING
        return int(record["generation"])

    def mark(self, state: State, generation: int) -> None:
        """Write down the generation the folder holds from now on."""
        if not self._stored:
            return
        record = {
            "library": state.library,
            "analyser": _analyser(),
            "generation": generation,
            "files": _checksums(self._folder),
        }
        with _translated(self._folder):
            fresh = self._record.with_suffix(".new")
            fresh.write_text(json.dumps(record), encoding="utf-8")
            fresh.replace(self._record)

    def open(self) -> None:
        """Open the index in the folder.

        Raises:
            DamagedIndexError: if it is not there or cannot be read.
        """
        import tantivy

        self.close()
        record = self._read_record()
        # Tantivy aborts on damaged files, so they are looked at before; not while they are written.
        if (
            record.get("generation") != WRITING
            and record.get("files") != _checksums(self._folder)
            and record == self._read_record()
        ):
            raise DamagedIndexError("its files are not those that were written")
        try:
            self._use(tantivy.Index(_schema(), path=str(self._folder)), stored=True)
        except (ValueError, OSError) as error:
            raise DamagedIndexError(str(error)) from error

    def create(self) -> None:
        """Begin an empty index in the folder, in place of whatever is there."""
        import tantivy

        self.close()
        with _translated(self._folder):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._use(tantivy.Index(_schema(), path=str(self._folder)), stored=True)

    def create_in_memory(self) -> None:
        """Begin an empty index that lives as long as this object."""
        import tantivy

        self.close()
        self._use(tantivy.Index(_schema()), stored=False)

    def close(self) -> None:
        """Forget the open index."""
        self._index = None
        self.generation = None

    def ids(self) -> set[str]:
        """List the chunks held."""
        from tantivy import Query

        held = self._open().searcher().num_docs
        return {hit.chunk_id for hit in self._search(Query.all_query(), held)}

    def update(self, *, add: Iterable[Entry] = (), delete: Iterable[str] = ()) -> None:
        """Add and delete chunks, in one commit."""
        with self._writing() as writer:
            for chunk_id in delete:
                writer.delete_documents_by_term("chunk_id", chunk_id)
            for entry in add:
                writer.add_document(_document(entry))

    def replace(self, entries: Iterable[Entry]) -> None:
        """Hold these chunks and no others, in one commit."""
        with self._writing() as writer:
            writer.delete_all_documents()
            for entry in entries:
                writer.add_document(_document(entry))

    def search(
        self, weights: Mapping[str, float], count: int, *, papers: Collection[str] | None
    ) -> list[Hit]:
        """Find the best ``count`` chunks by BM25 (k1 = 1.2, b = 0.75), terms weighted.

        Others that share the last one's score come with them.
        """
        from tantivy import Occur, Query

        weighed = Query.boolean_query(
            [
                (Occur.Should, Query.boost_query(self._term(term), weight))
                for term, weight in weights.items()
            ]
        )
        return self._search(self._of_papers(weighed, papers), count)

    def document_frequency(self, term: str, *, papers: Collection[str] | None = None) -> int:
        """Count the chunks that hold a term, in their text or what it stands under."""
        if papers is not None:
            return self._count(self._of_papers(self._term(term), papers))
        if term not in self._frequencies:
            self._frequencies[term] = self._count(self._term(term))
        return self._frequencies[term]

    def words_with_prefix(self, prefix: str) -> list[str]:
        """List the folded words of all chunks that begin with ``prefix``, sorted."""
        from tantivy import Query

        if prefix not in self._words:
            # Without the query it would also list the words of deleted chunks.
            found = self._open().searcher().terms_with_prefix("words", prefix, Query.all_query())
            self._words[prefix] = [word for word, _ in found]
        return self._words[prefix]

    def _open(self) -> "tantivy.Index":
        assert self._index is not None, "the store opens it before use"
        return self._index

    def _use(self, index: "tantivy.Index", *, stored: bool) -> None:
        from tantivy import TextAnalyzerBuilder, Tokenizer

        index.register_tokenizer("blanks", TextAnalyzerBuilder(Tokenizer.whitespace()).build())
        index.config_reader(reload_policy="manual")
        index.reload()
        self._index = index
        self._stored = stored
        self._frequencies, self._words = {}, {}

    def _term(self, term: str) -> "tantivy.Query":
        from tantivy import Query

        return Query.term_query(self._open().schema, "text", term, index_option="freq")

    def _of_papers(self, query: "tantivy.Query", papers: Collection[str] | None) -> "tantivy.Query":
        """Let a query find chunks of these papers alone; its scores stay what they are."""
        from tantivy import Occur, Query

        if papers is None:
            return query
        chosen = Query.term_set_query(self._open().schema, "paper_id", sorted(papers))
        return Query.boolean_query(
            [(Occur.Must, query), (Occur.Must, Query.const_score_query(chosen, 0.0))]
        )

    def _count(self, query: "tantivy.Query") -> int:
        found = self._open().searcher().search(query, limit=1, count=True)
        return int(found.count or 0)  # type: ignore[attr-defined]  # missing in tantivy's stub

    def _search(self, query: "tantivy.Query", count: int) -> list[Hit]:
        searcher = self._open().searcher()
        count = min(count, searcher.num_docs)
        if count == 0:
            return []

        def find(size: int) -> list[tuple[float, Any]]:
            found = searcher.search(query, limit=min(size, searcher.num_docs), count=False)
            return found.hits

        # Ids are read last: they take longer than the search.
        return best_first(
            [
                Hit(searcher.doc(place)["chunk_id"][0], float(score))
                for score, place in best_with_ties(find, count, first=2 * count)
            ]
        )

    @contextmanager
    def _writing(self) -> Iterator["tantivy.IndexWriter"]:
        index = self._open()
        with _translated(self._folder):
            writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
            try:
                yield writer
                writer.commit()
            finally:
                # What is not committed is dropped; the threads end, so that the files stay as they are.
                writer.wait_merging_threads()
            index.reload()
            self._frequencies, self._words = {}, {}

    def _read_record(self) -> dict[str, Any]:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}


def _schema() -> "tantivy.Schema":
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("paper_id", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="blanks", index_option="freq")
    builder.add_text_field("words", tokenizer_name="blanks", index_option="basic")
    return builder.build()


def _document(entry: Entry) -> "tantivy.Document":
    from tantivy import Document

    chunk = entry.chunk
    found = "\n".join(
        part for part in (entry.paper.title, chunk.section, chunk.context, chunk.text) if part
    )
    document = Document()
    document.add_text("chunk_id", entry.chunk.id)
    document.add_text("paper_id", entry.paper.id)
    document.add_text("text", " ".join(text.terms(found)))
    document.add_text("words", " ".join({text.fold(word) for word in text.words(found)}))
    return document


@cache
def _analyser() -> str:
    """Fingerprint the analyser by its source, so that no change of it can be forgotten."""
    return hashlib.sha256(Path(text.__file__).read_bytes()).hexdigest()[:16]


def _checksums(folder: Path) -> dict[str, int]:
    """Return a checksum of each of the index's files; 10 ms for 50,000 chunks."""
    try:
        return {
            path.name: zlib.crc32(path.read_bytes())
            for path in sorted(folder.iterdir())
            if not path.name.startswith((".", "state."))
        }
    except OSError:  # a file vanished, or there is no folder
        return {}


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        said = one_line(str(error))
        raise StorageError(
            f"cannot write the lexical index in {folder} ({said}): free some space or make it "
            "writable; nothing is lost"
        ) from error
