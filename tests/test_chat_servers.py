"""Chat models of servers that take less than they are asked for, or answer in ways of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from assistant.errors import ModelUnavailableError, SettingsError
from assistant.models.accepted import Accepted, context_for
from assistant.models.chat import ChatModel, Completion, Message, open_chat
from assistant.models.failures import ContextLengthError
from tests.fake_openai import FakeOpenAI, Reply, Seen, answers

ASKED = [Message("system", "You answer."), Message("user", "Question: What is it?")]
TEXT = "It is a method."


class Form(BaseModel):
    standalone_question: str


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")


def chat(server: FakeOpenAI, **options: object) -> ChatModel:
    given = {"timeout": 5.0, "max_retries": 0, **options}
    return open_chat("openai:fake", base_url=server.url, **given)  # type: ignore[arg-type]


def read(model: ChatModel, **options: Any) -> Completion:
    stream = model.stream(ASKED, **options)
    text = "".join(stream)
    assert stream.completion is not None
    assert stream.completion.text == text
    return stream.completion


def refusing(
    message: str, refuses: Callable[[dict[str, Any]], bool], *, status: int = 400
) -> FakeOpenAI:
    """Make a server that refuses some requests and answers others."""

    def reply(seen: Seen) -> Reply:
        if refuses(server.requests[-1]):
            return Reply(status=status, error={"message": message})
        return Reply(text=answers(seen) if seen.wants_json else TEXT)

    server = FakeOpenAI(reply)
    return server


def sse(*events: dict[str, Any]) -> Reply:
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Reply(body="".join([*lines, "data: [DONE]\n\n"]), media="text/event-stream")


def chunk(text: str, *, usage: tuple[int | None, int | None] | None = None) -> dict[str, Any]:
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]
    made: dict[str, Any] = {"id": "x", "object": "chat.completion.chunk", "choices": choices}
    if usage is not None:
        made["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return made


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("message", "refuses"),
        [
            (
                "Unrecognized request argument: stream_options",
                lambda asked: "stream_options" in asked,
            ),
            ("streaming is not supported by this model", lambda asked: asked.get("stream")),
            ("System role not supported", lambda asked: asked["messages"][0]["role"] == "system"),
            ("'temperature' does not support 0.0", lambda asked: "temperature" in asked),
        ],
    )
    def test_is_left_out_from_then_on(
        self, message: str, refuses: Callable[[dict[str, Any]], bool]
    ) -> None:
        with refusing(message, refuses) as server:
            model = chat(server)
            assert [read(model).text for _ in range(2)] == [TEXT, TEXT]
        assert [bool(refuses(each)) for each in server.requests] == [True, False, False]

    def test_is_left_out_one_after_another(self) -> None:
        def refuses(asked: dict[str, Any]) -> bool:
            return "temperature" in asked or asked["messages"][0]["role"] == "system"

        with refusing("neither temperature nor a system message is taken", refuses) as server:
            assert read(chat(server)).text == TEXT
        assert len(server.requests) == 3
        assert server.requests[-1]["messages"] == [
            {"role": "user", "content": "You answer.\n\nQuestion: What is it?"}
        ]

    def test_is_told_where_the_server_does_not_say_what_it_is(self) -> None:
        with (
            refusing("bad request", lambda _asked: True) as server,
            pytest.raises(ModelUnavailableError, match=r"refused the request \(400\): bad request"),
        ):
            read(chat(server))
        assert len(server.requests) == 1

    def test_a_schema_may_be_with_an_error_of_its_own(self) -> None:
        with refusing("oh", lambda asked: "response_format" in asked, status=500) as server:
            model = chat(server)
            for _ in range(2):
                assert model.structured(ASKED, Form).value.standalone_question == "What is it?"
        assert ["response_format" in each for each in server.requests] == [True, False, False]

    def test_a_stream_is_had_whole_where_the_server_has_none(self) -> None:
        whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}}]}
        with FakeOpenAI(lambda _seen: Reply(body=json.dumps(whole))) as server:
            assert read(chat(server)).text == TEXT
        assert [each.get("stream", False) for each in server.requests] == [True, False]


class TestLimit:
    def test_is_sent_by_the_name_that_other_servers_know(self) -> None:
        with FakeOpenAI() as server:
            read(chat(server), limit=700)
            chat(server).complete(ASKED)
        assert [each.get("max_tokens") for each in server.requests] == [700, None]

    def test_has_another_name_where_that_is_refused_and_then_none(self) -> None:
        message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        with refusing(message, lambda asked: "max_tokens" in asked) as server:
            assert read(chat(server), limit=700).text == TEXT
        assert server.requests[-1]["max_completion_tokens"] == 700
        names = {"max_tokens", "max_completion_tokens"}
        with refusing("no max_tokens", lambda asked: bool(names & asked.keys())) as server:
            assert read(chat(server), limit=700).text == TEXT
        assert len(server.requests) == 3

    @pytest.mark.parametrize(
        "message",
        [
            "max_tokens is too large: at most 4096",
            "maximum context length is 8192 tokens, not 9999",
        ],
    )
    def test_is_lowered_where_it_is_more_than_the_model_can(self, message: str) -> None:
        with refusing(message, lambda asked: asked.get("max_tokens", 0) > 4096) as server:
            assert read(chat(server), limit=1_000_000).text == TEXT
        assert [each["max_tokens"] for each in server.requests] == [16_000, 1_500]

    def test_of_a_context_is_a_power_of_two_with_room_for_the_reply(self) -> None:
        assert [context_for(tokens) for tokens in (10, 1_600, 1_700, 20_000)] == [
            4_096, 4_096, 8_192, 32_768,
        ]  # fmt: skip

    def test_of_a_context_is_sent_to_ollama(self) -> None:
        from langchain_core.language_models import FakeListChatModel

        class Local(FakeListChatModel):
            num_ctx: int | None = None
            num_predict: int | None = None

        model = Accepted().fit(Local(responses=["x"]), [Message("user", "word " * 4_000)], 500)
        assert isinstance(model, Local)
        assert (model.num_ctx, model.num_predict) == (8_192, 500)
        again = Accepted().fit(model, ASKED, None, context=8_192)
        assert isinstance(again, Local)
        assert again.num_ctx == 8_192


class TestUsage:
    def test_that_is_told_with_each_chunk_is_not_added_up(self) -> None:
        told = [chunk("It is ", usage=(100, 3)), chunk("a method.", usage=(100, 7))]
        with FakeOpenAI(lambda _seen: sse(*told)) as server:
            usage = read(chat(server)).usage
        assert (usage.input_tokens, usage.output_tokens) == (100, 7)

    @pytest.mark.parametrize("nothing", [None, 0])
    def test_that_is_nothing_is_counted(self, nothing: int | None) -> None:
        with FakeOpenAI(lambda _seen: sse(chunk(TEXT, usage=(nothing, nothing)))) as server:
            usage = read(chat(server)).usage
        assert usage.input_tokens > 5
        assert usage.output_tokens > 2

    def test_of_a_form_is_told_though_it_fails(self) -> None:
        booked = []
        with FakeOpenAI("never_json") as server, pytest.raises(ModelUnavailableError):
            chat(server).structured(
                ASKED, Form, book=lambda model, usage: booked.append((model, usage.output_tokens))
            )
        assert booked == [("openai:fake", 4), ("openai:fake", 4)]

    def test_of_a_form_that_is_cut_is_told_and_it_is_mended(self) -> None:
        cut = Reply(text='{"standalone_question": "What', finish_reason="length")
        with FakeOpenAI(lambda _seen: cut) as server:
            reply = chat(server).structured(ASKED, Form)
        assert reply.value.standalone_question == "What"
        assert reply.usage.input_tokens > 0
        assert len(server.requests) == 1


class TestEnd:
    @pytest.mark.parametrize(
        ("reason", "remark"),
        [
            ("content_filter", "filter of contents"),
            ("length", "limit of length"),
            (None, "may be cut"),
        ],
    )
    def test_that_is_not_the_models_own_is_told_and_not_kept(
        self, reason: str | None, remark: str, tmp_path: Path
    ) -> None:
        with FakeOpenAI(lambda _seen: Reply(text=TEXT, finish_reason=reason)) as server:
            model = chat(server, cache=tmp_path / "replies")
            (told,) = read(model).remarks
            model.complete(ASKED)
        assert remark in told
        assert len(server.requests) == 2

    def test_of_its_own_is_not_worth_a_word(self) -> None:
        with FakeOpenAI(lambda _seen: TEXT) as server:
            assert read(chat(server)).remarks == ()

    @pytest.mark.parametrize("text", ["<think>hm</think>", "…", "<think>hm hm"])
    def test_before_anything_was_said_is_not_kept(self, text: str, tmp_path: Path) -> None:
        with FakeOpenAI([lambda _seen: text, lambda _seen: TEXT]) as server:
            model = chat(server, cache=tmp_path / "replies")
            read(model)
            assert read(model).text == TEXT


class TestError:
    @pytest.mark.parametrize(
        ("reply", "message"),
        [
            (Reply(body="<html>Log in</html>", media="text/html"), "check the base URL"),
            (Reply(body='{"error": {"message": "GPU is gone", "code": 503}}'), r"503.*GPU is gone"),
            (Reply(body='{"error": "GPU is gone"}'), "answered with an error: GPU is gone"),
            (sse({"error": {"message": "GPU is gone"}}), "answered with an error: GPU is gone"),
            (Reply(status=400, body='{"error": "no such thing"}'), r"\(400\): no such thing"),
            (Reply(status=400, body='{"detail": "no such thing"}'), r"\(400\): no such thing"),
            (
                Reply(status=422, body='{"detail": [{"loc": ["body", "n"], "msg": "is extra"}]}'),
                r"\(422\): body\.n: is extra",
            ),
            (Reply(status=503, body="<html>busy</html>", media="text/html"), r"later$"),
        ],
    )
    def test_is_told_in_the_servers_words(self, reply: Reply, message: str) -> None:
        with (
            FakeOpenAI(lambda _seen: reply) as server,
            pytest.raises(ModelUnavailableError, match=message),
        ):
            read(chat(server))

    @pytest.mark.parametrize(
        "body",
        [
            {"detail": "prompt is too long: 5043 tokens > 4096 maximum"},
            {"error": "context length exceeded"},
            {"message": "Input length 5043 exceeds maximum input length 4096"},
            {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096"},
        ],
    )
    def test_of_length_is_told_apart_in_any_body(self, body: dict[str, str]) -> None:
        with (
            FakeOpenAI(lambda _seen: Reply(status=422, body=json.dumps(body))) as server,
            pytest.raises(ContextLengthError),
        ):
            read(chat(server))

    def test_of_a_page_does_not_end_streaming_for_good(self) -> None:
        page = Reply(body="<html>Log in</html>", media="text/html")
        with FakeOpenAI([lambda _seen: page, lambda _seen: page, lambda _seen: TEXT]) as server:
            model = chat(server)
            with pytest.raises(ModelUnavailableError):
                read(model)
            assert read(model).text == TEXT
        assert server.requests[-1]["stream"]


class TestFallback:
    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_is_asked_where_the_first_is_refused(self, status: int) -> None:
        with refusing("no", lambda asked: asked["model"] == "fake", status=status) as server:
            model = chat(server, fallback="openai:other")
            assert read(model).model == "openai:other"
            assert model.complete(ASKED).model == "openai:other"
            assert model.structured(ASKED, Form).value.standalone_question == "What is it?"

    def test_may_be_on_another_server(self) -> None:
        with FakeOpenAI("500") as first, FakeOpenAI(lambda _seen: TEXT) as second:
            model = chat(first, fallback="openai:other", fallback_base_url=second.url)
            assert read(model).text == TEXT

    def test_of_another_provider_is_not_asked_at_the_firsts_address(self) -> None:
        with FakeOpenAI("500") as server:
            model = chat(server, fallback="anthropic:claude")
            with pytest.raises(SettingsError, match="langchain-anthropic"):
                read(model)
        assert {each["model"] for each in server.requests} == {"fake"}
