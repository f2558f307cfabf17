"""What the commands share: common options and opening the library."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.output import complain
from assistant.config import load_settings, read_dotenv

if TYPE_CHECKING:
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


def open_library(*, llm: str | None = None) -> "Library":
    """Open the library that options, environment and config file name."""
    read_dotenv()
    settings = load_settings({"llm": llm}, os.environ)
    from assistant.library import Library

    return Library(settings, announce=complain)
