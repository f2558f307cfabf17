"""From what a user typed to a stream of papers: files, folders, arXiv ids and URLs."""

import os
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from assistant.errors import SourceError
from assistant.sources.arxiv import ArxivId, parse_arxiv_id
from assistant.sources.draft import Draft, build_paper
from assistant.sources.failures import Item, failure, location
from assistant.sources.formats import KINDS, belongs, reader_of
from assistant.sources.identity import arxiv_title
from assistant.sources.pdf import linked_pdf

_BLOCK_BYTES = 65_536


def read_source(source: str) -> Iterator[Item]:
    """Read papers from what a user typed: a file, a folder, an arXiv id or a link to a PDF.

    Nothing is raised for what cannot be read: it is yielded as a failure that names file and line.
    """
    return _reported(source, _read(source))


def _reported(source: str, items: Iterator[Item]) -> Iterator[Item]:
    """Turn an error that ends the reading of a source into its failure."""
    try:
        yield from items
    except SourceError as error:
        yield failure(source, str(error))
    except OSError as error:
        yield failure(source, f"cannot be read ({error.strerror or error}): check the file")


def _read(source: str) -> Iterator[Item]:
    if not source.strip():
        raise SourceError("the source is empty: name a file, a folder or an arXiv id")
    path = Path(source)
    if _exists(path):
        yield from _read_folder(path) if path.is_dir() else _read_file(path)
    elif arxiv := parse_arxiv_id(source):
        yield _placeholder(arxiv, location(source))
    elif "://" in source:
        yield linked_pdf(source)
    else:
        raise SourceError("no such file or folder, nor an arXiv id: check the spelling")


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        raise
    except (OSError, ValueError):  # too long for a file name, or with a NUL character in it
        return False
    return True


def _placeholder(arxiv: ArxivId, place: str) -> Item:
    """Stand for a paper of which only the id is known; its metadata are fetched later."""
    return build_paper(Draft(title=arxiv_title(arxiv.base), arxiv=arxiv), place)


def _read_file(path: Path) -> Iterator[Item]:
    if path.is_fifo() and Path("/dev") not in path.parents:
        raise SourceError("is a pipe, not a file: name a file, or /dev/stdin")
    with path.open("rb") as file:
        blocks = iter(partial(file.read, _BLOCK_BYTES), b"")
        head = next(blocks, b"")
        items = reader_of(path, head)(chain([head], blocks), path)
        first = next(items, None)
        if first is None:
            raise SourceError("the file holds no records")
        yield first
        yield from items


def _read_folder(folder: Path) -> Iterator[Item]:
    """Read what lies in a folder and below it, in the order of names."""
    unreadable: list[OSError] = []
    empty = True
    for path in _files(folder, unreadable):
        if _belongs(path):
            empty = False
            yield from _reported(str(path), _read_file(path))
    for error in unreadable:
        yield failure(str(error.filename), f"cannot be read ({error.strerror}): check the folder")
    if empty and not unreadable:
        raise SourceError(f"the folder holds no file that is {KINDS}")


def _files(folder: Path, unreadable: list[OSError]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _belongs(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return belongs(path, file.read(_BLOCK_BYTES))
    except OSError:
        return True  # reading it will say what is wrong
