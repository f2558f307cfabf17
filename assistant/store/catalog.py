"""The catalog: the record of papers, chunks and vectors. All else in the store derives from it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from assistant.errors import CatalogError
from assistant.records import Chunk, Paper, Record
from assistant.store.database import Database
from assistant.store.model import (
    DOCTOR,
    Array,
    Entry,
    IndexedPaper,
    IndexFingerprint,
    State,
    in_batches,
)
from assistant.store.schema import aliases, chunks, meta, papers, vectors
from assistant.text import one_line

_BATCH = 500
"""Ids per statement; every database takes as many."""

_FLOAT = np.dtype("<f4")
_META = sa.select(meta)
_VALUES: sa.BindParameter[Sequence[str]] = sa.bindparam("values", expanding=True)
_CHUNKS = sa.select(chunks.c.id, chunks.c.record).where(chunks.c.id.in_(_VALUES))
_VECTORS = sa.select(vectors.c.chunk_id, vectors.c.data)
_VECTORS_OF_CHUNKS = _VECTORS.where(vectors.c.chunk_id.in_(_VALUES))
_VECTORS_OF_PAPERS = _VECTORS.join(chunks).where(chunks.c.paper_id.in_(_VALUES))
_CHUNK_IDS_OF_PAPERS = sa.select(chunks.c.id).where(chunks.c.paper_id.in_(_VALUES))
_KNOWN_PAPERS = sa.select(papers.c.id).where(papers.c.id.in_(_VALUES))

_Row = TypeVar("_Row", bound=Record)


class _Titled(TypedDict):
    title: str


_TITLE = TypeAdapter(_Titled)


class Visible(NamedTuple):
    """The ids of the chunks that belong to papers, as of a generation."""

    generation: int
    chunk_ids: frozenset[str]


class Shelf(NamedTuple):
    """All papers as of a generation, by id and in order of insertion, each still to be parsed."""

    generation: int
    records: Mapping[str, str]
    aliases: Mapping[str, str]

    def paper(self, name: str) -> Paper | None:
        """Return the paper with the id or alias ``name``."""
        record = self._record(name)
        return None if record is None else _parse_paper(record)

    def title(self, name: str) -> str | None:
        """Return the title of the paper with the id or alias ``name``, without parsing all of it."""
        record = self._record(name)
        if record is None:
            return None
        try:
            return _TITLE.validate_json(record)["title"]
        except ValidationError as error:
            raise _damaged(error) from error

    def papers(self) -> Iterator[Paper]:
        """Go through all papers."""
        return (_parse_paper(record) for record in self.records.values())

    def _record(self, name: str) -> str | None:
        return self.records.get(name) or self.records.get(self.aliases.get(name, ""))


class Rows(NamedTuple):
    """Vectors as the rows of a matrix, with the chunks they belong to."""

    chunk_ids: list[str]
    rows: Array


class Matrix(NamedTuple):
    """The :class:`Rows` of some papers or of all, as of a generation."""

    generation: int
    chunk_ids: list[str]
    rows: Array


class Catalog:
    """Reads and writes of the catalog; each is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self) -> State:
        """Return the library's id, its generation, and what made its index."""
        with self._database.reading() as connection:
            return _state(connection)

    def shelf(self) -> Shelf:
        """Read all papers."""
        with self._database.reading() as connection:
            generation = _state(connection).generation
            rows = connection.execute(
                sa.select(papers.c.id, papers.c.record).order_by(papers.c.position)
            )
            records = {row.id: row.record for row in rows}
            known = connection.execute(sa.select(aliases.c.alias, aliases.c.paper_id))
            return Shelf(generation, records, {row.alias: row.paper_id for row in known})

    def visible(self) -> Visible:
        """Read the ids of all chunks."""
        with self._database.reading() as connection:
            generation = _state(connection).generation
            ids = connection.execute(sa.select(chunks.c.id)).scalars()
            return Visible(generation, frozenset(ids))

    def is_empty(self) -> bool:
        """Tell whether there are no chunks."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(chunks.c.id).limit(1)).first() is None

    def paper_chunks(self, paper_id: str) -> list[Chunk]:
        """Read a paper's chunks, in text order."""
        statement = sa.select(chunks.c.record).where(chunks.c.paper_id == paper_id)
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(chunks.c.position)).scalars()
            return [_parse(Chunk, row) for row in rows]

    def chunk_counts(self) -> dict[str, int]:
        """Count the chunks of each paper that has some."""
        statement = sa.select(chunks.c.paper_id, sa.func.count()).group_by(chunks.c.paper_id)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def chunk_count(self, papers: Iterable[str]) -> int:
        """Count the chunks of some papers."""
        statement = sa.select(sa.func.count()).where(chunks.c.paper_id.in_(papers))
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def chunks(self, ids: Iterable[str]) -> dict[str, Chunk]:
        """Read chunks by id, as far as they are there."""
        with self._database.reading() as connection:
            rows = _rows_of(connection, _CHUNKS, ids)
            return {chunk_id: _parse(Chunk, record) for chunk_id, record in rows}

    def vectors(self, ids: Iterable[str]) -> Rows:
        """Read vectors by chunk id, as far as they are there, in any order."""
        with self._database.reading() as connection:
            return _stacked(list(_rows_of(connection, _VECTORS_OF_CHUNKS, ids)))

    def matrix(self, paper_ids: Iterable[str] | None = None) -> Matrix:
        """Read the vectors of some papers' chunks, or of all."""
        with self._database.reading() as connection:
            generation = _state(connection).generation
            if paper_ids is None:
                rows: Sequence[Any] = connection.execute(_VECTORS).all()
            else:
                rows = list(_rows_of(connection, _VECTORS_OF_PAPERS, paper_ids))
        return Matrix(generation, *_stacked(rows))

    def chunk_ids_of(self, paper_ids: Iterable[str]) -> set[str]:
        """Read the ids of some papers' chunks."""
        with self._database.reading() as connection:
            rows = _rows_of(connection, _CHUNK_IDS_OF_PAPERS, paper_ids)
            return {row.id for row in rows}

    def entries(self, ids: Iterable[str]) -> Iterator[Entry]:
        """Read what the derived indexes hold of chunks, in order of papers and text."""
        statement = sa.select(
            papers.c.record.label("paper"),
            chunks.c.position,
            chunks.c.record.label("chunk"),
            vectors.c.data,
        ).select_from(chunks.join(papers).join(vectors))
        for batch in in_batches(sorted(ids), _BATCH):
            with self._database.reading() as connection:
                order = (papers.c.position, chunks.c.position)
                selected = statement.where(chunks.c.id.in_(batch)).order_by(*order)
                rows = connection.execute(selected).all()
            for row in rows:
                yield Entry(
                    paper=_parse(Paper, row.paper),
                    position=row.position,
                    chunk=_parse(Chunk, row.chunk),
                    vector=np.frombuffer(row.data, _FLOAT),
                )

    def flaws(self) -> dict[str, int]:
        """Count what no commit leaves behind, by what it is; nothing if all is well.

        Raises:
            CatalogError: if the database itself is damaged, or a record in it.
        """
        self._database.verify()
        list(self.shelf().papers())
        fingerprint = self.state().fingerprint
        size = fingerprint.dimension * _FLOAT.itemsize if fingerprint else 0
        joined = chunks.outerjoin(vectors)
        bad = sa.or_(vectors.c.chunk_id.is_(None), sa.func.length(vectors.c.data) != size)
        with self._database.reading() as connection:
            for row in connection.execute(sa.select(chunks.c.record)).scalars():
                _parse(Chunk, row)
            count = sa.select(sa.func.count()).select_from(joined).where(bad)
            found = {"chunks without a vector": int(connection.execute(count).scalar_one())}
        return {what: number for what, number in found.items() if number}

    def put(
        self,
        batch: Sequence[IndexedPaper],
        *,
        fingerprint: IndexFingerprint,
        replaces: Collection[str] = (),
    ) -> State:
        """Store papers with all their chunks in place of what was stored of them, in one commit."""
        ids = [item.paper.id for item in batch]
        gone = set(replaces) - set(ids)
        with self._database.writing() as connection:
            _delete(connection, papers.c.id, gone)
            _delete(connection, aliases.c.paper_id, ids)
            _delete(connection, chunks.c.paper_id, ids)
            known = {row.id for row in _rows_of(connection, _KNOWN_PAPERS, ids)}
            _write_papers(connection, [item.paper for item in batch], known)
            _write_chunks(connection, batch)
            return _advance(connection, fingerprint)

    def remove(self, paper_ids: Collection[str]) -> State:
        """Remove papers and all that is stored of them, in one commit."""
        with self._database.writing() as connection:
            _delete(connection, papers.c.id, paper_ids)
            return _advance(connection, _state(connection).fingerprint)

    def adopt(self, library: str, generation: int) -> None:
        """Take the id and the generation of a library whose catalog was lost."""
        with self._database.writing() as connection:
            _set(connection, "library", library)
            _set(connection, "generation", str(generation))


