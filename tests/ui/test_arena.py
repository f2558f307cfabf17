"""The arena: two answers side by side, blind; votes that stay; the ranking that follows."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from browser import CHROMIUM, PATIENCE, chromium, serving
from past_runs import FIRST, SECOND, result, write_run, write_two
from playwright.sync_api import Browser, Page, expect
from streamlit.testing.v1 import AppTest
from test_pages import button, texts

from assistant.cli.main import run
from eval.analysis.votes import FILE, VoteStore

expect.set_options(timeout=PATIENCE / 3)

_HOSTILE = (
    "<script>window.owned=1</script><img src=x onerror='window.owned=2'> ![i](https://evil.example/i.png) "
    "[click](https://evil.example/c) <https://evil.example/a> www.evil.example :material/home: $x^2$"
)


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    streamlit.cache_resource.clear()
    yield
    streamlit.cache_resource.clear()


def start() -> AppTest:
    app = AppTest.from_string("from ui.views import evaluate\nevaluate.page()", default_timeout=60)
    app.query_params["view"] = "Arena"
    app.run()
    assert not app.exception
    return app


def progress(app: AppTest) -> str:
    return str(app.get("progress")[0].proto.text)  # type: ignore[union-attr]


def press(app: AppTest, label: str) -> AppTest:
    time.sleep(0.6)  # a click sooner is taken for one too many
    button(app, label).click().run()
    assert not app.exception
    return app


def cast(home: Path) -> list[str | None]:
    return [vote.better for vote in VoteStore(home / FILE).read().values()]


def test_one_run_cannot_meet_itself(home: Path) -> None:
    write_run(home, FIRST, [result(1, "Good.")])
    write_run(home, SECOND, [result(2, "Other questions.")], dataset="other")
    assert "two runs of the same data set" in start().info[0].value


def test_two_answers_stand_side_by_side_without_names(home: Path) -> None:
    write_two(home)
    app = start()
    shown = texts(app)
    assert [each.value for each in app.subheader] == ["Answer A", "Answer B"]
    assert "0 of 5 seen · 1 more have the same answer on both sides" in progress(app)
    assert "Good words" in shown
    assert "Poor words" in shown
    assert "Quoted for Good" in shown
    assert "Expected: It is" in shown
    assert "model-of" not in shown
    assert "2026" not in shown


def test_a_vote_is_kept_and_the_next_question_comes(home: Path) -> None:
    write_two(home)
    app = start()
    first = texts(app)
    press(app, "A is better")
    assert texts(app) != first
    press(app, "Tie")
    press(app, "Skip")
    assert cast(home) == ["first", "tie", None]
    assert "3 of 5 seen · 1 skipped" in progress(start())


def test_a_second_click_is_not_a_vote_on_the_next_question(home: Path) -> None:
    write_two(home)
    app = press(start(), "A is better")
    button(app, "A is better").click().run()
    assert len(cast(home)) == 1


def test_the_last_vote_is_taken_back(home: Path) -> None:
    write_two(home)
    app = start()
    first = texts(app)
    press(press(app, "B is better"), "Take the last vote back")
    assert cast(home) == []
    assert app.subheader
    assert next(line for line in texts(app).splitlines() if "number" in line) in first


def test_the_ranking_comes_at_the_end_and_the_command_line_agrees(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_two(home)
    app = start()
    for _ in range(5):
        assert not app.dataframe
        good_first = texts(app).index("Good words") < texts(app).index("Poor words")
        press(app, "A is better" if good_first else "B is better")
    assert "You have seen all of them" in app.success[0].value
    ranking = app.dataframe[0].value
    assert list(ranking["Run"]) == [
        "01 Jan 2026, 10:10:10 · set · model-of-20260101",
        "02 Jan 2026, 10:10:10 · set · model-of-20260102",
    ]
    assert list(ranking["Won"]) == [5, 0]
    folders = [str(home / "runs" / name) for name in (FIRST, SECOND)]
    assert run(["eval", "arena", *folders, "--people"]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert f"{ranking['Rating'][0]} [{ranking['95 % interval'][0].replace(' to ', ', ')}]" in line
    assert line.endswith(FIRST)


def test_the_ranking_so_far_is_shown_on_demand(home: Path) -> None:
    write_two(home)
    app = press(start(), "Tie")
    assert not app.dataframe
    app.toggle(key="arena-ranking").set_value(True).run()
    assert list(app.dataframe[0].value["Tied"]) == [1, 1]


def test_what_was_skipped_can_be_seen_again(home: Path) -> None:
    write_two(home, cases=3)
    app = press(press(start(), "Skip"), "Skip")
    press(app, "See the 2 skipped again")
    assert cast(home) == []
    assert app.subheader


def test_damaged_votes_are_named(home: Path) -> None:
    write_two(home)
    (home / FILE).write_text("{\n")
    assert "damaged" in start().error[0].value


def test_votes_that_cannot_be_written_are_said_in_words(home: Path) -> None:
    write_two(home)
    app = start()
    (home / FILE).write_text("{\n")
    press(app, "Tie")
    assert "damaged" in app.error[0].value


def test_a_damaged_run_is_named(home: Path) -> None:
    write_two(home)
    (home / "runs" / FIRST / "results.jsonl").write_text("{\n")
    assert "damaged" in start().warning[0].value


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the browser tests need the Debian package chromium", pytrace=False)
        pytest.skip("there is no chromium: apt-get install chromium")
    with chromium() as running:
        yield running


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    write_two(tmp_path / "home", hostile=_HOSTILE)
    with serving(tmp_path / "home") as found:
        yield f"{found}/evaluate?view=Arena"


def opened(browser: Browser, address: str, requests: list[str], *, width: int = 1400) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.get_by_role("heading", name="Answer B").wait_for()
    return page


def seen(page: Page, number: int) -> None:
    expect(page.get_by_text(re.compile(rf"^{number} of 5 seen"))).to_be_visible()


def test_voting_in_the_browser(browser: Browser, address: str, tmp_path: Path) -> None:
    """With the keyboard alone, in two sessions at once; nothing of what models wrote does anything."""
    requests: list[str] = []
    one = opened(browser, address, requests)
    other = opened(browser, address, requests, width=400)
    assert one.evaluate("window.owned") is None
    assert one.locator("[data-testid=stTabs] a, [data-testid=stTabs] img").count() == 0
    assert "<script>window.owned=1</script>" in one.get_by_test_id("stTabs").inner_text()
    assert "model-of" not in one.locator(".st-key-arena-answer-A").inner_text()
    assert other.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    one.get_by_role("button", name="A is better").focus()
    one.keyboard.press("Enter")
    seen(one, 1)
    expect(one.get_by_role("button", name="A is better")).to_be_focused()
    one.wait_for_timeout(600)
    one.keyboard.press("t")
    seen(one, 2)

    other.get_by_role("button", name="B is better").click()  # on what the first session saw first
    seen(other, 2)
    other.wait_for_timeout(600)
    other.get_by_role("button", name="Skip").click()
    seen(other, 3)

    one.reload()
    seen(one, 3)
    assert cast(tmp_path / "home") == ["tie", "second", None]
    one.get_by_text("Ranking so far").click()
    expect(one.get_by_text("Ranking after 2 battles")).to_be_visible()
    assert not [url for url in requests if "evil" in url]
    one.close()
    other.close()
