"""The eval report in a real browser: it shows, filters and sorts cases, and runs no script but its own."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, chromium
from playwright.sync_api import Browser, Page

from assistant.records import Answer, Citation, Claim, Timings, Usage
from eval.cases.dataset import Case
from eval.judge.judged import Judged
from eval.reports import html
from eval.runs.manifest import Manifest
from eval.runs.results import PassageRow, Result
from eval.runs.summary import graded, summarise

if CHROMIUM is None:
    if os.environ.get("CI") == "true":
        pytest.fail("the browser tests need the Debian package chromium", pytrace=False)
    pytest.skip("there is no chromium: apt-get install chromium", allow_module_level=True)

_STEAL = "https://evil.example/stolen"
_HOSTILE = (
    "<script>window.owned=1</script><img src=x onerror='window.owned=2'>"
    f"</style><style>*{{background:url({_STEAL})}}</style></script><svg onload='window.owned=3'>"
    f"\"'><iframe src='{_STEAL}'></iframe>{{{{7*7}}}}{{% raw %}}<!-- ]]> $\\frac{{1}}{{0}}$ \u202e `x` **b**"
)


def hostile_result(number: int, *, error: str | None = None, **scores: float | None) -> Result:
    answer = Answer(
        question=_HOSTILE, standalone_question=f"{_HOSTILE}!", answer=f"{_HOSTILE} [1]", refused=False,
        refusal_reason=_HOSTILE, backend=_HOSTILE,
        citations=(
            Citation(
                number=1, paper_id=_HOSTILE, title=_HOSTILE, url="javascript:window.owned=4",
                source="abstract", page_first=None, page_last=None, section=_HOSTILE, quote=_HOSTILE,
                boxes=(), chunk_id=_HOSTILE, score=1.0,
            ),
        ),
        claims=(Claim(text=_HOSTILE, verdict="supported", citations=(1,)),),
        usage=Usage(input_tokens=1, output_tokens=1, cost_usd=None),
        timings_ms=Timings(rewrite=0, retrieve=0, answer=0, verify=0, total=0),
    )  # fmt: skip
    case = Case(
        id=f"{_HOSTILE}{number}", kind=f"{_HOSTILE}{number % 2}", question=f"Number {number}. {_HOSTILE}",
        papers=(_HOSTILE,), reference=_HOSTILE, answerable=True,
    )  # fmt: skip
    return Result(
        case=case,
        answer=None if error else answer,
        error=error,
        scores=scores,
        seconds=float(number),
    )


RESULTS = [
    hostile_result(1, fact_recall=1.0, judge_correctness=0.5),
    hostile_result(2, fact_recall=0.5, judge_correctness=None),
    hostile_result(3, fact_recall=0.25, judge_correctness=1.0),
    hostile_result(4, error=_HOSTILE),
]
JUDGED = {
    each.case.id: Judged(
        id=each.case.id, key="k", judge=_HOSTILE, scores=each.scores, reasons=(_HOSTILE,),
        problems=(_HOSTILE,) if each.scores.get("judge_correctness", 0) is None else (),
    )
    for each in RESULTS
}  # fmt: skip
MANIFEST = Manifest(
    dataset=_HOSTILE, dataset_hash="x", version="1", settings={"llm": _HOSTILE}, repeats=1, code="c",
    prompts={_HOSTILE: "x"}, library="l", papers=1, chunks=1, versions={},
)  # fmt: skip
PASSAGE = PassageRow(
    rank=1, paper_id=_HOSTILE, title=_HOSTILE, source="abstract", page_first=None, page_last=None,
    section=None, text=_HOSTILE, score=1.0, chunk_id="x",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


class Opened:
    """The report as opened from disk, with all that it asked for and complained of."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.messages: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.goto(path.as_uri())

    def shown(self) -> list[str]:
        """The questions of the cases shown, cut to their numbers."""
        texts = self.page.locator("#list > details:not([hidden]) .question").all_inner_texts()
        return [text.partition(".")[0] for text in texts]


