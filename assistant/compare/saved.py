"""Comparisons kept by name: one JSON file each, replaced as a whole."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from assistant.answer.extractive import NAME as EXTRACTIVE
from assistant.compare.table import Key
from assistant.errors import InputError, LibraryBusyError, NotFoundError, StorageError
from assistant.files import write_whole
from assistant.records import Cell, Citation, Paper, Record, Verdict
from assistant.text import one_line

_NAME = re.compile(r"[A-Za-z0-9][\w.\-]{0,79}", re.ASCII)
_LOCK_SECONDS = 10.0
_LONGEST_EDIT = 2_000
"""Characters."""


class SavedPaper(Record):
    """A row, and the fingerprint of the paper its cells were filled from."""

    id: str
    fingerprint: str


class SavedCell(Cell):
    """A cell with all that its public form leaves out."""

    nearest: Citation | None = None
    verdict: Verdict | None = None

    @classmethod
    def of(cls, cell: Cell) -> "SavedCell":
        """Take over a cell."""
        return cls(**{name: getattr(cell, name) for name in Cell.model_fields})

    def cell(self) -> Cell:
        """Return the cell as it was."""
        return Cell(**{name: getattr(self, name) for name in Cell.model_fields})


class SavedSummary(Record):
    """A summary that a model wrote, and the fingerprint of the cells it sums up."""

    text: str
    cells: str


class Edit(Record):
    """What a reader wrote in the place of a cell's text."""

    paper_id: str
    aspect: str
    text: str


class SavedComparison(Record):
    """A comparison as kept. ``cells`` are those filled so far, ``backend`` what filled them."""

    backend: str
    papers: tuple[SavedPaper, ...]
    aspects: tuple[str, ...]
    cells: tuple[SavedCell, ...]
    edits: tuple[Edit, ...] = ()
    summary: SavedSummary | None = None
    version: int = 1

    @property
    def paid(self) -> bool:
        """Whether its cells may have cost money."""
        return self.backend != EXTRACTIVE

    def stale(self, papers: Mapping[str, Paper]) -> set[str]:
        """Return the ids of the papers that have changed since, or are gone."""
        return {
            saved.id
            for saved in self.papers
            if saved.id not in papers or fingerprint(papers[saved.id]) != saved.fingerprint
        }

    def usable(self, papers: Mapping[str, Paper], *, backend: str) -> dict[Key, Cell]:
        """Return the cells that still hold: filled by this backend, from papers unchanged."""
        if backend != self.backend:
            return {}
        stale = self.stale(papers)
        return {key: cell for key, cell in self.filled().items() if key.paper_id not in stale}

    def filled(self) -> dict[Key, Cell]:
        """Return the cells, as they were filled."""
        return {Key(cell.paper_id, cell.aspect): cell.cell() for cell in self.cells}

    def edited(self, cells: Mapping[Key, Cell]) -> dict[Key, Cell]:
        """Return the cells with what readers wrote in their place; where there is none, that alone."""
        found = dict(cells)
        for edit in self.edits:
            key = Key(edit.paper_id, edit.aspect)
            before = found.get(key)
            found[key] = Cell(
                paper_id=edit.paper_id,
                aspect=edit.aspect,
                text=edit.text,
                found=True,
                citations=before.citations if before is not None else (),
                edited=True,
            )
        return found


class Listed(Record):
    """What is said of a comparison in a list of them; ``changed`` is when it was kept last, in UTC."""

    name: str
    changed: datetime
    papers: int
    aspects: int


