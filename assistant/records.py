"""The records that the stages hand to one another: frozen, validated, free of behaviour."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from assistant.text import clean

SourceKind = Literal["abstract", "pdf"]
BlockKind = Literal["heading", "text", "caption", "table", "formula", "footnote", "reference"]
Verdict = Literal["supported", "partial", "unsupported", "contradicted", "unchecked"]

CleanText = Annotated[str, AfterValidator(clean)]
"""Text from outside: normalised to NFC, with control, bidirectional and zero-width characters gone."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


class Record(BaseModel):
    """Base of all records: immutable, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(Record):
    """A rectangle on a PDF page, in PDF points, origin at the bottom left."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class Line(Record):
    """A line of a PDF page: where it stands on the page, and where in the document's text.

    ``words`` are ``(offset, x0, x1)``: where in the line's text each word begins, counted from the
    line's ``start``, and its left and right edge. A word broken by a hyphen at the line's end is
    mended in the text: its first half belongs to this line, its second to the next.
    """

    page: int
    start: int
    end: int
    y0: float
    y1: float
    words: tuple[tuple[int, float, float], ...]


class Block(Record):
    """A stretch ``[start:end]`` of a document's text that is one thing: a paragraph, a table, ….

    ``section`` is the path of headings it stands under, outermost first; a heading is part of its
    own path. ``level`` counts from 1 and is a heading's alone.
    """

    kind: BlockKind
    start: int
    end: int
    section: tuple[str, ...] = ()
    level: int | None = None


class Document(Record):
    """A PDF as read: its text in reading order, what each stretch of it is, and where it stands.

    Blocks are in text order, do not overlap, and are parted by one blank line; lines are in text
    order and hold every word. ``pages`` are widths and heights in PDF points, as displayed.
    ``arxiv`` is the id on arXiv's own stamp, as it is printed. ``scanned`` are the pages that text
    recognition could read but has not yet, ``recognised`` those it has read; ``unread`` says in a line
    what of the document is not in its text. ``notes`` say what was dropped and why, a line each.
    """

    text: str
    blocks: tuple[Block, ...]
    lines: tuple[Line, ...]
    pages: tuple[tuple[float, float], ...]
    title: str | None = None
    abstract: tuple[int, int] | None = None
    arxiv: str | None = None
    scanned: tuple[int, ...] = ()
    recognised: tuple[int, ...] = ()
    unread: str | None = None
    notes: tuple[str, ...] = ()


class FullText(Record):
    """The PDF that a paper's full text was read from.

    ``sha256`` is that of the file, ``reader`` the version of what read it, ``path`` where it lay if
    it came from this machine. ``gave_abstract`` says that the paper's abstract is the PDF's.
    ``scanned`` are pages that were not read for want of text recognition. ``notes`` say what was
    dropped from the text and why.
    """

    sha256: str
    reader: str
    pages: int
    path: str | None = None
    gave_abstract: bool = False
    scanned: tuple[int, ...] = ()
    notes: tuple[CleanText, ...] = ()


class Paper(Record):
    """One paper of the library.

    ``id`` is the arXiv id without version where there is one, else the id the paper came with, else
    a short hash of its content. ``aliases`` are other ids under which the same content came in.
    """

    id: Annotated[CleanText, AfterValidator(_not_blank)] = Field(max_length=200)
    title: Annotated[CleanText, AfterValidator(_not_blank)]
    abstract: CleanText = ""
    authors: tuple[CleanText, ...] = ()
    year: int | None = None
    url: CleanText | None = None
    pdf_url: CleanText | None = None
    version: int | None = Field(default=None, description="arXiv version, where one was given")
    categories: tuple[CleanText, ...] = ()
    aliases: tuple[CleanText, ...] = ()
    full_text: FullText | None = None


class PdfFile(Record):
    """A PDF on this machine, and the SHA-256 of its content in hex."""

    path: str
    sha256: str


class SourcedPaper(Record):
    """A paper and where it was read from, such as ``digest.txt:12``; its PDF, if it came as one."""

    paper: Paper
    location: str
    pdf: PdfFile | None = None


class SourceFailure(Record):
    """A source, or a record in it, that could not be read. ``source`` carries file and line.

    ``unavailable`` says that a server did not give it; it is no part of the public format.
    """

    source: str
    error: str
    unavailable: bool = Field(default=False, exclude=True)


class Chunk(Record):
    """A stretch of a paper's text, as indexed: ``text`` is the source's ``[start:end]``, exactly.

    ``section`` is the path of headings it stands under, ``context`` the caption and head of the
    table it goes on with; ``lines`` say where it stands in the PDF.
    """

    id: str
    paper_id: str
    source: SourceKind
    text: str
    start: int
    end: int
    section: str | None = None
    context: str | None = None
    page_first: int | None = None
    page_last: int | None = None
    lines: tuple[Line, ...] = ()


class Passage(Record):
    """A chunk that was retrieved for a question.

    ``rank`` counts from 1; ``score`` is the cosine plus what words and names add to it.
    """

    rank: int
    chunk: Chunk
    title: str
    url: str | None
    score: float


