"""What a chat model's exception means: an error of ours in one line, and whether to try again."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from assistant.errors import AssistantError, ModelUnavailableError, SettingsError
from assistant.text import one_line

_LONGEST_DETAIL = 200
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$")
_SECRET = re.compile(
    r"(?i)\b(?:sk|pk|key|bearer|basic)[-_ ][\w.~+/*-]{4,}=*|://[^\s/@]+@"
    r"|\b(?:hf|gsk|xai|nvapi|ghp|r8|pplx)[-_][a-z0-9_-]{16,}|\bAIza[\w-]{20,}"
)
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*_(?:[A-Z0-9]+_)*(?:KEY|TOKEN)\b")
_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|prompt is too long"
    r"|input is too long|exceeds? (?:the )?(?:available|maximum) (?:context|input|number of tokens)"
    r"|`inputs` tokens|request (?:is )?too large",
    re.IGNORECASE,
)
_NO_REPLY = re.compile(
    r"Unexpected response type|No generation chunks|'choices'|Expecting value|model_dump"
)
_NO_STREAM = "No generation chunks"
_SAID_UNDER = ("message", "error", "detail", "msg", "title")
_DEEPEST = 4
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_REJECTED = frozenset({200, 400, 404, 405, 415, 422, 501})
_TIME_OUT = re.compile(r"Timeout|TimedOut")
_CONNECTION = re.compile(r"Connect|RemoteProtocol|ReadError|IncompleteRead|NetworkError")


class ContextLengthError(ModelUnavailableError):
    """The messages are longer than the model takes."""


class RefusedError(SettingsError):
    """The server refuses the key, or does not know the model."""


class Failure(NamedTuple):
    """A failed call: what to tell the user, and what may be done about it.

    ``wait`` is how many seconds the server asks to wait, if it does. ``rejected`` says that the
    server refused the request as it was written, so that another form of it may do; ``no_stream`` that
    what it sent was no stream. ``status`` and ``detail`` are what it said.
    """

    error: AssistantError
    retryable: bool = False
    wait: float | None = None
    rejected: bool = False
    no_stream: bool = False
    status: int | None = None
    detail: str = ""


def explain(error: Exception, model: str) -> Failure:
    """Say what an exception of a provider's client means.

    Args:
        error: the exception.
        model: ``provider:model``.
    """
    status = _status(error)
    detail = one_line(redact(_said(error)), _LONGEST_DETAIL) or type(error).__name__
    return _explain(error, status, detail, model)._replace(status=status, detail=detail)


def _explain(error: Exception, status: int | None, detail: str, model: str) -> Failure:
    if _is_about_length(error, status, detail):
        message = f"{model} takes less text than it was given: lower the token budget of an answer"
        return Failure(ContextLengthError(message))
    variable = _VARIABLE.search(str(error))
    if status is None and variable is not None:
        return Failure(SettingsError(f"{model} needs a key: set {variable.group()}"))
    if status in (401, 403):
        return Failure(RefusedError(f"{model}: the key was refused ({status}): check it"))
    if status is None:
        return _unanswered(error, detail, model)
    if status in _RETRYABLE:
        return _passing(error, status, model)
    if status == 404:
        message = f"{model} is not known there (404): check the model's name and the base URL"
        return Failure(RefusedError(message), rejected=True)
    message = f"{model} refused the request ({status}): {detail}"
    return Failure(ModelUnavailableError(message), rejected=status in _REJECTED)


def broke_off(error: Exception) -> str:
    """Say in a few words why a reply ended before its end."""
    said = one_line(redact(_in_body(_body(error))), _LONGEST_DETAIL)
    return said or type(error).__name__


def redact(text: str) -> str:
    """Hide what is or looks like a secret: values of variables such as ``…_API_KEY``, and keys."""
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET_NAME.search(name):
            text = text.replace(value, "***")
    return _SECRET.sub("***", text)


def _passing(error: Exception, status: int, model: str) -> Failure:
    """Explain what may go by itself: a busy server, or one in trouble."""
    busy = status == 429
    what = (
        "has too many requests (429): wait, or check its quota"
        if busy
        else (f"has trouble ({status}): try again later")
    )
    said = one_line(redact(_in_body(_body(error))), _LONGEST_DETAIL)
    says = f" (it says: {said})" if said and not said.startswith("<") else ""
    message = f"{model} {what}{says}"
    return Failure(ModelUnavailableError(message), retryable=True, wait=_retry_after(error))


def _unanswered(error: Exception, detail: str, model: str) -> Failure:
    """Explain what comes without a status: no connection, none in time, or not what a model sends."""
    names = " ".join(type(each).__name__ for each in _chain(error))
    if _TIME_OUT.search(names):
        what, retryable = "did not answer in time: try again, or allow it more time", True
    elif _CONNECTION.search(names):
        what, retryable = "cannot be reached: check that its server runs, and the base URL", True
    elif _NO_REPLY.search(str(error)) or isinstance(error, LookupError | TypeError):
        what, retryable = "did not send a chat model's reply: check the base URL", False
    elif _body(error) is not None or isinstance(error, ValueError):
        what, retryable = f"answered with an error: {detail}", False
    else:
        what, retryable = f"failed ({type(error).__name__}): try again, or another model", False
    no_stream = _NO_STREAM in str(error)
    return Failure(ModelUnavailableError(f"{model} {what}"), retryable, no_stream=no_stream)


def _is_about_length(error: Exception, status: int | None, detail: str) -> bool:
    names = {base.__name__ for base in type(error).__mro__}
    code = getattr(error, "code", None)
    return (
        "ContextOverflowError" in names
        or code == "context_length_exceeded"
        or (status in (None, 400, 413, 422, 500) and _TOO_LONG.search(detail) is not None)
    )


def _status(error: Exception) -> int | None:
    """Find the HTTP status, where clients keep it, or in an error that came with a good one."""
    for each in _chain(error):
        for holder in (each, getattr(each, "response", None)):
            status = getattr(holder, "status_code", None)
            if isinstance(status, int):
                return status
    body = _body(error)
    codes = [body.get(name) for name in ("status", "code")] if isinstance(body, Mapping) else []
    return next((code for code in codes if isinstance(code, int) and 400 <= code < 600), None)


def _retry_after(error: Exception) -> float | None:
    """Read how long the server asks to wait, in seconds (RFC 9110, 10.2.3)."""
    for each in _chain(error):
        headers = getattr(getattr(each, "response", None), "headers", None)
        if isinstance(headers, Mapping):
            return _seconds(headers)
    return None


def _seconds(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after") or ""
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        pass
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _body(error: Exception) -> object:
    """Return the body of an error, as the client keeps it; None if there was none."""
    for each in _chain(error):
        body: object = getattr(each, "body", None)
        if body:
            return body
    first = error.args[0] if error.args else None
    return first if isinstance(first, Mapping) else None


def _said(error: Exception) -> str:
    """Return what the server says is wrong, or else the client."""
    return _in_body(_body(error)) or str(error)


def _in_body(body: object, depth: int = 0) -> str:
    """Find the message in the body of an error, whichever of the usual forms it has."""
    if isinstance(body, str):
        return body
    if depth == _DEEPEST:
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, (_in_body(each, depth + 1) for each in body)))
    if not isinstance(body, Mapping):
        return ""
    found = (_in_body(body.get(name), depth + 1) for name in _SAID_UNDER)
    said = next(filter(None, found), "")
    place = body.get("loc") or body.get("param")
    named = ".".join(map(str, place)) if isinstance(place, list) else str(place or "")
    return f"{named}: {said}" if said and named and named not in said else said
