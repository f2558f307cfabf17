"""Every error the assistant raises on purpose, under one root.

    AssistantError                  exit code 1
    ├── InputError                  2   wrong usage or bad input
    │   ├── SettingsError               a setting that cannot be used
    │   ├── QuestionError               an empty or oversized question
    │   ├── SourceError                 a source that cannot be read at all
    │   │   └── PdfError                a PDF that has no text to be had
    │   ├── BudgetError                 the next call of a model would pass the budget
    │   └── IndexMismatchError          the index was made with another embedder or chunking
    ├── NotFoundError               3
    │   ├── PaperNotFoundError          no paper with that id
    │   └── LibraryEmptyError           no papers yet
    ├── UnavailableError            5   a backend does not answer
    │   ├── EmbedderUnavailableError    weights or provider missing
    │   ├── ModelUnavailableError       a language model does not answer, or not usably
    │   │   └── ReplyFormError              it answers, but not in the form asked for
    │   ├── VectorStoreError            Chroma missing, broken or unreachable
    │   ├── CatalogError                the catalog is corrupted or unreachable
    │   ├── FetchError                  a PDF or its metadata cannot be fetched
    │   ├── LibraryBusyError            another process holds the writer lock
    │   └── StorageError                the home is read-only, full or not a folder
    └── GateError                   6   an eval gate failed

The message of each is one line that says what happened and what to do. Third-party exceptions are
translated into these where the third party is called, with ``raise … from error``.
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pydantic import ValidationError


class AssistantError(Exception):
    """Root of all errors the assistant raises on purpose."""

    exit_code: ClassVar[int] = 1


class InputError(AssistantError):
    """Wrong usage or bad input."""

    exit_code = 2


class SettingsError(InputError):
    """A setting that cannot be used."""


class QuestionError(InputError):
    """A question that cannot be asked: empty, or far too long."""


class SourceError(InputError):
    """A source that cannot be read at all."""


class PdfError(SourceError):
    """A PDF from which no text can be had: damaged, encrypted, scanned, or over a limit."""


class BudgetError(InputError):
    """The next call of a language model would pass the budget."""


class IndexMismatchError(InputError):
    """The index was made with another embedder or chunking than the settings name."""


class NotFoundError(AssistantError):
    """What was asked for is not in the library."""

    exit_code = 3


class PaperNotFoundError(NotFoundError):
    """No paper with that id."""


class LibraryEmptyError(NotFoundError):
    """The library holds no papers yet."""


class UnavailableError(AssistantError):
    """A backend does not answer."""

    exit_code = 5


class EmbedderUnavailableError(UnavailableError):
    """The embedder's weights, package or provider cannot be reached."""


class ModelUnavailableError(UnavailableError):
    """A language model does not answer, or with nothing that can be used."""


class ReplyFormError(ModelUnavailableError):
    """A language model answers, but not in the form it was asked for."""


class VectorStoreError(UnavailableError):
    """Chroma is missing, broken or unreachable."""


class CatalogError(UnavailableError):
    """The catalog is corrupted or unreachable."""


class FetchError(UnavailableError):
    """A PDF or its metadata could not be fetched."""


class LibraryBusyError(UnavailableError):
    """Another process has held the writer lock for too long."""


class StorageError(UnavailableError):
    """The home cannot be used: read-only, full, or not a folder."""


class GateError(AssistantError):
    """An eval gate failed."""

    exit_code = 6


def first_problem(error: "ValidationError", *, whole: str = "") -> str:
    """Say in a line what is wrong with data that is not as its form has it: the place, and why.

    Args:
        error: what pydantic found; the first of it is told.
        whole: what to call the place where it is all of the data.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or whole
    return f"{place}: {first['msg']}" if place else first["msg"]
