"""An answer in Markdown from the sentences chosen, with its citations and what it states."""

from collections.abc import Sequence
from typing import NamedTuple

from assistant.answer.citations import cite, escape_markdown, markers
from assistant.answer.evidence import Sentence
from assistant.answer.extract import Extract
from assistant.records import Citation, Claim

REFUSAL = "The papers don't say."

_TOGETHER = 2
"""Sentences of a paper that stand in one paragraph."""


class Piece(NamedTuple):
    """A piece of Markdown, and the citation whose marker it shows."""

    text: str
    citation: Citation | None


class Written(NamedTuple):
    """A whole answer: its Markdown, citations in the order of their numbers, and claims to be checked.

    ``refusal`` is the reason where the papers do not say, in plain text; ``model`` is what wrote it;
    ``notes`` are lines for the user about what was left out; ``prompt`` is the fingerprint of the
    prompt's files, empty where there was none.
    """

    text: str
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    refusal: str | None
    model: str
    notes: tuple[str, ...] = ()
    prompt: str = ""


class Draft(NamedTuple):
    """A whole answer: its pieces in order, and its claims, still to be checked."""

    pieces: tuple[Piece, ...]
    claims: tuple[Claim, ...]

    @property
    def text(self) -> str:
        """The answer's Markdown."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations in the order of their numbers."""
        return tuple(piece.citation for piece in self.pieces if piece.citation is not None)


def draft(found: Extract) -> Draft:
    """Write the chosen sentences by paper, its title first; or the refusal.

    The sentence that answers best stands by itself where several more follow.
    """
    if found.refusal is not None:
        return Draft((Piece(f"{REFUSAL} {escape_markdown(found.refusal)}", None),), ())
    pieces: list[Piece] = []
    claims: list[Claim] = []
    for group in found.groups:
        lead = "\n\n" if pieces else ""
        lead += f"**{escape_markdown(group[0].passage.title)}**: "
        for sentence in group:
            number = len(pieces) + 1
            citation = cite(sentence.passage, sentence.span, number=number)
            pieces.append(Piece(f"{lead}{_shown(sentence.text)} {markers([number])}", citation))
            claims.append(Claim(text=sentence.text, verdict="unchecked", citations=(number,)))
            lead = "\n\n" if sentence is group[0] and _leads(group) else " "
    return Draft(tuple(pieces), tuple(claims))


def _leads(group: Sequence[Sentence]) -> bool:
    """Tell whether a paper's first sentence stands by itself; the head of a table belongs to its rows."""
    return len(group) > _TOGETHER and "\t" not in group[0].text


def _shown(text: str) -> str:
    """Write a quote as Markdown; the cells of a table's row are parted by bars."""
    return escape_markdown(text.replace("\t", " | "))
