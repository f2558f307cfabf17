"""Long work that goes on when its page is left: threads of the server, listed for every session."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from assistant.conversations import new_id
from assistant.errors import AssistantError

Tell = Callable[[str, int, int], None]
"""Is told the stage, how much is done, and how much there is."""

_KEPT = 20


@dataclass(eq=False)
class Job:
    """One piece of work; ``result`` or ``error`` is there once it has ended.

    ``clean`` throws away what the work was given, once that is not needed any more.
    """

    kind: str
    label: str
    work: Callable[[Tell], Any]
    clean: Callable[[], None] = lambda: None
    id: str = field(default_factory=new_id)
    stage: str = "Starting"
    done: int = 0
    total: int = 0
    running: bool = True
    result: Any = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended and something of it could not be done, so that one may want to try again."""
        return self.error is not None or bool(getattr(self.result, "failed", ()))


class Jobs:
    """The jobs of a home. One of a kind runs at a time; those behind it wait."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._mutex = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self.finished = 0

    def start(
        self,
        kind: str,
        label: str,
        work: Callable[[Tell], Any],
        *,
        clean: Callable[[], None] = lambda: None,
    ) -> Job:
        """Begin a job in a thread of its own."""
        job = Job(kind, label, work, clean)
        with self._mutex:
            ended = [each for each in self._jobs if not each.running]
            gone = ended[: max(0, len(self._jobs) - _KEPT)]
            self._jobs = [each for each in self._jobs if each not in gone] + [job]
            turn = self._turns.setdefault(kind, threading.Lock())
        for old in gone:
            old.clean()
        threading.Thread(target=self._run, args=(job, turn), daemon=True, name=job.kind).start()
        return job

    def retry(self, job: Job) -> None:
        """Begin a job again that has ended."""
        if self._take(job):
            self.start(job.kind, job.label, job.work, clean=job.clean)

    def of(self, kind: str) -> list[Job]:
        """List the jobs of a kind, newest first."""
        with self._mutex:
            return [job for job in reversed(self._jobs) if job.kind == kind]

    def dismiss(self, job: Job) -> None:
        """Forget a job that has ended."""
        if self._take(job):
            job.clean()

    def _take(self, job: Job) -> bool:
        """Take a job that has ended off the list; false if it was not on it, or runs."""
        with self._mutex:
            if job.running or job not in self._jobs:
                return False
            self._jobs.remove(job)
            return True

    def _run(self, job: Job, turn: threading.Lock) -> None:
        def tell(stage: str, done: int, total: int) -> None:
            job.stage, job.done, job.total = stage, done, total

        try:
            with turn:
                job.result = job.work(tell)
        except AssistantError as error:
            job.error = str(error)
        except Exception as error:  # noqa: BLE001 - a job that fails must say so on its page
            job.error = f"unexpected {type(error).__name__}: {error}"
        finally:
            if not job.failed:
                job.clean()
            job.running = False
            with self._mutex:
                self.finished += 1
