"""How quick the web app is in a browser: ``python tests/ui/speed.py`` prints medians."""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from browser import CHROMIUM, PATIENCE, ask, chromium, load_sample, question_box, serving, upload
from paper import QUESTION as ABOUT_PAPER
from paper import write_paper
from playwright.sync_api import Browser, Page

from assistant.conversations import ConversationStore, Exchange, new_id
from eval.targets.target import Target, table, verdict

_QUESTIONS = (
    "What does DAPO reach on AIME 2024?", "What is EvalTree?", "How does SkyLadder train?",
    "What does LEGION detect?", "What is PyGDA?",
)  # fmt: skip
_SESSIONS = 10
_ROUNDS = 3

_WATCH = """([event, condition]) => {
    const holds = new Function(`return ${condition}`);
    window.began = window.ended = window.ran = undefined;
    addEventListener(event, () => { window.began ??= performance.now(); }, {capture: true, once: true});
    const look = () => {
        if (window.began !== undefined && window.ended === undefined && holds()) {
            requestAnimationFrame(() => { window.ended ??= performance.now(); });
        }
    };
    new MutationObserver(look).observe(
        document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
    addEventListener("load", look, true);
}"""
"""Notes, in the page itself, when an event is and when what it leads to is painted.

Conditions read ``textContent``: ``innerText`` lays the page out anew, at each of its changes.
"""

_SECOND_MESSAGE = "document.querySelectorAll('[data-testid=stChatMessage]')[1]"
_FIRST_WORDS = f"{_SECOND_MESSAGE}?.querySelector('strong')"
_WHOLE_ANSWER = f"{_SECOND_MESSAGE}?.textContent.includes('What was searched')"
_PICTURE = "document.querySelector('[role=dialog] img[alt*=quote]')?.complete"
_RERUN = """(window.ran ||= document.querySelector('[data-test-script-state=running]'))
    && document.querySelector('[data-test-script-state=notRunning]')
    && document.querySelector('[data-testid=stSidebar]')
        ?.textContent.includes('No conversation holds') === %s"""


def main() -> None:
    """Measure, and print the table. A target that falls short is a result, not a failure."""
    if CHROMIUM is None:
        sys.stdout.write("The web app is not measured: that takes the Debian package chromium.\n")
        return
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Path(folder) / "home"
        with serving(home) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(PATIENCE)
            load_sample(page, address)
            words = [_first_words(page, address, each) for each in _QUESTIONS]
            targets = [_target("send to first words", words, 0.7)]
            chips = _chips(page, address, write_paper(Path(folder) / "paper.pdf"))
            targets.append(_target("chip to highlighted page image", chips, 0.6))
            reruns = _reruns(page, address, home)
            targets.append(_target("rerun with 50 messages", reruns, 0.4))
            slowest = [max(_at_once(browser, address)) for _ in range(_ROUNDS)]
            targets.append(_target(f"{_SESSIONS} sessions at once, slowest", slowest, 4))
    sys.stdout.write(f"{table(targets)}\n\n{verdict(targets)}\n")


def _target(name: str, seconds: list[float], limit: float) -> Target:
    sys.stderr.write(f"{name}: {' '.join(f'{value:.2f}' for value in seconds)}\n")
    return Target(f"{name}, median", statistics.median(seconds), limit, at_most=True, unit="s")


def _timed(page: Page, event: str, condition: str, act: Callable[[], None]) -> float:
    """Return the seconds from an event, which ``act`` brings about, to a condition of the page."""
    page.evaluate(_WATCH, [event, condition])
    act()
    return _seconds(page)


def _seconds(page: Page) -> float:
    page.wait_for_function("window.ended !== undefined")
    seconds: float = page.evaluate("(window.ended - window.began) / 1000")
    return seconds


def _first_words(page: Page, address: str, question: str) -> float:
    page.goto(address)
    question_box(page).fill(question)
    seconds = _timed(page, "keydown", _FIRST_WORDS, lambda: question_box(page).press("Enter"))
    page.get_by_text("What was searched").wait_for()
    return seconds


def _chips(page: Page, address: str, pdf: Path) -> list[float]:
    """Ask about a PDF, and open its chips one after the other, for the first time."""
    upload(page, address, pdf)
    page.goto(address)
    ask(page, ABOUT_PAPER)
    chips = page.get_by_test_id("stButtonGroup").last.get_by_role("radio").filter(has_text="p. ")
    chips.first.wait_for()
    page.wait_for_timeout(1500)
    found: list[float] = []
    for index in range(min(5, chips.count())):
        found.append(_timed(page, "pointerdown", _PICTURE, chips.nth(index).click))
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
        is_odd = index % 2 == 0
        search.fill("zzz" if is_odd else "")
        condition = _RERUN % ("true" if is_odd else "false")
        found.append(_timed(page, "keydown", condition, lambda: search.press("Enter")))
    return found


def _at_once(browser: Browser, address: str) -> list[float]:
    """Ask in several sessions in the same moment; return the seconds of each to its whole answer."""
    contexts = [browser.new_context() for _ in range(_SESSIONS)]
    pages = [context.new_page() for context in contexts]
    for number, page in enumerate(pages):
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        question_box(page).fill(_QUESTIONS[number % len(_QUESTIONS)])
        page.evaluate(_WATCH, ["keydown", _WHOLE_ANSWER])
    pages[-1].wait_for_timeout(
        3000
    )  # what a page does after it was loaded is no part of its answer
    for page in pages:
        question_box(page).press("Enter", no_wait_after=True)
    seconds = [_seconds(page) for page in pages]
    for context in contexts:
        context.close()
    return seconds


if __name__ == "__main__":
    main()
