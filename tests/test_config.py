"""Settings: where they come from, and what they refuse."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assistant.config import (
    PREFIX,
    Settings,
    load_settings,
    read_dotenv,
    redact,
    unknown_variables,
)
from assistant.errors import SettingsError


def load(
    home: Path,
    toml: str | None = None,
    variables: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    home.mkdir(exist_ok=True)
    if toml is not None:
        (home / "config.toml").write_text(toml, encoding="utf-8")
    return load_settings(options or {}, {"ASSISTANT_HOME": str(home), **(variables or {})})


class TestPrecedence:
    TOML = 'llm = "openai:toml"'
    VARIABLES = {"ASSISTANT_LLM": "openai:environment"}  # noqa: RUF012 - never changed

    def test_an_option_is_strongest(self, home: Path) -> None:
        settings = load(home, self.TOML, self.VARIABLES, {"llm": "openai:option"})
        assert settings.llm == "openai:option"

    def test_the_environment_comes_second(self, home: Path) -> None:
        assert load(home, self.TOML, self.VARIABLES, {"llm": None}).llm == "openai:environment"

    def test_the_file_comes_third(self, home: Path) -> None:
        assert load(home, self.TOML).llm == "openai:toml"

    def test_the_default_comes_last(self, home: Path) -> None:
        assert load(home).llm == "extractive"

    def test_an_empty_variable_counts_as_unset(self, home: Path) -> None:
        assert load(home, self.TOML, {"ASSISTANT_LLM": ""}).llm == "openai:toml"

    def test_the_home_of_an_option_holds_the_file(self, home: Path, tmp_path: Path) -> None:
        load(tmp_path / "other", self.TOML)
        assert load(home, options={"home": tmp_path / "other"}).llm == "openai:toml"


def test_defaults_are_those_of_the_interface(home: Path) -> None:
    expected = {
        "llm": "extractive",
        "llm_base_url": None,
        "llm_small": None,
        "embeddings": "minilm",
        "chroma": "local",
        "database": None,
        "arxiv_url": "https://arxiv.org",
    }
    assert load(home).model_dump(include=set(expected)) == expected


def test_without_any_setting_the_home_is_the_users_data_folder() -> None:
    assert load_settings({}, {}).home.name == "paper-assistant"


def test_the_home_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"home": "here"}, {}).home == tmp_path / "here"


def test_the_home_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({"home": "~/papers"}, {}).home == tmp_path / "papers"


def test_a_file_may_begin_with_a_byte_order_mark(home: Path) -> None:
    assert load(home, '\ufeffllm = "openai:toml"').llm == "openai:toml"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("llm", "ollama:llama3.1:8b"),
        ("llm_small", "extractive"),
        ("embeddings", "openai:text-embedding-3-small"),
        ("chroma", "https://chroma.example:8000"),
    ],
)
def test_usable_values_are_kept(name: str, value: str, home: Path) -> None:
    assert getattr(load(home, options={name: value}), name) == value


def test_a_slash_at_the_end_of_the_chroma_address_is_dropped(home: Path) -> None:
    assert load(home, options={"chroma": "http://host:8000/"}).chroma == "http://host:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("llm", "gpt-4o"),
        ("llm", "openai:"),
        ("llm", ":gpt-4o"),
        ("llm_small", "gpt"),
        ("embeddings", "bge"),
        ("chroma", "host:8000"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(name: str, value: str, home: Path) -> None:
    variable = PREFIX + name.upper()
    with pytest.raises(SettingsError, match=f"{variable} cannot be used: expected"):
        load(home, variables={variable: value})


@pytest.mark.parametrize("toml", ['llm = "gpt-4o"', "llm = 5", "llm = []"])
def test_a_value_in_the_file_that_cannot_be_used_names_the_setting(toml: str, home: Path) -> None:
    with pytest.raises(SettingsError, match="setting 'llm' cannot be used: "):
        load(home, toml)


def test_an_unknown_name_in_the_file_is_an_error(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml names an unknown setting 'lmm'"):
        load(home, 'lmm = "extractive"')


def test_the_file_cannot_move_the_home(home: Path) -> None:
    with pytest.raises(SettingsError, match="cannot move the home"):
        load(home, 'home = "/elsewhere"')


@pytest.mark.parametrize("content", [b"llm = ", b"\xff\xfe\x00", b"llm = 'a'\nllm = 'b'"])
def test_a_file_that_cannot_be_parsed_is_named(content: bytes, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"cannot read .*config\.toml"):
        load(home)


def test_a_file_that_cannot_be_opened_is_named(home: Path) -> None:
    (home / "config.toml").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"cannot read .*config\.toml"):
        load(home)


@pytest.mark.parametrize("toml", ["llm = ", "lmm = 1", "llm = []", 'home = "/x"'])
def test_messages_are_one_line(toml: str, home: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load(home, toml)
    assert "\n" not in str(raised.value)


def test_settings_do_not_change(home: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(home).llm = "openai:other"  # type: ignore[misc]  # that is what is tested


def test_misspelt_variables_are_found() -> None:
    environment = {"ASSISTANT_LMM": "x", "ASSISTANT_LLM": "extractive", "PATH": "/bin"}
    assert unknown_variables(environment) == ["ASSISTANT_LMM"]


class TestDotenv:
    def test_sets_variables(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ASSISTANT_LLM", "")  # so that it is restored
        monkeypatch.delenv("ASSISTANT_LLM")
        (tmp_path / ".env").write_text("ASSISTANT_LLM=openai:dotenv\n")
        read_dotenv()
        assert load_settings({"home": tmp_path}, os.environ).llm == "openai:dotenv"

    def test_leaves_those_alone_that_are_set(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ASSISTANT_LLM", "openai:environment")
        (tmp_path / ".env").write_text("ASSISTANT_LLM=openai:dotenv\n")
        read_dotenv()
        assert load_settings({"home": home}, os.environ).llm == "openai:environment"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:secret@db.example/papers", "postgresql://ann:***@db.example/papers"),
        ("postgresql://ann:sec@ret/@db.example/papers", "postgresql://ann:***@db.example/papers"),
        ("http://:secret@host:8000", "http://:***@host:8000"),
        ("http://host:8000", "http://host:8000"),
        ("sqlite:////home/ann/papers.sqlite", "sqlite:////home/ann/papers.sqlite"),
        ("local", "local"),
    ],
)
def test_redact_hides_passwords(url: str, shown: str) -> None:
    assert redact(url) == shown
