"""Whether catalog, vectors and lexical index agree, and what to do where they do not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from assistant.errors import AssistantError, CatalogError, PdfError, VectorStoreError
from assistant.records import Chunk, Paper
from assistant.store import sync
from assistant.store.catalog import Catalog
from assistant.store.database import Database
from assistant.store.lexical import DamagedIndexError, Lexical
from assistant.store.model import (
    DOCTOR,
    Array,
    Entry,
    IndexedPaper,
    IndexFingerprint,
    Problem,
    in_batches,
)
from assistant.store.vectors import Vectors

PATIENCE_SECONDS = 10.0
"""How long a check waits for a writer: what is half committed is no disagreement."""

_PAPERS = 64


class Maker(NamedTuple):
    """What an index is made with; without ``chunk``, stored chunks are kept as they are.

    So are those of a paper for which ``chunk`` raises ``PdfError``.
    """

    embed: Callable[[Sequence[str]], Array]
    embedding_text: Callable[[Paper, Chunk], str]
    fingerprint: IndexFingerprint
    chunk: Callable[[Paper], Sequence[Chunk]] | None


def check(catalog: Catalog, vectors: Vectors | None, lexical: Lexical | None) -> list[Problem]:
    """Compare the indexes with the catalog, ids, not counts; change nothing.

    The caller keeps writers out, and leaves out an index that cannot be opened without writing.
    """
    try:
        flaws = catalog.flaws()
        wanted = catalog.visible().chunk_ids
    except AssistantError as error:
        return [_problem("catalog", error)]
    problems = [
        Problem(part="catalog", detail=f"{number} {what}", repairable=True)
        for what, number in flaws.items()
    ]
    if vectors is not None:
        problems += _check_vectors(catalog, vectors, wanted)
    if lexical is not None:
        problems += _check_lexical(catalog, lexical, wanted)
    return problems


def repair(
    database: Database, catalog: Catalog, vectors: Vectors, lexical: Lexical, maker: Maker
) -> list[str]:
    """Mend what can be mended and say what was done. The caller keeps writers out."""
    done: list[str] = []
    try:
        flaws = catalog.flaws()
    except CatalogError:
        if database.path is None:
            raise
        flaws = {}
        done += _rebuild_catalog(database, catalog, vectors, lexical.library())
    stored = catalog.state().fingerprint
    if not catalog.is_empty() and (flaws or stored != maker.fingerprint):
        done += _reindex(catalog, vectors, maker)
    done += _repair_vectors(catalog, vectors)
    if _check_lexical(catalog, lexical, catalog.visible().chunk_ids):
        sync.match_lexical(lexical, catalog)
        done.append("the lexical index was brought in line with the catalog")
    return done


def _check_vectors(catalog: Catalog, vectors: Vectors, wanted: frozenset[str]) -> list[Problem]:
    with vectors.exclusively():
        if vectors.folder is not None and vectors.folder.is_interrupted():
            detail = "a process died while it wrote them; the next command that needs them mends it"
            return [Problem(part="vectors", detail=detail, repairable=True)]
        try:
            vectors.open(catalog.state(), expected=bool(wanted))
            held = vectors.ids()
            lost = vectors.unreadable(held)
        except AssistantError as error:
            return [_problem("vectors", error)]
    details = _difference(wanted, held)
    if lost:
        details.append(f"{len(lost)} vectors are listed but lost, such as that of {min(lost)}")
    return [Problem(part="vectors", detail=detail, repairable=True) for detail in details]


def _check_lexical(catalog: Catalog, lexical: Lexical, wanted: frozenset[str]) -> list[Problem]:
    if not wanted and not lexical.exists():
        return []
    try:
        lexical.open()
        details = _difference(wanted, lexical.ids())
    except DamagedIndexError as error:
        details = [f"the index is missing or damaged: {error}"]
    if not details and lexical.stamp(catalog.state().library) < 0:
        details = ["the index was made by another version, or a commit was interrupted"]
    return [Problem(part="lexical", detail=detail, repairable=True) for detail in details]


def _difference(wanted: frozenset[str], held: set[str]) -> list[str]:
    found = (
        (wanted - held, "chunks are missing"),
        (held - wanted, "chunks of no paper are left over"),
    )
    return [f"{len(ids)} {what}, such as {min(ids)}" for ids, what in found if ids]


def _problem(part: Literal["catalog", "vectors"], error: AssistantError) -> Problem:
    return Problem(part=part, detail=str(error), repairable=DOCTOR in str(error))


def _repair_vectors(catalog: Catalog, vectors: Vectors) -> list[str]:
    problems = _check_vectors(catalog, vectors, catalog.visible().chunk_ids)
    if not problems:
        return []
    if not problems[0].repairable:
        raise VectorStoreError(problems[0].detail)
    with vectors.exclusively():
        vectors.create(catalog.state())
        sync.match_vectors(vectors, catalog, alone=True)
    return [f"the vectors were stored anew from the catalog ({problems[0].detail})"]


def _reindex(catalog: Catalog, vectors: Vectors, maker: Maker) -> list[str]:
    """Cut and embed every paper anew, and commit that at once."""
    state = catalog.state()
    papers = list(catalog.shelf().papers())
    kept: list[str] = []
    indexed = [
        item
        for batch in in_batches(papers, _PAPERS)
        for item in _index(batch, catalog, maker, kept)
    ]
    # Held throughout: the collection of the new kind must not be seen without its vectors.
    with vectors.exclusively():
        vectors.create(state._replace(fingerprint=maker.fingerprint))
        catalog.put(indexed, fingerprint=maker.fingerprint)
        sync.match_vectors(vectors, catalog, alone=True)
    return [f"{len(papers)} papers were indexed anew with {maker.fingerprint}", *kept]


def _index(
    papers: Sequence[Paper], catalog: Catalog, maker: Maker, kept: list[str]
) -> Iterator[IndexedPaper]:
    stored = catalog.state().fingerprint
    recut = maker.chunk if stored is None or stored.chunking != maker.fingerprint.chunking else None
    cut: list[tuple[Paper, tuple[Chunk, ...]]] = []
    for paper in papers:
        try:
            chunks = recut(paper) if recut else catalog.paper_chunks(paper.id)
        except PdfError as error:
            chunks = catalog.paper_chunks(paper.id)
            kept.append(f"paper {paper.id} stays cut as it was: its PDF {error}")
        cut.append((paper, tuple(chunks)))
    vectors = maker.embed(
        [maker.embedding_text(paper, chunk) for paper, chunks in cut for chunk in chunks]
    )
    row = 0
    for paper, chunks in cut:
        yield IndexedPaper(paper, chunks, vectors[row : row + len(chunks)])
        row += len(chunks)


def _rebuild_catalog(
    database: Database, catalog: Catalog, vectors: Vectors, library: str | None
) -> list[str]:
    """Begin a new catalog from what Chroma holds; the damaged one is kept."""
    found = vectors.rescue(library)
    kept = database.set_aside()
    database.create_anew()
    done = [f"the damaged catalog was kept as {kept}"] if kept else []
    if found is None:
        return [
            *done,
            "a new catalog was begun; there are no vectors to rebuild it from: ingest again",
        ]
    state, entries = found
    whole, halves = _papers_of(entries)
    catalog.adopt(state.library, max(state.generation, 0))
    if state.fingerprint is not None:
        catalog.put(whole, fingerprint=state.fingerprint)
    done.append(f"the catalog was rebuilt from Chroma: {len(whole)} papers")
    if any(chunk.source == "pdf" for item in whole for chunk in item.chunks):
        done.append("where full texts stand on their pages was lost: ingest those PDFs again")
    return done + [f"paper {paper_id} is not all there: ingest it again" for paper_id in halves]


def _papers_of(entries: Iterable[Entry]) -> tuple[list[IndexedPaper], list[str]]:
    """Put chunks together to papers; return the whole ones, and the ids of the others."""
    by_paper: dict[str, list[Entry]] = {}
    for entry in entries:
        by_paper.setdefault(entry.paper.id, []).append(entry)
    whole: list[IndexedPaper] = []
    halves: list[str] = []
    for paper_id, found in by_paper.items():
        found.sort(key=lambda entry: entry.position)
        if [entry.position for entry in found] == list(range(len(found))):
            vectors = np.stack([entry.vector for entry in found])
            chunks = tuple(entry.chunk for entry in found)
            # Chroma does not hold the places on pages: without this, the PDF counts as not read.
            paper = found[0].paper.model_copy(update={"full_text": None})
            whole.append(IndexedPaper(paper, chunks, vectors))
        else:
            halves.append(paper_id)
    return whole, halves
