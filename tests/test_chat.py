"""Chat models of providers: the real client against a real server on loopback."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from assistant.errors import ModelUnavailableError, SettingsError
from assistant.models import structured
from assistant.models.chat import ChatModel, Message, open_chat
from assistant.models.failures import ContextLengthError, redact
from assistant.models.stop import Stop, StoppedError
from assistant.records import Usage
from tests.fake_openai import BEHAVIOURS, FakeOpenAI, Reply, Seen

KEY = "sk-very-secret-key"
SPEC = "openai:gpt-4o-mini"
ASKED = [
    Message("system", "You answer."),
    Message(
        "user",
        "<data-1>\n[k7f2m] DAPO\nDAPO reaches 50 points.\n</data-1>\n\nQuestion: What does DAPO reach?",
    ),
]
REPLY = "DAPO reaches 50 points [k7f2m]."


class Form(BaseModel):
    standalone_question: str
    sub_questions: list[str]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def chat(server: FakeOpenAI, **options: object) -> ChatModel:
    given = {"timeout": 5.0, "max_retries": 2, **options}
    return open_chat(SPEC, base_url=server.url, **given)  # type: ignore[arg-type]


def busy(status: int, *, wait: str = "0.05") -> Reply:
    return Reply(status=status, error={"message": "busy"}, headers=(("retry-after", wait),))


class TestReply:
    def test_streams(self) -> None:
        with FakeOpenAI() as server:
            pieces = list(chat(server).stream(ASKED))
        assert len(pieces) > 3
        assert "".join(pieces) == REPLY

    def test_needs_no_loading_and_does_not_mind_it(self) -> None:
        with FakeOpenAI() as server:
            model = chat(server, fallback="openai:other")
            model.load()
            assert server.requests == []
            assert model.complete(ASKED).text == REPLY

    def test_comes_whole(self) -> None:
        with FakeOpenAI() as server:
            assert chat(server).complete(ASKED).text == REPLY

    @pytest.mark.parametrize("behaviour", ["cuts_characters", "cuts_markers"])
    def test_survives_any_cut(self, behaviour: str) -> None:
        with FakeOpenAI(behaviour) as server:
            text = "".join(chat(server).stream(ASKED))
        assert text.startswith(REPLY)
        assert "�" not in text

    def test_tells_what_it_took_and_cost(self) -> None:
        with FakeOpenAI() as server:
            stream = chat(server).stream(ASKED)
            "".join(stream)
            whole = chat(server).complete(ASKED)
        assert stream.completion is not None
        assert stream.completion.usage == whole.usage
        assert whole.usage.cost_usd == pytest.approx(
            whole.usage.input_tokens * 0.15e-6 + whole.usage.output_tokens * 0.6e-6
        )

    def test_is_counted_where_the_server_does_not_tell(self) -> None:
        with FakeOpenAI("no_usage") as server:
            usage = chat(server).complete(ASKED).usage
        assert usage.input_tokens > 15
        assert usage.output_tokens > 5

    def test_of_an_unknown_price_has_none(self) -> None:
        with FakeOpenAI() as server:
            unknown = open_chat("openai:unheard-of", base_url=server.url).complete(ASKED)
        assert unknown.usage.cost_usd is None

    def test_tells_that_it_hit_the_limit_of_length(self) -> None:
        with FakeOpenAI("cut_off") as server:
            assert chat(server).complete(ASKED).cut

    def test_is_asked_for_with_key_model_and_messages(self) -> None:
        with FakeOpenAI() as server:
            chat(server).complete(ASKED)
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
        assert server.requests[0]["model"] == "gpt-4o-mini"
        assert [each["role"] for each in server.requests[0]["messages"]] == ["system", "user"]

    def test_of_a_model_that_takes_no_temperature(self) -> None:
        with FakeOpenAI("no_temperature") as server:
            model = chat(server)
            assert [model.complete(ASKED).text for _ in range(2)] == [REPLY, REPLY]
        assert ["temperature" in each for each in server.requests] == [True, False, False]

    def test_that_breaks_off_keeps_its_beginning_and_says_so(self) -> None:
        got = []
        with FakeOpenAI("dies_half_way") as server:
            stream = chat(server).stream(ASKED)
            with pytest.raises(ModelUnavailableError, match="broke off half way"):
                got.extend(stream)
        assert REPLY.startswith("".join(got))
        assert got
        assert stream.completion is not None
        assert stream.completion.text == "".join(got)
        assert len(server.requests) == 1

    def test_that_is_stopped_ends_the_connection_at_once(self) -> None:
        with FakeOpenAI("very_long", pause=0.01) as server:
            stream = chat(server).stream(ASKED)
            next(stream)
            stream.close()
            assert server.hung_up.wait(2)
            assert server.pieces_sent < 20
        assert stream.completion is not None
        assert stream.completion.usage.output_tokens > 0

    def test_that_is_stopped_half_way_ends_and_keeps_what_came(self) -> None:
        stop = Stop()
        with FakeOpenAI("very_long", pause=0.01) as server:
            stream = chat(server).stream(ASKED, stop=stop)
            first = next(stream)
            stop.set()
            with pytest.raises(StoppedError):
                list(stream)
            assert server.hung_up.wait(10)
        assert stream.completion is not None
        assert stream.completion.text.startswith(first)
        assert stream.completion.usage.input_tokens > 0


class TestFailure:
    @pytest.mark.parametrize(
        ("behaviour", "message"),
        [
            ("401", r"the key was refused \(401\)"),
            ("403", r"the key was refused \(403\)"),
            ("404", r"gpt-4o-mini is not known there \(404\): check the model's name"),
        ],
    )
    def test_of_a_setting_names_it(self, behaviour: str, message: str) -> None:
        with FakeOpenAI(behaviour) as server, pytest.raises(SettingsError, match=message):
            chat(server).complete(ASKED)
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "behaviour", ["401", "403", "404", "400", "429_for_long", "context_length_exceeded"]
    )
    def test_is_one_line_without_the_key(self, behaviour: str) -> None:
        with (
            FakeOpenAI(behaviour) as server,
            pytest.raises((SettingsError, ModelUnavailableError)) as raised,
        ):
            "".join(chat(server).stream(ASKED))
        assert "\n" not in str(raised.value)
        assert KEY not in str(raised.value)

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_that_passes_is_tried_again(self, status: int) -> None:
        with FakeOpenAI([lambda _seen: busy(status), "answers"]) as server:
            assert "".join(chat(server).stream(ASKED)) == REPLY
        assert len(server.requests) == 2

    def test_is_tried_again_after_the_time_the_server_asks_for(self) -> None:
        with FakeOpenAI([lambda _seen: busy(429, wait="0.6"), "answers"]) as server:
            began = time.perf_counter()
            chat(server).complete(ASKED)
            assert time.perf_counter() - began >= 0.6

    def test_that_asks_for_too_long_a_wait_is_told_at_once(self) -> None:
        with (
            FakeOpenAI("429_for_long") as server,
            pytest.raises(ModelUnavailableError, match=r"too many requests \(429\)"),
        ):
            chat(server).complete(ASKED)
        assert len(server.requests) == 1

    def test_that_stays_is_told_after_the_last_try(self) -> None:
        with (
            FakeOpenAI(lambda _seen: busy(500)) as server,
            pytest.raises(ModelUnavailableError, match=r"has trouble \(500\)"),
        ):
            chat(server).complete(ASKED)
        assert len(server.requests) == 3

    def test_to_answer_in_time_is_told(self) -> None:
        with (
            FakeOpenAI("timeout") as server,
            pytest.raises(ModelUnavailableError, match="did not answer in time"),
        ):
            chat(server, timeout=0.3, max_retries=0).complete(ASKED)

    def test_to_be_there_is_told(self) -> None:
        with FakeOpenAI() as gone:
            pass
        with pytest.raises(ModelUnavailableError, match="cannot be reached"):
            chat(gone, max_retries=0).complete(ASKED)

    def test_to_take_so_much_text_is_told_apart(self) -> None:
        with FakeOpenAI("context_length_exceeded") as server, pytest.raises(ContextLengthError):
            chat(server).complete(ASKED)
        assert len(server.requests) == 1

    def test_of_a_missing_key_names_the_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        with pytest.raises(SettingsError, match=f"{SPEC} needs a key: set OPENAI_API_KEY"):
            open_chat(SPEC).complete(ASKED)

    def test_of_a_missing_package_names_the_command(self) -> None:
        with pytest.raises(SettingsError, match="run `pip install langchain-anthropic`"):
            open_chat("anthropic:claude-sonnet-4-20250514").complete(ASKED)

    @pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://"])
    def test_of_an_address_says_what_is_expected(self, url: str) -> None:
        with pytest.raises(SettingsError, match="expected http"):
            open_chat(SPEC, base_url=url).complete(ASKED)

    def test_of_an_unknown_provider_is_one_line(self) -> None:
        with pytest.raises(SettingsError, match="nosuch:model cannot be used") as raised:
            open_chat("nosuch:model").complete(ASKED)
        assert "\n" not in str(raised.value)

    def test_turns_to_the_fallback(self) -> None:
        def by_model(seen: Seen) -> Reply:
            last = server.requests[-1]["model"]
            return busy(500) if last == "gpt-4o-mini" else BEHAVIOURS["answers"](seen)

        with FakeOpenAI(by_model) as server:
            model = chat(server, fallback="openai:other", max_retries=0)
            stream = model.stream(ASKED)
            assert "".join(stream) == REPLY
            assert model.complete(ASKED).model == "openai:other"
            assert model.structured(ASKED, Form).value.sub_questions == []
        assert stream.completion is not None
        assert stream.completion.model == "openai:other"

    def test_half_way_does_not_turn(self) -> None:
        with FakeOpenAI("dies_half_way") as server, pytest.raises(ModelUnavailableError):
            list(chat(server, fallback="openai:other").stream(ASKED))
        assert len(server.requests) == 1


class TestSecrets:
    def test_are_not_shown_by_a_model(self) -> None:
        with FakeOpenAI() as server:
            model = chat(server)
            model.complete(ASKED)
            assert KEY not in f"{model!r} {vars(model)}"

    @pytest.mark.parametrize(
        "text",
        [
            f"bad {KEY}",
            "Bearer abcdef1234",
            "https://u:pass@host/",
            "key-12345678",
            "bad hf_AbCdEfGhIjKlMnOpQrStUv",
            "gsk_AbCdEfGhIjKlMnOpQr12",
            "AIzaSyA1234567890abcdefghijk",
        ],
    )
    def test_are_taken_from_messages(self, text: str) -> None:
        assert "***" in redact(text)

    def test_a_server_that_needs_no_key_gets_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        with FakeOpenAI() as server:
            assert chat(server).complete(ASKED).text == REPLY


class TestForm:
    @pytest.mark.parametrize(
        "behaviour", ["answers", "no_structured_output", "malformed_json", "thinks", "cut_off"]
    )
    def test_is_had_from_any_server(self, behaviour: str) -> None:
        with FakeOpenAI(behaviour) as server:
            value = chat(server).structured(ASKED, Form).value
        assert value.standalone_question == "What does DAPO reach?"

    def test_a_server_that_cannot_hold_to_it_is_asked_so_once(self) -> None:
        with FakeOpenAI("no_structured_output") as server:
            model = chat(server)
            model.structured(ASKED, Form)
            model.structured(ASKED, Form)
        assert ["response_format" in each for each in server.requests] == [True, False, False]

    def test_is_asked_for_once_more(self) -> None:
        with FakeOpenAI(["never_json", "answers"]) as server:
            assert chat(server).structured(ASKED, Form).value.sub_questions == []
        assert "no JSON object" in server.requests[1]["messages"][-1]["content"]

    def test_that_does_not_come_is_an_error(self) -> None:
        with (
            FakeOpenAI("never_json") as server,
            pytest.raises(ModelUnavailableError, match="not answer in the form"),
        ):
            chat(server).structured(ASKED, Form)
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        "text",
        [
            '{"standalone_question": "q", "sub_questions": []}',
            'Sure!\n```json\n{"standalone_question": "q", "sub_questions": [],}\n```\nDone.',
            '<think>{"a": 1}</think>{"standalone_question": "q", "sub_questions": ["a", "b"',
            '{"x": 1} then {"standalone_question": "q", "sub_questions": []}',
            '{"standalone_question": "q", "sub_questions": ["two\nlines"]}',
        ],
    )
    def test_is_mended(self, text: str) -> None:
        assert structured.parse(text, Form).standalone_question == "q"

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "no JSON object"),
            ("[1]", "no JSON object"),
            ('{"standalone_question": 3}', "standalone_question"),
        ],
    )
    def test_that_does_not_fit_is_described(self, text: str, problem: str) -> None:
        with pytest.raises(ValueError, match=problem):
            structured.parse(text, Form)

    @given(st.text(st.sampled_from('{}[]",:\\ntrue1 a`'), max_size=60))
    def test_no_text_does_worse_than_not_fit(self, text: str) -> None:
        with pytest.raises(ValueError, match="."):
            structured.parse(text, Form)


class TestCache:
    def test_answers_the_same_question_without_the_server(self, tmp_path: Path) -> None:
        with FakeOpenAI() as server:
            first = chat(server, cache=tmp_path / "replies").complete(ASKED)
            again = chat(server, cache=tmp_path / "replies")
            stream = again.stream(ASKED)
            assert "".join(stream) == first.text == again.complete(ASKED).text
        assert len(server.requests) == 1
        assert stream.completion is not None
        assert stream.completion.cached
        assert stream.completion.usage == Usage(input_tokens=0, output_tokens=0, cost_usd=0.0)

    def test_keeps_a_streamed_reply(self, tmp_path: Path) -> None:
        with FakeOpenAI() as server:
            for _ in range(2):
                assert "".join(chat(server, cache=tmp_path / "replies").stream(ASKED)) == REPLY
        assert len(server.requests) == 1

    def test_keeps_a_reply_in_a_form(self, tmp_path: Path) -> None:
        with FakeOpenAI() as server:
            for _ in range(2):
                chat(server, cache=tmp_path / "replies").structured(ASKED, Form)
        assert len(server.requests) == 1

    def test_keeps_nothing_that_broke_off_or_was_empty(self, tmp_path: Path) -> None:
        with FakeOpenAI(["dies_half_way", "empty", "answers"]) as server:
            model = chat(server, cache=tmp_path / "replies")
            with pytest.raises(ModelUnavailableError):
                list(model.stream(ASKED))
            assert list(model.stream(ASKED)) == []
            assert "".join(model.stream(ASKED)) == REPLY

    def test_holds_no_key(self, tmp_path: Path) -> None:
        with FakeOpenAI() as server:
            chat(server, cache=tmp_path / "replies").complete(ASKED)
        assert KEY.encode() not in (tmp_path / "replies").read_bytes()


class TestConcurrency:
    def test_is_limited_for_all_models_of_a_server(self) -> None:
        with FakeOpenAI(delay=0.1) as server:
            models = [chat(server, concurrency=3, timeout=20.0) for _ in range(12)]
            models[0].complete(ASKED)
            threads = [threading.Thread(target=model.complete, args=(ASKED,)) for model in models]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert server.most_running == 3

    def test_a_place_is_free_again_after_an_error_and_a_stop(self) -> None:
        with FakeOpenAI(["500", "dies_half_way", "very_long", "answers"]) as server:
            model = chat(server, concurrency=1, max_retries=0, timeout=2.0)
            for _ in range(2):
                with pytest.raises(ModelUnavailableError):
                    list(model.stream(ASKED))
            stream = model.stream(ASKED)
            next(stream)
            stream.close()
            assert "".join(model.stream(ASKED)) == REPLY

    def test_without_a_free_place_in_time_it_says_so(self) -> None:
        with FakeOpenAI("very_long", pause=0.01) as server:
            model = chat(server, concurrency=1, timeout=0.3)
            stream = model.stream(ASKED)
            next(stream)
            with pytest.raises(ModelUnavailableError, match="busy with other questions"):
                model.complete(ASKED)
            stream.close()


def test_langchain_is_imported_only_when_a_model_is_asked() -> None:
    code = (
        "import sys; from assistant.models.chat import open_chat; open_chat('openai:x', cache=None)\n"
        "import assistant.answer.generate, assistant.answer.restate\n"
        "assert not [name for name in sys.modules if name.startswith(('langchain', 'openai', 'tiktoken'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
