"""The real web app in a real browser: what its tests and its pictures share."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotInTimeError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

PATIENCE = 90_000
"""Milliseconds that a page may take where other tests keep the machine busy."""

_START_SECONDS = 90.0
_CHOICES, _CHOICE_MILLISECONDS = 4, 10_000


@contextmanager
def serving(home: Path, **variables: str) -> Iterator[str]:
    """Run ``assistant ui`` on a home of its own; yields its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", "ui", "--port", str(port), "--no-browser"],
        env=environment | {"ASSISTANT_HOME": str(home)} | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's browser."""
    assert CHROMIUM is not None, "install the Debian package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def question_box(page: Page) -> Locator:
    """Return the field one asks in."""
    return page.get_by_role("textbox", name="Ask about the papers")


def send(page: Page, question: str) -> None:
    """Ask, and wait for nothing."""
    box = question_box(page)
    box.fill(question)
    box.press("Enter")


def ask(page: Page, question: str) -> None:
    """Ask, and wait until the answer is whole."""
    answered = page.get_by_text("What was searched")
    before = answered.count()
    send(page, question)
    answered.nth(before).wait_for()


def load_sample(page: Page, address: str) -> None:
    """Open the app for the first time and load the sample digest."""
    page.goto(address)
    page.get_by_role("button", name="Load the sample digest").click()
    question_box(page).wait_for(timeout=60_000)


def chip(page: Page, number: int) -> Locator:
    """Return the chip of a citation of the last answer."""
    return page.get_by_test_id("stButtonGroup").last.get_by_role(
        "radio", name=re.compile(rf"^{number} ")
    )


def upload(page: Page, address: str, *files: Path) -> None:
    """Add files on the library page and wait until they are in."""
    page.goto(f"{address}/library")
    page.get_by_role("heading", name="Library").wait_for()
    page.get_by_text("Add papers").or_(page.get_by_text("Drop files")).first.wait_for()
    if not page.get_by_text("Drop files").is_visible():
        page.get_by_text("Add papers").click()
    ended = page.get_by_role("button", name="Dismiss")
    before = ended.count()
    _choose(page, files).click()
    ended.nth(before).wait_for(timeout=90_000)


def _choose(page: Page, files: Sequence[Path]) -> Locator:
    """Choose files; return the button that adds them.

    A file that is chosen while the page is still being drawn is lost, as it is for a hasty user.
    """
    add = page.get_by_role("button", name="Add ").filter(has_text="file")
    for _ in range(_CHOICES):
        page.locator("input[type=file]").first.set_input_files(list(files))
        with suppress(NotInTimeError):
            add.wait_for(timeout=_CHOICE_MILLISECONDS)
            break
    return add


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "the web app ended at once"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the web app did not start")