def _state(connection: sa.Connection) -> State:
    values = {row.key: row.value for row in connection.execute(_META)}
    try:
        stored = values.get("fingerprint")
        fingerprint = None if stored is None else _parse_fingerprint(stored)
        return State(values["library"], int(values["generation"]), fingerprint)
    except (KeyError, ValueError) as error:
        raise _damaged(error) from error


def _advance(connection: sa.Connection, fingerprint: IndexFingerprint | None) -> State:
    state = _state(connection)
    _set(connection, "generation", str(state.generation + 1))
    if fingerprint is not None and fingerprint != state.fingerprint:
        _set(connection, "fingerprint", fingerprint.model_dump_json())
    return _state(connection)


def _set(connection: sa.Connection, key: str, value: str) -> None:
    changed = connection.execute(sa.update(meta).where(meta.c.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(sa.insert(meta).values(key=key, value=value))


def _write_papers(connection: sa.Connection, batch: Sequence[Paper], known: set[str]) -> None:
    """Write the papers' own rows; one that is known keeps its place."""
    for paper in batch:
        if paper.id in known:
            changed = sa.update(papers).where(papers.c.id == paper.id)
            connection.execute(changed.values(record=paper.model_dump_json()))
    added = [
        {"id": paper.id, "record": paper.model_dump_json()}
        for paper in batch
        if paper.id not in known
    ]
    named = [
        {"alias": alias, "paper_id": paper.id} for paper in batch for alias in set(paper.aliases)
    ]
    for table, rows in ((papers, added), (aliases, named)):
        if rows:
            connection.execute(sa.insert(table), rows)


def _write_chunks(connection: sa.Connection, batch: Sequence[IndexedPaper]) -> None:
    described = [
        {
            "id": chunk.id,
            "paper_id": item.paper.id,
            "position": position,
            "record": chunk.model_dump_json(),
        }
        for item in batch
        for position, chunk in enumerate(item.chunks)
    ]
    embedded = [
        {"chunk_id": chunk.id, "data": np.asarray(vector, _FLOAT).tobytes()}
        for item in batch
        for chunk, vector in zip(item.chunks, item.vectors, strict=True)
    ]
    if described:
        connection.execute(sa.insert(chunks), described)
        connection.execute(sa.insert(vectors), embedded)


def _delete(connection: sa.Connection, column: sa.Column[str], values: Iterable[str]) -> None:
    for batch in in_batches(sorted(values), _BATCH):
        connection.execute(sa.delete(column.table).where(column.in_(batch)))


def _rows_of(
    connection: sa.Connection, statement: sa.Select[Any], values: Iterable[str]
) -> Iterator[Any]:
    for batch in in_batches(values, _BATCH):
        yield from connection.execute(statement, {_VALUES.key: batch}).all()


def _stacked(records: Sequence[Any]) -> Rows:
    ids = [chunk_id for chunk_id, _ in records]
    try:
        data = np.frombuffer(b"".join([data for _, data in records]), _FLOAT)
        return Rows(ids, data.reshape(len(ids), -1 if ids else 0))
    except ValueError as error:
        raise _damaged(error) from error


def _parse(model: type[_Row], record: str) -> _Row:
    try:
        return model.model_validate_json(record)
    except ValidationError as error:
        raise _damaged(error) from error


@lru_cache(maxsize=2_000)
def _parse_paper(record: str) -> Paper:
    return _parse(Paper, record)


@lru_cache(maxsize=8)
def _parse_fingerprint(record: str) -> IndexFingerprint:
    return _parse(IndexFingerprint, record)


def _damaged(error: Exception) -> CatalogError:
    said = one_line(str(error), 100)
    return CatalogError(f"a record in the catalog is damaged ({said}): {DOCTOR}")
