"""Commands that make eval cases: eval import, eval draft."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.common import LlmOption, open_library, read_settings
from assistant.cli.output import complain, progress
from assistant.text import one_line

SOME_FAILED = 4

OutOption = Annotated[
    Path,
    typer.Option(
        "--out", metavar="FILE", help="File for the cases: .yaml, else JSONL.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app of the eval commands."""
    app.command("import", epilog="Example: assistant eval import scifact/ --out scifact.jsonl")(
        import_cases
    )
    app.command("draft", epilog="Example: assistant eval draft --per-paper 3 --out drafts.yaml")(
        draft
    )


def import_cases(
    source: Annotated[
        Path,
        typer.Argument(
            help="A BEIR folder, SQuAD-style JSON, or a CSV or TSV file with question and answer.",
            show_default=False,
        ),
    ],
    *,
    out: OutOption,
) -> None:
    """Make cases of a data set in a common public shape."""
    from eval.cases.files import save
    from eval.cases.importers import read

    found = read(source)
    save(found.cases, out)
    for place, reason in found.rejected:
        complain(f"{place}: {reason}")
    left_out = f"; {len(found.rejected)} rows left out" if found.rejected else ""
    print(f"{len(found.cases)} cases in {one_line(str(out))}{left_out}")
    if found.rejected:
        raise typer.Exit(SOME_FAILED)


def draft(
    *,
    out: OutOption,
    per_paper: Annotated[
        int, typer.Option("--per-paper", metavar="N", min=1, max=100, help="Questions per paper.")
    ] = 3,
    llm: LlmOption = None,
) -> None:
    """Draft questions on the library's papers, for you to look through, edit and keep.

    Without a language model they are sentences with a gap; with one, it writes them.
    """
    from eval.cases.drafting import draft as draft_cases
    from eval.cases.files import check_free, save

    check_free(out)
    with progress() as update:
        found = draft_cases(
            open_library(read_settings(llm=llm)),
            per_paper=per_paper,
            progress=partial(update, "Drafting"),
        )
    for reason, count in found.dropped.most_common():
        complain(f"left out: {reason}: {count}")
    save(found.cases, out)
    print(
        f"{len(found.cases)} drafts in {one_line(str(out))}: read them, mend or remove what is wrong"
    )
