"""axe-core finds no serious violation on any page, light and dark."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, PATIENCE, ask, chip, chromium, load_sample, serving
from past_runs import write_two
from playwright.sync_api import Browser, Page

_AXE = Path(__file__).parents[2] / ".axe/node_modules/axe-core/axe.min.js"
_BAD = {"serious", "critical"}

if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        pytest.fail("these tests need the Debian package chromium", pytrace=False)
    pytest.skip("these tests need the Debian package chromium", allow_module_level=True)
if not _AXE.is_file():  # in CI too, where npm's registry may be out of reach
    pytest.skip(
        "these tests need axe-core: npm install --no-save --prefix .axe axe-core@4",
        allow_module_level=True,
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    home = tmp_path_factory.mktemp("app") / "home"
    write_two(home)
    with chromium() as browser, serving(home) as address:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        load_sample(page, address)
        page.close()
        yield browser, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(app: tuple[Browser, str], scheme: str) -> None:
    browser, address = app
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    found: list[str] = []
    page.goto(address)
    ask(page, "What is EvalTree?")
    found += _violations(page, "an answer")
    chip(page, 1).click()
    page.get_by_role("dialog").get_by_role("link", name="Paper's page").wait_for()
    found += _violations(page, "a source")
    for place, shown in (
        ("", "Ask your papers"),
        ("library", "Library"),
        ("library?paper=2503.14476", "DAPO"),
        ("compare", "Compare"),
        ("evaluate", "Evaluate"),
        ("evaluate?view=Arena", "Answer A"),
        ("settings", "Health"),
    ):
        page.goto(f"{address}/{place}")
        page.get_by_role("heading", name=re.compile(shown)).first.wait_for()
        _wait_until_drawn(page)
        found += _violations(page, place or "ask")
    page.close()
    assert found == []


def test_the_check_finds_what_is_wrong(app: tuple[Browser, str]) -> None:
    page = app[0].new_page()
    page.set_content("<html lang=en><title>t</title><main><img src='data:,'></main></html>")
    assert _violations(page, "a picture without words") == ["a picture without words: image-alt"]
    page.close()


def _wait_until_drawn(page: Page) -> None:
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def _violations(page: Page, name: str) -> list[str]:
    page.evaluate(_AXE.read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{name}: {each['id']}" for each in result["violations"] if each["impact"] in _BAD]
