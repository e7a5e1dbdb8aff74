"""Alignment of scores: a change of the machine is undone, and a change of the patients is wrongly undone, too."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import ks_2samp

from mammoseg.calibration.alignment import LEVELS, align, reference_of
from mammoseg.calibration.stored import CalibrationError

Floats = NDArray[np.float64]


def site(seed: int, prevalence: float, breasts: int = 4000) -> tuple[Floats, Floats]:
    """Labels and log odds of scores: binormal, with an AUC of 0.92."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(breasts) < prevalence * breasts).astype(float)
    return labels, rng.normal(size=breasts) - 3 + 2 * labels


def measures(labels: Floats, scores: Floats, threshold: float) -> tuple[float, float, float]:
    """Sensitivity, specificity, recall rate."""
    recalled = scores >= threshold
    return float(recalled[labels == 1].mean()), float(1 - recalled[labels == 0].mean()), float(recalled.mean())


PATIENTS = np.repeat(np.arange(2000), 2)


@pytest.mark.parametrize("change", [lambda x: x + 1, lambda x: 0.6 * x - 2, lambda x: x + 1 + 0.1 * (x + 3) ** 3])
def test_a_change_of_the_machine_is_undone_and_the_threshold_keeps_its_meaning(change: object) -> None:
    labels, before = site(0, 0.05)
    reference = reference_of(expit(before), PATIENTS)
    threshold = float(np.quantile(expit(before), 0.9))
    there, after = site(1, 0.05)
    moved = expit(change(after))  # type: ignore[operator]
    aligned = align(moved, PATIENTS, reference).points(moved)
    assert ks_2samp(moved, expit(before)).statistic > 0.2 > 0.02 > ks_2samp(aligned, expit(before)).statistic
    assert measures(there, aligned, threshold) == pytest.approx(measures(labels, expit(before), threshold), abs=0.06)
    assert measures(there, aligned, threshold)[2] == pytest.approx(0.1, abs=0.005)
    assert abs(measures(there, moved, threshold)[2] - 0.1) > 0.04


def test_other_patients_are_taken_for_another_machine() -> None:
    """The same machine with four times the cancers: left alone, the threshold is right; aligned, it misses cancers. The numbers of
    docs/how-to/calibrate.md."""
    _, before = site(0, 0.05)
    threshold = float(np.quantile(expit(before), 0.9))
    labels, scores = site(1, 0.2)
    aligned = align(expit(scores), PATIENTS, reference_of(expit(before), PATIENTS)).points(expit(scores))
    left, moved = measures(labels, expit(scores), threshold), measures(labels, aligned, threshold)
    assert [round(100 * share) for share in (*left, *moved)] == [67, 93, 19, 43, 98, 10]


def test_keeps_the_order_and_the_ends() -> None:
    _, before = site(0, 0.05)
    _, after = site(1, 0.05)
    points = align(expit(after + 1), PATIENTS, reference_of(expit(before), PATIENTS)).points
    grid = points(np.linspace(0, 1, 1001))
    assert (np.diff(grid) > 0).all()
    assert grid[[0, -1]].tolist() == [0, 1]
    assert np.isnan(points(np.array([np.nan]))).all()


def test_the_same_scores_stay_where_they_are() -> None:
    scores = expit(site(0, 0.05)[1])
    found = align(scores, PATIENTS, reference_of(scores, PATIENTS))
    assert found.points(scores) == pytest.approx(scores, abs=1e-12)
    assert (found.breasts, found.patients, len(found.points.x)) == (4000, 2000, len(LEVELS) + 2)


def test_equal_scores_go_to_the_middle() -> None:
    """A site whose scores are 0 for 40 % of all and 1 for 5 %."""
    _, before = site(0, 0.05)
    reference = reference_of(expit(before), PATIENTS)
    scores = np.concatenate([np.zeros(1600), expit(site(1, 0.05, 2200)[1]), np.ones(200)])
    points = align(scores, PATIENTS, reference).points
    assert reference.quantiles[0] < points(np.array(0.0)) < reference.quantiles[20]
    assert points(np.array(1.0)) > reference.quantiles[-5]


def test_refuses_few_breasts_on_either_side_and_scores_without_any_difference() -> None:
    scores, many = np.linspace(0.1, 0.9, 199), np.linspace(0.1, 0.9, 200)
    with pytest.raises(CalibrationError, match="199 breasts of the site"):
        align(scores, np.arange(199), reference_of(many, np.arange(200)))
    with pytest.raises(CalibrationError, match="199 breasts of the part that the calibration was made from"):
        align(many, np.arange(200), reference_of(scores, np.arange(199)))
    with pytest.raises(CalibrationError, match="all scores of the site are the same"):
        align(np.full(200, 0.4), np.arange(200), reference_of(many, np.arange(200)))
