"""Answers written by a language model from passages, each sentence with its citations."""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from assistant import prompts, tokens
from assistant.answer.align import Aligner, Embed
from assistant.answer.citations import cite, escape_markdown, markers
from assistant.answer.draft import REFUSAL, Piece, Written
from assistant.answer.opening import Opening
from assistant.answer.sanitise import Sanitiser, Token
from assistant.answer.spotlight import Shown, show
from assistant.answer.statements import bare, claims, ends, last, split
from assistant.errors import ModelUnavailableError
from assistant.models.chat import ChatModel, Completion, Message
from assistant.models.failures import ContextLengthError
from assistant.models.thinking import Heard, Thinking
from assistant.records import Citation, Passage
from assistant.text import Span, words
from assistant.untrusted import harmless

MAX_ANSWER = 12_000
"""Characters of an answer; a model that goes on beyond them is stopped."""

MAX_THINKING = 200_000
"""Characters that a model may think aloud beside it."""

_SHRINKS = 3
_LONGEST_REASON = 200
_LONGEST_SENTENCE = 1_000
_BEFORE_REASON = " \t\r\n*_\"'`>#-:.–—：])}」』】）”"
_STOPS = ".!?。！？"
_LETTER = re.compile(r"[^\W\d_]")
_CLOSE_UP = ".,;:!?。，、；：！？"
_AFTER_LEADING_KEY = re.compile(r"[:.,：–—-]+[*_]*")

Length = Literal["phrase", "short", "medium", "long"]
_LENGTHS: dict[Length, str] = {
    "phrase": "one phrase or short sentence of twenty-five words at most",
    "short": "one to three sentences",
    "medium": "three to six sentences",
    "long": "six to twelve sentences, in paragraphs",
}
Style = Literal["prose", "list", "simple"]
_STYLES: dict[Style, str] = {
    "prose": "in plain sentences",
    "list": "as a list, each item a whole sentence on a line of its own that begins with a hyphen",
    "simple": "in plain sentences that a reader from another field understands",
}