class PassageRow(Record):
    """A passage as ``search --json`` shows it: without the places of its words."""

    rank: int
    paper_id: str
    title: str
    source: SourceKind
    page_first: int | None
    page_last: int | None
    section: str | None
    text: str
    score: float
    chunk_id: str

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """Keep of a passage what a reader sees."""
        chunk = passage.chunk
        return cls(
            rank=passage.rank,
            paper_id=chunk.paper_id,
            title=passage.title,
            source=chunk.source,
            page_first=chunk.page_first,
            page_last=chunk.page_last,
            section=chunk.section,
            text=chunk.text,
            score=passage.score,
            chunk_id=chunk.id,
        )


class Citation(Record):
    """What one ``[number]`` in an answer points to; ``quote`` stands in the source to the letter."""

    number: int
    paper_id: str
    title: str
    url: str | None
    source: SourceKind
    page_first: int | None
    page_last: int | None
    section: str | None
    quote: str
    boxes: tuple[Box, ...]
    chunk_id: str
    score: float


class Claim(Record):
    """One claim of an answer and what checking it against its cited passages gave."""

    text: str
    verdict: Verdict
    citations: tuple[int, ...]


class Usage(Record):
    """Tokens and money an answer took. An unknown price is ``None``, never 0."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class Timings(Record):
    """Milliseconds per stage."""

    rewrite: float
    retrieve: float
    answer: float
    verify: float
    total: float


class Turn(Record):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Answer(Record):
    """A finished answer. Its JSON is the public format of ``assistant ask --json``."""

    question: str
    standalone_question: str
    answer: str
    refused: bool
    refusal_reason: str | None
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    backend: str
    usage: Usage
    timings_ms: Timings


class IngestReport(Record):
    """What an ingest did: papers by outcome, failures, chunks written, seconds taken.

    ``incomplete`` are PDFs that were read but for some pages; it is no part of the public format.
    """

    added: int
    updated: int
    unchanged: int
    failed: tuple[SourceFailure, ...]
    chunks: int
    seconds: float
    incomplete: tuple[SourceFailure, ...] = Field(default=(), exclude=True)


class QuestionRewritten(Record):
    """The question stands alone now: what was searched, with its parts if it asks several things."""

    standalone_question: str
    sub_questions: tuple[str, ...] = ()


class PassagesFound(Record):
    """The passages an answer may rest on, best first."""

    passages: tuple[Passage, ...]


class AnswerText(Record):
    """The next piece of the answer's Markdown."""

    text: str


class Cited(Record):
    """A citation whose marker the text has just shown, or is about to."""

    citation: Citation


class ClaimChecked(Record):
    """A claim of the finished answer with its verdict."""

    claim: Claim


class AnswerDone(Record):
    """The last event: the whole answer, and notes on what was left out, a line each."""

    answer: Answer
    notes: tuple[str, ...] = ()


Event = QuestionRewritten | PassagesFound | AnswerText | Cited | ClaimChecked | AnswerDone
"""One answer is one stream of these, in this order; texts, citations and claims repeat."""


class Cell(Record):
    """What one paper states on one aspect; cites that paper only, and nothing where it is silent.

    The rest is no part of the public format: ``error`` says why the cell could not be filled, ``nearest``
    what comes nearest where the paper is silent, ``verdict`` how its text fared where a model wrote it,
    ``edited`` that a reader wrote it; what is cited then is what stood there before.
    """

    paper_id: str
    aspect: str
    text: str
    found: bool
    citations: tuple[Citation, ...]
    error: str | None = Field(default=None, exclude=True)
    nearest: Citation | None = Field(default=None, exclude=True)
    verdict: Verdict | None = Field(default=None, exclude=True)
    edited: bool = Field(default=False, exclude=True)


class Comparison(Record):
    """A finished table of papers × aspects. Its JSON is the public format of ``assistant compare --json``.

    ``cells`` are in the order of the table, paper by paper; ``summary`` is Markdown with the numbers of
    ``citations``, which are those of all cells.
    """

    papers: tuple[str, ...]
    aspects: tuple[str, ...]
    cells: tuple[Cell, ...]
    summary: str
    citations: tuple[Citation, ...]


class ComparisonPlanned(Record):
    """The first event of a comparison, before anything is paid: its cells, and those still to be filled.

    ``expected`` is the most that a model is likely to take for them; None without a model.
    """

    total: int
    missing: int
    expected: Usage | None


class CellFilled(Record):
    """A cell of a comparison is done; ``total`` is how many the table has.

    Its citations are numbered by themselves: only the whole table knows their numbers in it.
    """

    cell: Cell
    total: int


class ComparisonDone(Record):
    """The last event of a comparison: the whole table, and notes for the user, a line each."""

    comparison: Comparison
    notes: tuple[str, ...] = ()


ComparisonEvent = ComparisonPlanned | CellFilled | ComparisonDone
"""One comparison is one stream: the plan, each cell when it is done, and then the table."""
