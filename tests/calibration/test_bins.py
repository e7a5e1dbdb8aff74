"""The Brier score with its parts and the calibration error, against sums written out case by case."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from mammoseg.calibration.bins import binned, brier_parts, expected_calibration_error, expected_ece


def test_bins_hold_as_many_cases_and_equal_ones_together(many: Any) -> None:
    counts = binned(*many).member_nB.sum(axis=0)
    assert counts.tolist() == [100] * 10
    tied = binned(np.zeros(100), np.repeat([0.1, 0.2, 0.9], [60, 39, 1]))
    assert tied.member_nB.sum(axis=0).tolist() == [60, 40]
    assert binned(np.zeros(25), np.linspace(0, 1, 25)).member_nB.shape == (25, 2)
    assert binned(np.zeros(7), np.linspace(0, 1, 7)).member_nB.shape == (7, 1)
    assert binned(np.empty(0), np.empty(0)).member_nB.shape == (0, 0)


def test_parts_are_those_of_the_definitions(many: Any) -> None:
    cases, n = binned(*many), 1000
    found = {name: value[0] for name, value in brier_parts(cases, np.ones((1, n))).items()}
    y, p, share = many.labels, many.probabilities, many.labels.mean()
    reliability = resolution = within = ece = 0.0
    for member in cases.member_nB.T == 1:
        mean_p, mean_y = p[member].mean(), y[member].mean()
        reliability += member.sum() / n * (mean_p - mean_y) ** 2
        resolution += member.sum() / n * (mean_y - share) ** 2
        ece += member.sum() / n * abs(mean_p - mean_y)
        for case in np.flatnonzero(member):
            within += (p[case] - mean_p) ** 2 / n - 2 * (p[case] - mean_p) * (y[case] - mean_y) / n
    expected = (brier_score_loss(y, p), reliability, resolution, share * (1 - share), within)
    assert [found[f"brier{part}"] for part in ("", "_reliability", "_resolution", "_uncertainty", "_within")] == (
        pytest.approx(expected, abs=1e-12)
    )
    assert found["brier"] == pytest.approx(reliability - resolution + share * (1 - share) + within, abs=1e-12)
    assert found["scaled_brier"] == pytest.approx(1 - found["brier"] / (share * (1 - share)))
    assert expected_calibration_error(cases, np.ones((1, n)))[0] == pytest.approx(ece)


def test_an_example_of_murphys_kind() -> None:
    """Three forecasts, 0.1 of 10 days (1 rain), 0.5 of 10 (6), 0.9 of 10 (8): nothing varies within a bin."""
    y = np.concatenate([np.repeat([1, 0], [k, 10 - k]) for k in (1, 6, 8)]).astype(float)
    cases = binned(y, np.repeat([0.1, 0.5, 0.9], 10))
    found = {name: value[0] for name, value in brier_parts(cases, np.ones((1, 30))).items()}
    assert found["brier_reliability"] == pytest.approx((0 + 0.01 + 0.01) / 3)
    assert found["brier_resolution"] == pytest.approx((0.4**2 + 0.1**2 + 0.3**2) / 3)
    assert found["brier_uncertainty"] == pytest.approx(0.25)
    assert found["brier_within"] == pytest.approx(0, abs=1e-15)
    assert found["brier"] == pytest.approx(0.02 / 3 - 0.26 / 3 + 0.25)


@pytest.mark.filterwarnings("error:divide")
def test_a_weight_is_as_many_cases(many: Any) -> None:
    cases, weights = binned(*many), np.random.default_rng(0).integers(0, 3, (2, 1000)).astype(float)
    for name, values in brier_parts(cases, weights).items():
        for row, value in zip(weights.astype(int), values, strict=True):
            again = type(cases)(*(np.repeat(x, row, axis=0) for x in (*many, cases.member_nB)))
            assert value == pytest.approx(brier_parts(again, np.ones((1, row.sum())))[name][0], abs=1e-12)
    assert np.isnan(brier_parts(cases, np.zeros((1, 1000)))["brier"]).all()


def test_perfect_probabilities_show_the_error_that_chance_makes() -> None:
    """The mean over 400 draws of labels from the probabilities themselves."""
    rng, p = np.random.default_rng(1), np.random.default_rng(0).beta(1, 6, 400)
    drawn = [expected_calibration_error(binned(y, p), np.ones((1, 400)))[0] for y in (rng.random((400, 400)) < p) * 1.0]
    assert expected_ece(binned(np.zeros(400), p), np.ones(400)) == pytest.approx(np.mean(drawn), rel=0.05)
