"""Numbers of calibration with intervals by patient, of the score and of what a calibration makes of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.calibrate import calibrate
from mammoseg.calibration.bins import binned, brier_parts
from mammoseg.calibration.recalibration import recalibration
from mammoseg.calibration.stored import Calibration
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.calibration import calibration_numbers, calibration_table, stored_point_table
from mammoseg.evaluation.join import join
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, breast_table
from mammoseg.statistics.bootstrap import interval
from mammoseg.statistics.operating import operating_point

METHOD = Method({}, ("benign", "malignant"), bootstrap=60)


@pytest.fixture(scope="module")
def predictions(scored_study: Manifest) -> Path:
    return scored_study.path.parent / "predictions"


@pytest.fixture(scope="module")
def made(scored_study: Manifest, predictions: Path) -> Calibration:
    return calibrate(predictions, scored_study, split="val", at="sensitivity=0.9").calibration


@pytest.fixture(scope="module")
def breasts(scored_study: Manifest, predictions: Path) -> pd.DataFrame:
    joined = join(predictions, scored_study, "test")
    return breast_table(joined.images, [FINAL], joined.classes)


def test_numbers_are_those_of_the_formulas_and_intervals_those_of_the_bootstrap(
    breasts: pd.DataFrame, made: Calibration
) -> None:
    found = calibration_numbers(breasts, METHOD, made)["malignant"]
    labels, scores = (breasts[name].to_numpy(float) for name in ("malignant", "score_final_malignant"))
    patients = breasts["patient_id"].tolist()
    for source, p in ((FINAL, scores), ("calibrated", made.probabilities("malignant", scores))):
        numbers, one = found[source], np.ones((1, labels.size))
        assert numbers["brier"]["value"] == pytest.approx(np.mean((p - labels) ** 2))
        assert numbers["slope"]["value"] == pytest.approx(recalibration(labels, p, one)["slope"][0])
        sides = [len({patients[k] for k in np.flatnonzero(labels == side)}) for side in (0, 1)]
        spread = interval(lambda w, p=p: recalibration(labels, p, w)["slope"], patients, 60, 0, units=min(sides))
        assert (numbers["slope"]["low"], numbers["slope"]["high"]) == pytest.approx((spread.low, spread.high), rel=1e-6)
        spread = interval(lambda w, p=p: brier_parts(binned(labels, p), w)["brier"], patients, 60, 0)
        assert (numbers["brier"]["low"], numbers["brier"]["high"]) == pytest.approx((spread.low, spread.high))
        assert numbers["expected_ece"]["no_interval"]
        about = {key: numbers[key] for key in ("level", "n", "positives", "unknown", "weighted_to", "reason")}
        positives = int(labels.sum())
        assert about == {
            "level": "breast",
            "n": 110,
            "positives": positives,
            "unknown": 0,
            "weighted_to": None,
            "reason": None,
        }
    assert found["calibrated"]["brier"]["value"] < found[FINAL]["brier"]["value"]


def test_the_stored_point_is_measured_at_its_threshold(breasts: pd.DataFrame, made: Calibration) -> None:
    numbers = calibration_numbers(breasts, METHOD, made)["malignant"]["calibrated"]
    labels, scores = (breasts[name].to_numpy(float) for name in ("malignant", "score_final_malignant"))
    point = made.classes["malignant"].point
    assert point is not None
    expected = operating_point(labels, scores, breasts["patient_id"].to_numpy(str), "given", point.threshold)
    for name, measure in expected.measures.items():
        assert (numbers[name]["value"], numbers[name]["low"]) == (measure.value, measure.low)
    [row] = stored_point_table(calibration_numbers(breasts, METHOD, made))
    assert row["sensitivity"].startswith(f"{expected.measures['sensitivity'].value:.3f} (")


def test_of_a_population_with_another_prevalence(
    breasts: pd.DataFrame, scored_study: Manifest, predictions: Path
) -> None:
    """PPV by Bayes' rule from sensitivity and specificity; the Brier score as that of a population with 2 % positive."""
    made = calibrate(predictions, scored_study, split="val", prevalence=0.02, at="sensitivity=0.9").calibration
    found = calibration_numbers(breasts, METHOD, made)["malignant"]
    numbers = found["calibrated"]
    se, sp = numbers["sensitivity"]["value"], numbers["specificity"]["value"]
    rate = 0.02 * se + 0.98 * (1 - sp)
    assert numbers["recall_rate"]["value"] == pytest.approx(rate)
    assert numbers["ppv"]["value"] == pytest.approx(0.02 * se / rate)
    assert numbers["npv"]["value"] == pytest.approx(0.98 * sp / (1 - rate))
    assert numbers["npv"]["low"] < numbers["npv"]["value"] < numbers["npv"]["high"]
    labels, scores = (breasts[name].to_numpy(float) for name in ("malignant", "score_final_malignant"))
    errors = (made.probabilities("malignant", scores) - labels) ** 2
    expected = 0.02 * errors[labels == 1].mean() + 0.98 * errors[labels == 0].mean()
    assert numbers["brier"]["value"] == pytest.approx(expected)
    assert numbers["brier_uncertainty"]["value"] == pytest.approx(0.02 * 0.98)
    assert {of["weighted_to"] for of in found.values()} == {0.02}
    assert "weighted to 0.02" in calibration_table({"malignant": found})[0]["of"]


def test_what_is_undefined_says_why(breasts: pd.DataFrame, made: Calibration) -> None:
    known = calibration_numbers(breasts.assign(malignant=0.0, benign=np.nan), METHOD, made)
    assert known["malignant"]["calibrated"]["reason"] == "no case with a positive label"
    assert "brier" not in known["malignant"]["calibrated"]
    assert known["benign"][FINAL]["reason"] == "no case with a positive and none with a negative label"
    unscored = calibration_numbers(breasts.assign(score_final_malignant=np.nan), METHOD, made)
    assert unscored["malignant"][FINAL]["reason"] == "the model does not predict this class"
    logits = calibration_numbers(breasts.assign(score_final_malignant=3.0), METHOD, None)
    assert logits["malignant"] == {}
    assert calibration_table(known) == []


def test_perfect_scores_have_no_slope_but_the_rest(breasts: pd.DataFrame) -> None:
    perfect = breasts.assign(score_final_malignant=0.1 + 0.8 * breasts["malignant"])
    numbers = calibration_numbers(perfect, METHOD, None)["malignant"][FINAL]
    assert np.isnan(numbers["slope"]["value"])
    assert numbers["slope"]["no_interval"] is None
    assert numbers["brier"]["value"] == pytest.approx(0.01)
    [row] = calibration_table({"malignant": {FINAL: numbers}})
    assert row["slope"] == "undefined"
