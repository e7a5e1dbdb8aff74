"""A usage error becomes a message and exit code 2, everything else is raised."""

import sys
from typing import Any

import pytest

from mammoseg.cli import app


def test_wrong_usage_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "phantom"])
    assert app.run() == 2
    assert capsys.readouterr().err.startswith("Usage: mammoseg phantom [OPTIONS]\n")


def test_an_error_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app, "app", fail)
    with pytest.raises(ZeroDivisionError):
        app.run()
