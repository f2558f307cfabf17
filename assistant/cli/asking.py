"""Commands that ask the library: search, ask, chat."""

import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import (
    JsonFlag,
    LlmOption,
    NoCacheFlag,
    PaperOption,
    open_library,
    read_settings,
)
from assistant.cli.output import bold, complain, print_json, progress, wrap
from assistant.errors import InputError, ModelUnavailableError
from assistant.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.records import Answer, Chunk, Citation, Claim, Event, QuestionRewritten


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    app.command(epilog='Example: assistant search "long context pretraining" -k 5')(search)
    app.command(epilog='Example: assistant ask "What does DAPO reach on AIME 2024?"')(ask)
    app.command(epilog="Example: assistant chat --paper 2503.14476")(chat)


def search(
    query: Annotated[
        str | None, typer.Argument(help="What to look for.", show_default=False)
    ] = None,
    *,
    limit: Annotated[int, typer.Option("-k", min=1, max=1000, help="Passages to show.")] = 8,
    paper: PaperOption = None,
    queries: Annotated[
        Path | None,
        typer.Option(help='Batch: JSONL rows {"_id", "text"}.', show_default=False),
    ] = None,
    depth: Annotated[int, typer.Option(min=1, max=10_000, help="Batch: papers per query.")] = 100,
    trec: Annotated[
        Path | None, typer.Option(help="Batch: the TREC run to write.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the passages that fit a query best; or rank papers for a file of queries."""
    if queries is not None or trec is not None:
        if queries is None or trec is None or query is not None:
            raise InputError("batch search takes --queries and --trec together, and no QUERY")
        _search_batch(queries, trec, depth)
        return
    if query is None:
        raise InputError("say what to look for: assistant search QUERY")
    passages = open_library().search(query, limit=limit, papers=paper)
    if as_json:
        from assistant.records import PassageRow

        rows = [PassageRow.of(passage).model_dump() for passage in passages]
        print_json({"query": query, "passages": rows})
        return
    for passage in passages:
        print(f"{passage.rank}. {bold(one_line(passage.title))}  {passage.score:.3f}")
        print(f"   {_place(passage.chunk)}")
        print(wrap(one_line(passage.chunk.text), indent="   ") + "\n")


def ask(
    question: Annotated[str, typer.Argument(help="The question.", show_default=False)],
    *,
    paper: PaperOption = None,
    history: Annotated[
        Path | None,
        typer.Option(help='Earlier turns: JSONL rows {"role", "content"}.', show_default=False),
    ] = None,
    llm: LlmOption = None,
    no_cache: NoCacheFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from the library; every sentence is cited."""
    from assistant.cli.rows import read_rows
    from assistant.records import Turn

    library = open_library(read_settings(llm=llm, no_cache=no_cache))
    turns = read_rows(history, Turn) if history is not None else []
    events = library.ask(question, history=turns, papers=paper)
    if as_json:
        print_json(_finish(events).model_dump(mode="json"))
    else:
        print_answer(question, events)


def chat(
    *, paper: PaperOption = None, llm: LlmOption = None, no_cache: NoCacheFlag = False
) -> None:
    """Ask in a conversation; an empty line or Ctrl-D ends it."""
    from assistant.records import Turn

    library = open_library(read_settings(llm=llm, no_cache=no_cache))
    library.papers()
    turns: list[Turn] = []
    complain("Ask about the papers; an empty line ends the conversation.")
    while question := _read_question():
        try:
            answer = print_answer(question, library.ask(question, history=turns, papers=paper))
        except (InputError, ModelUnavailableError) as error:
            complain(f"error: {error}")
            continue
        turns += [
            Turn(role="user", content=question),
            Turn(role="assistant", content=answer.answer),
        ]
        print()


def print_answer(question: str, events: "Iterable[Event]") -> "Answer":
    """Print the answer to a question paragraph by paragraph as it comes, then its sources; return it."""
    from assistant.records import AnswerDone, AnswerText, QuestionRewritten

    done: AnswerDone | None = None
    paragraph = indent = ""
    try:
        for event in events:
            if isinstance(event, AnswerText):
                *finished, paragraph = (paragraph + event.text).split("\n\n")
                for text in finished:
                    indent = _print_paragraph(text, indent)
                    print()
            elif isinstance(event, QuestionRewritten):
                _say_what_is_searched(event, question)
            elif isinstance(event, AnswerDone):
                done = event
    finally:  # what a model said before it broke off is shown too
        _print_paragraph(paragraph, indent)
    assert done is not None, "the stream ends with the whole answer"
    answer = done.answer
    _print_doubts(answer.claims)
    if answer.citations:
        print(f"\n{bold('Sources')}")
    for _, group in groupby(answer.citations, key=lambda citation: citation.paper_id):
        cited = list(group)
        print(f"  {one_line(cited[0].title)}  {one_line(cited[0].url or '')}".rstrip())
        for place, citations in groupby(cited, key=_place):
            print(f"      {''.join(f'[{each.number}]' for each in citations)} {place}")
    for note in done.notes:
        complain(f"note: {note}")
    return answer


def _say_what_is_searched(event: "QuestionRewritten", question: str) -> None:
    """Say what is looked for where that is not the question as it was asked."""
    if event.standalone_question != question:
        complain(f"searched for: {event.standalone_question}")
    for part in event.sub_questions:
        complain(f"and for: {part}")


def _print_doubts(claims: "Iterable[Claim]") -> None:
    """List the claims that the text they cite does not carry."""
    doubted = [claim for claim in claims if claim.verdict in {"unsupported", "contradicted"}]
    if doubted:
        print(f"\n{bold('Not carried by the text cited')}")
    for claim in doubted:
        print(wrap(f"⚠ {claim.verdict}: {one_line(claim.text)}", indent="  "))


def _print_paragraph(markdown: str, indent: str) -> str:
    """Print a paragraph, the title it begins with in bold on a line of its own.

    What stands under a title is set in: the indent is returned, for what follows.
    """
    match = re.match(r"\*\*(.*?)\*\*:\s*", markdown)
    if match is not None:
        print(bold(_plain(match[1])))
        markdown, indent = markdown[match.end() :], "  "
    for line in _LINE_BREAK.split(markdown):
        print(wrap(_plain(line), indent=indent), flush=True)
    return indent


_LINE_BREAK = re.compile(r"\n(?=\s*(?:[-*+•>|]|#{1,6}\s|\d{1,3}[.)]\s))")
"""Where a line of Markdown does not go on with the one before: at list items, table rows, headings."""
_EMPHASIS = re.compile(r"(?<![\\*])\*\*(?=\S)(.+?)(?<=[^\s\\])\*\*")


def _plain(markdown: str) -> str:
    """Return Markdown as a line for the terminal, with what is emphasised in bold."""
    from assistant.answer.citations import unescape_markdown

    emphasised = _EMPHASIS.sub(lambda match: bold(match[1]), one_line(markdown))
    return unescape_markdown(emphasised)


def _finish(events: "Iterable[Event]") -> "Answer":
    from assistant.records import AnswerDone

    return next(event.answer for event in events if isinstance(event, AnswerDone))


def _read_question() -> str:
    try:
        if sys.stdin.isatty():
            return input("> ").strip()
        return sys.stdin.readline().strip()
    except EOFError:
        return ""


def _place(place: "Citation | Chunk") -> str:
    """Say where a passage stands: paper, abstract or pages, section."""
    parts = [place.paper_id, "abstract" if place.source == "abstract" else "full text"]
    if place.page_first is not None:
        parts.append(f"p. {place.page_first}")
    if place.section:
        parts.append(place.section)
    return one_line(", ".join(parts))


def _search_batch(queries: Path, trec: Path, depth: int) -> None:
    """Write a TREC run (query, Q0, paper, rank, score, tag) for a file of queries."""
    from assistant.cli.rows import BatchQuery, read_rows

    rows = read_rows(queries, BatchQuery)
    library = open_library()
    try:
        with trec.open("w", encoding="utf-8") as run, progress() as update:
            for done, row in enumerate(rows, start=1):
                for rank, hit in enumerate(library.rank_papers(row.text, depth=depth), start=1):
                    run.write(f"{row.id} Q0 {hit.paper_id} {rank} {hit.score:.6f} assistant\n")
                update("Searching", done, len(rows))
    except OSError as error:
        raise InputError(f"cannot write {trec}: {error.strerror}") from error
