"""Remembers the last complete ingest, so that the same one again costs no more than reading its files.

The stamp names the sources' content, the settings, and the state of the catalog's file right after. Whoever
writes to the library changes that file, and the stamp no longer fits.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant import __version__, parse
from assistant.config import Settings

_NAME = "ingested.json"
_CATALOG = "catalog.db"
_PARTS = ("chroma", "lexical")


def unchanged(sources: Sequence[str], settings: Settings) -> int | None:
    """Return how many papers the last ingest held if it was this very one, else None."""
    try:
        stamp = json.loads((settings.home / _NAME).read_text(encoding="utf-8"))
        if stamp["key"] == _key(sources, settings) and stamp["state"] == _state(settings):
            return int(stamp["papers"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no stamp, or none of ours: the ingest finds out itself
    return None


def remember(sources: Sequence[str], settings: Settings, *, papers: int) -> None:
    """Note that ``sources`` are in the library wholly, as ``papers`` papers."""
    path = settings.home / _NAME
    try:
        stamp = {"key": _key(sources, settings), "state": _state(settings), "papers": papers}
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(stamp), encoding="utf-8")
        fresh.replace(path)
    except (OSError, ValueError):
        pass  # the next ingest reads all again, which is slower and just as right


def _key(sources: Sequence[str], settings: Settings) -> str:
    """Hash what is ingested and with which settings.

    Raises:
        ValueError: if a source is no file or folder, or the library is not on this disk alone.
    """
    if settings.database is not None or settings.chroma != "local":
        raise ValueError("others may write to this library")
    digest = hashlib.sha256(f"{__version__} {parse.VERSION} {settings.embeddings}".encode())
    for source in sources:
        for path in _files(Path(source)):
            digest.update(f"\0{path}\0".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.is_file())
    else:
        raise ValueError(f"{path} is no file")


def _state(settings: Settings) -> list[int]:
    """Describe the catalog's file; its write-ahead log must be empty or gone."""
    if not all((settings.home / part).is_dir() for part in _PARTS):
        raise ValueError("an index is missing")
    log = settings.home / f"{_CATALOG}-wal"
    if log.exists() and log.stat().st_size:
        raise ValueError("the catalog is being written")
    stat = (settings.home / _CATALOG).stat()
    pdfs = sum(1 for _ in (settings.home / "pdfs").glob("*.pdf"))
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, pdfs]
