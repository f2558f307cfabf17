"""How quick the web app is in a browser: ``python tests/ui/speed.py [PDF]`` prints medians of five."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from browser import ask, chromium, load_sample, question_box, serving, upload
from playwright.sync_api import Page

from assistant.conversations import ConversationStore, Exchange, new_id

_QUESTIONS = (
    "What does DAPO reach on AIME 2024?", "What is EvalTree?", "How does SkyLadder train?",
    "What does LEGION detect?", "What is PyGDA?",
)  # fmt: skip


def main() -> None:
    """Measure, and print a line a measure."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Path(folder) / "home"
        with serving(home) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            load_sample(page, address)
            _tell("send to first words", [_first_words(page, address, each) for each in _QUESTIONS])
            if len(sys.argv) > 1:
                _tell("chip to page image", _chips(page, address, Path(sys.argv[1])))
            _tell("rerun with 50 messages", _reruns(page, address, home))


def _tell(name: str, seconds: list[float]) -> None:
    each = " ".join(f"{value:.2f}" for value in seconds)
    sys.stdout.write(f"{name}: median {statistics.median(seconds):.2f} s of {each}\n")


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _first_words(page: Page, address: str, question: str) -> float:
    page.goto(address)
    question_box(page).fill(question)

    def send() -> None:
        question_box(page).press("Enter")
        page.get_by_test_id("stChatMessage").nth(1).locator("strong").first.wait_for()

    seconds = _timed(send)
    page.get_by_text("What was searched").wait_for()
    return seconds


def _chips(page: Page, address: str, pdf: Path) -> list[float]:
    """Ask about a PDF, and open its chips one after the other: first looks, nothing is kept yet."""
    upload(page, address, pdf)
    page.goto(address)
    ask(page, "How does DAPO use dynamic sampling?")
    page.wait_for_timeout(1500)
    chips = page.get_by_test_id("stButtonGroup").last.get_by_role("radio").filter(has_text="p. ")
    found: list[float] = []
    for index in range(min(5, chips.count())):

        def choose(number: int = index) -> None:
            chips.nth(number).click()
            page.get_by_role("dialog").get_by_role("img", name="with the quote").wait_for()

        found.append(_timed(choose))
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
    return found


def _reruns(page: Page, address: str, home: Path) -> list[float]:
    """Rerun the page with a conversation of 25 questions and answers by typing a search."""
    store = ConversationStore(home / "conversations")
    asked = store.get(store.list().entries[-1].id).exchanges[0]
    into = new_id()
    for _ in range(25):
        store.add(into, Exchange.model_validate(asked.model_dump() | {"id": new_id()}))
    page.goto(f"{address}/?conversation={into}")
    page.get_by_test_id("stChatMessage").nth(49).wait_for()
    page.wait_for_timeout(1500)
    search = page.get_by_role("textbox", name="Search conversations")
    found: list[float] = []
    for index in range(5):
        search.fill("zzz" if index % 2 == 0 else "")

        def rerun(number: int = index) -> None:
            search.press("Enter")
            page.get_by_text("No conversation holds these words.").wait_for(
                state="visible" if number % 2 == 0 else "detached"
            )
            page.wait_for_function("!document.querySelector('[data-stale=true]')")
            page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()

        found.append(_timed(rerun))
    return found


if __name__ == "__main__":
    main()
