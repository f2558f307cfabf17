"""Settings: data only. They name what to use and build nothing.

Plain pydantic over three merged mappings: pydantic-settings would add a quarter of a second to every
command for the same few lines.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import SettingsError

PREFIX = "ASSISTANT_"
CONFIG_FILE = "config.toml"


def _provider_and_model(value: str) -> str:
    provider, _, model = value.partition(":")
    if not (provider and model):
        raise ValueError("expected provider:model, such as openai:gpt-4o-mini")
    return value


def _llm(value: str) -> str:
    return value if value == "extractive" else _provider_and_model(value)


def _embeddings(value: str) -> str:
    return value if value == "minilm" else _provider_and_model(value)


def _local_or_http(value: str) -> str:
    if value != "local" and not value.startswith(("http://", "https://")):
        raise ValueError("expected 'local', or http(s)://host:port of a Chroma server")
    return value.rstrip("/")


def _https(value: str) -> str:
    if not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ValueError("expected https://…/.well-known/openid-configuration")
    return value


class Settings(BaseModel):
    """What the assistant uses. Strongest first: options, environment, ``config.toml``, defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: user_data_path("paper-assistant"),
        description="folder that holds all state",
    )
    llm: Annotated[str, AfterValidator(_llm)] = Field(
        default="extractive", description="'extractive', or provider:model of a language model"
    )
    llm_base_url: str | None = Field(
        default=None, description="base URL of an OpenAI-compatible server"
    )
    llm_small: Annotated[str, AfterValidator(_llm)] | None = Field(
        default=None, description="cheaper model for rewriting and checking; default: as llm"
    )
    llm_fallback: Annotated[str, AfterValidator(_provider_and_model)] | None = Field(
        default=None, description="provider:model to turn to when the first does not answer"
    )
    llm_fallback_base_url: str | None = Field(
        default=None,
        description="base URL of its server; default: llm_base_url if both are of one provider",
    )
    llm_timeout: float = Field(
        default=60.0, gt=0, description="seconds to wait for the next piece of a reply"
    )
    llm_concurrency: int = Field(default=8, ge=1, description="calls to a model at a time")
    llm_rate: int | None = Field(
        default=None, ge=1, description="calls to a model a minute; default: no limit"
    )
    evidence: Literal["passages", "distilled"] = Field(
        default="passages",
        description="what a model is shown: passages whole, or what the small model chooses from them",
    )
    verify: Literal["mark", "drop", "off"] = Field(
        default="mark", description="what to do with claims that their sources do not carry"
    )
    verify_with: Literal["rules", "model"] = Field(
        default="rules",
        description="what checks claims: rules alone, or the small model too where rules don't decide",
    )
    cache: bool = Field(default=True, description="whether replies of models are kept and reused")
    passage_tokens: int = Field(
        default=6_000, ge=200, description="tokens of passages that a model is shown"
    )
    answer_length: Literal["short", "medium", "long"] = Field(
        default="medium", description="how much a model writes"
    )
    answer_style: Literal["prose", "list", "simple"] = Field(
        default="prose", description="how a model writes; simple is for readers from other fields"
    )
    answer_language: str | None = Field(
        default=None, description="language of a model's answers; default: the question's"
    )
    budget_question: float | None = Field(
        default=None, ge=0, description="US dollars that one question may cost"
    )
    budget_day: float | None = Field(
        default=None, ge=0, description="US dollars that a day's questions may cost"
    )
    embeddings: Annotated[str, AfterValidator(_embeddings)] = Field(
        default="minilm", description="'minilm' (local), or provider:model of an embedder"
    )
    chroma: Annotated[str, AfterValidator(_local_or_http)] = Field(
        default="local", description="'local', or http(s)://host:port of a Chroma server"
    )
    database: str | None = Field(
        default=None, description="SQLAlchemy URL of the catalog; default: SQLite in the home"
    )
    arxiv_url: str = Field(
        default="https://arxiv.org", description="base URL of arXiv or of a mirror"
    )
    login: Annotated[str, AfterValidator(_https)] | None = Field(
        default=None,
        description="metadata address of the OpenID Connect provider that the web app logs in with",
    )
    contact: str | None = Field(
        default=None, description="mail address that is sent along when PDFs are fetched"
    )
    fetch_hosts: str = Field(
        default="",
        description="hosts with private addresses that PDFs may be fetched from, parted by spaces",
    )


def load_settings(options: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Merge options, ``ASSISTANT_*`` variables and ``config.toml`` of the home into settings.

    Raises:
        SettingsError: if a value cannot be used, or ``config.toml`` cannot be read or names an
            unknown setting.
    """
    variables = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    given = {**variables, **{name: value for name, value in options.items() if value is not None}}
    home = Path(given.get("home") or user_data_path("paper-assistant")).expanduser().absolute()
    try:
        return Settings.model_validate({**_read_file(home / CONFIG_FILE), **given, "home": home})
    except ValidationError as error:
        raise SettingsError(_explain(error, variables)) from error


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Name the ``ASSISTANT_*`` variables that are no setting, most likely misspelt."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def read_dotenv() -> None:
    """Put the variables of a ``.env`` file in the working folder into the environment, if unset."""
    path = Path(".env")
    if path.is_file():
        from dotenv import load_dotenv

        load_dotenv(path, override=False)


def redact(url: str) -> str:
    """Hide the password of a URL, so that it can be printed."""
    scheme, separator, rest = url.partition("://")
    login, at, host = rest.rpartition("@")
    user = login.partition(":")[0]
    return f"{scheme}{separator}{user}:***@{host}" if at and ":" in login else url


def _read_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {os.fspath(path)}: {error}") from error
    if "home" in content:
        raise SettingsError(f"{os.fspath(path)} cannot move the home it lies in: remove 'home'")
    return content


def _explain(error: ValidationError, variables: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    shown = PREFIX + name.upper() if name in variables else f"setting '{name}'"
    if first["type"] == "extra_forbidden":
        return f"{CONFIG_FILE} names an unknown {shown}: see `assistant config` for the known ones"
    return f"{shown} cannot be used: {first['msg'].removeprefix('Value error, ')}"
