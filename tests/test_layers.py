"""Starting is light: nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

HEAVY = (
    "chromadb", "langchain", "langchain_core", "langchain_openai", "onnx", "onnxruntime", "openai",
    "sqlalchemy", "streamlit", "tantivy", "tokenizers", "torch",
)  # fmt: skip

_REPORT = f"""
import sys
loaded = sorted(name for name in {HEAVY!r} if name in sys.modules)
print("LOADED", *loaded)
"""


def loaded_by(code: str) -> list[str]:
    """Run code in a process of its own; return which heavy packages it has imported."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{_REPORT}"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "module",
    ["assistant.cli.main", "assistant.config", "assistant.records", "assistant.models.minilm"],
)
def test_importing_is_light(module: str) -> None:
    assert loaded_by(f"import {module}") == []


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["--version"]])
def test_help_is_light(arguments: list[str]) -> None:
    code = f"from assistant.cli.main import run\nassert run({arguments!r}) == 0"
    assert loaded_by(code) == []
