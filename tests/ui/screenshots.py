"""Pictures of the web app: ``python tests/ui/screenshots.py FOLDER``."""

import sys
import tempfile
from pathlib import Path

from browser import ask, chip, chromium, load_sample, serving, upload
from paper import QUESTION as ABOUT_PAPER
from paper import write_paper
from playwright.sync_api import Browser, Page

from assistant.samples import QUESTION

_COMPARED = "What do LEGION, CURIE, Pensez, VERIFY and TULIP do?"
_SIZES = {"wide": (1400, 900), "narrow": (400, 850)}


def main() -> None:
    """Draw all pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        paper = write_paper(Path(scratch) / "zebrafish.pdf")
        with serving(Path(scratch) / "home") as address:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(address)
            page.get_by_role("button", name="Load the sample digest").wait_for()
            _shoot(page, folder / "first-run.png")
            load_sample(page, address)
            upload(page, address, paper)
            page.goto(address)
            ask(page, ABOUT_PAPER)
            asked = page.url
            page.goto(address)
            ask(page, QUESTION)
            _shoot(page, folder / "ask.png")
            for scheme in ("light", "dark"):
                for size in _SIZES:
                    _tour(browser, address, asked, folder, scheme=scheme, size=size)


def _tour(
    browser: Browser, address: str, asked: str, folder: Path, *, scheme: str, size: str
) -> None:
    width, height = _SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(asked)
    chip(page, 1).click()
    page.get_by_role("dialog").get_by_role("img", name="with the quote").wait_for()
    _shoot(page, folder / f"source-{scheme}-{size}.png")
    page.goto(f"{address}/library")
    page.get_by_test_id("stDataFrame").wait_for()
    _shoot(page, folder / f"library-{scheme}-{size}.png")
    if size == "wide":
        page.goto(f"{address}/compare")
        page.get_by_role("textbox", name="Or those").fill(_COMPARED)
        aspects = page.get_by_role("combobox", name="Aspects")
        aspects.click()
        for _ in range(2):
            aspects.press("Backspace")
        for aspect in ("benchmarks", "headline result"):
            aspects.fill(aspect)
            aspects.press("Enter")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Compare").last.click()
        page.get_by_role("heading", name="Summary").wait_for(timeout=60_000)
        page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()
        _shoot(page, folder / f"compare-{scheme}.png")
    page.close()


def _shoot(page: Page, path: Path) -> None:
    page.wait_for_timeout(1200)  # animations
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
