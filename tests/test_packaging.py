"""What a fresh machine depends on: the lock file, and what is inside a wheel."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from assistant import __version__
from assistant.models import weights

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", LOCK, re.MULTILINE))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    assert path.name.startswith(f"paper_assistant-{__version__}-py3-none-any")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    "name",
    [
        "assistant/compare/cues.toml",
        "assistant/data/english.txt",
        "assistant/models/prices.toml",
        "assistant/py.typed",
        "assistant/samples/digest.txt",
        "assistant/store/migrations/env.py",
        "eval/baselines/digest-sample.jsonl",
        "eval/datasets/digest.yaml",
        "eval/reports/template/report.html",
        "prompts/answer.system.md",
        "ui/app.py",
    ],
)
def test_the_wheel_holds_what_the_program_reads(wheel: list[str], name: str) -> None:
    assert name in wheel


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    assert {name.partition("/")[0] for name in wheel} == {
        "assistant",
        "eval",
        "prompts",
        "ui",
        f"paper_assistant-{__version__}.dist-info",
    }


def test_every_locked_package_is_pinned_with_hashes() -> None:
    for requirement in re.split(r"\n(?=[a-z0-9])", LOCK.strip()):
        assert re.match(r"[a-z0-9-]+==", requirement)
        assert "--hash=sha256:" in requirement


def test_the_lock_names_no_address() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^-", LOCK, re.MULTILINE)


def test_nothing_heavy_is_installed() -> None:
    heavy = {"torch", "transformers", "sentence-transformers"}
    assert not heavy & locked().keys()
    assert not [name for name in locked() if name.startswith("nvidia-")]


def test_the_lock_has_everything_that_pyproject_asks_for() -> None:
    groups = PROJECT["dependency-groups"]
    asked = [*PROJECT["project"]["dependencies"], *groups["dev"], *groups["setup"]]
    names = {re.split(r"[^A-Za-z0-9-]", requirement)[0] for requirement in asked}
    assert names <= locked().keys()


def test_set_up_and_first_use_install_the_same_weights() -> None:
    assert locked()[weights.PACKAGE] == weights.VERSION
