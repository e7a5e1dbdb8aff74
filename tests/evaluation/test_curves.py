import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc

from mammoseg.evaluation.curves import MOST_POINTS, curve_table, curves_about, draw_curves
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import ranking

METRICS = load_metrics()


def cases(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    truth = (np.arange(n) % 4 == 0).astype(float)
    table = pd.DataFrame({"patient_id": np.arange(n).astype(str), "malignant": truth, "other": 0.0})
    return table.assign(score_final_malignant=truth + rng.normal(size=n), score_final_other=0.5)


def drawn(n: int, bootstrap: int) -> tuple[dict, dict, Method]:
    table, method = cases(n), Method(METRICS, ("malignant", "other"), bootstrap)
    results = {label: {"final": ranking(table, label, "final", method)} for label in method.classes}
    return draw_curves(table, results, method), results, method


def test_the_table_is_what_the_figure_shows() -> None:
    curves, results, method = drawn(80, 60)
    assert list(curves) == ["roc", "pr"]
    assert list(curves["roc"]) == ["malignant"]  # of the other there is none
    table = curve_table("roc", curves["roc"])
    assert list(table) == ["class", "part", "false_positive_rate", "sensitivity", "threshold", "low", "high"]
    curve, band = table[table["part"] == "curve"], table[table["part"] == "band"]
    area = auc(curve["false_positive_rate"], curve["sensitivity"])
    assert area == pytest.approx(results["malignant"]["final"]["auc"]["value"])
    assert (band["low"] <= band["sensitivity"] + 1e-9).all()
    assert (band["low"] < band["high"]).any()
    about = curves_about(curves, "breast", method)
    assert about["roc"] == {"file": "roc.csv", "points": {"malignant": {"of": len(curve), "written": len(curve)}}}
    assert about["level"] == "breast"
    assert list(curve_table("pr", curves["pr"]))[2:4] == ["recall", "precision"]


def test_without_replicates_there_is_no_band_and_long_curves_are_thinned() -> None:
    curves, _, method = drawn(3 * MOST_POINTS, 0)
    table = curve_table("roc", curves["roc"])
    assert set(table["part"]) == {"curve"}
    assert len(table) == MOST_POINTS
    assert table[["false_positive_rate", "sensitivity"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert curves_about(curves, "image", method)["roc"]["points"]["malignant"]["of"] == 3 * MOST_POINTS + 1
