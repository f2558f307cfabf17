"""Asking a library with a language model: a real server on loopback, a real client, a real library."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.main import run
from assistant.config import load_settings
from assistant.errors import BudgetError, ModelUnavailableError
from assistant.library import Library, Stop
from assistant.models.stop import StoppedError
from assistant.records import (
    Answer,
    AnswerDone,
    AnswerText,
    ClaimChecked,
    QuestionRewritten,
    Turn,
)
from assistant.samples import DIGEST
from tests.fake_openai import BEHAVIOURS, FakeOpenAI, Reply, Seen, answers, verdict, wrong_number

QUESTION = "What does DAPO reach on AIME 2024?"
MODEL = "openai:gpt-4o-mini"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample digest."""
    home = tmp_path_factory.mktemp("shelf") / "home"
    with closing(Library(load_settings({"home": home}, {}))) as library:
        library.ingest([str(DIGEST)], pdfs=False)
    return home


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")


def library_with(server: FakeOpenAI, home: Path, **settings: Any) -> Library:
    given = {"home": home, "llm": MODEL, "llm_base_url": server.url, "cache": False, **settings}
    return Library(load_settings(given, {}))


def answer(behaviour: Any, home: Path, question: str = QUESTION, **settings: Any) -> Answer:
    with (
        FakeOpenAI(behaviour) as server,
        closing(library_with(server, home, **settings)) as library,
    ):
        *_, done = library.ask(question)
        assert isinstance(done, AnswerDone)
        return done.answer


def test_an_answer_is_written_cited_checked_and_paid(shelf: Path) -> None:
    found = answer("answers", shelf)

    assert not found.refused
    assert found.backend == MODEL
    assert found.citations
    assert {claim.verdict for claim in found.claims} == {"supported"}
    assert found.usage.input_tokens > 0
    assert found.usage.cost_usd is not None


def test_the_events_add_up_to_the_answer(shelf: Path) -> None:
    with FakeOpenAI("answers") as server, closing(library_with(server, shelf)) as library:
        events = list(library.ask(QUESTION))

    text = "".join(event.text for event in events if isinstance(event, AnswerText))
    done = events[-1]
    assert isinstance(done, AnswerDone)
    assert text == done.answer.answer


def test_a_wrong_number_is_marked(shelf: Path) -> None:
    found = answer("wrong_number", shelf)

    assert "contradicted" in {claim.verdict for claim in found.claims}
    assert "⚠" in found.answer


def test_a_wrong_number_can_be_dropped(shelf: Path) -> None:
    marked = answer("wrong_number", shelf)
    dropped = answer("wrong_number", shelf, verify="drop")

    wrong = [claim.text for claim in marked.claims if claim.verdict == "contradicted"]
    assert wrong
    assert not any(text.rstrip(".") in dropped.answer for text in wrong)


def test_what_nothing_is_left_of_is_a_refusal(shelf: Path) -> None:
    made_up = lambda seen: f"DAPO was trained on eleven thousand parrots. [{seen.passages[0][0]}]"  # noqa: E731
    found = answer(made_up, shelf, verify="drop")
    assert found.refused
    assert found.refusal_reason is not None
    assert not found.citations
    assert [claim.citations for claim in found.claims] == [()]


