"""Answers written by a language model from passages, each sentence with its citations."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Literal

from assistant import prompts, tokens
from assistant.answer.align import Aligner, Embed
from assistant.answer.citations import cite, escape_markdown, markers
from assistant.answer.draft import REFUSAL, Piece, Written
from assistant.answer.sanitise import Sanitiser, Token
from assistant.answer.spotlight import Shown, show
from assistant.errors import ModelUnavailableError
from assistant.models.chat import ChatModel, Completion, Message
from assistant.models.failures import ContextLengthError
from assistant.records import Citation, Claim, Passage
from assistant.text import Span, sentences, words
from assistant.untrusted import harmless

SENTINEL = "NOT_IN_PAPERS"
MAX_ANSWER = 12_000
"""Characters of an answer; a model that goes on beyond them is stopped."""

_SHRINKS = 3
_LONGEST_REASON = 200
_THINKING = re.compile(r"<(think(?:ing)?|reasoning)>", re.IGNORECASE)
_THINKING_NAMES = ("<think>", "<thinking>", "<reasoning>")
_BEFORE_SENTINEL = " \t\r\n*_\"'`>#-"
_SENTINEL = re.compile(r"NOT[ _]IN[ _]PAPERS\b", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)]|#{1,6})\s+")
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)")

Length = Literal["phrase", "short", "medium", "long"]
_LENGTHS: dict[Length, str] = {
    "phrase": "one phrase or short sentence of twenty-five words at most",
    "short": "one to three sentences",
    "medium": "three to six sentences",
    "long": "six to twelve sentences, in paragraphs",
}


def generate(
    question: str,
    passages: Sequence[Passage],
    chat: ChatModel,
    *,
    budget: int = 6_000,
    length: Length = "medium",
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
        messages = _messages(question, shown, length=length, language=language)
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
    question: str, shown: Shown, *, length: Length, language: str | None
) -> list[Message]:
    keys = list(shown.passages)
    system = prompts.render(
        "answer.system",
        delimiter=shown.delimiter,
        example_one=keys[0],
        example_two=keys[min(1, len(keys) - 1)],
        length=_LENGTHS[length],
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
        self._numbers: dict[tuple[str, Span], int] = {}
        self._text: list[str] = []
        self._plain = ""
        self._space = ""
        self._after_bracket = False
        self._marks: list[tuple[int, int]] = []  # where in the plain text which number stands
        self._citations: list[Citation] = []
        self._notes = list(notes)

    def write(self, chat: ChatModel, messages: Sequence[Message]) -> Iterator[Piece | Written]:
        """Stream the reply as pieces, then give the whole."""
        if self._shown.left_out:
            self._notes.append(
                f"{self._shown.left_out} of {len(self._shown.passages) + self._shown.left_out} passages "
                "did not fit the token budget and were left out, those of lowest rank"
            )
        head = _Head()
        sanitiser = Sanitiser(keys=self._shown.passages, links=self._links, mentions=self._mentions)
        stream = chat.stream(messages)
        received = 0
        try:
            for chunk in stream:
                received += len(chunk)
                for text in head.feed(chunk):
                    yield from self._pieces(sanitiser.feed(text))
                if received > MAX_ANSWER:
                    self._notes.append("the answer was stopped: it went on for too long")
                    break
        except ModelUnavailableError:
            # What was held back is all there will be: it belongs to what stands already.
            yield from self._pieces(sanitiser.finish())
            raise
        finally:
            stream.close()
        completion = stream.completion
        if completion is None:
            raise ModelUnavailableError(f"{chat.name} sent nothing: ask again")
        if completion.cut:
            self._notes.append("the answer is cut: it reached the model's limit of length")
        if head.refusal is not None:
            reason = _reason(head.refusal)
            yield from refuse(reason, completion.model, notes=self._notes)
            return
        yield from self._pieces(sanitiser.feed(head.finish()))
        yield from self._pieces(sanitiser.finish())
        if not words(self._plain):
            raise ModelUnavailableError(
                f"{completion.model} sent an empty answer: ask again, or try another model"
            )
        yield self._written(completion)

    def _pieces(self, read: Iterator[Token]) -> Iterator[Piece]:
        """Turn what was read into pieces, keys into numbers."""
        for token in read:
            if token.text:
                yield from self._show(token)
            else:
                yield from self._cite(token.keys)

    def _show(self, token: Token) -> Iterator[Piece]:
        """Show text; white space waits for what follows, and is never more than one space or two breaks."""
        if token.plain.isspace():
            self._space = _join_space(self._space, token.plain)
            return
        before = self._space
        if not self._plain or (self._after_bracket and token.plain[0] in ".,;:!?"):
            before = ""
        self._space = ""
        self._after_bracket = False
        self._plain += before + token.plain
        self._text.append(before + token.text)
        yield Piece(before + token.text, None)

    def _cite(self, keys: Sequence[str]) -> Iterator[Piece]:
        """Show the markers of the passages that the sentence before names."""
        claim = _last_sentence(self._plain)
        self._after_bracket = True
        if not claim:
            return
        for key in dict.fromkeys(keys):
            passage = self._shown.passages.get(key)
            if passage is None:
                continue
            number, citation = self._number(claim, passage)
            if self._marks and (len(self._plain), number) in self._marks:
                continue
            lead = "" if self._marks and self._marks[-1][0] == len(self._plain) else " "
            self._marks.append((len(self._plain), number))
            text = lead + markers([number])
            self._text.append(text)
            yield Piece(text, citation)

    def _number(self, claim: str, passage: Passage) -> tuple[int, Citation | None]:
        """Number the stretch of the passage that carries the claim; a stretch cited before has its number."""
        span = self._aligner.align(claim, passage)
        place = (passage.chunk.id, span)
        if place in self._numbers:
            return self._numbers[place], None
        self._numbers[place] = number = len(self._numbers) + 1
        citation = cite(passage, span, number=number)
        self._citations.append(citation)
        return number, citation

    def _written(self, completion: Completion) -> Written:
        return Written(
            text="".join(self._text),
            citations=tuple(self._citations),
            claims=tuple(_claims(self._plain, self._marks)),
            refusal=None,
            model=completion.model,
            notes=tuple(self._notes),
            prompt=prompt_fingerprint(),
        )


class _Head:
    """The beginning of a reply: drops what a model thinks aloud, and tells a refusal from an answer."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        self._held = ""
        self._decided = False

    def feed(self, chunk: str) -> Iterator[str]:
        """Take a chunk; give what is answer."""
        if self._decided:
            yield chunk
            return
        if self.refusal is not None:
            self.refusal += chunk
            return
        self._held += chunk
        if self._drop_thinking() or self._may_refuse():
            return
        self._decided = True
        held, self._held = self._held, ""
        yield held

    def finish(self) -> str:
        """Give what was too short to tell, unless the model never got to its answer."""
        held, self._held = self._held, ""
        return "" if _THINKING.match(held) else held

    def _drop_thinking(self) -> bool:
        """Drop a whole stretch of thinking; return whether one is still going on, or may begin."""
        self._held = self._held.lstrip()
        opening = _THINKING.match(self._held)
        if opening is None:
            return any(name.startswith(self._held.lower()) for name in _THINKING_NAMES)
        closing = f"</{opening[1]}>"
        _, found, rest = self._held.partition(closing)
        if not found:
            return True
        self._held = rest.lstrip()
        return self._drop_thinking()

    def _may_refuse(self) -> bool:
        text = self._held.lstrip(_BEFORE_SENTINEL)
        match = _SENTINEL.match(text)
        if match is not None:
            self.refusal = text[match.end() :]
            return True
        return SENTINEL.startswith(text[: len(SENTINEL)].upper().replace(" ", "_"))


