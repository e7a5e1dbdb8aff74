"""Net benefit. The numbers are those of dcurves 1.1.7 (Python): dca(df, "y", ["p"], thresholds=AT), then with prevalence=0.1."""

from typing import Any

import numpy as np
import pytest

from mammoseg.calibration.decision import net_benefit, net_benefit_of_all, thresholds
from mammoseg.calibration.prior import weighted_to

AT = np.array([0.1, 0.25, 0.4, 0.6])


def test_is_what_dcurves_says(twenty: Any) -> None:
    one = np.ones((1, 20))
    assert net_benefit(*twenty, AT, one)[0] == pytest.approx([0.35, 0.25, 0.2, 0.05])
    assert net_benefit_of_all(twenty.labels, AT, one)[0] == pytest.approx([1 / 3, 0.2, 0, -0.5])


def test_weights_give_what_dcurves_says_of_another_prevalence(twenty: Any) -> None:
    weights = weighted_to(twenty.labels, np.ones((1, 20)), 0.1)
    assert net_benefit(*twenty, AT, weights)[0] == pytest.approx([0.025, -0.0625, -0.075, -0.175])
    assert net_benefit_of_all(twenty.labels, AT, weights)[0] == pytest.approx([0, -0.2, -0.5, -1.25])


def test_who_has_just_the_threshold_is_recalled() -> None:
    found = net_benefit(np.array([1.0, 0.0]), np.array([0.2, 0.1]), np.array([0.2, 0.3]), np.ones((1, 2)))
    assert found[0] == pytest.approx([0.5, 0])


@pytest.mark.filterwarnings("error")
def test_replicates_without_a_case_are_undefined(twenty: Any) -> None:
    found = net_benefit(*twenty, AT, np.stack([np.ones(20), np.zeros(20)]))
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[0]).any()


def test_thresholds_follow_the_prevalence() -> None:
    assert thresholds(0.006)[[0, -1]] == pytest.approx([0.0003, 0.03])
    assert thresholds(0.5)[-1] == 0.99
    assert thresholds(0.0001)[-1] == 0.01
