"""Two evaluations compared: the numbers are those of the statistics, and what cannot be told says why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from mammoseg.comparison.compare import compare
from mammoseg.comparison.differences import Settings
from mammoseg.metrics.auc import roc_auc
from mammoseg.statistics.comparison import by_delong

FAST = Settings(replicates=100, margin=0.05)
POINTS = {"sensitivity=0.8": {"threshold": 0.55, "chosen_on": "these cases"}, "x": {"threshold": None}, "y": []}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def results(evaluation_in: Callable[..., Path], root: Path) -> dict[str, Any]:
    """Of root/a and root/b, in root/out."""
    points = {"operating_points": {"image": {"malignant": POINTS}}}
    return compare(evaluation_in(root, "a", **points), evaluation_in(root, "b", 0.2, **points), root / "out", FAST)


def test_differences_of_scores(results: dict[str, Any], root: Path) -> None:
    a, b = (pd.read_csv(root / name / "per_image.csv") for name in "ab")
    number = results["scores"]["image"]["malignant"]["auc"]
    areas = [roc_auc(table["malignant"], table["score_final_malignant"]) for table in (a, b)]
    assert (number["a"], number["b"]) == pytest.approx(tuple(areas))
    assert number["value"] == pytest.approx(areas[1] - areas[0])
    scores = [table["score_final_malignant"].to_numpy() for table in (b, a)]
    expected = by_delong(a["malignant"], *scores, a["patient_id"].tolist())
    assert (number["low"], number["high"], number["p"]) == pytest.approx((expected.low, expected.high, expected.p))
    assert number["low"] > 0
    assert number["bootstrap"]["low"] == pytest.approx(number["low"], abs=0.1)
    assert number["permutation"]["p"] < 0.05
    assert number["non_inferiority"]["shown"]
    assert (number["n"], number["positives"], number["caution"]) == (80, 20, None)
    assert results["scores"]["breast"]["malignant"]["auc"]["value"] == pytest.approx(number["value"])
    precision = results["scores"]["image"]["malignant"]["average_precision"]
    assert precision["test"] == "bootstrap by patient"
    assert "non_inferiority" not in precision


def test_p_values_are_adjusted_within_a_level(results: dict[str, Any]) -> None:
    numbers = [n for metrics in results["scores"]["image"].values() for n in metrics.values()]
    known = [n for n in numbers if not np.isnan(n["p"])]
    assert {n["holm_of"] for n in numbers} == {len(known)}
    smallest = min(known, key=lambda n: n["p"])
    assert smallest["p_holm"] == pytest.approx(min(1, smallest["p"] * len(known)))
    assert all(n["p_holm"] >= n["p"] for n in known)


def test_a_class_without_positives_has_no_number_but_a_reason(results: dict[str, Any]) -> None:
    number = results["scores"]["image"]["benign"]["auc"]
    assert np.isnan(number["value"])
    assert number["reason"]
    assert np.isnan(number["p_holm"])


def test_points_that_both_have(results: dict[str, Any], root: Path) -> None:
    assert results["operating_points"]["breast"] == {"malignant": {}, "benign": {}}
    [(name, point)] = results["operating_points"]["image"]["malignant"].items()
    assert (name, point["threshold_a"], point["chosen_on_these_cases"]) == ("sensitivity=0.8", 0.55, True)
    right = [
        table.loc[table["malignant"] == 1, "score_final_malignant"] >= 0.55
        for table in (pd.read_csv(root / name / "per_image.csv") for name in "ab")
    ]
    found = point["sensitivity"]
    assert (found["a"], found["b"]) == pytest.approx((right[0].mean(), right[1].mean()))
    assert found["b_alone"] - found["a_alone"] == round(20 * found["value"])
    assert point["specificity"]["value"] == 0
    assert point["specificity"]["n"] == 60
    assert np.isnan(point["specificity"]["p"])


def test_maps_are_compared_image_by_image(results: dict[str, Any], root: Path) -> None:
    assert set(results["maps"]) == {"malignant"}
    assert set(results["maps"]["malignant"]) == {"dice_soft", "pxap"}, "those with a title"
    number = results["maps"]["malignant"]["dice_soft"]
    values = [pd.read_csv(root / name / "per_image.csv")["malignant_saliency_dice_soft"].dropna() for name in "ba"]
    assert number["value"] == pytest.approx((values[0] - values[1]).mean())
    assert number["p"] == pytest.approx(ttest_rel(*values).pvalue)
    assert (number["n"], number["higher"], number["lower"]) == (20, 20, 0)


def test_files(results: dict[str, Any], root: Path) -> None:
    out = root / "out"
    stored = json.loads((out / "compare.json").read_text())
    assert stored["scores"]["image"]["benign"]["auc"]["value"] is None
    assert stored["a"]["name"] == "a"
    assert stored["maps"]["malignant"]["dice_soft"] == results["maps"]["malignant"]["dice_soft"]
    table = pd.read_csv(out / "compare.csv")
    assert {"table", "class", "metric", "a", "b", "value", "low", "high", "p", "p_holm", "bootstrap_low"} <= set(table)
    assert set(table["table"]) == {"scores", "operating points", "maps"}
    assert {path.name for path in out.glob("scatter_*")} == {
        f"scatter_{metric}.{kind}" for metric in ("dice_soft", "pxap") for kind in ("png", "pdf", "svg")
    }


def test_without_replicates_and_margin(evaluation: Callable[..., Path], tmp_path: Path) -> None:
    stale = tmp_path / "out" / "scatter_old.svg"
    stale.parent.mkdir()
    stale.write_text("old")
    results = compare(evaluation("a"), evaluation("b"), stale.parent, Settings(replicates=0))
    numbers = results["scores"]["image"]["malignant"]
    assert "non_inferiority" not in numbers["auc"]
    assert numbers["average_precision"]["reason"] == "no replicates were drawn"
    assert numbers["auc"]["reason"], "the same scores"
    assert not stale.exists()


def test_few_patients_come_with_a_caution(evaluation: Callable[..., Path], tmp_path: Path) -> None:
    few = lambda table: table[table["patient_id"].isin([f"p{i}" for i in range(12)])]  # noqa: E731
    results = compare(evaluation("a", change=few), evaluation("b", 0.1, change=few), tmp_path / "out", Settings(0))
    assert results["scores"]["image"]["malignant"]["auc"]["caution"] == "caution: only 6 positive patients"
    assert results["maps"]["malignant"]["dice_soft"]["caution"] == "caution: only 6 patients"
