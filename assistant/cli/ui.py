"""The command that opens the web app."""

import importlib.util
import os
import socket
import sys
from typing import Annotated

import typer

from assistant.cli.common import read_settings
from assistant.errors import InputError

_HOST = "127.0.0.1"
_NAMES = (_HOST, "localhost")
"""What the page may be called by: a page elsewhere that leads here under its own name gets nothing."""

_OPTIONS = {
    "server.address": _HOST,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "100",
    "server.enableStaticServing": "false",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": _HOST,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "runner.magicEnabled": "false",
    "theme.paddingTop": "3.5rem",
    "theme.baseRadius": "0.6rem",
    "theme.primaryColor": "#2f6fde",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f4f6f9",
    "theme.light.textColor": "#1d2530",
    "theme.dark.backgroundColor": "#12161c",
    "theme.dark.secondaryBackgroundColor": "#1b212a",
    "theme.dark.textColor": "#e6eaf0",
}


def register(app: typer.Typer) -> None:
    """Add this module's command to the app."""
    app.command(epilog="Example: assistant ui --port 8501")(ui)


def ui(
    *,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port on this machine to answer at.")
    ] = 8501,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Open the web app: ask, read the sources, look after the library.

    It answers on this machine only; Ctrl-C ends it.
    """
    read_settings()  # what cannot be used is said here, not on a page
    _check_free(port)
    options = _OPTIONS | {"server.port": str(port), "server.headless": str(not browser).lower()}
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += [f"--server.allowedHosts={name}" for name in _NAMES]
    os.execv(  # noqa: S606 - the app in place of this process, with nothing from outside
        sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", _script(), *flags]
    )


def _script() -> str:
    found = importlib.util.find_spec("ui.app")
    if found is None or found.origin is None:
        raise InputError("the web app is not installed: install the whole package again")
    return found.origin


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be used ({error.strerror}): choose another with --port"
            ) from error
