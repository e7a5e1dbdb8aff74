"""Slope and intercept of recalibration. What R says: glm(y ~ x), glm(y ~ 1 + offset(x)), x = qlogis(p), R 4.2."""

from typing import Any

import numpy as np
import pytest

from mammoseg.calibration.recalibration import recalibration


def test_is_what_r_says(twenty: Any) -> None:
    found = {name: value[0] for name, value in recalibration(*twenty, np.ones((1, 20))).items()}
    assert found["slope"] == pytest.approx(1.2817846274136, abs=1e-9)
    assert found["cox_intercept"] == pytest.approx(0.0624832449322, abs=1e-9)
    assert found["intercept"] == pytest.approx(-0.00891027740716, abs=1e-9)
    assert found["observed_minus_expected"] == pytest.approx(8 / 20 - 8.03 / 20)
    assert found["observed_to_expected"] == pytest.approx(8 / 8.03)


def test_tells_what_was_done_to_right_probabilities(many: Any) -> None:
    """Scores are 0.6 of the true log odds and 0.8: slope 1 / 0.6, and too high as a whole."""
    found = recalibration(*many, np.ones((1, 1000)))
    assert found["slope"][0] == pytest.approx(1 / 0.6, abs=0.25)
    assert found["intercept"][0] < -0.5
    assert found["observed_to_expected"][0] < 0.6


@pytest.mark.filterwarnings("error")
def test_one_class_alone_and_nothing_have_no_slope() -> None:
    labels, weights = np.array([0.0, 0, 1]), np.array([[1.0, 1, 0], [0, 0, 1], [0, 0, 0]])
    found = recalibration(labels, np.array([0.1, 0.4, 0.2]), weights)
    assert np.isnan([*found["slope"], *found["intercept"], *found["cox_intercept"]]).all()
    assert found["observed_minus_expected"][:2] == pytest.approx([-0.25, 0.8])
    assert np.isnan(found["observed_to_expected"][2])
