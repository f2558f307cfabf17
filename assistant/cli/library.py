"""Commands that fill and look after the library: ingest, papers, doctor, demo."""

import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import JsonFlag, open_library, read_settings
from assistant.cli.output import bold, complain, print_json, progress, wrap
from assistant.errors import InputError, UnavailableError
from assistant.export import Format
from assistant.text import one_line

if TYPE_CHECKING:
    from assistant.records import IngestReport

SOME_FAILED = 4

papers_app = typer.Typer(
    help="List, show, remove and export the papers of the library.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    app.command(epilog="Example: assistant ingest digest.txt papers/ arXiv:2503.14476")(ingest)
    app.add_typer(papers_app, name="papers", rich_help_panel=None)
    app.command(epilog="Example: assistant doctor --repair")(doctor)
    app.command(epilog="Example: assistant demo")(demo)


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Digest file, JSONL file, .bib file, PDF, folder of those, arXiv id or URL.",
            show_default=False,
        ),
    ],
    *,
    pdfs: Annotated[
        bool | None,
        typer.Option(
            "--pdfs/--no-pdfs",
            help="Fetch the PDFs of papers that come as records and index their full text; or fetch "
            "nothing at all. By default only what an arXiv id or URL names is fetched.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add papers to the library, or update them; unchanged papers cost nothing.

    A PDF is read in full: answers then cite its pages.
    """
    report = _ingest(sources, pdfs=pdfs)
    for failure in report.failed:
        complain(f"failed: {failure.source}: {failure.error}")
    for note in report.incomplete:
        complain(f"incomplete: {note.source}: {note.error}")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print(
            f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
            f"{len(report.failed)} failed; {report.chunks} chunks in {report.seconds:.1f} s"
        )
    if report.failed:
        if report.added or report.updated or report.unchanged:
            raise typer.Exit(SOME_FAILED)
        unavailable = all(failure.unavailable for failure in report.failed)
        raise typer.Exit(UnavailableError.exit_code if unavailable else InputError.exit_code)


def _ingest(sources: list[str], *, pdfs: bool | None) -> "IngestReport":
    began = time.perf_counter()
    from assistant import stamp
    from assistant.records import IngestReport

    settings = read_settings()
    known = None if pdfs else stamp.unchanged(sources, settings)
    if known is not None:
        return IngestReport(
            added=0,
            updated=0,
            unchanged=known,
            failed=(),
            chunks=0,
            seconds=round(time.perf_counter() - began, 3),
        )
    with closing(open_library(settings)) as library, progress() as update:
        report = library.ingest(sources, pdfs=pdfs, progress=update)
    if not report.failed and not report.incomplete and not pdfs:
        papers = report.added + report.updated + report.unchanged
        stamp.remember(sources, settings, papers=papers)
    return report


@papers_app.command("list", epilog="Example: assistant papers list --json")
def list_papers(*, as_json: JsonFlag = False) -> None:
    """List the papers of the library."""
    papers = open_library().papers()
    if as_json:
        print_json([paper.model_dump(mode="json") for paper in papers])
        return
    for paper in papers:
        print(f"{paper.id}  {one_line(paper.title)}")


@papers_app.command("show", epilog="Example: assistant papers show 2503.14476")
def show_paper(
    paper_id: Annotated[str, typer.Argument(metavar="ID", help="The paper's id.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show what the library holds of a paper."""
    paper = open_library().paper(paper_id)
    if as_json:
        print_json(paper.model_dump(mode="json"))
        return
    print(bold(one_line(paper.title)))
    facts = {
        "id": paper.id,
        "also known as": ", ".join(paper.aliases),
        "authors": ", ".join(paper.authors),
        "year": str(paper.year or ""),
        "page": paper.url or "",
        "PDF": paper.pdf_url or "",
    }
    for name, value in facts.items():
        if value:
            print(f"{name}: {one_line(value)}")
    if paper.abstract:
        print(f"\n{wrap(one_line(paper.abstract))}")


@papers_app.command("remove", epilog="Example: assistant papers remove 2503.14476 2503.13288")
def remove_papers(
    paper_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of papers.")],
) -> None:
    """Remove papers and all that was indexed of them."""
    removed = open_library().remove(paper_ids)
    print(f"{removed} removed")


@papers_app.command(
    "export", epilog="Example: assistant papers export --format bibtex > papers.bib"
)
def export_papers(
    *,
    file_format: Annotated[
        Format, typer.Option("--format", help="Format of the export.")
    ] = Format.BIBTEX,
) -> None:
    """Write the library's papers to stdout as BibTeX, CSV or JSON."""
    print(open_library().export(file_format), end="")


def doctor(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
) -> None:
    """Check settings, backends, and that catalog, Chroma and lexical index agree."""
    library = open_library()
    if repair:
        for line in library.repair():
            print(f"repaired: {one_line(line)}")
    diagnosis = library.diagnose()
    for line in diagnosis.facts:
        print(f"ok: {one_line(line)}")
    for problem in diagnosis.problems:
        complain(f"problem: {problem}")
    if diagnosis.problems:
        if diagnosis.mendable and not repair:
            complain("`assistant doctor --repair` mends what can be mended; nothing is deleted")
        raise typer.Exit(5)


def demo() -> None:
    """Load the bundled sample digest and answer one question about it."""
    from assistant.cli.asking import print_answer
    from assistant.samples import DIGEST, QUESTION

    report = _ingest([str(DIGEST)], pdfs=False)
    print(f"Sample digest: {report.added + report.updated + report.unchanged} papers.")
    print(f"\n{bold('Question:')} {QUESTION}\n")
    library = open_library()
    print_answer(QUESTION, library.ask(QUESTION))
    print(f'\nThe library lies in {library.settings.home}. Go on:  assistant ask "…"')