def generate(
    question: str,
    passages: Sequence[Passage],
    chat: ChatModel,
    *,
    budget: int = 6_000,
    length: Length = "medium",
    style: Style = "prose",
    language: str | None = None,
    embed: Embed | None = None,
    secret: bytes | None = None,
    excerpts: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Generator[Piece | Written]:
    """Let ``chat`` answer from passages: pieces of the answer as they come, then all of it.

    Closing the iterator ends the connection to the model. Without passages no model is asked.

    Args:
        question: the question, standing alone.
        passages: passages, best first.
        chat: the model.
        budget: tokens for the passages; those that do not fit are left out by rank.
        length: how much to write.
        style: how to write it.
        language: the answer's language, such as ``German``, or None for the question's.
        embed: makes unit vectors of texts, to align citations by meaning too.
        secret: what the passages' keys are drawn from; by default one of this process.
        excerpts: by the id of a passage's chunk, what is shown of it instead of all.
        notes: lines for the user on how the passages were chosen.

    Raises:
        SettingsError: if the model's package, key or name are missing.
        ModelUnavailableError: if the model does not answer, breaks off half way, or says nothing. Pieces that
            were given before stay valid.
    """
    if not passages:
        yield from refuse("No passage in the library fits the question.", chat.name)
        return
    for attempt in range(_SHRINKS + 1):
        shown = show(passages, question, budget=budget, secret=secret, excerpts=excerpts)
        messages = _messages(question, shown, length=length, style=style, language=language)
        try:
            yield from _Answer(shown, passages, embed, notes).write(chat, messages)
        except ContextLengthError:
            if attempt == _SHRINKS or len(shown.passages) == 1:
                raise
            budget = min(budget, tokens.count(shown.text)) // 2
        else:
            return


def prompt_fingerprint() -> str:
    """Return what changes whenever the answer's prompt does."""
    return "-".join(prompts.fingerprint(name) for name in ("answer.system", "answer.user"))


def _messages(
    question: str, shown: Shown, *, length: Length, style: Style, language: str | None
) -> list[Message]:
    keys = list(shown.passages)
    system = prompts.render(
        "answer.system",
        delimiter=shown.delimiter,
        example_one=keys[0],
        example_two=keys[min(1, len(keys) - 1)],
        length=_LENGTHS[length],
        style=_STYLES[style],
        language=" ".join(language.split()) if language else "the language of the question",
    )
    user = prompts.render(
        "answer.user", delimiter=shown.delimiter, passages=shown.text, question=harmless(question)
    )
    return [Message("system", system), Message("user", user)]


def refuse(reason: str, model: str, *, notes: Sequence[str] = ()) -> Iterator[Piece | Written]:
    """Write that the papers do not say, and why."""
    text = f"{REFUSAL} {escape_markdown(reason)}".rstrip()
    yield Piece(text, None)
    yield Written(text, (), (), reason, model, tuple(notes), prompt_fingerprint())


class _Answer:
    """One answer in the making."""

    def __init__(
        self,
        shown: Shown,
        passages: Sequence[Passage],
        embed: Embed | None,
        notes: Sequence[str],
    ) -> None:
        self._shown = shown
        self._links = {each.url for each in passages if each.url}
        self._mentions = "\n".join(each.chunk.text for each in shown.passages.values())
        self._aligner = Aligner(embed)
        self._notes = list(notes)
        self._thinking = Thinking()
        self._opening = Opening(shown.passages)
        self._is_stopped = False
        self._begin()

    def _begin(self) -> None:
        self._sanitiser = Sanitiser(
            keys=self._shown.passages, links=self._links, mentions=self._mentions
        )
        self._page = _Page(self._shown, self._aligner)

    def write(self, chat: ChatModel, messages: Sequence[Message]) -> Iterator[Piece | Written]:
        """Stream the reply as pieces, then give the whole."""
        if self._shown.left_out:
            self._notes.append(
                f"{self._shown.left_out} of {len(self._shown.passages) + self._shown.left_out} passages "
                "did not fit the token budget and were left out, those of lowest rank"
            )
        stream = chat.stream(messages)
        try:
            yield from self._read(stream)
        except ModelUnavailableError:
            # What was held back is all there will be: it belongs to what stands already.
            if not self._opening.sounds_like_thinking() and self._opening.refusal() is None:
                yield from self._finish()
            raise
        finally:
            stream.close()
        completion = stream.completion
        if completion is None:
            raise ModelUnavailableError(f"{chat.name} sent nothing: ask again")
        self._notes += completion.notes if self._is_stopped else completion.remarks
        said = self._opening.refusal()
        if said is None:
            yield from self._finish()
            said = self._opening.refusal(cites=bool(self._page.citations))
        if said is not None:
            yield from refuse(_reason(said), completion.model, notes=self._notes)
            return
        if not words(self._page.plain):
            raise ModelUnavailableError(
                f"{completion.model} sent an empty answer: ask again, or try another model"
            )
        yield self._written(completion)

    def _read(self, stream: Iterable[str]) -> Iterator[Piece]:
        """Read the reply to its end, or until there is too much of it."""
        answered = received = 0
        for chunk in stream:
            received += len(chunk)
            for heard in self._thinking.feed(chunk):
                for clear in self._opening.feed(heard):
                    answered = 0 if clear.restarts else answered + len(clear.text)
                    yield from self._pieces(clear)
            if answered > MAX_ANSWER or received > MAX_THINKING + MAX_ANSWER:
                self._notes.append("the answer was stopped: it went on for too long")
                self._is_stopped = True
                return
        for heard in self._thinking.finish():
            for clear in self._opening.feed(heard):
                yield from self._pieces(clear)

    def _finish(self) -> Iterator[Piece]:
        """Show what was held back."""
        for clear in self._opening.finish():
            yield from self._pieces(clear)
        yield from self._page.show(self._sanitiser.finish())
        yield from self._page.finish()

    def _pieces(self, clear: Heard) -> Iterator[Piece]:
        """Make of clear text pieces; where it restarts, all that was shown before is forgotten."""
        if clear.restarts:
            self._begin()
            yield Piece("\n\n", None)
        yield from self._page.show(self._sanitiser.feed(clear.text))

    def _written(self, completion: Completion) -> Written:
        return Written(
            text="".join(self._page.text),
            citations=tuple(self._page.citations),
            claims=tuple(claims(self._page.plain, self._page.marks, self._page.headings)),
            refusal=None,
            model=completion.model,
            notes=tuple(self._notes),
            prompt=prompt_fingerprint(),
        )


class _Page:
    """What is shown of an answer: text, and the numbers of what its sentences cite.

    A sentence that cites something before its end waits for it: what carries it is found for all of it.
    """

    def __init__(self, shown: Shown, aligner: Aligner) -> None:
        self.text: list[str] = []
        self.plain = ""
        self.marks: list[tuple[int, int]] = []  # where in the plain text which number stands
        self.headings: set[int] = set()  # where in it headings begin
        self.citations: list[Citation] = []
        self._shown = shown
        self._aligner = aligner
        self._numbers: dict[tuple[str, Span], int] = {}
        self._space = ""
        self._after_bracket = False
        self._is_heading = False
        self._waiting: list[str | _Cited] = []
        self._leading: list[_Cited] = []  # what was cited before the sentence it is for
        self._line_leads = False  # whether the keys of this line stand before their sentences

    def show(self, read: Iterable[Token]) -> Iterator[Piece]:
        """Show what was read: text, and numbers for keys."""
        for token in read:
            if token.text.isspace():
                yield from self._part(token.plain)
            elif token.text:
                yield from self._say(token)
            elif token.heading:
                self._is_heading = True
            else:
                yield from self._cite(token.keys)

    def finish(self) -> Iterator[Piece]:
        """Show what waits."""
        yield from self._settle()

    def _part(self, space: str) -> Iterator[Piece]:
        """Note white space: it waits for what follows, and is never more than one space or two breaks."""
        if space == "\n":
            yield from self._settle()
            self._line_leads = self._after_bracket = False
        self._space = _join_space(self._space, space)

    def _say(self, token: Token) -> Iterator[Piece]:
        """Show words, or let them wait for the end of their sentence."""
        text, plain = token.text, token.plain
        if self._after_bracket and not self._line().strip(" -*+"):
            found = _AFTER_LEADING_KEY.match(plain)
            if found is not None and text.startswith(found.group()):
                text, plain = text[found.end() :], plain[found.end() :]
                if not plain:
                    return
        before = self._space
        if not self.plain or (self._after_bracket and plain[0] in _CLOSE_UP):
            before = ""
        if self._after_bracket and (
            plain[0] in "([" or (plain[0] == ":" and not _LETTER.search(self._line()))
        ):
            before = before or " "  # or the two would be taken for a link, or for a link's place
        over = self._after_bracket and plain[0] in _STOPS
        if self._is_waiting and self._begins_anew(before + plain):
            yield from self._settle()
        self._space = ""
        self._after_bracket = False
        if self._is_heading:
            self.headings.add(len(self.plain) + len(before))
            self._is_heading = False
        self.plain += before + plain
        if self._waiting:
            self._waiting.append(before + text)
        else:
            yield self._put(before + text)
        if over:
            yield from self._settle()

    def _cite(self, keys: Sequence[str]) -> Iterator[Piece]:
        """Note what a sentence cites: the one it stands in, the one before, or the one to come."""
        self._after_bracket = True
        known = [key for key in dict.fromkeys(keys) if key in self._shown.passages]
        if not known:
            return
        line = self._line()
        cited = [_Cited(self._shown.passages[key], len(self.plain)) for key in known]
        if not words(bare(f"{line} ")):
            self._line_leads = True
            self._leading += cited
        elif not ends(line):
            self._waiting += cited
        elif self._line_leads:
            yield from self._settle()
            self._leading += cited
        else:
            self._waiting += cited
            yield from self._settle()

    def _line(self) -> str:
        """Return what stands in this line by now."""
        return "" if "\n" in self._space else self.plain.rpartition("\n")[2]

    @property
    def _is_waiting(self) -> bool:
        """Whether the sentence at hand has been cited for; a key after its stop is for the next one."""
        return bool(self._waiting) or any(each.place < len(self.plain) for each in self._leading)

    def _begins_anew(self, coming: str) -> bool:
        """Tell whether a sentence ends before what comes, or has gone on for too long."""
        line = self.plain.rpartition("\n")[2]
        spans = split(line)
        if not spans:
            return False
        is_long = len(line) - spans[-1].start > _LONGEST_SENTENCE
        return is_long or len(split(line + coming)) > len(spans)

    def _settle(self) -> Iterator[Piece]:
        """Show what waits, with the numbers of what carries the sentence that is now whole."""
        claim = last(self.plain)
        if not claim:
            return
        waiting, self._waiting = self._waiting, []
        leading = [each._replace(place=len(self.plain)) for each in self._leading]
        self._leading = []
        for item in (*waiting, *leading):
            if isinstance(item, str):
                yield self._put(item)
            else:
                yield from self._mark(claim, item)

    def _mark(self, claim: str, cited: "_Cited") -> Iterator[Piece]:
        number, citation = self._number(claim, cited.passage)
        if (cited.place, number) in self.marks:
            return
        lead = "" if self.marks and self.marks[-1][0] == cited.place else " "
        self.marks.append((cited.place, number))
        yield self._put(lead + markers([number]), citation)

    def _put(self, text: str, citation: Citation | None = None) -> Piece:
        self.text.append(text)
        return Piece(text, citation)

    def _number(self, claim: str, passage: Passage) -> tuple[int, Citation | None]:
        """Number the stretch of the passage that carries the claim; a stretch cited before has its number."""
        span = self._aligner.align(claim, passage)
        place = (passage.chunk.id, span)
        if place in self._numbers:
            return self._numbers[place], None
        self._numbers[place] = number = len(self._numbers) + 1
        citation = cite(passage, span, number=number)
        self.citations.append(citation)
        return number, citation


class _Cited(NamedTuple):
    """A passage cited, and where in the plain text."""

    passage: Passage
    place: int


def _reason(said: str) -> str:
    """Write what a refusing model says is missing: one sentence of plain text, marked as such."""
    said = said.lstrip(_BEFORE_REASON)
    sanitiser = Sanitiser()
    plain = "".join(token.plain for token in (*sanitiser.feed(said[:2_000]), *sanitiser.finish()))
    line = bare(" ".join(plain.split()))
    first = next((line[slice(*span)] for span in split(line)), "")
    if first.count(")") > first.count("("):
        first = first.rstrip(") ")
    first = first.rstrip('.。 ]}」』】）”"')
    return (
        f"Missing: {first[:_LONGEST_REASON]}."
        if words(first)
        else "They do not answer this question."
    )


def _join_space(before: str, after: str) -> str:
    """Join white space: a line break outdoes a space, two at most."""
    if after == "\n":
        return "\n\n" if "\n" in before else "\n"
    return before or " "
