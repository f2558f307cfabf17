"""Chat models of the providers that LangChain knows."""

import json
import os
import random
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from assistant import prompts, tokens
from assistant.errors import AssistantError, ModelUnavailableError, ReplyFormError, SettingsError
from assistant.models import structured
from assistant.models.accepted import Accepted
from assistant.models.chat import Book, Completion, Message, Stream, Structured, add
from assistant.models.failures import Failure, broke_off, explain, redact
from assistant.models.kept_replies import KeptReplies
from assistant.models.limits import limits_of
from assistant.models.prices import Prices
from assistant.models.replies import in_error, read_reply
from assistant.models.stop import Stop, StoppedError
from assistant.models.structured import Schema

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

T = TypeVar("T")

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
_TROUBLE = 500
"""What some servers answer to a schema, as they do to their own errors."""


class ProviderChat:
    """A chat model of a provider that LangChain knows, such as ``openai:gpt-4o-mini``."""

    def __init__(
        self,
        spec: str,
        *,
        base_url: str | None,
        timeout: float,
        max_retries: int,
        concurrency: int,
        rate: int | None,
        cache: Path | None,
        prices: Prices,
    ) -> None:
        self.name = spec
        self._base_url = base_url
        self._timeout = timeout
        self._max_retries = max_retries
        self._kept = KeptReplies(cache, model=spec, base_url=base_url)
        self._prices = prices
        self._limits = limits_of(spec.partition(":")[0], base_url, concurrency, rate)
        # The older name of a limit is the one that servers other than OpenAI's know.
        own_server = spec.startswith("openai:") and base_url is not None
        self._accepted = Accepted(limit="older" if own_server else "own")
        self._context = 0

    def load(self) -> None:
        """Import what asking takes, which is the longer part of a first question.

        Raises:
            SettingsError: if package or key are missing.
        """
        tokens.count("")
        self._model  # noqa: B018 - made once

    def stream(
        self, messages: Sequence[Message], *, stop: Stop | None = None, limit: int | None = None
    ) -> Stream:
        """Ask for a reply of ``limit`` tokens at most, to be read piece by piece; ``stop`` ends it.

        Raises:
            SettingsError: on reading, if package, key or model are missing.
            ModelUnavailableError: on reading, if the model does not answer or breaks off.
            StoppedError: on reading, if it was ended.
        """
        asked = _Asked(messages, stop or Stop(), limit)
        return Stream(lambda stream: self._stream(asked, stream))

    def complete(self, messages: Sequence[Message], *, limit: int | None = None) -> Completion:
        """Ask for a whole reply of ``limit`` tokens at most.

        Raises:
            SettingsError: if package, key or model are missing.
            ModelUnavailableError: if the model does not answer.
        """
        kept = self._kept.find(messages, "text")
        if kept is not None:
            return kept
        completion = self._uncached(_Asked(messages, Stop(), limit))
        self._kept.keep(messages, "text", completion)
        return completion

    def structured(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        *,
        stop: Stop | None = None,
        limit: int | None = None,
        book: Book | None = None,
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``; ``stop`` ends it; ``book`` is told what each call takes.

        The server is asked to hold to it; where it cannot, the schema is put into words. What comes is
        mended if need be, and asked for once more if that does not help.

        Raises:
            SettingsError: if package, key or model are missing.
            ModelUnavailableError: if the model does not answer.
            ReplyFormError: if it does, but not in this form.
            StoppedError: if it was ended.
        """
        asked = _Asked(messages, stop or Stop(), limit)
        kind = json.dumps(schema.model_json_schema(), sort_keys=True)
        reply = self._kept.find(messages, kind) or self._ask_in_form(asked, schema)
        usage = reply.usage
        if book is not None:
            book(self.name, usage)
        try:
            value = structured.parse(reply.text, schema)
        except ValueError as error:
            reply = self._ask_again(asked, schema, reply.text, str(error))
            usage = add(usage, reply.usage)
            if book is not None:
                book(self.name, reply.usage)
            value = self._parse(reply.text, schema)
        self._kept.keep(messages, kind, reply)
        return Structured(value, usage)

    # A whole reply, in a form

    def _ask_in_form(self, asked: "_Asked", schema: type[BaseModel]) -> Completion:
        in_words = asked._replace(messages=_with_schema(asked.messages, schema))
        if not self._accepted.schema:
            return self._uncached(in_words)
        try:
            with self._place(asked.stop):
                reply = self._call(
                    lambda accepted: self._invoke_with(schema, asked, accepted),
                    asked,
                    other_form=True,
                )
            return self._completion(asked.messages, [reply])
        except _OtherFormError:
            completion = self._uncached(in_words)
            self._accepted = self._accepted._replace(schema=False)
            return completion

    def _invoke_with(
        self, schema: type[BaseModel], asked: "_Asked", accepted: Accepted
    ) -> "BaseMessage":
        """Ask with the schema; return the message as it came, to be parsed as any other."""
        from langchain_core.messages import AIMessage

        model = self._client(asked, accepted)
        try:
            runnable = model.with_structured_output(schema.model_json_schema(), include_raw=True)
        except NotImplementedError as error:  # LangChain's base class: no schema is taken
            raise _OtherFormError from error
        try:
            reply = asked.stop.run(runnable.ainvoke(_convert(accepted.written(asked.messages))))
        except Exception as error:
            cut = in_error(error)
            if cut is None:
                raise
            return cut
        assert isinstance(reply, dict)
        raw = reply["raw"]
        assert isinstance(raw, AIMessage)
        if not raw.text.strip() and raw.tool_calls:
            return raw.model_copy(update={"content": json.dumps(raw.tool_calls[0]["args"])})
        return raw

    def _ask_again(
        self, asked: "_Asked", schema: type[BaseModel], reply: str, problem: str
    ) -> Completion:
        again = [
            *_with_schema(asked.messages, schema),
            Message("assistant", reply[:4_000] or "(nothing)"),
            Message("user", prompts.render("mend", problem=problem)),
        ]
        return self._uncached(asked._replace(messages=again))

    def _parse(self, text: str, schema: type[Schema]) -> Schema:
        try:
            return structured.parse(text, schema)
        except ValueError as error:
            raise ReplyFormError(
                f"{self.name} does not answer in the form it is asked for ({error}): try another model"
            ) from error

    def _uncached(self, asked: "_Asked") -> Completion:
        with self._place(asked.stop):
            reply = self._call(lambda accepted: self._whole(asked, accepted), asked)
        return self._completion(asked.messages, [reply])

    def _whole(self, asked: "_Asked", accepted: Accepted) -> "BaseMessage":
        model = self._client(asked, accepted)
        return asked.stop.run(model.ainvoke(_convert(accepted.written(asked.messages))))

    # A reply piece by piece

    def _stream(self, asked: "_Asked", stream: Stream) -> Generator[str]:
        kept = self._kept.find(asked.messages, "text")
        if kept is not None:
            stream.completion = kept
            yield kept.text
            return
        seen: list[BaseMessage] = []
        with self._place(asked.stop):
            try:
                chunks = self._first_chunk(asked)
            except StoppedError:  # what was sent is taken
                stream.completion = self._completion(asked.messages, ())
                raise
            try:
                for chunk in chunks:
                    seen.append(chunk)
                    if chunk.text:
                        yield str(chunk.text)
            except StoppedError:
                raise
            except Exception as error:
                raise ModelUnavailableError(
                    f"{self.name} broke off half way ({broke_off(error)}): what stands here is "
                    "not all; ask again"
                ) from error
            finally:
                chunks.close()
                stream.completion = self._completion(asked.messages, seen)
        self._kept.keep(asked.messages, "text", stream.completion)

    def _first_chunk(self, asked: "_Asked") -> "_Chunks":
        """Begin a stream; where the server has none, have the reply as a whole."""

        def begin(accepted: Accepted) -> _Chunks:
            if not accepted.streaming:
                return _Chunks(self._whole(asked, accepted), _nothing())
            model = self._client(asked, accepted)
            return _begin(
                asked.stop.read(model.astream(_convert(accepted.written(asked.messages))))
            )

        streams = self._accepted.streaming
        try:
            return self._call(begin, asked)
        except AssistantError:  # it was not for the stream
            self._accepted = self._accepted._replace(streaming=streams)
            raise

    def _completion(
        self, messages: Sequence[Message], chunks: Sequence["BaseMessage"]
    ) -> Completion:
        return read_reply(self.name, messages, chunks, prices=self._prices)

    # Calling, and calling again

    def _call(
        self, call: Callable[[Accepted], T], asked: "_Asked", *, other_form: bool = False
    ) -> T:
        """Call the model; again after what may pass, with a wait that grows, and without what is refused."""
        attempt = 0
        while True:
            accepted = self._accepted
            try:
                return call(accepted)
            except (SettingsError, StoppedError, _OtherFormError):
                raise
            except Exception as error:
                failure = explain(error, self.name)
                limited = asked.limit is not None and accepted.limit != "none"
                less = accepted.without(failure, limited=limited)
                if less is not None:
                    self._accepted = less
                    continue
                if failure.rejected and other_form:
                    raise _OtherFormError from error
                wait = _wait(failure, attempt)
                if not failure.retryable or attempt >= self._max_retries or wait > _LONGEST_WAIT:
                    if other_form and failure.status == _TROUBLE:
                        raise _OtherFormError from error
                    raise failure.error from error
            asked.stop.sleep(wait)
            self._limits.turn(asked.stop)
            attempt += 1

    def _client(self, asked: "_Asked", accepted: Accepted) -> "BaseChatModel":
        """Return a client for a call; the context stays what it was, as another one takes loading."""
        model = accepted.fit(self._model, asked.messages, asked.limit, context=self._context)
        self._context = max(self._context, getattr(model, "num_ctx", None) or 0)
        return model

    @contextmanager
    def _place(self, stop: Stop) -> Iterator[None]:
        self._limits.turn(stop)
        with ExitStack() as held:
            try:
                held.enter_context(self._limits.place(timeout=self._timeout, stop=stop))
            except TimeoutError as error:
                raise ModelUnavailableError(
                    f"{self.name} is busy with other questions: try again, or allow more at a time"
                ) from error
            yield

    @cached_property
    def _model(self) -> "BaseChatModel":
        from langchain.chat_models import init_chat_model

        provider, _, model = self.name.partition(":")
        try:
            found: BaseChatModel = init_chat_model(
                model, model_provider=provider, **self._options(provider)
            )
        except ImportError as error:
            raise SettingsError(
                f"{self.name} needs another package: run `pip install {_package(error)}`"
            ) from error
        except Exception as error:
            failure = explain(error, self.name)
            if isinstance(failure.error, SettingsError):
                raise failure.error from error
            message = (
                f"{self.name} cannot be used: {redact(str(error).strip().partition(chr(10))[0])}"
            )
            raise SettingsError(message) from error
        return found

    def _options(self, provider: str) -> dict[str, Any]:
        """Name the options of a provider's client; what is tried again is decided here, not there."""
        options: dict[str, Any] = {"cache": False, "temperature": 0.0}
        if self._base_url is not None:
            _check_url(self._base_url)
            options["base_url"] = self._base_url
        if provider == "ollama":
            return {**options, "client_kwargs": {"timeout": self._timeout}}
        if provider == "openai":
            options["stream_usage"] = True
            if self._base_url is not None and not os.environ.get("OPENAI_API_KEY"):
                # Servers on this machine want none, the client wants one.
                options["api_key"] = "none"
        return {**options, "timeout": self._timeout, "max_retries": 0}


class _Asked(NamedTuple):
    """What is asked, what ends it, and how many tokens the reply may have."""

    messages: Sequence[Message]
    stop: Stop
    limit: int | None


class _OtherFormError(Exception):
    """The server does not take a schema: ask in words."""


class _Chunks:
    """The chunks of a reply, the first of which has come."""

    def __init__(self, first: "BaseMessage | None", rest: Generator["BaseMessage"]) -> None:
        self._first = first
        self._rest = rest

    def __iter__(self) -> Iterator["BaseMessage"]:
        if self._first is not None:
            yield self._first
            yield from self._rest

    def close(self) -> None:
        self._rest.close()


def _nothing() -> Generator["BaseMessage"]:
    yield from ()


def _begin(stream: Generator["BaseMessage"]) -> _Chunks:
    """Wait for the first chunk, so that a call that fails before it can be made again."""
    return _Chunks(next(stream, None), stream)


def _with_schema(messages: Sequence[Message], schema: type[BaseModel]) -> list[Message]:
    words = prompts.render("structured", schema=json.dumps(schema.model_json_schema()))
    *before, last = messages
    return [*before, last._replace(content=f"{last.content}\n\n{words}")]


def _convert(messages: Sequence[Message]) -> list["BaseMessage"]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](message.content) for message in messages]


def _wait(failure: Failure, attempt: int) -> float:
    """Choose how many seconds to wait: what the server asks for, or twice as long each time, with jitter."""
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads calls, guards nothing
    if failure.wait is not None:
        return failure.wait + 0.1 * jitter
    return float(_FIRST_WAIT * 2**attempt * jitter)


def _package(error: ImportError) -> str:
    match = re.search(r"langchain[-_][\w-]+", str(error))
    return match.group().replace("_", "-") if match else str(error.name)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("the model's base URL cannot be used: expected http(s)://host:port/…")
