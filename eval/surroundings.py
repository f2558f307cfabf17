"""What lies around: the digest and data that a checkout may have beside it, and libraries to try them in."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from assistant.config import load_settings
from assistant.library import Library
from assistant.samples import DIGEST

DATASETS = Path(__file__).parent / "datasets"
SHARED = Path(__file__).parents[2] / "shared"


class Digest(NamedTuple):
    """A digest of papers: the file, whether it is the original, and what to call it."""

    path: Path
    original: bool
    label: str


SAMPLE = Digest(DIGEST, original=False, label="the bundled sample digest")


def digest() -> Digest:
    """Return the original digest where it lies beside the project, else the bundled sample."""
    for path in sorted((SHARED / "seeds").glob("*.txt")):
        return Digest(path, original=True, label=f"the original digest ({path.name})")
    return SAMPLE


def scifact() -> Path | None:
    """Return the folder of SciFact's training data where it lies beside the project."""
    folder = SHARED / "data" / "scifact-train"
    return folder if folder.is_dir() else None


class Pdfs(NamedTuple):
    """Papers' PDFs: those of papers of the digest, and all."""

    of_digest: tuple[Path, ...]
    all: tuple[Path, ...]


def pdfs() -> Pdfs | None:
    """Return the papers' PDFs where they lie beside the project."""
    folder = SHARED / "pdfs"
    seeds, others = (tuple(sorted((folder / each).glob("*.pdf"))) for each in ("seeds", "papers"))
    return Pdfs(seeds, (*seeds, *others)) if seeds else None


def cache(name: str) -> Path:
    """Return the folder that keeps what takes long to build from run to run."""
    return user_cache_path("paper-assistant") / "eval" / name


def library_at(home: Path) -> Library:
    """Return a library with default settings, but for its home."""
    return Library(load_settings({"home": home}, {}))


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Make a folder that is gone after the block."""
    with tempfile.TemporaryDirectory(
        prefix="assistant-eval-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def digest_library(source: Digest) -> Iterator[Library]:
    """Ingest a digest into a home that is gone after the block."""
    with temporary_home() as home:
        library = library_at(home / "home")
        try:
            library.ingest([os.fspath(source.path)])
            yield library
        finally:
            library.close()
