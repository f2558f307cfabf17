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
_SECRET = re.compile(r"(?i)\b(?:sk|pk|key|bearer|basic)[-_ ][\w.~+/*-]{4,}=*|://[^\s/@]+@")
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*_(?:[A-Z0-9]+_)*(?:KEY|TOKEN)\b")
_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|prompt is too long"
    r"|input is too long|exceeds? the (?:available|maximum) (?:context|number of tokens)",
    re.IGNORECASE,
)
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_REJECTED = frozenset({200, 400, 404, 405, 415, 422, 501})
_TIME_OUT = re.compile(r"Timeout|TimedOut")
_CONNECTION = re.compile(r"Connect|RemoteProtocol|ReadError|IncompleteRead|NetworkError")


class ContextLengthError(ModelUnavailableError):
    """The messages are longer than the model takes."""


class Failure(NamedTuple):
    """A failed call: what to tell the user, and what may be done about it.

    ``wait`` is how many seconds the server asks to wait, if it does. ``rejected`` says that the
    server refused the request as it was written, so that another form of it may do.
    """

    error: AssistantError
    retryable: bool = False
    wait: float | None = None
    rejected: bool = False
    detail: str = ""


def explain(error: Exception, model: str) -> Failure:
    """Say what an exception of a provider's client means.

    Args:
        error: the exception.
        model: ``provider:model``.
    """
    status = _status(error)
    detail = redact(_first_line(error))
    if _is_about_length(error, detail):
        message = f"{model} takes less text than it was given: lower the token budget of an answer"
        return Failure(ContextLengthError(message))
    variable = _VARIABLE.search(str(error))
    if status is None and variable is not None:
        return Failure(SettingsError(f"{model} needs a key: set {variable.group()}"))
    if status in (401, 403):
        return Failure(SettingsError(f"{model}: the key was refused ({status}): check it"))
    if status in _RETRYABLE or status is None:
        return _passing(error, status, model)
    if status == 404:
        message = f"{model} is not known there (404): check the model's name and the base URL"
        return Failure(SettingsError(message), rejected=True)
    message = f"{model} refused the request ({status}): {detail}"
    return Failure(ModelUnavailableError(message), rejected=status in _REJECTED, detail=detail)


def redact(text: str) -> str:
    """Hide what is or looks like a secret: values of variables such as ``…_API_KEY``, and keys."""
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET_NAME.search(name):
            text = text.replace(value, "***")
    return _SECRET.sub("***", text)


def _passing(error: Exception, status: int | None, model: str) -> Failure:
    """Explain what may go by itself: a busy server, a time-out, a lost connection."""
    names = " ".join(type(each).__name__ for each in _chain(error))
    if status == 429:
        what, retryable = "has too many requests (429): wait, or check its quota", True
    elif status is not None:
        what, retryable = f"has trouble ({status}): try again later", True
    elif _TIME_OUT.search(names):
        what, retryable = "did not answer in time: try again, or allow it more time", True
    elif _CONNECTION.search(names):
        what, retryable = "cannot be reached: check that its server runs, and the base URL", True
    else:
        what, retryable = f"failed ({type(error).__name__}): try again, or another model", False
    wait = _retry_after(error) if status is not None else None
    return Failure(ModelUnavailableError(f"{model} {what}"), retryable=retryable, wait=wait)


def _is_about_length(error: Exception, detail: str) -> bool:
    names = {base.__name__ for base in type(error).__mro__}
    code = getattr(error, "code", None)
    return (
        "ContextOverflowError" in names
        or code == "context_length_exceeded"
        or (_status(error) in (400, 413, 422, 500) and _TOO_LONG.search(detail) is not None)
    )


def _status(error: Exception) -> int | None:
    """Find the HTTP status, where clients keep it."""
    for each in _chain(error):
        for holder in (each, getattr(each, "response", None)):
            status = getattr(holder, "status_code", None)
            if isinstance(status, int):
                return status
    return None


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


def _first_line(error: Exception) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, Mapping) else None
    return one_line(str(message or error), _LONGEST_DETAIL) or type(error).__name__
