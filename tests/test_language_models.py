"""The models that the settings name: where each is asked, and what is booked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from assistant.config import Settings
from assistant.errors import ModelUnavailableError, SettingsError
from assistant.library.language_models import LanguageModels
from assistant.library.parts import Parts
from assistant.models.chat import Message
from tests.fake_openai import FakeOpenAI

ASKED = [Message("user", "Question: What is it?")]


class Form(BaseModel):
    standalone_question: str


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")


@contextmanager
def asked_here(
    home: Path, behaviour: Any, **settings: Any
) -> Iterator[tuple[LanguageModels, FakeOpenAI]]:
    """Serve the main model, ``openai:fake``, at the base URL of the settings."""
    with FakeOpenAI(behaviour) as server:
        given = {"llm": "openai:fake", "llm_base_url": server.url, "cache": False, **settings}
        parts = Parts(Settings(home=home, **given), announce=lambda _line: None)
        yield LanguageModels(parts), server


def test_models_of_one_provider_are_asked_at_one_address(tmp_path: Path) -> None:
    named = {"llm_fallback": "openai:other", "llm_small": "openai:small"}
    refused: list[Any] = ["404", "answers"]
    with asked_here(tmp_path, refused, **named) as (models, server):
        assert models.chat.complete(ASKED).model == "openai:other"
        assert models.small_chat.complete(ASKED).model == "openai:small"
    assert [each["model"] for each in server.requests] == ["fake", "other", "small"]


def test_a_fallback_may_have_its_own_address(tmp_path: Path) -> None:
    with (
        FakeOpenAI() as other,
        asked_here(
            tmp_path, "404", llm_fallback="openai:other", llm_fallback_base_url=other.url
        ) as (models, server),
    ):
        assert models.chat.complete(ASKED).model == "openai:other"
        assert [each.problem for each in models.check(["openai:other"])] == [None]
    assert [each["model"] for each in server.requests] == ["fake"]
    assert [each["model"] for each in other.requests] == ["other", "other"]


@pytest.mark.parametrize("role", ["llm_fallback", "llm_small"])
def test_a_model_of_another_provider_is_not_asked_there(tmp_path: Path, role: str) -> None:
    with asked_here(tmp_path, "404", **{role: "anthropic:claude"}) as (models, server):
        chat = models.chat if role == "llm_fallback" else models.small_chat
        with pytest.raises(SettingsError, match="anthropic"):
            chat.complete(ASKED)
    assert {each["model"] for each in server.requests} <= {"fake"}


def test_a_form_that_does_not_come_is_booked(tmp_path: Path) -> None:
    with asked_here(tmp_path, "never_json") as (models, server):
        with pytest.raises(ModelUnavailableError, match="form"):
            models.reply("split", Form, data={"claim": "It is so."})
        (total,) = models.ledger.totals(since=datetime.now(UTC).date())
    assert len(server.requests) == 2
    assert total.usage.output_tokens == 8
