"""The command that opens the web app."""

import hashlib
import importlib.util
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.common import read_settings
from assistant.errors import InputError
from assistant.keys import read_secret

if TYPE_CHECKING:
    from assistant.config import Settings

_HOST = "127.0.0.1"
_NAMES = (_HOST, "localhost")
"""What the page may be called by: a page elsewhere that leads here under its own name gets nothing."""

_CLIENT_ID, _CLIENT_SECRET = "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"

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
    "client.showErrorLinks": "false",
    "runner.magicEnabled": "false",
    "runner.postScriptGC": "false",
    "theme.paddingTop": "3.5rem",
    "theme.baseRadius": "0.6rem",
    "theme.light.primaryColor": "#1f5cc4",
    "theme.dark.primaryColor": "#2f6fde",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f4f6f9",
    "theme.light.textColor": "#0e151e",
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
    settings = read_settings()  # what cannot be used is said here, not on a page
    _check_free(port)
    options = _OPTIONS | {"server.port": str(port), "server.headless": str(not browser).lower()}
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += [f"--server.allowedHosts={name}" for name in _NAMES]
    if settings.login is not None:
        flags.append(f"--secrets.files={_login_file(settings, settings.login, port)}")
    os.execv(  # noqa: S606 - the app in place of this process, with nothing from outside
        sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", _script(), *flags]
    )


def _login_file(settings: "Settings", provider: str, port: int) -> str:
    """Name a file that tells the app how to log in; it is in memory only, for it holds a secret.

    Raises:
        InputError: if something is missing that logging in takes.
    """
    missing = [name for name in (_CLIENT_ID, _CLIENT_SECRET) if not os.environ.get(name)]
    if missing:
        raise InputError(
            f"logging in takes {' and '.join(missing)}: set what the provider gave you"
        )
    if importlib.util.find_spec("authlib") is None:
        raise InputError("logging in takes the package authlib: pip install authlib")
    if not hasattr(os, "memfd_create"):
        raise InputError("logging in works on Linux only: unset ASSISTANT_LOGIN")
    cookie_key = hashlib.sha256(b"login" + read_secret(settings.home / "secret")).hexdigest()
    values = {
        "redirect_uri": f"http://{_HOST}:{port}/oauth2callback",
        "cookie_secret": cookie_key,
        "client_id": os.environ[_CLIENT_ID],
        "client_secret": os.environ[_CLIENT_SECRET],
        "server_metadata_url": provider,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    file = os.memfd_create("login", flags=0)  # no flag: it lives on in the app that takes over
    os.write(file, "\n".join(["[auth]", *lines, ""]).encode())
    link = settings.home / f"login-{port}.toml"  # the app insists on this ending
    link.unlink(missing_ok=True)
    link.symlink_to(f"/proc/self/fd/{file}")
    return str(link)


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
