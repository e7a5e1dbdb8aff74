"""`mammoseg evaluate`: options, the table, the exit code."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.manifest import Manifest


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    seen = SimpleNamespace(failed=0, below=0, learned=0)

    def evaluate(predictions: Path, manifest: Manifest, out: Path, **options: Any) -> dict[str, Any]:
        seen.paths, seen.manifest, seen.options = (predictions, out), manifest, options
        counts = {
            "n_failed": seen.failed,
            "n_images": 8,
            "n_of_training": seen.learned,
            "window": {"images_below": seen.below},
        }
        return counts | {"titles": {}, "by": {column: {"level": "breast"} for column in options["by"]}}

    monkeypatch.setattr("mammoseg.evaluation.evaluate.evaluate", evaluate)
    monkeypatch.setattr("mammoseg.results_page.write.write_results_page", lambda *given: setattr(seen, "page", given))
    monkeypatch.setattr("mammoseg.evaluation.tables.summary_table", lambda _: [{"metric": "AUC", "value": "0.9"}])
    by = lambda _, column: [{column: "A", "value": "0.7"}]  # noqa: E731
    monkeypatch.setattr("mammoseg.evaluation.tables.breakdown_table", by)
    return seen


def invoke(manifest: Manifest, *options: str) -> Result:
    required = ["evaluate", "--predictions", "pred", "--manifest", str(manifest.path), "--out", "out"]
    return CliRunner().invoke(app, [*required, *options])


def test_defaults_and_table(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    result = invoke(phantom_study)
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["metric", "value"],
        ["AUC", "0.9"],
        ["All", "numbers:", "out/metrics.json,", "as", "a", "page:", "out/report.html"],
    ]
    assert calls.paths == (Path("pred"), Path("out"))
    assert calls.manifest.sha256() == phantom_study.sha256()
    assert calls.options == {"split": None, "by": [], "bootstrap": 1000, "seed": 0, "metrics": [], "training": False}


def test_options(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    invoke(
        phantom_study,
        *[
            "--split",
            "test",
            "--by",
            "density",
            "--by",
            "view",
            "--bootstrap",
            "5",
            "--seed",
            "3",
            "--metric",
            "my_lab.m",
            "--allow-training-images",
        ],
    )
    assert calls.options == {
        "split": "test",
        "by": ["density", "view"],
        "bootstrap": 5,
        "seed": 3,
        "metrics": ["my_lab.m"],
        "training": True,
    }


def test_training_images_that_are_meant_are_told(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    calls.learned = 3
    result = invoke(phantom_study, "--allow-training-images")
    assert result.exit_code == 0
    assert "Caution: from patients of 3 of 8 images the model has learned." in result.stdout


def test_breakdowns_are_printed(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    lines = invoke(phantom_study, "--by", "density", "--by", "view").stdout.splitlines()
    first, second = (
        lines.index(f"By {name}, a row for each value and class; cases are breasts:") for name in ("density", "view")
    )
    assert [line.split() for line in lines[first + 1 : first + 3]] == [["density", "value"], ["A", "0.7"]]
    assert lines[second + 1].split() == ["view", "value"]


def test_images_that_the_window_misses_are_told(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    calls.below = 3
    assert "Caution: on 3 of 8 images the model saw too little of the breast." in invoke(phantom_study).stdout


def test_failed_images_make_3(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    calls.failed = 1
    assert invoke(phantom_study).exit_code == 3


def test_several_predictions_have_a_spread(
    calls: SimpleNamespace, phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    calls.failed = 1
    monkeypatch.setattr("mammoseg.evaluation.spread.write_spread", lambda out, found: [(out, len(found))])
    monkeypatch.setattr("mammoseg.evaluation.spread.spread_table", lambda rows, _: [{"rows": str(rows)}])
    result = invoke(phantom_study, "--predictions", "other")
    assert result.exit_code == 3
    assert calls.paths == (Path("other"), Path("out/2"))
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["rows"],
        ["[(PosixPath('out'),", "2)]"],
        ["All", "numbers:", "out/1/metrics.json,", "as", "a", "page:", "out/1/report.html"],
        ["All", "numbers:", "out/2/metrics.json,", "as", "a", "page:", "out/2/report.html"],
    ]
