"""`mammoseg results-page`: the folder of an evaluation is enough."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_page_from_the_folder_alone(tmp_path: Path, command: Callable[..., Any]) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps({"version": "0", "n_images": 3}))
    done = command("results-page", tmp_path)
    assert done.code == 0
    done.says("The page: ", "report.html")
    assert "with a score" in (tmp_path / "report.html").read_text()
    assert not (tmp_path / ".lock").exists()


def test_a_folder_without_an_evaluation(tmp_path: Path, command: Callable[..., Any]) -> None:
    done = command("results-page", tmp_path)
    assert done.code == 1
    done.says("holds no evaluation", "Run mammoseg evaluate")
    assert command("results-page", tmp_path / "none").code == 2