@pytest.fixture
def report(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    passages = {each.case.id: [PASSAGE] for each in RESULTS}
    path = tmp_path / "report.html"
    summary = graded(summarise(MANIFEST, RESULTS), RESULTS, ["judge_correctness"], _HOSTILE)
    page_text = html.render(summary, RESULTS, passages, judged=JUDGED, gate=[_HOSTILE])
    path.write_text(page_text, encoding="utf-8")
    page = browser.new_page()
    yield Opened(page, path)
    page.close()


def evaluate(report: Opened, expression: str) -> Any:
    return report.page.evaluate(expression)


def test_no_script_of_a_paper_or_model_runs(report: Opened) -> None:
    evaluate(report, "document.querySelectorAll('details').forEach(each => each.open = true)")
    assert evaluate(report, "window.owned") is None
    assert evaluate(report, "document.scripts.length") == 1
    assert evaluate(report, "document.querySelectorAll('style, iframe, svg, object').length") == 1
    names = "[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames())"
    assert not [each for each in evaluate(report, names) if each.startswith("on")]
    links = evaluate(report, "[...document.links].map(each => each.protocol)")
    assert set(links) == {"file:"}
    assert all(url.startswith(("file:", "data:")) for url in report.requests)
    assert report.messages == []


def test_hostile_text_is_shown_as_text(report: Opened) -> None:
    report.page.locator("summary").first.click()
    shown = report.page.locator("blockquote").first.inner_text()
    assert "<script>window.owned=1</script>" in shown
    assert "{{7*7}}" in shown
    assert "\u202e" not in report.page.content()


def test_what_the_judge_said_is_shown_as_text_and_unscored_is_no_zero(report: Opened) -> None:
    row = report.page.locator("#measures tr").filter(has_text="judge correctness")
    assert row.locator("td").all_inner_texts()[0] == "0.750"
    assert row.locator("td").all_inner_texts()[2] == "2"
    report.page.select_option("#show", "unscored")
    case = report.page.locator("#list > details:not([hidden])")
    case.locator("summary").first.click()
    assert case.get_by_text("unscored: <script>window.owned=1</script>").is_visible()
    assert "judge correctness" not in case.locator(".scores").inner_text()


def test_the_policy_stops_what_would_slip_through(report: Opened) -> None:
    evaluate(
        report,
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.owned = 5";
            document.body.append(script);
            const image = document.createElement("img");
            image.src = "https://evil.example/stolen";
            document.body.append(image);
            document.body.setAttribute("onclick", "window.owned = 6");
            document.body.click();
        }""",
    )
    assert evaluate(report, "window.owned") is None
    assert len([each for each in report.messages if "Content Security Policy" in each]) >= 3


def test_cases_are_filtered_and_sorted(report: Opened) -> None:
    page = report.page
    assert report.shown() == ["Number 1", "Number 2", "Number 3", "Number 4"]
    page.select_option("#sort", "fact_recall")
    assert report.shown() == ["Number 3", "Number 2", "Number 1", "Number 4"]
    page.select_option("#sort", "seconds")
    assert report.shown() == ["Number 4", "Number 3", "Number 2", "Number 1"]
    page.select_option("#sort", "")
    page.select_option("#show", "missed")
    assert report.shown() == ["Number 2", "Number 3"]
    page.select_option("#show", "failed")
    assert report.shown() == ["Number 4"]
    page.select_option("#show", "unscored")
    assert report.shown() == ["Number 2"]
    page.select_option("#show", "")
    page.select_option("#sort", "judge_correctness")
    assert report.shown() == ["Number 1", "Number 3", "Number 2", "Number 4"]
    page.select_option("#sort", "")
    page.select_option("#kind", index=2)
    assert report.shown() == ["Number 2", "Number 4"]
    page.fill("#find", "number 2.")
    assert report.shown() == ["Number 2"]
    assert page.locator("#count").inner_text() == "1 of 4"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Browser, report: Opened, scheme: str) -> None:
    page = report.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 400, "height": 800})
    evaluate(report, "document.querySelectorAll('details').forEach(each => each.open = true)")
    assert evaluate(report, "document.documentElement.scrollWidth") <= 400
    broken = "[...document.images].filter(each => !each.complete || !each.naturalWidth).length"
    assert evaluate(report, broken) == 0
    assert evaluate(report, "document.images.length") == 1