def _reason(said: str) -> str:
    """Write what a refusing model says is missing: one sentence of plain text, marked as such."""
    said = said.lstrip(_BEFORE_SENTINEL + ":.–—")
    sanitiser = Sanitiser()
    plain = "".join(token.plain for token in (*sanitiser.feed(said[:2_000]), *sanitiser.finish()))
    line = " ".join(_EMPHASIS.sub("", plain).split())
    first = next((line[slice(*span)] for span in sentences(line)), "").rstrip(". ")
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


def _last_sentence(plain: str) -> str:
    """Return the sentence that a text ends with."""
    line = plain.rstrip().rpartition("\n")[2]
    spans = sentences(line)
    return _bare(line[slice(*spans[-1])]) if spans else ""


def _claims(plain: str, marks: Sequence[tuple[int, int]]) -> Iterator[Claim]:
    """Make each sentence a claim, with the numbers that stand in it or right after it."""
    spans = _sentence_spans(plain)
    starts = [span.start for span in spans[1:]]
    ends = [*starts, len(plain) + 1]
    for span, end in zip(spans, ends, strict=True):
        text = _bare(plain[slice(*span)])
        if words(text):
            numbers = (number for place, number in marks if span.start < place <= end)
            yield Claim(text=text, verdict="unchecked", citations=tuple(dict.fromkeys(numbers)))


def _sentence_spans(plain: str) -> list[Span]:
    """Find the sentences, none across a line break."""
    found: list[Span] = []
    for line in re.finditer(r"[^\n]+", plain):
        found += [Span(line.start() + a, line.start() + b) for a, b in sentences(line.group())]
    return found


def _bare(sentence: str) -> str:
    """Return a sentence without the marks of lists, headings and emphasis."""
    return _EMPHASIS.sub("", _BULLET.sub("", sentence)).strip()
