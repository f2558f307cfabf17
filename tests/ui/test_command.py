"""``assistant ui``: what keeps the app from starting is said in one line."""

import json
import socket
import urllib.request
from pathlib import Path

import pytest
from browser import free_port, serving

from assistant.cli.main import run


def test_a_port_in_use_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["ui", "--port", str(port), "--no-browser"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_settings_that_cannot_be_used_are_said_before_it_starts(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSISTANT_CHROMA", "nonsense")
    assert run(["ui", "--port", str(free_port()), "--no-browser"]) == 2
    assert "ASSISTANT_CHROMA cannot be used" in capsys.readouterr().err


def test_it_answers_on_this_machine_only(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as address:
        port = int(address.rsplit(":", 1)[1])
        listening = [
            line.split()[1]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for line in Path(table).read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        ]
        assert [place for place in listening if place.endswith(f":{port:04X}")] == [
            f"0100007F:{port:04X}"
        ]
        with urllib.request.urlopen(f"{address}/_stcore/host-config") as answer:
            assert json.load(answer)
