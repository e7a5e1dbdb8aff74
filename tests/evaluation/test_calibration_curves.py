"""The tables behind the figures: bins with Wilson's limits by patient, and net benefit with bands."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.calibrate import calibrate
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.calibration_curves import ALL, DECISION, NONE, RELIABILITY, decision_table, reliability_table
from mammoseg.evaluation.join import join
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, breast_table
from mammoseg.statistics.proportion import clustered_proportion

CLASSES = ("benign", "malignant")


@pytest.fixture(scope="module")
def predictions(scored_study: Manifest) -> Path:
    return scored_study.path.parent / "predictions"


@pytest.fixture(scope="module")
def breasts(scored_study: Manifest, predictions: Path) -> pd.DataFrame:
    joined = join(predictions, scored_study, "test")
    return breast_table(joined.images, [FINAL], joined.classes)


def test_a_bin_has_its_cases_their_mean_and_share(breasts: pd.DataFrame) -> None:
    found = reliability_table(breasts, CLASSES, None)
    assert list(found) == RELIABILITY
    assert (found["class"].unique().tolist(), found["source"].unique().tolist()) == (["malignant"], [FINAL])
    assert found["n"].sum() == 110
    assert found["positives"].sum() == breasts["malignant"].sum()
    assert found["predicted"].is_monotonic_increasing
    lowest = breasts.nsmallest(int(found["n"][0]), "score_final_malignant")
    share = clustered_proportion(lowest["malignant"], lowest["patient_id"].to_numpy(str))
    row = found.iloc[0]
    assert row["predicted"] == pytest.approx(lowest["score_final_malignant"].mean())
    assert (row["observed"], row["low"], row["high"]) == pytest.approx((share.value, share.low, share.high))


def test_shares_and_limits_move_with_the_prevalence(
    breasts: pd.DataFrame, scored_study: Manifest, predictions: Path
) -> None:
    """By hand: of a share q of positives, each counting t / f, and the others (1 - t) / (1 - f)."""
    made = calibrate(predictions, scored_study, split="val", prevalence=0.02).calibration
    here = reliability_table(breasts, CLASSES, None)
    there = reliability_table(breasts, CLASSES, made).query("source == 'final'")
    f = breasts["malignant"].mean()
    for name in ("observed", "low", "high"):
        positive, negative = here[name] * 0.02 / f, (1 - here[name]) * 0.98 / (1 - f)
        assert there[name].to_numpy() == pytest.approx((positive / (positive + negative)).to_numpy())


def test_a_decision_curve_has_every_way_and_its_band(
    breasts: pd.DataFrame, scored_study: Manifest, predictions: Path
) -> None:
    made = calibrate(predictions, scored_study, split="val").calibration
    found = decision_table(breasts, CLASSES, Method({}, CLASSES, bootstrap=60), made)
    assert list(found) == DECISION
    assert found["source"].unique().tolist() == [FINAL, "calibrated", ALL, NONE]
    assert found.groupby("source").size().tolist() == [100] * 4
    banded = found.dropna()
    assert {*banded["source"]} == {FINAL, "calibrated", ALL}
    assert (banded["low"] < banded["high"]).all()
    assert (found[found["source"] == NONE]["net_benefit"] == 0).all()
    t, share = found[found["source"] == ALL].iloc[20][["threshold", "net_benefit"]]
    prevalence = breasts["malignant"].mean()
    assert share == pytest.approx(prevalence - (1 - prevalence) * t / (1 - t))


def test_what_cannot_be_drawn_has_no_row(breasts: pd.DataFrame) -> None:
    negative = breasts.assign(malignant=0.0)
    assert decision_table(negative, CLASSES, Method({}, CLASSES, bootstrap=60), None).empty
    assert (reliability_table(negative, CLASSES, None)["positives"] == 0).all()
    no_band = decision_table(breasts, CLASSES, Method({}, CLASSES, bootstrap=0), None)
    assert np.isnan(no_band[no_band["source"] == FINAL]["low"]).all()
