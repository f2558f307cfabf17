"""Long work: what it was given is thrown away when it is not needed any more, and not before."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from assistant.errors import InputError
from ui import uploads
from ui.jobs import Job, Jobs


class File(NamedTuple):
    """An uploaded file."""

    name: str
    content: bytes = b"text"

    def getvalue(self) -> bytes:
        return self.content


class Partial(NamedTuple):
    """A result of which something failed."""

    failed: tuple[str, ...] = ("one",)


@pytest.fixture
def kept(tmp_path: Path) -> uploads.Kept:
    return uploads.keep([File("digest.txt")], tmp_path / "uploads")


def _wait(job: Job) -> Job:
    end = time.monotonic() + 30
    while job.running:
        assert time.monotonic() < end
        time.sleep(0.01)
    return job


def _start(jobs: Jobs, kept: uploads.Kept, work: Callable[[], object]) -> Job:
    def clean() -> None:
        uploads.discard(kept.folder)

    return _wait(jobs.start("ingest", "digest.txt", lambda _tell: work(), clean=clean))


def test_uploads_go_once_they_are_in(kept: uploads.Kept) -> None:
    job = _start(Jobs(), kept, lambda: "done")
    assert not job.failed
    assert not kept.folder.exists()


def _refuse() -> None:
    raise InputError("no good")


@pytest.mark.parametrize("work", [Partial, _refuse])
def test_uploads_that_failed_stay_until_they_are_dismissed(
    kept: uploads.Kept, work: Callable[[], object]
) -> None:
    jobs = Jobs()
    job = _start(jobs, kept, work)
    assert job.failed
    assert Path(kept.paths[0]).exists()
    jobs.dismiss(job)
    assert not kept.folder.exists()
    assert jobs.of("ingest") == []


def test_what_failed_is_tried_again_with_what_it_was_given(kept: uploads.Kept) -> None:
    jobs = Jobs()
    results = iter([Partial(), "done"])
    job = _start(jobs, kept, lambda: next(results))
    jobs.retry(job)
    (again,) = jobs.of("ingest")
    assert not _wait(again).failed
    assert not kept.folder.exists()
    jobs.retry(job)  # it is not listed any more
    assert jobs.of("ingest") == [again]


def test_two_uploads_of_one_file_do_not_share_a_folder(tmp_path: Path) -> None:
    first, second = (uploads.keep([File("a.txt")], tmp_path) for _ in range(2))
    uploads.discard(first.folder)
    assert Path(second.paths[0]).read_bytes() == b"text"


def test_only_what_is_left_over_is_swept(tmp_path: Path) -> None:
    old, new = (uploads.keep([File("a.txt")], tmp_path) for _ in range(2))
    long_ago = time.time() - 3 * 24 * 60 * 60
    os.utime(old.folder, (long_ago, long_ago))
    uploads.sweep(tmp_path)
    assert not old.folder.exists()
    assert new.folder.exists()
    uploads.sweep(tmp_path / "not there")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.exe", b"MZ", "is not one of"),
        ("a.txt", b"", "is empty"),
        ("a.pdf", b"MZ", "is no PDF"),
        ("../../.bashrc", b"x", "is not one of"),
    ],
)
def test_what_is_no_paper_is_not_taken(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    kept = uploads.keep([File(name, content)], tmp_path)
    assert kept.paths == ()
    assert reason in kept.refused[0].error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "C:\\windows\\a.txt", "\u202e.txt", ".txt"]
)
def test_nobodys_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (path,) = uploads.keep([File(name)], tmp_path / "uploads").paths
    assert Path(path).resolve().is_relative_to((tmp_path / "uploads").resolve())
