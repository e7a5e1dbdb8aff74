"""Intervals and tests against scipy and tables."""

import numpy as np
import pytest

from mammoseg.reader_study.mrmc.inference import estimate, f_test


def test_t_and_normal() -> None:
    assert estimate(0.0, 1.0, 10).high == pytest.approx(2.228, abs=5e-4)
    assert estimate(0.0, 1.0, np.inf).high == pytest.approx(1.960, abs=5e-4)
    assert estimate(3.1824, 1.0, 3).p == pytest.approx(0.05, abs=1e-5)
    assert estimate(2.0, 4.0, np.inf, null=2.0).p == 1


def test_without_variance_there_is_no_test() -> None:
    found = estimate(0.1, 0.0, 5)
    assert (found.low, found.high) == (0.1, 0.1)
    assert np.isnan(found.p)
    assert np.isnan(f_test(1.0, 0.0, 1, 5).p)


def test_f_and_chi_square() -> None:
    assert f_test(4.965, 1.0, 1, 10).p == pytest.approx(0.05, abs=1e-4)
    chi_square = f_test(3.841, 1.0, 1, np.inf)
    assert (chi_square.statistic, chi_square.p) == (3.841, pytest.approx(0.05, abs=1e-4))
    assert f_test(5.991 / 2, 1.0, 2, np.inf).p == pytest.approx(0.05, abs=1e-4)
