"""Chat models of the providers that LangChain knows."""

import json
import os
import random
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from assistant import prompts, tokens
from assistant.errors import ModelUnavailableError, ReplyFormError, SettingsError
from assistant.models import structured
from assistant.models.chat import (
    NO_USAGE,
    Completion,
    Message,
    Stream,
    Structured,
    add,
    count_messages,
)
from assistant.models.failures import Failure, explain, redact
from assistant.models.limits import limits_of
from assistant.models.prices import Prices
from assistant.models.stop import Stop, StoppedError
from assistant.models.structured import Schema
from assistant.records import Usage

if TYPE_CHECKING:
    from langchain_core.caches import BaseCache
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

T = TypeVar("T")

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
_LENGTH_REASONS = frozenset({"length", "max_tokens", "MAX_TOKENS"})


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
        self._cache_path = cache
        self._prices = prices
        self._limits = limits_of(spec.partition(":")[0], base_url, concurrency, rate)
        # What this model turned out not to take, found on the first refusal.
        self._takes_temperature = True
        self._takes_schema = True

    def load(self) -> None:
        """Import what asking takes, which is the longer part of a first question.

        Raises:
            SettingsError: if package or key are missing.
        """
        tokens.count("")
        self._model  # noqa: B018 - made once

    def stream(self, messages: Sequence[Message], *, stop: Stop | None = None) -> Stream:
        """Ask for a reply, to be read piece by piece; ``stop`` ends it.

        Raises:
            SettingsError: on reading, if package, key or model are missing.
            ModelUnavailableError: on reading, if the model does not answer or breaks off.
            StoppedError: on reading, if it was ended.
        """
        return Stream(lambda stream: self._stream(messages, stream, stop or Stop()))

    def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask for a whole reply.

        Raises:
            SettingsError: if package, key or model are missing.
            ModelUnavailableError: if the model does not answer.
        """
        kept = self._kept(messages, "text")
        if kept is not None:
            return kept
        completion = self._uncached(messages, Stop())
        self._keep(messages, "text", completion)
        return completion

    def structured(
        self, messages: Sequence[Message], schema: type[Schema], *, stop: Stop | None = None
    ) -> Structured[Schema]:
        """Ask for a reply that fits ``schema``; ``stop`` ends it.

        The server is asked to hold to it; where it cannot, the schema is put into words. What comes is
        mended if need be, and asked for once more if that does not help.

        Raises:
            SettingsError: if package, key or model are missing.
            ModelUnavailableError: if the model does not answer.
            ReplyFormError: if it does, but not in this form.
            StoppedError: if it was ended.
        """
        stop = stop or Stop()
        kind = json.dumps(schema.model_json_schema(), sort_keys=True)
        kept = self._kept(messages, kind)
        first = kept or self._ask_in_form(messages, schema, stop)
        try:
            value, usage = structured.parse(first.text, schema), first.usage
        except ValueError as error:
            value, second = self._ask_again(messages, schema, first.text, str(error), stop)
            usage = add(first.usage, second.usage)
            first = second
        self._keep(messages, kind, first)
        return Structured(value, usage)

    # A whole reply, in a form

    def _ask_in_form(
        self, messages: Sequence[Message], schema: type[BaseModel], stop: Stop
    ) -> Completion:
        if self._takes_schema:
            try:
                with self._place(stop):
                    reply = self._call(
                        lambda: self._invoke_with(schema, messages, stop), stop, other_form=True
                    )
                return self._completion(messages, [reply])
            except _OtherFormError:
                self._takes_schema = False
        return self._uncached(_with_schema(messages, schema), stop)

    def _invoke_with(
        self, schema: type[BaseModel], messages: Sequence[Message], stop: Stop
    ) -> "BaseMessage":
        """Ask with the schema; return the message as it came, to be parsed as any other."""
        from langchain_core.messages import AIMessage

        try:
            runnable = self._model.with_structured_output(
                schema.model_json_schema(), include_raw=True
            )
        except NotImplementedError as error:  # LangChain's base class: no schema is taken
            raise _OtherFormError from error
        reply = stop.run(runnable.ainvoke(_convert(messages)))
        assert isinstance(reply, dict)
        raw = reply["raw"]
        assert isinstance(raw, AIMessage)
        if not raw.text.strip() and raw.tool_calls:
            return raw.model_copy(update={"content": json.dumps(raw.tool_calls[0]["args"])})
        return raw

    def _ask_again(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        reply: str,
        problem: str,
        stop: Stop,
    ) -> tuple[Schema, Completion]:
        again = [
            *_with_schema(messages, schema),
            Message("assistant", reply[:4_000] or "(nothing)"),
            Message("user", prompts.render("mend", problem=problem)),
        ]
        second = self._uncached(again, stop)
        try:
            return structured.parse(second.text, schema), second
        except ValueError as error:
            raise ReplyFormError(
                f"{self.name} does not answer in the form it is asked for ({error}): try another model"
            ) from error

    def _uncached(self, messages: Sequence[Message], stop: Stop) -> Completion:
        with self._place(stop):
            reply = self._call(lambda: stop.run(self._model.ainvoke(_convert(messages))), stop)
        return self._completion(messages, [reply])

    # A reply piece by piece

    def _stream(self, messages: Sequence[Message], stream: Stream, stop: Stop) -> Generator[str]:
        kept = self._kept(messages, "text")
        if kept is not None:
            stream.completion = kept
            yield kept.text
            return
        seen: list[BaseMessage] = []
        with self._place(stop):
            try:
                chunks = self._call(
                    lambda: _begin(stop.read(self._model.astream(_convert(messages)))), stop
                )
            except StoppedError:  # what was sent is taken
                stream.completion = self._completion(messages, ())
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
                    f"{self.name} broke off half way ({type(error).__name__}): what stands here is "
                    "not all; ask again"
                ) from error
            finally:
                chunks.close()
                stream.completion = self._completion(messages, seen)
        self._keep(messages, "text", stream.completion)

    def _completion(
        self, messages: Sequence[Message], chunks: Sequence["BaseMessage"]
    ) -> Completion:
        text = "".join(str(chunk.text) for chunk in chunks)
        reported = [found for chunk in chunks if (found := getattr(chunk, "usage_metadata", None))]
        if reported:
            taken = sum(int(each["input_tokens"]) for each in reported)
            given = sum(int(each["output_tokens"]) for each in reported)
        else:
            taken, given = count_messages(messages), tokens.count(text)
        cost = self._prices.cost(self.name, input_tokens=taken, output_tokens=given)
        reasons = {_finish_reason(chunk.response_metadata) for chunk in chunks}
        return Completion(
            text=text,
            usage=Usage(input_tokens=taken, output_tokens=given, cost_usd=cost),
            model=self.name,
            cut=bool(reasons & _LENGTH_REASONS),
        )

    # Calling, and calling again

    def _call(self, call: Callable[[], T], stop: Stop, *, other_form: bool = False) -> T:
        """Call the model; again after what may pass, with a wait that grows."""
        attempt = 0
        while True:
            try:
                return call()
            except (SettingsError, StoppedError, _OtherFormError):
                raise
            except Exception as error:
                failure = explain(error, self.name)
                if failure.rejected and self._forgo(failure):
                    continue
                if failure.rejected and other_form:
                    raise _OtherFormError from error
                wait = _wait(failure, attempt)
                if not failure.retryable or attempt >= self._max_retries or wait > _LONGEST_WAIT:
                    raise failure.error from error
            stop.sleep(wait)
            self._limits.turn(stop)
            attempt += 1

    def _forgo(self, failure: Failure) -> bool:
        """Do without the temperature if that is what was refused; models that reason often take none."""
        if not self._takes_temperature or "temperature" not in failure.detail.lower():
            return False
        self._takes_temperature = False
        self.__dict__.pop("_model", None)
        return True

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
        options: dict[str, Any] = {"cache": False}
        if self._takes_temperature:
            options["temperature"] = 0.0
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

    # Keeping replies

    @cached_property
    def _cache(self) -> "BaseCache | None":
        if self._cache_path is None:
            return None
        from assistant.models.cache import ReplyCache

        return ReplyCache(self._cache_path)

    def _parameters(self, kind: str) -> str:
        return json.dumps([self.name, self._base_url, {"temperature": 0.0}, kind])

    def _kept(self, messages: Sequence[Message], kind: str) -> Completion | None:
        if self._cache is None:
            return None
        found = self._cache.lookup(json.dumps(messages), self._parameters(kind))
        if not found:
            return None
        cut = bool((found[0].generation_info or {}).get("cut"))
        return Completion(found[0].text, NO_USAGE, self.name, cut=cut, cached=True)

    def _keep(self, messages: Sequence[Message], kind: str, completion: Completion) -> None:
        if self._cache is None or completion.cached or not completion.text.strip():
            return
        from langchain_core.outputs import Generation

        reply = Generation(text=completion.text, generation_info={"cut": completion.cut})
        self._cache.update(json.dumps(messages), self._parameters(kind), [reply])


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


def _finish_reason(metadata: Mapping[str, Any]) -> str:
    names = ("finish_reason", "stop_reason", "done_reason")
    return str(next((metadata[name] for name in names if metadata.get(name)), ""))


def _package(error: ImportError) -> str:
    match = re.search(r"langchain[-_][\w-]+", str(error))
    return match.group().replace("_", "-") if match else str(error.name)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("the model's base URL cannot be used: expected http(s)://host:port/…")
