"""`mammoseg serve`: what is refused before it begins. tests/reviewer/test_server.py lets it run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.reviewer import server


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[server.Settings]:
    """The settings that the server would be started with."""
    settings: list[server.Settings] = []
    monkeypatch.setattr(server, "serve", lambda given, _started: settings.append(given))
    return settings


def test_it_stays_on_this_machine(command: Callable[..., Any], given: list[server.Settings], tmp_path: Path) -> None:
    (tmp_path / "predictions").mkdir()
    assert command("serve", tmp_path / "predictions").code == 0
    [settings] = given
    assert (settings.host, settings.token, settings.order, settings.blinded) == ("127.0.0.1", None, None, False)
    assert settings.out == tmp_path / "predictions_review"


def test_elsewhere_there_is_a_token(command: Callable[..., Any], given: list[server.Settings], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 20)
    call = ("serve", tmp_path / "predictions", "--out", tmp_path / "review", "--host", "0.0.0.0")
    done = command(*call)
    assert (done.code, given[0].token) == (0, done.out.split()[-1])
    done = command(*call, "--token-file", tmp_path / "token")
    assert given[1].token == "x" * 20
    assert "x" * 20 not in done.out + done.err
    (tmp_path / "token").write_text("short")
    done = command(*call, "--token-file", tmp_path / "token")
    assert done.code == 1
    done.says("5 characters")
    assert len(given) == 2


def test_wrong_use(command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "predictions").mkdir()
    assert command("serve", tmp_path / "predictions", "--out", tmp_path / "predictions").code == 2
    done = command("serve", tmp_path / "predictions", "--out", tmp_path / "review", "--port", "0")
    assert done.code == 1
    done.says("is not a predictions folder")
    done = command("serve", tmp_path / "predictions", "--exams", tmp_path / "no.txt")
    assert done.code == 1
    done.says("the work list cannot be read")
    monkeypatch.setattr(server, "find_spec", lambda _: None)
    done = command("serve", tmp_path / "predictions")
    assert done.code == 1
    done.says("pip install 'mammoseg[serve]'")
