"""`mammoseg demo`: options, what it says, where to look."""

from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from mammoseg.cli.app import app


def test_options_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def run_demo(*arguments: Any) -> dict[str, Any]:
        *given, say = arguments
        seen.append(tuple(given))
        say("1. Phantoms")
        return {}

    monkeypatch.setattr("mammoseg.demo.run_demo", run_demo)
    monkeypatch.setattr("mammoseg.evaluation.tables.summary_table", lambda _: [{"metric": "AUC"}])
    first = CliRunner().invoke(app, ["demo", "--device", "cpu"])
    assert first.exit_code == 0
    lines = [line.strip() for line in first.stdout.splitlines()]
    assert lines == ["1. Phantoms", "metric", "AUC", "Look at mammoseg-demo/index.html"]
    CliRunner().invoke(
        app, ["demo", "--out", "x", "--device", "cpu", "--workers", "1", "--seed", "4", "--overwrite", "--train"]
    )
    cpu = torch.device("cpu")
    assert seen == [(Path("mammoseg-demo"), cpu, 2, 0, False, False), (Path("x"), cpu, 1, 4, True, True)]
