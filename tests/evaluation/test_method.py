"""Metrics of others are found, tried before anything is measured, and their mistakes are told as theirs."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from mammoseg.cli.app import app
from mammoseg.evaluation.method import Method, MetricError, load_metrics
from mammoseg.plugins import PluginError

PLUGINS = Path(__file__).parents[1] / "plugins"


def test_evaluate_reports_metrics_from_outside(study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    out = study.folder / "out"
    paths = ["--predictions", str(study.predictions), "--manifest", str(study.manifest.path), "--out", str(out)]
    metrics_of_others = ["--metric", "my_lab.metrics.toy", "--metric", "my_lab.metrics.brier"]
    metrics_of_others += ["--metric", "my_lab.metrics.first_mark"]
    result = CliRunner().invoke(app, ["evaluate", *paths, *metrics_of_others, "--bootstrap", "50", "--by", "view"])
    assert result.exit_code == 3, result.output  # one image had failed in predict
    metrics = json.loads((out / "metrics.json").read_text())
    brier = metrics["scores"]["image"]["malignant"]["final"]["brier"]
    pointed = metrics["maps"]["malignant"]["maps"]["saliency"]["toy"]
    assert 0 < brier["low"] < brier["value"] < brier["high"] < 1
    assert (pointed["n"], pointed["undefined"]) == (1, 1)
    assert pointed["value"] in (0, 1)
    first = metrics["marks"]["malignant"]["saliency"]["first_mark"]
    assert first["value"] in (0, 1)
    table = pd.read_csv(out / "metrics.csv")
    assert set(table.loc[table["metric"] == "first_mark", "table"]) == {"marks"}
    assert set(table.loc[table["metric"] == "toy", "table"]) == {
        "maps", "ratio to random", "difference", "maps by size", "maps by view",
    }  # fmt: skip
    assert set(table.loc[table["metric"] == "brier", "table"]) == {"scores", "by view", "calibration"}
    assert pd.read_csv(out / "per_image.csv")["malignant_saliency_toy"].notna().sum() == 1
    assert "Brier score" in result.stdout
    assert "Pointing game" in result.stdout
    assert "First mark" in result.stdout


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("without", "KIND, TITLE = 'maps', 'x'", "is no metric: it does not define measure"),
        ("kind", "KIND, TITLE, measure = 'map', 'x', min", "KIND is 'map'; expected one of scores, maps, marks"),
        (
            "fails",
            "KIND, TITLE = 'maps', 'x'\ndef measure(i): return 1 / 0",
            "ends in ZeroDivisionError: division by zero",
        ),
        ("pair", "KIND, TITLE = 'maps', 'x'\ndef measure(i): return None, 2", r"gives \(None, 2\); expected a number"),
        (
            "one",
            "KIND, TITLE = 'scores', 'x'\ndef measure(a, b, c): return 0.5",
            "gives 0.5; expected 3 numbers, one for",
        ),
        (
            "single",
            "KIND, TITLE = 'marks', 'x'\ndef measure(a, b): return {'y': 0.5}",
            "gives 0.5; expected 3 numbers, one for",
        ),
        (
            "scale",
            "KIND, TITLE, SCALE = 'scores', 'x', 'log'\ndef measure(a, b, c): return c.sum(axis=1)",
            "SCALE is 'log'; expected one of percentile, logit",
        ),
        ("auc", "from mammoseg.metrics.auc import *", r"lab_auc\.auc: mammoseg\.metrics\.auc is called auc, too"),
        (
            "average",
            "KIND, TITLE = 'maps', 'x'\ndef measure(image): return {'precision': 1.0}",
            r"is called average_precision, as one of mammoseg\.metrics\.average_precision is",
        ),
    ],
)
def test_what_is_no_metric_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: str
) -> None:
    (tmp_path / f"lab_{name}").mkdir()
    (tmp_path / f"lab_{name}" / f"{name}.py").write_text(text + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises((MetricError, PluginError), match=expected):
        load_metrics([f"lab_{name}.{name}"])


def test_a_metric_whose_name_begins_another_has_its_own_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab_begins").mkdir()
    (tmp_path / "lab_begins" / "average.py").write_text(
        "KIND, TITLE = 'maps', 'Mean of the map'\ndef measure(image): return {'level': 0.5}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    titles = Method(load_metrics(["lab_begins.average"])).titles()
    assert titles["average_precision"] == "Average precision"
    assert titles["average_level"] == "Mean of the map (level)"


@pytest.mark.parametrize(
    ("asked", "cases", "drawn"),
    [(1000, 5000, 1000), (1000, 100_000, 200), (1000, 10**6, 100), (50, 10**6, 50), (0, 0, 0)],
)
def test_fits_to_very_many_cases_are_repeated_less_often(asked: int, cases: int, drawn: int) -> None:
    assert Method({}, bootstrap=asked).for_fits(cases).bootstrap == drawn
