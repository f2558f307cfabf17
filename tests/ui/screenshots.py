"""Pictures of the web app: ``python tests/ui/screenshots.py FOLDER``."""

import sys
import tempfile
from pathlib import Path

from browser import ask, chip, chromium, load_sample, serving, upload
from playwright.sync_api import Browser, Page
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

from assistant.samples import QUESTION

_COMPARED = "Which papers train models with reinforcement learning?"
_SIZES = {"wide": (1400, 900), "narrow": (400, 850)}
_PAPER = (
    ("Title", "Sleep of the Zebrafish in Still and Running Water"),
    ("BodyText", "We watched zebrafish larvae in forty tanks for six weeks. Half of the tanks had still"
     " water, the other half a gentle current."),
    ("Heading1", "1 Method"),
    ("BodyText", "Each tank was filmed at night with infrared light. A larva counts as asleep when it has"
     " not moved for a minute. Two people checked every hundredth film by hand."),
    ("Heading1", "2 Results"),
    ("BodyText", "Zebrafish larvae slept for eleven hours a night in still water. In running water they"
     " slept for four hours only, and woke up every twenty minutes on average. The difference stayed"
     " over all six weeks."),
    ("Heading1", "3 Discussion"),
    ("BodyText", "A current makes larvae swim against it, which keeps them awake. Whether grown fish do the"
     " same remains open."),
)  # fmt: skip


def main() -> None:
    """Draw all pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        paper = _paper(Path(scratch) / "zebrafish.pdf")
        with serving(Path(scratch) / "home") as address:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(address)
            page.get_by_role("button", name="Load the sample digest").wait_for()
            _shoot(page, folder / "first-run.png")
            load_sample(page, address)
            upload(page, address, paper)
            page.goto(address)
            ask(page, "How long do zebrafish larvae sleep in still water?")
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
        page.get_by_role("button", name="Compare").last.click()
        page.get_by_role("heading", name="Summary").wait_for(timeout=60_000)
        page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()
        _shoot(page, folder / f"compare-{scheme}.png")
    page.close()


def _shoot(page: Page, path: Path) -> None:
    page.wait_for_timeout(1200)  # animations
    page.screenshot(path=path)


def _paper(path: Path) -> Path:
    styles = getSampleStyleSheet()
    SimpleDocTemplate(str(path), pagesize=A4, title=_PAPER[0][1], invariant=1).build(
        [Paragraph(text, styles[style]) for style, text in _PAPER]
    )
    return path


if __name__ == "__main__":
    main()