class Shelf:
    """The folder of comparisons; it need not exist. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        """Keep the comparisons in ``folder``."""
        self._folder = folder

    def listed(self) -> list[Listed]:
        """List what is kept, newest first; what is damaged is left out."""
        found: list[Listed] = []
        for path in self._folder.glob("*.json"):
            with suppress(InputError, StorageError, OSError):
                kept = self.load(path.stem)
                if kept is not None:
                    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    found.append(
                        Listed(
                            name=path.stem,
                            changed=changed,
                            papers=len(kept.papers),
                            aspects=len(kept.aspects),
                        )
                    )
        return sorted(found, key=lambda each: (each.changed, each.name), reverse=True)

    def load(self, name: str) -> SavedComparison | None:
        """Return a comparison; None if there is none of that name.

        Raises:
            InputError: if the name cannot be one.
            StorageError: if the file cannot be read or is damaged.
        """
        path = self._path(name)
        try:
            return SavedComparison.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise StorageError(f"cannot read {path}: {reason}; remove it to begin anew") from error

    def get(self, name: str) -> SavedComparison:
        """Return a comparison.

        Raises:
            NotFoundError: if there is none of that name.
        """
        found = self.load(name)
        if found is None:
            raise NotFoundError(f"no comparison '{name}': `assistant compare --save` keeps one")
        return found

    def update(
        self, name: str, change: Callable[[SavedComparison | None], SavedComparison]
    ) -> SavedComparison:
        """Keep what ``change`` makes of what is kept; whoever reads meanwhile finds the old or the new.

        Raises:
            InputError: if the name cannot be one.
            LibraryBusyError: if another process does not let go of the file.
            StorageError: if it cannot be read or written.
        """
        path = self._path(name)
        try:
            with self._alone(path):
                comparison = change(self.load(name))
                write_whole(path, comparison.model_dump_json(indent=1).encode())
        except OSError as error:
            raise StorageError(
                f"cannot write {path}: {error.strerror}: free space or change the home"
            ) from error
        return comparison

    def remove(self, name: str) -> None:
        """Delete a comparison; one that is gone already is no error.

        Raises:
            InputError: if the name cannot be one.
            LibraryBusyError: if another process does not let go of the file.
            StorageError: if it cannot be deleted.
        """
        path = self._path(name)
        try:
            with self._alone(path):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot delete {path}: {error.strerror}") from error

    def edit(self, name: str, key: Key, text: str) -> SavedComparison:
        """Put a reader's text in the place of a cell's; an empty one brings the cell back.

        Raises:
            InputError: if the text is too long.
            NotFoundError: if there is no such comparison or cell.
            StorageError: if it cannot be kept.
        """
        written = one_line(text)
        if len(written) > _LONGEST_EDIT:
            raise InputError(
                f"the cell's text has {len(written)} characters: write {_LONGEST_EDIT} at most"
            )

        def change(before: SavedComparison | None) -> SavedComparison:
            kept = before or self.get(name)
            there = key.paper_id in {each.id for each in kept.papers}
            if not there or key.aspect not in kept.aspects:
                raise NotFoundError(
                    f"'{name}' has no cell for paper '{key.paper_id}' and aspect '{key.aspect}'"
                )
            edits = [each for each in kept.edits if Key(each.paper_id, each.aspect) != key]
            if written:
                edits.append(Edit(paper_id=key.paper_id, aspect=key.aspect, text=written))
            return kept.model_copy(update={"edits": tuple(edits)})

        return self.update(name, change)

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise LibraryBusyError(
                f"another process keeps {path} locked: try again in a moment"
            ) from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"'{name}' cannot name a comparison: use letters, digits, '.', '-' and '_'"
            )
        return self._folder / f"{name}.json"


def fingerprint(paper: Paper) -> str:
    """Return a hash of what cells are filled from: the paper's record, its full text's included."""
    return _hash(paper.model_dump_json())


def fingerprint_cells(cells: Sequence[Cell]) -> str:
    """Return a hash of cells as a summary sees them."""
    return _hash("".join(cell.model_dump_json() for cell in cells))


def saved(
    papers: Sequence[Paper],
    aspects: Sequence[str],
    cells: Mapping[Key, Cell],
    *,
    backend: str,
    before: SavedComparison | None,
) -> SavedComparison:
    """Make what is kept of a table. Cells that could not be filled are left out, to be tried again."""
    kept = [cell for cell in cells.values() if cell.error is None and not cell.edited]
    rows = {paper.id for paper in papers}
    return SavedComparison(
        backend=backend,
        papers=tuple(SavedPaper(id=paper.id, fingerprint=fingerprint(paper)) for paper in papers),
        aspects=tuple(aspects),
        cells=tuple(map(SavedCell.of, kept)),
        edits=tuple(each for each in before.edits if each.paper_id in rows) if before else (),
        summary=before.summary if before else None,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
