"""Tags that readers give papers: one JSON file in the home, written whole, one writer at a time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from assistant.errors import InputError, StorageError
from assistant.files import write_whole
from assistant.records import CleanText, Paper
from assistant.store.lock import hold_writer_lock
from assistant.text import fold, one_line, words

MAX_TAG = 40
"""Characters of a tag."""

MAX_TAGS = 20
"""Tags of a paper."""

_LOCK_SECONDS = 10.0
_MAX_BYTES = 20_000_000

_Tag = Annotated[CleanText, Field(min_length=1, max_length=MAX_TAG)]
_FILE = TypeAdapter(dict[str, tuple[_Tag, ...]])


class Tags(NamedTuple):
    """The tags of all papers, by paper id, as they were when they were read."""

    by_paper: Mapping[str, tuple[str, ...]]

    def of(self, paper: Paper) -> tuple[str, ...]:
        """Return a paper's tags, also those it got under another of its ids."""
        ids = (paper.id, *paper.aliases)
        return _distinct(tag for each in ids for tag in self.by_paper.get(each, ()))

    def known(self, papers: Iterable[Paper]) -> list[str]:
        """List the tags that these papers have, in order of the alphabet."""
        return sorted(_distinct(tag for paper in papers for tag in self.of(paper)), key=fold)


class TagStore:
    """The tags in one file, which is made with the first; for many threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Tags:
        """Read all tags.

        Raises:
            StorageError: if the file is damaged or cannot be read.
        """
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                raise self._damaged("it is too large")
            return Tags(_FILE.validate_json(self._path.read_bytes()))
        except FileNotFoundError:
            return Tags({})
        except ValidationError as error:
            raise self._damaged("it is damaged") from error
        except OSError as error:
            raise self._damaged(error.strerror or str(error)) from error

    def change(
        self, papers: Sequence[Paper], *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> None:
        """Tag papers, or take tags from them; a tag that differs only in case is the same one.

        Raises:
            InputError: if a tag is empty or too long, or a paper has too many.
            LibraryBusyError: if another process holds the file for long.
            StorageError: if the file is damaged or cannot be written.
        """
        new, gone = [_checked(tag) for tag in add], {fold(tag) for tag in remove}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        lock = self._path.with_suffix(".lock")
        with hold_writer_lock(lock, timeout=_LOCK_SECONDS, what="the tags"):
            tags = self.read()
            changed = dict(tags.by_paper)
            for paper in papers:
                kept = _distinct(tag for tag in (*tags.of(paper), *new) if fold(tag) not in gone)
                if len(kept) > MAX_TAGS:
                    raise InputError(f"a paper has {MAX_TAGS} tags at most: remove some first")
                for key in (paper.id, *paper.aliases):
                    changed.pop(key, None)
                if kept:
                    changed[paper.id] = kept
            self._write(changed)

    def _write(self, tags: Mapping[str, Sequence[str]]) -> None:
        try:
            write_whole(
                self._path, json.dumps(tags, ensure_ascii=False, indent=1, sort_keys=True).encode()
            )
        except OSError as error:
            raise self._unwritable(error) from error

    def _damaged(self, reason: str) -> StorageError:
        return StorageError(
            f"cannot read the tags {self._path}: {reason}. Move the file away or mend it"
        )

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(
            f"cannot write {self._path} ({error.strerror or error}): check disk and permissions"
        )


def _distinct(tags: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(fold(tag), tag)
    return tuple(found.values())


def _checked(tag: str) -> str:
    cleaned = one_line(tag)
    if not words(cleaned):
        raise InputError("a tag is empty: name it in words")
    if len(cleaned) > MAX_TAG:
        raise InputError(f"a tag has {len(cleaned)} characters: name it in {MAX_TAG} at most")
    return cleaned
