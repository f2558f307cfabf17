"""What the commands share: common options and opening the library."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.output import complain

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.library import Library

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
PaperOption = Annotated[
    list[str] | None,
    typer.Option("--paper", metavar="ID", help="Only this paper; may be given several times."),
]
LlmOption = Annotated[
    str | None,
    typer.Option(
        "--llm", metavar="SPEC", help="'extractive', or provider:model.", show_default=False
    ),
]
NoCacheFlag = Annotated[
    bool, typer.Option("--no-cache", help="Ask the model anew, even what it was asked before.")
]


def read_settings(*, llm: str | None = None, no_cache: bool = False) -> "Settings":
    """Read the settings that options, environment and config file give."""
    from assistant.config import load_settings, read_dotenv

    read_dotenv()
    return load_settings({"llm": llm, "cache": False if no_cache else None}, os.environ)


def open_library(settings: "Settings | None" = None) -> "Library":
    """Open the library that the settings name."""
    from assistant.library import Library

    return Library(settings or read_settings(), announce=complain)
