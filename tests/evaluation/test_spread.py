"""Mean and standard deviation over models."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mammoseg.evaluation.spread import spread_table, write_spread

TITLES = {"auc": "AUC", "dice_soft": "Dice (soft)"}


def metrics(auc: float, dice: float, n: int = 20) -> dict[str, Any]:
    number = {"low": 0.0, "high": 1.0}
    final = {"n": n, "positives": 5, "reason": None, "auc": {"value": auc, **number}}
    dices = {"saliency": {"dice_soft": {"value": dice, "n": 5, **number}}}
    return {
        "scores": {"breast": {"malignant": {"final": final}}},
        "maps": {"malignant": {"maps": dices, "ratio_to_random": {}, "saliency_minus_global": {}}},
        "by": {},
    }


def test_over_three_models(tmp_path: Path) -> None:
    rows = write_spread(tmp_path, [metrics(0.7, 0.2), metrics(0.8, 0.3), metrics(0.9, np.nan)])
    auc, dice = rows
    assert (auc["metric"], auc["models"], auc["n"]) == ("auc", 3, 20)
    assert (auc["mean"], auc["std"], auc["low"], auc["high"]) == pytest.approx((0.8, 0.1, 0.7, 0.9))
    assert np.isnan(dice["mean"])  # undefined for one of them
    table = pd.read_csv(tmp_path / "spread.csv")
    assert list(table["metric"]) == ["auc", "dice_soft"]
    assert table["std"][0] == pytest.approx(0.1)
    assert spread_table(rows, TITLES) == [
        {
            "metric": "AUC",
            "of": "final, by breast",
            "class": "malignant",
            "mean": "0.800",
            "std": "0.100",
            "range": "0.700 to 0.900",
        },
        {
            "metric": "Dice (soft)",
            "of": "saliency map",
            "class": "malignant",
            "mean": "undefined",
            "std": "undefined",
            "range": "",
        },
    ]


def test_models_that_failed_on_other_images_have_no_common_number_of_cases(tmp_path: Path) -> None:
    auc, _ = write_spread(tmp_path, [metrics(0.7, 0.2), metrics(0.8, 0.3, n=19)])
    assert auc["n"] is None


def test_what_one_of_them_does_not_have_has_no_spread(tmp_path: Path) -> None:
    without = metrics(0.7, 0.2)
    without["maps"] = {}
    assert [row["metric"] for row in write_spread(tmp_path, [metrics(0.8, 0.3), without])] == ["auc"]
