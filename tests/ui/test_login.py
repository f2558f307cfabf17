"""Where one has to log in: nothing shows before, and conversations are each user's own."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, PATIENCE, ask, chromium, free_port, load_sample, question_box, serving
from past_runs import write_two
from playwright.sync_api import Browser, Page, expect

from assistant.cli.main import run
from fake_oidc import CLIENT, FakeOidc

expect.set_options(timeout=PATIENCE / 3)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "logging in takes OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        ({"OIDC_CLIENT_ID": "x"}, "logging in takes OIDC_CLIENT_SECRET"),
        ({"ASSISTANT_LOGIN": "http://example.org/openid"}, "ASSISTANT_LOGIN cannot be used"),
    ],
)
def test_what_logging_in_lacks_is_said_before_it_starts(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setenv("ASSISTANT_LOGIN", "https://example.org/.well-known/openid-configuration")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(["ui", "--port", str(free_port()), "--no-browser"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.fixture
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the browser tests need the Debian package chromium", pytrace=False)
        pytest.skip("there is no chromium: apt-get install chromium")
    with chromium() as running:
        yield running


def test_nothing_shows_without_login_and_conversations_and_votes_are_ones_own(
    browser: Browser, tmp_path: Path
) -> None:
    write_two(tmp_path / "home")
    with (
        FakeOidc() as provider,
        serving(
            tmp_path / "home",
            ASSISTANT_LOGIN=provider.metadata_url,
            OIDC_CLIENT_ID=CLIENT,
            OIDC_CLIENT_SECRET="s3cret",
        ) as address,
    ):
        ada = _stranger(browser, address)
        _log_in(ada)
        load_sample(ada, address)
        ask(ada, "What is EvalTree?")
        conversation = ada.url
        arena = f"{address}/evaluate?view=Arena"
        ada.goto(arena)
        ada.get_by_role("button", name="Tie").click()
        expect(ada.get_by_text("1 of 5 seen")).to_be_visible()
        provider.subject = "grace"
        grace = _stranger(browser, conversation)
        _log_in(grace)
        grace.goto(conversation)
        expect(grace.get_by_text("that conversation is not here")).to_be_visible()
        expect(grace.get_by_text("EvalTree")).to_have_count(0)
        grace.goto(arena)
        expect(grace.get_by_text("0 of 5 seen")).to_be_visible()
        ada.get_by_role("button", name="Log out").click()
        expect(ada.get_by_role("button", name="Log in")).to_be_visible()
        _log_in(ada)  # the provider takes her for Grace now
        ada.goto(conversation)
        expect(ada.get_by_text("that conversation is not here")).to_be_visible()
        assert not [
            path
            for path in (tmp_path / "home").rglob("*")
            if path.is_file() and b"s3cret" in path.read_bytes() and not path.is_symlink()
        ]


def _stranger(browser: Browser, address: str) -> Page:
    """Open pages without having logged in: there is nothing on them but the way in."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    base = address.partition("?")[0]
    for place in (address, f"{base.rstrip('/')}/library", f"{base.rstrip('/')}/settings"):
        page.goto(place)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(1)
        expect(page.get_by_role("link", name=re.compile("Ask|Library"))).to_have_count(0)
        expect(page.get_by_text("EvalTree")).to_have_count(0)
    page.goto(base)
    return page


def _log_in(page: Page) -> None:
    page.get_by_role("button", name="Log in").click()
    question_box(page).or_(page.get_by_role("button", name="Load the sample")).wait_for()
