"""What a run was made with: enough to tell two runs apart, and to go on with one that broke off."""

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import assistant
from assistant import __version__, prompts
from assistant.config import Settings, redact
from assistant.library import Library
from assistant.records import Record
from eval.cases.dataset import Dataset

_PACKAGES = (
    "chromadb", "ir-measures", "langchain", "langchain-openai", "numpy", "onnxruntime", "scipy", "tantivy",
)  # fmt: skip
_PRIVATE = {"home", "contact"}
_NOT_SHAPING = {
    "arxiv_url", "budget_day", "budget_question", "cache", "fetch_hosts", "llm_concurrency", "llm_timeout",
    "login",
}  # fmt: skip
"""Settings that two halves of one run may differ in."""
_CODE = ("*.py", "*.toml", "*.txt")


class Manifest(Record):
    """What a run was made with.

    ``code`` and ``library`` are hashes of the program's files and of what could be found in the library;
    ``prompts`` are fingerprints by name; ``versions`` those of Python and the packages that matter.
    """

    dataset: str
    dataset_hash: str
    version: str
    settings: dict[str, Any]
    repeats: int
    code: str
    prompts: dict[str, str]
    library: str
    papers: int
    chunks: int
    versions: dict[str, str]


def describe(dataset: Dataset, library: Library, *, repeats: int) -> Manifest:
    """Describe a run that is about to begin."""
    held = library.holdings()
    return Manifest(
        dataset=dataset.name,
        dataset_hash=dataset.digest,
        version=__version__,
        settings=_without_secrets(library.settings),
        repeats=repeats,
        code=_code(),
        prompts={
            path.stem: prompts.fingerprint(path.stem)
            for path in sorted(prompts.FOLDER.glob("[a-z]*.md"))
        },
        library=held.fingerprint,
        papers=held.papers,
        chunks=held.chunks,
        versions={"python": platform.python_version(), **_versions()},
    )


def differences(before: Manifest, now: Manifest) -> list[str]:
    """Say in words in what two runs differ that shapes their answers; settings by their names."""
    found = [
        words
        for name, words in (
            ("dataset_hash", "another data set"),
            ("repeats", "another number of repeats"),
            ("code", "another version of the program"),
            ("prompts", "other prompts"),
            ("library", "another content of the library"),
            ("versions", "other versions of Python or of packages"),
        )
        if getattr(before, name) != getattr(now, name)
    ]
    names = sorted({*before.settings, *now.settings} - _NOT_SHAPING)
    changed = [name for name in names if before.settings.get(name) != now.settings.get(name)]
    return [*found, *([f"other settings ({', '.join(changed)})"] if changed else [])]


def _without_secrets(settings: Settings) -> dict[str, Any]:
    """Return the settings; passwords hidden, without where the home lies and whom to write to."""
    shown = settings.model_dump(mode="json", exclude=_PRIVATE)
    return {
        name: redact(value) if isinstance(value, str) else value for name, value in shown.items()
    }


@lru_cache
def _code() -> str:
    """Hash the program's own files."""
    found = hashlib.sha256()
    for folder in (Path(assistant.__file__).parent, Path(__file__).parents[1]):
        for path in sorted(path for pattern in _CODE for path in folder.rglob(pattern)):
            found.update(f"\0{path.relative_to(folder.parent).as_posix()}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
