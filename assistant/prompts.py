"""Prompts: files in ``prompts/``, each with a header that lists the variables it takes."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# Beside the package, in the checkout as in an installed wheel. Not found by import: a folder of that name
# where the user happens to stand would come first.
FOLDER = Path(__file__).parent.parent / "prompts"

_NAME = re.compile(r"[a-z][a-z0-9_.]*")
_FILE = re.compile(r"---\nvariables:(?P<variables>[^\n]*)\n---\n(?P<body>.*)", re.DOTALL)
_SLOT = re.compile(r"\{\{ ([a-z_]+) \}\}")


class _Prompt(NamedTuple):
    """A prompt as its file has it."""

    variables: frozenset[str]
    body: str
    fingerprint: str


def render(name: str, **variables: str) -> str:
    """Fill the prompt ``name`` with its variables, each put in as it is.

    Raises:
        ValueError: if there is no such prompt, its file is malformed, or a variable is missing or
            unknown: mistakes of the code, not of a user.
    """
    prompt = _load(name)
    if variables.keys() != prompt.variables:
        wrong = sorted(variables.keys() ^ prompt.variables)
        raise ValueError(f"prompt '{name}': missing or unknown variables {', '.join(wrong)}")
    return _SLOT.sub(lambda match: variables[match[1]], prompt.body)


def fingerprint(name: str) -> str:
    """Return twelve hex digits that change whenever the file does.

    Raises:
        ValueError: if there is no such prompt.
    """
    return _load(name).fingerprint


@lru_cache
def _load(name: str) -> _Prompt:
    try:
        text = (FOLDER / f"{name}.md").read_text(encoding="utf-8") if _NAME.fullmatch(name) else ""
    except OSError as error:
        raise ValueError(f"no prompt '{name}' in {FOLDER}") from error
    match = _FILE.fullmatch(text.replace("\r\n", "\n"))
    if match is None:
        raise ValueError(f"prompt '{name}' lacks its header, a line 'variables: …' between dashes")
    declared = frozenset(match["variables"].replace(",", " ").split())
    body = match["body"].strip()
    if declared != set(_SLOT.findall(body)):
        raise ValueError(f"prompt '{name}': its header and its text name different variables")
    return _Prompt(declared, body, hashlib.sha256(text.encode()).hexdigest()[:12])
