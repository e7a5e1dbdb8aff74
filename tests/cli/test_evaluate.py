"""`mammoseg evaluate`: options, the table, the exit code."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.mark_rule import MarkRule

NOTHING: dict[str, Any] = {"cuts": {}, "at": [], "at_of": None, "rule": MarkRule()}


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
        by = {column: {"level": "breast", "heterogeneity": {}} for column in options["by"]}
        return counts | {"titles": {}, "by": by, "calibration": {}}

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
    assert calls.options == {
        "split": None,
        "by": [],
        "bootstrap": 1000,
        "seed": 0,
        "metrics": [],
        "training": False,
        **NOTHING,
    }


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
        **NOTHING,
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


def test_parts_are_pooled(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    invoke(phantom_study, "--predictions", "other", "--pool")
    assert calls.paths == ([Path("pred"), Path("other")], Path("out"))


TABLE = """\
Patient;Side;Image;p_malignant;q;Biopsy;Age
{rows}"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty patients with two images of a breast each; every third is positive; one score is missing."""
    monkeypatch.chdir(tmp_path)
    rows = []
    for i in range(80):
        patient, positive = i // 2, i // 2 % 3 == 0
        score = "" if i == 5 else f"{(i * 7 % 50 + 20 * positive) / 100:.2f}"
        truth = "not yet" if i == 2 else "cancer" if positive else "none"
        rows.append(f"{patient:03d};{'LR'[patient % 2]};{i};{score};{i * 3 % 7};{truth};{40 + patient}")
    path = tmp_path / "scores.csv"
    path.write_text(TABLE.format(rows="\n".join(rows)).replace(".", ","), encoding="utf-8-sig")
    return path


def run(*options: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--out", "out", "--bootstrap", "50", *options])


COLUMNS = ["--table", "scores.csv", "--label", "biopsy", "--patient", "patient", "--breast", "side", "--image", "image"]
VALUES = ["--positive", "cancer", "--negative", "none"]


def test_a_table_of_ones_own(table: Path) -> None:
    points = ["--at", "sensitivity=0.9", "--at", "threshold=0.35"]
    result = run(*COLUMNS, *VALUES, "--score", "p_malignant", "--by", "age", "--cut", "age=50,60", *points)
    assert result.exit_code == 3, result.output  # one score is missing
    assert (
        "Labels: biopsy (positive cancer 28 times, negative none 51 times, unknown not yet 1 times)." in result.stdout
    )
    metrics = json.loads(Path("out/metrics.json").read_text())
    assert (metrics["format"], metrics["manifest"], metrics["maps"], metrics["window"]) == (2, None, {}, None)
    assert metrics["table"]["columns"] == {"patient": "patient", "breast": "side", "image": "image"}
    assert (metrics["n_failed"], metrics["n_breasts"], metrics["n_of_training"]) == (1, 40, None)
    assert set(metrics["scores"]) == {"image", "breast", "exam"}
    assert list(metrics["operating_points"]["breast"]["malignant"]) == ["sensitivity=0.9", "threshold=0.35"]
    assert list(metrics["by"]["age"]["values"]) == ["below 50", "50 to below 60", "60 and above"]
    again = run(*COLUMNS, *VALUES, "--score", "p_malignant", "--at-of", "out/metrics.json")
    assert "No such" not in again.output
    points_again = json.loads(Path("out/metrics.json").read_text())["operating_points"]["breast"]["malignant"]
    assert points_again["sensitivity=0.9"]["chosen_on"]["file"] == "metrics.json"


def test_several_scores_are_several_models(table: Path) -> None:
    result = run(*COLUMNS, *VALUES, "--score", "p_malignant", "--score", "q")
    assert result.exit_code == 3, result.output
    assert {path.name for path in Path("out").iterdir()} >= {"1", "2", "spread.csv"}
    assert json.loads(Path("out/2/metrics.json").read_text())["table"]["score"] == "q"
    assert "Caution: the models were evaluated on different images" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one of both"),
        (["--table", "scores.csv", "--predictions", "p", "--manifest", "m"], "give one of both"),
        (["--predictions", "p"], "need the table of their images"),
        (["--table", "scores.csv", "--score", "p_malignant"], "the column of scores and that of labels"),
        (
            ["--predictions", "p", "--manifest", "m", "--label", "cancer", "--positive", "yes"],
            "has no meaning with --predictions",
        ),
        (["--table", "scores.csv", "--score", "p", "--label", "l", "--pool"], "has no meaning with --table"),
    ],
)
def test_what_is_missing_is_told(table: Path, options: list[str], message: str) -> None:
    result = run(*options)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
