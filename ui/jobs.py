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


@dataclass
class Job:
    """One piece of work; ``result`` or ``error`` is there once it has ended."""

    kind: str
    label: str
    work: Callable[[Tell], Any]
    id: str = field(default_factory=new_id)
    stage: str = "Starting"
    done: int = 0
    total: int = 0
    running: bool = True
    result: Any = None
    error: str | None = None


class Jobs:
    """The jobs of a home. One of a kind runs at a time; those behind it wait."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._mutex = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self.finished = 0

    def start(self, kind: str, label: str, work: Callable[[Tell], Any]) -> Job:
        """Begin a job in a thread of its own."""
        job = Job(kind, label, work)
        with self._mutex:
            ended = [each for each in self._jobs if not each.running]
            for old in ended[: max(0, len(self._jobs) - _KEPT)]:
                self._jobs.remove(old)
            self._jobs.append(job)
            turn = self._turns.setdefault(kind, threading.Lock())
        threading.Thread(target=self._run, args=(job, turn), daemon=True, name=job.kind).start()
        return job

    def of(self, kind: str) -> list[Job]:
        """List the jobs of a kind, newest first."""
        with self._mutex:
            return [job for job in reversed(self._jobs) if job.kind == kind]

    def dismiss(self, job: Job) -> None:
        """Forget a job that has ended."""
        with self._mutex:
            if not job.running and job in self._jobs:
                self._jobs.remove(job)

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
            job.running = False
            with self._mutex:
                self.finished += 1
