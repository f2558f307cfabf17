"""Comparisons kept by name: one JSON file each, replaced as a whole."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from assistant.compare.table import Key
from assistant.errors import InputError, NotFoundError, StorageError
from assistant.files import write_whole
from assistant.records import Cell, Paper, Record

_NAME = re.compile(r"[A-Za-z0-9][\w.\-]{0,79}", re.ASCII)


class SavedPaper(Record):
    """A row, and the fingerprint of the paper its cells were filled from."""

    id: str
    fingerprint: str


class SavedComparison(Record):
    """A comparison as kept. ``cells`` are those filled so far, ``backend`` what filled them."""

    backend: str
    papers: tuple[SavedPaper, ...]
    aspects: tuple[str, ...]
    cells: tuple[Cell, ...]
    version: int = 1

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
        return {
            Key(cell.paper_id, cell.aspect): cell
            for cell in self.cells
            if cell.paper_id not in stale
        }


class Shelf:
    """The folder of comparisons; it need not exist."""

    def __init__(self, folder: Path) -> None:
        """Keep the comparisons in ``folder``."""
        self._folder = folder

    def names(self) -> list[str]:
        """List the names of what is kept."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

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

    def save(self, name: str, comparison: SavedComparison) -> None:
        """Keep a comparison; whoever reads meanwhile finds the old one or the new one.

        Raises:
            InputError: if the name cannot be one.
            StorageError: if it cannot be written.
        """
        path = self._path(name)
        try:
            write_whole(path, comparison.model_dump_json(indent=1).encode())
        except OSError as error:
            raise StorageError(
                f"cannot write {path}: {error.strerror}: free space or change the home"
            ) from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"'{name}' cannot name a comparison: use letters, digits, '.', '-' and '_'"
            )
        return self._folder / f"{name}.json"


def fingerprint(paper: Paper) -> str:
    """Return a hash of what cells are filled from: the paper's record, its full text's included."""
    return hashlib.sha256(paper.model_dump_json().encode()).hexdigest()[:32]


def saved(
    papers: Sequence[Paper], aspects: Sequence[str], cells: Sequence[Cell], *, backend: str
) -> SavedComparison:
    """Make what is kept of a table. Cells that could not be filled are left out, to be tried again."""
    return SavedComparison(
        backend=backend,
        papers=tuple(SavedPaper(id=paper.id, fingerprint=fingerprint(paper)) for paper in papers),
        aspects=tuple(aspects),
        cells=tuple(cell for cell in cells if cell.error is None),
    )
