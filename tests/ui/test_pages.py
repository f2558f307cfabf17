"""Each page in each of its states, without a browser."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import ui
from assistant.config import Settings
from assistant.conversations import ConversationStore, Exchange, new_id, now
from assistant.library import Library
from assistant.records import Answer, Claim, Paper, Timings, Usage
from assistant.tags import TagStore
from fake_openai import FakeOpenAI

_APP = str(Path(ui.__file__).with_name("app.py"))
_DIGEST = """Title: DAPO: An Open-Source LLM Reinforcement Learning System
PDF: https://arxiv.org/pdf/2503.14476
Summary: DAPO is a reinforcement learning system. It reaches 50 points on AIME 2024.
---
Title: EvalTree: Profiling Language Model Weaknesses
PDF: https://arxiv.org/pdf/2503.08893
Summary: EvalTree builds a tree of capabilities from a benchmark. It finds weaknesses of models.
"""
_HOSTILE = """Title: <script>alert(1)</script> ![x](https://evil.example) [a](javascript:b) {long}
PDF: https://arxiv.org/pdf/2503.11111
Summary: <img src=x onerror=alert(1)> Zebrafish sleep $\\\\rule{{9em}}{{9em}}$ :material/home: \u202eeveryday.
"""


@pytest.fixture(autouse=True)
def _fresh_caches(home: Path, model_cache: Path) -> Iterator[None]:
    """A home of its own for each test; the embedder's graph is built once for all."""
    home.mkdir()
    (home / "models").symlink_to(model_cache, target_is_directory=True)
    streamlit.cache_resource.clear()
    yield
    streamlit.cache_resource.clear()


@pytest.fixture
def library(home: Path, tmp_path: Path) -> Callable[..., None]:
    """Fill the library with a digest."""

    def fill(text: str = _DIGEST) -> None:
        path = tmp_path / "digest.txt"
        path.write_text(text)
        library = Library(Settings(home=home))
        report = library.ingest([str(path)], pdfs=False)
        assert not report.failed, report.failed
        library.close()

    return fill


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    """A language model that answers, named beside one that is gone."""
    with FakeOpenAI() as running:
        monkeypatch.setenv("ASSISTANT_LLM", "openai:fake")
        monkeypatch.setenv("ASSISTANT_LLM_SMALL", "anthropic:gone")
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield running


def start(page: str | None = None, **parameters: str) -> AppTest:
    if page is None:
        app = AppTest.from_file(_APP, default_timeout=60)
    else:
        app = AppTest.from_string(f"from ui.views import {page}\n{page}.page()", default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def ask(app: AppTest, question: str) -> AppTest:
    app.chat_input[0].set_value(question).run()
    assert not app.exception
    return app


def button(app: AppTest, label: str):
    found = [each for each in app.button if label in each.label]
    assert found, ([each.label for each in app.button], texts(app))
    return found[0]


def texts(app: AppTest) -> str:
    elements = [
        *app.markdown,
        *app.caption,
        *app.title,
        *app.info,
        *app.warning,
        *app.error,
        *app.success,
    ]
    return "\n".join(str(each.value) for each in elements)


def wait_for(app: AppTest, text: str) -> None:
    end = time.monotonic() + 60
    while text not in texts(app):
        assert time.monotonic() < end, texts(app)
        time.sleep(0.2)
        app.run()


class TestAsk:
    def test_an_empty_library_offers_ways_to_begin(self) -> None:
        app = start()
        assert app.title[0].value == "Ask your papers"
        assert button(app, "Load the sample digest")
        assert not app.chat_input

    def test_the_sample_is_one_click_away(self) -> None:
        app = start()
        button(app, "Load the sample digest").click().run()
        wait_for(app, "50 papers")
        assert app.chat_input

    def test_a_suggestion_is_a_question(self, library: Callable[..., None]) -> None:
        library()
        app = start()
        button(app, "AIME 2024").click().run()
        assert len(app.chat_message) == 2

    def test_an_answer_has_badges_chips_and_what_it_took(
        self, library: Callable[..., None]
    ) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        assert ":blue-badge[1]" in texts(app)
        assert "DAPO · abstract" in app.button_group[0].options[0]
        assert "extractive" in texts(app)
        assert not app.error

    def test_choosing_a_chip_opens_its_source(self, library: Callable[..., None]) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        chips = app.button_group[0]
        chips.set_value(1).run()
        assert not app.exception
        assert "Citation 1 · abstract" in texts(app)
        assert ":yellow-background[It reaches 50 points on AIME 2024\\.]" in texts(app)

    def test_a_refusal_is_calm(self, library: Callable[..., None]) -> None:
        library()
        app = ask(start(), "What is the airspeed of a swallow?")
        assert "The papers don't say" in app.info[0].value
        assert not app.error

    def test_what_was_searched_is_shown_on_demand(self, library: Callable[..., None]) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        assert not app.dataframe
        app.toggle[0].set_value(True).run()
        assert "**Searched for** What does DAPO reach" in texts(app)
        assert "Score" in app.dataframe[0].value.columns

    def test_a_question_that_cannot_be_kept_leaves_the_page(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        app = start()
        (home / "conversations").write_text("a file in the way")
        ask(app, "What is DAPO?")
        (error,) = app.error
        assert "conversations" in error.value
        assert app.title[0].value == "Ask your papers"
        assert app.chat_input

    def test_details_are_folded_away_above_the_last_answers(
        self, library: Callable[..., None]
    ) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        for _ in range(3):
            ask(app, "What is DAPO?")
        assert len(app.toggle) == 3
        (unfold,) = (each for each in app.button if "Details and feedback" in each.label)
        assert "Every statement is supported" in unfold.label
        unfold.click().run()
        assert len(app.toggle) == len(app.feedback) == 4

    def test_a_conversation_is_linked_and_outlives_the_session(
        self, library: Callable[..., None]
    ) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        named = "".join(app.query_params["conversation"])
        again = start(conversation=named)
        assert len(again.chat_message) == 2

    def test_a_follow_up_is_searched_as_a_whole_question(
        self, library: Callable[..., None]
    ) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        ask(app, "And what is it?")
        app.toggle[1].set_value(True).run()
        assert "DAPO" in next(each.value for each in app.markdown if "Searched for" in each.value)

    @pytest.mark.parametrize("named", ["../../secret", "0" * 16, "<script>", ""])
    def test_a_conversation_that_is_not_there_is_no_trap(
        self, library: Callable[..., None], named: str
    ) -> None:
        library()
        app = start(conversation=named)
        assert app.title[0].value == "Ask your papers"

    def test_feedback_is_kept(self, library: Callable[..., None], home: Path) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        app.feedback[0].set_value(0).run()
        comment = next(each for each in app.text_input if each.label == "Comment on this answer")
        comment.set_value("too short").run()
        (path,) = (home / "conversations").glob("*.json")
        kept = json.loads(path.read_text())["exchanges"][0]["feedback"]
        assert kept == {"vote": "down", "comment": "too short"}

    def test_feedback_goes_on_from_what_another_session_gave(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        app.feedback[0].set_value(0).run()
        (path,) = (home / "conversations").glob("*.json")
        other = start(conversation=path.stem)
        other.feedback[0].set_value(1).run()
        comment = next(each for each in app.run().text_input if "Comment" in each.label)
        comment.set_value("at last").run()
        kept = json.loads(path.read_text())["exchanges"][0]["feedback"]
        assert kept == {"vote": "up", "comment": "at last"}

    def test_a_conversation_can_be_named_searched_and_deleted(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        next(each for each in app.text_input if each.label == "Name").set_value("Scores").run()
        assert button(app, "**Scores**")
        app.text_input(key="search-conversations").set_value("swallow").run()
        assert "No conversation holds these words" in texts(app)
        button(app, "Delete").click().run()
        button(app, "Delete it").click().run()
        assert not list((home / "conversations").glob("*.json"))

    def test_a_stopped_answer_says_so_and_keeps_its_words(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        stopped = Exchange(id=new_id(), question="What?", asked=now(), text="The first words")
        ConversationStore(home / "conversations").add("0" * 16, stopped)
        app = start(conversation="0" * 16)
        assert "The first words" in texts(app)
        assert "Stopped. What had come by then is kept." in texts(app)

    def test_an_answer_that_failed_says_why(self, library: Callable[..., None], home: Path) -> None:
        library()
        failed = Exchange(
            id=new_id(), question="What?", asked=now(), error="the model is gone: start it"
        )
        ConversationStore(home / "conversations").add("0" * 16, failed)
        assert "the model is gone\\: start it" in start(conversation="0" * 16).error[0].value

    def test_claims_that_are_not_supported_are_marked_with_the_reason(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        claims = tuple(
            Claim(text=f"A *{verdict}* claim.", verdict=verdict, citations=(1,))
            for verdict in ("supported", "partial", "unsupported", "contradicted")
        )
        answer = Answer(
            question="What?", standalone_question="What?", answer="Words.", refused=False,
            refusal_reason=None, citations=(), claims=claims, backend="openai:fake",
            usage=Usage(input_tokens=900, output_tokens=80, cost_usd=None),
            timings_ms=Timings(rewrite=1, retrieve=2, answer=3, verify=4, total=1500),
        )  # fmt: skip
        asked = Exchange(
            id=new_id(), question="What?", asked=now(), text="Words.", answer=answer,
            notes=("2 passages were *left out*",),
        )  # fmt: skip
        ConversationStore(home / "conversations").add("0" * 16, asked)
        shown = texts(start(conversation="0" * 16))
        assert "Partly supported] A \\*partial\\* claim" in shown
        assert "a cited passage states the opposite" in shown
        assert "A \\*supported\\* claim" not in shown
        assert "2 passages were \\*left out\\*" in shown
        assert "1.5 s · openai\\:\u2060fake · 900 + 80 tokens · price unknown" in shown

    def test_a_damaged_conversation_is_named_beside_the_others(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        (home / "conversations").mkdir()
        (home / "conversations" / f"{'1' * 16}.json").write_text("{")
        assert "it is damaged" in start().warning[0].value

    def test_only_the_chosen_papers_answer(self, library: Callable[..., None]) -> None:
        library()
        app = start()
        app.session_state["scope-wanted"] = ["2503.08893"]
        app.run()
        ask(app, "What does DAPO reach on AIME 2024?")
        assert ":blue-badge" not in texts(app) or "DAPO ·" not in str(app.button_group)

    def test_settings_that_cannot_be_used_are_said_in_one_line(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ASSISTANT_LLM", "nonsense")
        assert "ASSISTANT\\_LLM cannot be used" in start().error[0].value

    def test_what_to_ask_next_is_one_click_away(self, library: Callable[..., None]) -> None:
        more = (
            "EvalTree is a tree. EvalTree profiles models well. EvalTree profiles benchmarks well."
        )
        library(f"{_DIGEST.rstrip()} {more} The code is at https://example.org/tree.\n")
        app = ask(start(), "What do DAPO and EvalTree profile?")
        next_question = "Where is the code of EvalTree?"
        button(app, next_question).click().run()
        assert not app.exception
        assert len(app.chat_message) == 4
        assert next_question not in [each.label for each in app.button]

    def test_the_papers_cited_are_exported_as_bibtex(self, library: Callable[..., None]) -> None:
        library()
        app = ask(start(), "What does DAPO reach on AIME 2024?")
        assert {each.label for each in app.download_button} == {
            "Export as Markdown", "Export as JSON", "Export cited papers as BibTeX",
        }  # fmt: skip

    def test_papers_with_a_tag_answer_alone(self, library: Callable[..., None], home: Path) -> None:
        library()
        tree = Paper(id="2503.08893", title="EvalTree")
        TagStore(home / "tags.json").change([tree], add=["trees"])
        app = start()
        app.session_state["scope-tags"] = ["trees"]
        app.run()
        ask(app, "What does DAPO reach on AIME 2024?")
        (path,) = (home / "conversations").glob("*.json")
        assert json.loads(path.read_text())["exchanges"][0]["papers"] == ["2503.08893"]

    def test_tags_that_cannot_be_read_do_not_keep_one_from_asking(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        (home / "tags.json").write_text("{")
        app = start()
        assert "tags\\.json" in app.warning[0].value
        assert app.chat_input

    def test_the_backends_that_answer_now_are_offered(
        self, library: Callable[..., None], model: FakeOpenAI
    ) -> None:
        library()
        app = start()
        assert not model.requests
        app.session_state["llm-open"] = True
        app.run()
        assert app.radio[0].options == ["openai\\:\u2060fake", "Quotes, no model"]
        assert "anthropic\\:\u2060gone needs another package" in texts(app)

    @pytest.mark.parametrize(
        ("chosen", "shown"),
        [("extractive", "s · extractive"), ("openai:fake", "openai\\:\u2060fake")],
    )
    def test_the_backend_chosen_answers(
        self, library: Callable[..., None], model: FakeOpenAI, chosen: str, shown: str
    ) -> None:
        library()
        app = start()
        app.session_state["answers-by"] = chosen
        ask(app, "What does DAPO reach on AIME 2024?")
        assert shown in texts(app)
        assert bool(model.requests) == (chosen != "extractive")


class TestLibrary:
    def test_an_empty_library_says_how_to_begin(self) -> None:
        app = start("library")
        assert button(app, "Load the sample digest")

    def test_papers_are_listed_and_searched(self, library: Callable[..., None]) -> None:
        library()
        app = start("library")
        assert len(app.dataframe[0].value) == 2
        app.text_input(key="search-papers").set_value("evaltree").run()
        assert list(app.dataframe[0].value["Id"]) == ["2503.08893"]
        app.text_input(key="search-papers").set_value("nothing like it").run()
        assert "No paper fits" in app.info[0].value

    def test_a_paper_has_a_card_of_its_own(self, library: Callable[..., None]) -> None:
        library()
        app = start("library", paper="2503.14476")
        assert "DAPO" in texts(app)
        assert "Only the abstract is in the library" in app.info[0].value

    @pytest.mark.parametrize("named", ["../../etc/passwd", "nope", "<script>"])
    def test_a_paper_that_is_not_there_is_said(
        self, library: Callable[..., None], named: str
    ) -> None:
        library()
        assert "not in the library" in start("library", paper=named).warning[0].value

    def test_removing_asks_first(self, library: Callable[..., None]) -> None:
        library()
        app = start("library", paper="2503.14476")
        button(app, "Remove").click().run()
        app.button(key="remove-not").click().run()
        assert "DAPO" in texts(app)
        button(app, "Remove").click().run()
        app.button(key="remove-sure").click().run()
        assert list(app.dataframe[0].value["Id"]) == ["2503.08893"]

    @pytest.mark.parametrize(
        "typed", ["/etc/passwd", "catalog.db", "../x", "file:///etc/passwd", "~"]
    )
    def test_only_ids_and_links_are_taken_from_the_field(
        self, library: Callable[..., None], typed: str
    ) -> None:
        library()
        app = start("library")
        app.text_input[0].set_value(typed)
        button(app, "Add").click().run()
        assert "Only arXiv ids and links" in app.error[0].value

    def test_a_hostile_paper_is_text(self, library: Callable[..., None]) -> None:
        library(_DIGEST + "---\n" + _HOSTILE.format(long="long " * 60))
        app = start("library", paper="2503.11111")
        for element in [*app.markdown, *app.caption]:
            assert not element.allow_html
            assert "<script>" not in element.value.replace("\\<", "")
            assert "](https" not in element.value.replace("\\]\\(", "")

    def test_papers_are_tagged_shown_by_tag_and_untagged(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        app = start("library", paper="2503.14476")
        app.multiselect[0].set_value(["to read"]).run()
        assert TagStore(home / "tags.json").read().by_paper == {"2503.14476": ("to read",)}
        app = start("library")
        assert list(map(list, app.dataframe[0].value["Tags"])) == [["to read"], []]
        app.selectbox(key="tag-shown").set_value("to read").run()
        assert list(app.dataframe[0].value["Id"]) == ["2503.14476"]
        app = start("library", paper="2503.14476")
        app.multiselect[0].set_value([]).run()
        assert TagStore(home / "tags.json").read().by_paper == {}

    def test_a_tag_that_cannot_be_one_is_refused_in_words(
        self, library: Callable[..., None]
    ) -> None:
        library()
        app = start("library", paper="2503.14476")
        app.multiselect[0].set_value(["x" * 99]).run()
        assert "a tag has 99 characters" in app.toast[0].value
        assert app.multiselect[0].value == []

    def test_a_paper_is_indexed_anew(self, library: Callable[..., None]) -> None:
        library()
        app = start("library", paper="2503.14476")
        button(app, "Index anew").click().run()
        app = start("library")
        wait_for(app, "1 updated")
        assert list(app.dataframe[0].value["Chunks"]) == [1, 1]

    def test_what_failed_is_tried_again(self, library: Callable[..., None]) -> None:
        library()
        app = start("library")
        app.text_input[0].set_value("http://127.0.0.1:9/paper.pdf")
        button(app, "Add").click().run()
        wait_for(app, "1 failed")
        app.button(key=next(each.key for each in app.button if each.label == "Try again")).click()
        app.run()
        wait_for(app, "1 failed")
        assert len([each for each in app.button if each.label == "Try again"]) == 1


class TestCompare:
    def test_one_paper_is_too_few(self) -> None:
        assert "two papers" in start("compare").info[0].value

    def test_papers_are_laid_side_by_side_and_exported(self, library: Callable[..., None]) -> None:
        library()
        app = start("compare")
        app.multiselect[0].set_value(["2503.14476", "2503.08893"])
        button(app, "Compare").click().run()
        assert not app.exception
        table = app.dataframe[0].value
        assert list(table.columns) == ["paper-title", "problem", "method", "headline result"]
        assert len(table) == 2
        assert {each.label for each in app.download_button} == {"Markdown", "CSV", "LaTeX", "JSON"}

    def test_a_comparison_is_kept_opened_and_deleted(
        self, library: Callable[..., None], home: Path
    ) -> None:
        library()
        _compare(start("compare"))
        (kept,) = (home / "comparisons").glob("*.json")
        app = start("compare", comparison=kept.stem)
        assert len(app.dataframe[0].value) == 2
        button(app, "New comparison").click().run()
        assert not app.dataframe
        button(app, "DAPO").click().run()
        button(app, "Delete").click().run()
        app.button(key="delete-sure").click().run()
        assert not list((home / "comparisons").glob("*.json"))
        assert not app.dataframe

    def test_more_aspects_are_added_to_a_kept_comparison(
        self, library: Callable[..., None]
    ) -> None:
        library()
        app = _compare(start("compare"))
        app.multiselect[1].set_value(["benchmarks"])
        button(app, "Fill").click().run()
        assert not app.exception
        assert "benchmarks" in app.dataframe[0].value.columns

    @pytest.mark.parametrize("named", ["../../secret", "nope", "<script>"])
    def test_a_comparison_that_is_not_there_is_said(
        self, library: Callable[..., None], named: str
    ) -> None:
        library()
        app = start("compare", comparison=named)
        assert app.warning
        assert app.multiselect

    def test_an_edited_cell_is_marked(self, library: Callable[..., None], home: Path) -> None:
        library()
        _compare(start("compare"))
        (kept,) = (home / "comparisons").glob("*.json")
        asked = Library(Settings(home=home))
        asked.edit_cell(kept.stem, "2503.14476", "method", "In <b>my</b> words")
        asked.close()
        app = start("compare", comparison=kept.stem)
        assert app.dataframe[0].value["method"][0] == "✎ In <b>my</b> words"

    def test_a_model_is_paid_only_when_the_reader_agrees(
        self, library: Callable[..., None], model: FakeOpenAI
    ) -> None:
        library()
        app = _compare(start("compare"))
        assert "6 cells by openai" in texts(app)
        assert not model.requests
        button(app, "Fill them").click().run()
        assert not app.exception
        assert len(app.dataframe[0].value) == 2
        assert model.requests

    def test_too_few_papers_are_said_in_words(self, library: Callable[..., None]) -> None:
        library()
        app = start("compare")
        app.multiselect[0].set_value(["2503.14476"])
        button(app, "Compare").click().run()
        assert app.error[0].value


def _compare(app: AppTest) -> AppTest:
    app.multiselect[0].set_value(["2503.14476", "2503.08893"])
    button(app, "Compare").click().run()
    assert not app.exception
    return app


class TestEvaluate:
    def test_without_runs_it_says_what_to_do(self) -> None:
        app = start("evaluate")
        assert "No runs yet" in app.info[0].value
        assert {"digest", "fulltext"} <= set(app.selectbox[0].options)

    def test_a_run_is_shown_by_kind_with_its_cases(
        self, library: Callable[..., None], home: Path
    ) -> None:
        from eval.cases.dataset import Case, Dataset
        from eval.runs.runner import run

        library()
        cases = (
            Case(
                id="a", kind="named", question="What does DAPO reach on AIME 2024?", answerable=True
            ),
            Case(id="b", kind="absent", question="What is a swallow's airspeed?", answerable=False),
        )
        asked = Library(Settings(home=home))
        for name in ("20260101-101010-000000", "20260102-101010-000000"):
            run(Dataset("two", cases, "0"), asked, home / "runs" / name)
        asked.close()
        app = start("evaluate")
        assert {"all", "named", "absent"} <= set(app.dataframe[0].value.columns)
        assert len(app.dataframe[1].value) == 2
        app.selectbox[2].set_value(app.selectbox[2].options[1]).run()
        table = app.dataframe[0].value
        assert set(table["Verdict"]) == {"no difference"}
        assert table["Cases"].iloc[0] == 2

    def test_runs_of_other_questions_are_not_offered_to_compare(
        self, library: Callable[..., None], home: Path
    ) -> None:
        from eval.cases.dataset import Case, Dataset
        from eval.runs.runner import run

        library()
        asked = Library(Settings(home=home))
        for name, question in (("a", "What is DAPO?"), ("b", "What is EvalTree?")):
            case = Case(id=name, kind="named", question=question, answerable=True)
            run(Dataset(name, (case,), name), asked, home / "runs" / name)
        asked.close()
        (compare,) = [each for each in start("evaluate").selectbox if each.label == "Compare with"]
        assert compare.options == ["nothing"]

    def test_a_damaged_report_is_named(self, home: Path) -> None:
        (home / "runs" / "first").mkdir(parents=True)
        (home / "runs" / "first" / "report.json").write_text("{")
        assert "cannot be read" in start("evaluate").warning[0].value


class TestSettings:
    def test_values_are_shown_and_keys_are_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
        monkeypatch.setenv("ASSISTANT_DATABASE", "postgresql://me:hunter2@localhost/papers")
        app = start("settings")
        shown = texts(app) + str(app.dataframe[0].value.to_dict())
        assert "OPENAI_API_KEY: set" in shown.replace("\\", "")
        assert "sk-very-secret" not in shown
        assert "hunter2" not in shown

    def test_a_backend_is_tried_on_demand(self, model: FakeOpenAI) -> None:
        app = start("settings")
        assert not model.requests
        app.button(key="test-openai:fake").click().run()
        assert "answered in" in texts(app)
        app.button(key="test-anthropic:gone").click().run()
        assert app.error

    def test_health_is_checked_on_demand(self, library: Callable[..., None]) -> None:
        library()
        app = start("settings")
        button(app, "Check now").click().run()
        assert "2 papers" in texts(app)
        assert not app.error
