"""Bring the derived indexes in line with the catalog."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from assistant.store.catalog import Catalog
from assistant.store.lexical import DamagedIndexError, Lexical
from assistant.store.model import NOTHING, WRITING, State
from assistant.store.vectors import Vectors

Attempt = Callable[[], AbstractContextManager[bool]]
"""Tries to become the library's only writer, and says whether it worked."""

_SMALL = 2_000
"""Chunks. A lexical index of so many is written anew after a deletion, in less than a second.

Deleted chunks count in BM25 until tantivy merges them away; so the scores of a small library depend on
what it holds, not on what it held.
"""


def refresh_vectors(vectors: Vectors, catalog: Catalog, attempt: Attempt) -> None:
    """Open the vectors anew, and mend what a killed process left.

    While another process writes, they may hold more than the catalog shows, never less.
    """
    with vectors.exclusively():
        # Read before the state: what is stored by now has its collection's name in the state.
        expected = not catalog.is_empty()
        state = catalog.state()
        vectors.open(state, expected=expected)
        stamp = vectors.stamp(state.library)
        if stamp != state.generation:
            with attempt() as alone:
                if alone or stamp != WRITING:
                    state = match_vectors(vectors, catalog, alone=alone)
        vectors.generation = state.generation


def match_vectors(vectors: Vectors, catalog: Catalog, *, alone: bool) -> State:
    """Add the vectors that are missing and, when alone, delete those that nothing shows any more."""
    state = catalog.state()
    wanted, held = catalog.visible().chunk_ids, vectors.ids()
    vectors.add(catalog.entries(wanted - held))
    if alone:
        vectors.delete(sorted(held - wanted))
    vectors.mark(state, state.generation if alone else WRITING)
    return state


def refresh_lexical(lexical: Lexical, catalog: Catalog, attempt: Attempt) -> None:
    """Open the lexical index anew; build it if it is missing, damaged or behind.

    Where the folder is another's to write just now, or nobody's, it is built in memory.
    """
    stamp, state = _settled(lexical, catalog)
    if stamp != state.generation or not _opens(lexical):
        with attempt() as alone:
            if alone:
                state = match_lexical(lexical, catalog)
            elif stamp != WRITING or not _opens(lexical):
                state = catalog.state()
                lexical.create_in_memory()
                lexical.replace(catalog.entries(catalog.visible().chunk_ids))
    lexical.generation = state.generation


def match_lexical(lexical: Lexical, catalog: Catalog) -> State:
    """Make the lexical index in the folder hold what the catalog shows, and nothing else."""
    state = catalog.state()
    wanted = catalog.visible().chunk_ids
    if lexical.stamp(state.library) == NOTHING or not _opens(lexical):
        lexical.create()
    held = lexical.ids()
    lexical.mark(state, WRITING)
    if held - wanted:
        lexical.replace(catalog.entries(wanted))
    elif wanted - held:
        lexical.update(add=catalog.entries(wanted - held))
    lexical.mark(state, state.generation)
    return state


def drop_from_lexical(lexical: Lexical, catalog: Catalog, ids: set[str]) -> None:
    """Delete chunks from the lexical index that the catalog does not show any more."""
    if not ids:
        return
    left = catalog.visible().chunk_ids
    if len(left) <= _SMALL:
        lexical.replace(catalog.entries(left))
    else:
        lexical.update(delete=sorted(ids))


def _settled(lexical: Lexical, catalog: Catalog) -> tuple[int, State]:
    """Read the index's stamp and the catalog's state as of one moment."""
    while True:
        state = catalog.state()
        stamp = lexical.stamp(state.library)
        if catalog.state() == state:
            return stamp, state


def _opens(lexical: Lexical) -> bool:
    try:
        lexical.open()
    except DamagedIndexError:
        return False
    return True
