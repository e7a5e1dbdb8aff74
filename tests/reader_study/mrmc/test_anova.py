"""Mean squares by hand, and that they add up to the whole."""

import numpy as np
import pytest

from mammoseg.reader_study.mrmc.anova import mean_squares


def test_two_factors_by_hand() -> None:
    cells = np.array([[1.0, 2, 3], [2, 4, 9]])
    found = mean_squares(cells, "TR")
    assert found["T"] == pytest.approx(3 * ((2 - 3.5) ** 2 + (5 - 3.5) ** 2))
    assert found["R"] == pytest.approx(2 * ((1.5 - 3.5) ** 2 + (3 - 3.5) ** 2 + (6 - 3.5) ** 2) / 2)
    residual = cells - cells.mean(0) - cells.mean(1, keepdims=True) + cells.mean()
    assert found["TR"] == pytest.approx(np.square(residual).sum() / 2)


def test_sums_of_squares_of_three_factors_add_up() -> None:
    cells = np.random.default_rng(0).normal(size=(2, 3, 7))
    degrees = {"T": 1, "R": 2, "C": 6, "TR": 2, "TC": 6, "RC": 12, "TRC": 12}
    found = mean_squares(cells, "TRC")
    assert sum(found[name] * df for name, df in degrees.items()) == pytest.approx(np.square(cells - cells.mean()).sum())


def test_one_level_has_no_mean_square() -> None:
    found = mean_squares(np.array([[1.0, 2, 3]]), "TR")
    assert np.isnan(found["T"])
    assert np.isnan(found["TR"])
    assert found["R"] == pytest.approx(1)
