"""The command that shows the settings."""

import os

import typer

from assistant.cli.common import JsonFlag
from assistant.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add this module's command to the app."""
    app.command(epilog="Example: assistant config --json")(config)


def config(*, as_json: JsonFlag = False) -> None:
    """Show every setting with its value; set them by environment or in config.toml of the home."""
    from assistant.config import CONFIG_FILE, PREFIX, Settings, load_settings, read_dotenv, redact

    read_dotenv()
    settings = load_settings({}, os.environ)
    shown = {name: redact(str(value)) if value is not None else None for name, value in settings}
    if as_json:
        print_json(shown)
        return
    print(f"# {settings.home / CONFIG_FILE}")
    for name, field in Settings.model_fields.items():
        print(f"{PREFIX}{name.upper()} = {shown[name] or '(not set)'}  # {field.description}")