def test_what_is_dropped_is_never_shown(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "DAPO was trained on eleven thousand parrots."
    reply = lambda seen: f"{wrong} [{seen.passages[0][0]}] {answers(seen)}"  # noqa: E731
    monkeypatch.setenv("ASSISTANT_HOME", str(shelf))
    monkeypatch.setenv("ASSISTANT_VERIFY", "drop")
    with FakeOpenAI(reply) as server:
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
        assert run(["ask", QUESTION, "--llm", MODEL, "--no-cache"]) == 0
    shown, _, doubts = capsys.readouterr().out.partition("Not carried by the text cited")
    assert "50 points" in shown
    assert "parrots" not in shown
    assert "parrots" in doubts


def test_a_question_in_another_language_is_left_to_the_model(shelf: Path) -> None:
    with FakeOpenAI("answers") as server, closing(library_with(server, shelf)) as library:
        *_, done = library.ask("Welches Verfahren stellt den Trainingscode bereit?")
    assert isinstance(done, AnswerDone)
    assert server.requests
    assert done.answer.citations


def test_rules_make_a_follow_up_stand_alone_where_the_model_fails(shelf: Path) -> None:
    history = [
        Turn(role="user", content=QUESTION),
        Turn(role="assistant", content="DAPO reaches 50 points [1]."),
    ]
    with FakeOpenAI("never_json") as server, closing(library_with(server, shelf)) as library:
        first, *_ = library.ask("And which base model did it use?", history=history)
    assert isinstance(first, QuestionRewritten)
    assert first.standalone_question == "which base model did DAPO use?"


def test_the_terminal_shows_what_is_searched_and_keeps_lists(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def reply(seen: Seen) -> str:
        if seen.wants_json:
            return json.dumps({"standalone_question": "What does DAPO reach?", "sub_questions": []})
        key = seen.passages[0][0]
        return f"- **Score**: DAPO reaches 50 points on AIME 2024. [{key}]\n- It is open. [{key}]"

    history = tmp_path / "history.jsonl"
    history.write_text(json.dumps({"role": "user", "content": "What is DAPO?"}) + "\n")
    monkeypatch.setenv("ASSISTANT_HOME", str(shelf))
    with FakeOpenAI(reply) as server:
        monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
        arguments = ["ask", "What does it reach?", "--history", str(history)]
        assert run([*arguments, "--llm", MODEL, "--no-cache"]) == 0
    shown = capsys.readouterr()
    assert "searched for: What does DAPO reach?\n" in shown.err
    first, second = [line for line in shown.out.splitlines() if line.startswith("- ")]
    assert first.startswith("- Score: DAPO reaches 50 points")
    assert second.startswith("- It is open.")


def test_checking_can_be_turned_off(shelf: Path) -> None:
    found = answer("wrong_number", shelf, verify="off")

    assert {claim.verdict for claim in found.claims} == {"unchecked"}
    assert "⚠" not in found.answer


def test_what_cites_nothing_is_unsupported(shelf: Path) -> None:
    found = answer(lambda _: "DAPO wins. It was written in Rome.", shelf)

    assert not found.citations
    assert {claim.verdict for claim in found.claims} == {"unsupported"}


def test_a_refusal_has_a_reason_and_no_citations(shelf: Path) -> None:
    found = answer("refuses", shelf)

    assert found.refused
    assert found.refusal_reason
    assert found.citations == found.claims == ()


def test_no_model_is_asked_about_what_no_paper_is_about(shelf: Path) -> None:
    with FakeOpenAI("answers") as server, closing(library_with(server, shelf)) as library:
        *_, done = library.ask("How long do I let a sourdough loaf prove?")
        assert isinstance(done, AnswerDone)
        assert done.answer.refused
        assert server.requests == []


def test_a_question_of_two_parts_is_searched_for_both(shelf: Path) -> None:
    question = "What does DAPO reach on AIME 2024, and which graphs does PyGDA adapt?"

    def reply(seen: Any) -> str:
        if seen.wants_json:
            parts = ["What does DAPO reach on AIME 2024?", "Which graphs does PyGDA adapt?"]
            return json.dumps({"standalone_question": question, "sub_questions": parts})
        return "NOT_IN_PAPERS: nothing"

    with FakeOpenAI(reply) as server, closing(library_with(server, shelf)) as library:
        events = list(library.ask(question))
    [rewritten] = [event for event in events if isinstance(event, QuestionRewritten)]
    assert len(rewritten.sub_questions) == 2
    titles = server.requests[-1]["messages"][-1]["content"]
    assert "DAPO" in titles
    assert "PyGDA" in titles


def test_a_follow_up_is_made_to_stand_alone_by_the_model(shelf: Path) -> None:
    def reply(seen: Any) -> str:
        if seen.wants_json:
            return json.dumps(
                {"standalone_question": "Which base model does DAPO use?", "sub_questions": []}
            )
        return "NOT_IN_PAPERS: nothing"

    history = [Turn(role="user", content=QUESTION), Turn(role="assistant", content="50 points.")]
    with FakeOpenAI(reply) as server, closing(library_with(server, shelf)) as library:
        *_, done = library.ask("and which base model?", history=history)
    assert isinstance(done, AnswerDone)
    assert done.answer.standalone_question == "Which base model does DAPO use?"


def test_a_reply_is_asked_for_once(shelf: Path) -> None:
    with (
        FakeOpenAI("answers") as server,
        closing(library_with(server, shelf, cache=True)) as library,
    ):
        first, second = (list(library.ask(QUESTION))[-1] for _ in range(2))
        assert isinstance(first, AnswerDone)
        assert isinstance(second, AnswerDone)
        assert first.answer.answer == second.answer.answer
        assert len(server.requests) == 1


def test_a_budget_stops_before_it_is_passed(shelf: Path) -> None:
    with FakeOpenAI("answers") as server:
        library = library_with(server, shelf, budget_question=0.0001)
        with closing(library), pytest.raises(BudgetError, match="budget"):
            library.ask(QUESTION)
        assert server.requests == []


def test_closing_the_stream_hangs_up(shelf: Path) -> None:
    with (
        FakeOpenAI("answers", pause=0.2) as server,
        closing(library_with(server, shelf)) as library,
    ):
        events = library.ask(QUESTION)
        next(event for event in events if isinstance(event, AnswerText))
        events.close()
        assert server.hung_up.wait(5)


@pytest.mark.parametrize("history", [(), (Turn(role="user", content="What is DAPO?"),)])
def test_what_no_word_has_come_of_is_stopped_at_once(
    shelf: Path, history: tuple[Turn, ...]
) -> None:
    stop = Stop()

    def stop_when_asked(server: FakeOpenAI) -> None:
        while not server.requests:
            time.sleep(0.01)
        stop.set()

    with (
        FakeOpenAI("timeout") as server,
        closing(library_with(server, shelf)) as library,
        ThreadPoolExecutor() as pool,
    ):
        pool.submit(stop_when_asked, server)
        with pytest.raises(StoppedError):
            list(library.ask(QUESTION, history=history, stop=stop))
        assert server.hung_up.wait(10)
        assert len(server.requests) == 1


def test_of_no_papers_no_model_is_asked(shelf: Path) -> None:
    with FakeOpenAI("answers") as server, closing(library_with(server, shelf)) as library:
        *_, done = library.ask(QUESTION, papers=[])
        assert server.requests == []
    assert isinstance(done, AnswerDone)
    assert done.answer.refused
    assert done.answer.refusal_reason


class TestModelChecker:
    def test_judges_what_the_rules_leave_open(self, shelf: Path) -> None:
        def reply(seen: Seen) -> str:
            if seen.form:
                return verdict("contradicted")(seen)
            return (
                f"Reinforcement learning at scale is what DAPO deals with [{seen.passages[0][0]}]."
            )

        assert "⚠" not in answer(reply, shelf).answer
        found = answer(reply, shelf, verify_with="model")
        assert [claim.verdict for claim in found.claims] == ["contradicted"]
        assert "⚠" in found.answer

    def test_cannot_be_talked_out_of_a_wrong_number(self, shelf: Path) -> None:
        def reply(seen: Seen) -> str:
            return verdict("supported")(seen) if seen.form else wrong_number(seen)

        found = answer(reply, shelf, verify_with="model")
        assert "contradicted" in {claim.verdict for claim in found.claims}

    def test_that_fails_says_so_and_leaves_the_rules_verdicts(self, shelf: Path) -> None:
        def reply(seen: Seen) -> str:
            if seen.form:
                return "I cannot do that."
            return f"DAPO gets to 50 points on AIME 2024 [{seen.passages[0][0]}]."

        with (
            FakeOpenAI(reply) as server,
            closing(library_with(server, shelf, verify_with="model")) as library,
        ):
            *_, done = library.ask(QUESTION)
        assert isinstance(done, AnswerDone)
        assert [claim.verdict for claim in done.answer.claims] == ["supported"]
        assert done.notes[0].startswith("1 of 1 claims were checked by rules alone: openai:gpt-4o")

    def test_is_the_small_model_and_what_it_takes_is_counted_as_its_own(
        self, shelf: Path, tmp_path: Path
    ) -> None:
        home = tmp_path / "home"
        shutil.copytree(shelf, home, ignore=shutil.ignore_patterns("usage.db"))
        small = "openai:gpt-4.1-nano"
        with (
            FakeOpenAI(lambda seen: answers(seen).replace("50 points", "fifty points")) as server,
            closing(library_with(server, home, verify_with="model", llm_small=small)) as library,
        ):
            *_, done = library.ask(QUESTION)
            assert isinstance(done, AnswerDone)
            totals = {each.model: each.usage for each in library.usage(since=date.min)}
        assert set(totals) == {MODEL, small}
        assert {request["model"] for request in server.requests[1:]} == {"gpt-4.1-nano"}
        taken = sum(each.input_tokens for each in totals.values())
        assert done.answer.usage.input_tokens == taken

    def test_stops_with_the_answer(self, shelf: Path) -> None:
        def reply(seen: Seen) -> Reply | str:
            if seen.form:
                return Reply(
                    hangs=seen.data[1].startswith("Second"), text=verdict("supported")(seen)
                )
            key = seen.passages[0][0]
            return f"DAPO is about learning [{key}]. Second, DAPO is about scale [{key}]."

        with (
            FakeOpenAI(reply) as server,
            closing(library_with(server, shelf, verify_with="model")) as library,
        ):
            events = library.ask(QUESTION)
            next(event for event in events if isinstance(event, ClaimChecked))
            events.close()
            assert server.hung_up.wait(20)


class TestDistilledEvidence:
    def test_is_what_the_answering_model_is_shown(self, shelf: Path) -> None:
        with (
            FakeOpenAI("answers") as server,
            closing(library_with(server, shelf, evidence="distilled")) as library,
        ):
            *_, done = library.ask(QUESTION)
        assert isinstance(done, AnswerDone)
        *chosen, written = server.requests
        assert len(chosen) == 12
        assert "50 points on AIME 2024" in written["messages"][1]["content"]
        assert done.answer.citations[0].paper_id == "2503.14476"
        assert "were left out as beside the question" in done.notes[0]

    def test_of_which_nothing_matters_is_refused_without_asking_for_an_answer(
        self, shelf: Path
    ) -> None:
        with (
            FakeOpenAI("nothing_relevant") as server,
            closing(library_with(server, shelf, evidence="distilled")) as library,
        ):
            *_, done = library.ask(QUESTION)
        assert isinstance(done, AnswerDone)
        assert done.answer.refused
        assert done.answer.refusal_reason == "None of the 12 passages found is on the question."
        assert not any(request.get("stream") for request in server.requests)

    def test_takes_no_more_than_leaves_enough_for_the_answer(self, shelf: Path) -> None:
        budget = {"budget_question": 0.00204, "passage_tokens": 500}
        with (
            FakeOpenAI("answers") as server,
            closing(library_with(server, shelf, evidence="distilled", **budget)) as library,
        ):
            *_, done = library.ask(QUESTION)
        assert isinstance(done, AnswerDone)
        assert done.answer.citations
        assert 0 < (done.answer.usage.cost_usd or 1) < 0.00204


def test_what_the_token_budget_cuts_is_said(shelf: Path) -> None:
    with (
        FakeOpenAI("answers") as server,
        closing(library_with(server, shelf, passage_tokens=400)) as library,
    ):
        *_, done = library.ask(QUESTION)
    assert isinstance(done, AnswerDone)
    assert "passages did not fit the token budget and were left out" in done.notes[0]


def test_many_questions_at_once_are_not_mixed_up(shelf: Path) -> None:
    names = ["DAPO", "SkyLadder", "PyGDA", "MetaLadder", "CapArena", "SWEET-RL"] * 3
    with (
        FakeOpenAI("answers", delay=0.05) as server,
        closing(library_with(server, shelf)) as library,
    ):

        def ask(name: str) -> Answer:
            *_, done = library.ask(f"What does {name} propose?")
            assert isinstance(done, AnswerDone)
            return done.answer

        with ThreadPoolExecutor(6) as pool:
            for name, found in zip(names, pool.map(ask, names), strict=True):
                assert found.question == f"What does {name} propose?"
                assert any(name in citation.title for citation in found.citations)


class TestDoctor:
    @pytest.fixture(autouse=True)
    def _settings(self, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ASSISTANT_HOME", str(shelf))
        monkeypatch.setenv("ASSISTANT_LLM", MODEL)
        monkeypatch.setenv("ASSISTANT_LLM_SMALL", "openai:gpt-4.1-nano")
        monkeypatch.setenv("ASSISTANT_LLM_FALLBACK", MODEL)

    def test_asks_each_model_once_past_the_cache(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with FakeOpenAI("answers") as server:
            monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
            assert [run(["doctor"]), run(["doctor"])] == [0, 0]
        asked = [request["model"] for request in server.requests]
        assert sorted(asked) == ["gpt-4.1-nano", "gpt-4.1-nano", "gpt-4o-mini", "gpt-4o-mini"]
        shown = capsys.readouterr().out
        assert f"ok: language model {MODEL} answered in" in shown
        assert "ok: small model openai:gpt-4.1-nano answered in" in shown

    @pytest.mark.parametrize(
        ("behaviour", "message"), [("401", "the key was refused"), ("500", "has trouble (500)")]
    )
    def test_says_which_does_not_answer_and_still_checks_the_rest(
        self,
        behaviour: str,
        message: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def by_model(seen: Seen) -> Reply:
            nano = server.requests[-1]["model"] == "gpt-4.1-nano"
            return BEHAVIOURS[behaviour if nano else "answers"](seen)

        with FakeOpenAI(by_model) as server:
            monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
            assert run(["doctor"]) == 5
        shown = capsys.readouterr()
        assert f"ok: language model {MODEL} answered" in shown.out
        assert "lexical index agree" in shown.out
        (problem,) = [line for line in shown.err.splitlines() if line.startswith("problem:")]
        assert problem.startswith("problem: small model: openai:gpt-4.1-nano")
        assert message in problem
        assert "--repair" not in shown.err
        assert "sk-very-secret-key" not in shown.out + shown.err

    def test_asks_no_model_where_none_is_set(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("ASSISTANT_LLM", "extractive")
        assert run(["doctor"]) == 0
        assert "language model extractive: answers are quotes" in capsys.readouterr().out


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def _settings(self, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ASSISTANT_HOME", str(shelf))
        monkeypatch.setenv("ASSISTANT_LLM", MODEL)
        monkeypatch.setenv("ASSISTANT_CACHE", "false")

    def test_ask_shows_what_is_not_carried(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with FakeOpenAI("wrong_number") as server:
            monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
            assert run(["ask", QUESTION]) == 0
        shown = capsys.readouterr().out
        assert "Not carried by the text cited" in shown
        assert "contradicted" in shown

    def test_an_unavailable_model_is_one_line_and_exit_code_5(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with FakeOpenAI("401") as server:
            monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
            code = run(["ask", QUESTION])
        error = capsys.readouterr().err.strip()
        assert code in {ModelUnavailableError.exit_code, 2}
        assert len(error.splitlines()) == 1
        assert "sk-very-secret-key" not in error

    def test_usage_adds_up(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with FakeOpenAI("answers") as server:
            monkeypatch.setenv("ASSISTANT_LLM_BASE_URL", server.url)
            assert run(["ask", QUESTION]) == 0
        capsys.readouterr()
        assert run(["usage", "--json"]) == 0
        rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
        row = rows[MODEL]
        assert row["input_tokens"] > 0
