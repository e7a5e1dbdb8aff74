import numpy as np
import pytest

from mammoseg.statistics.scale import logit_interval, quantile


def test_many_patients_need_1_96_and_few_need_more() -> None:
    assert quantile(10**6) == pytest.approx(1.959964, abs=1e-5)
    assert quantile(15) == pytest.approx(2.144787 * np.sqrt(15 / 14), abs=1e-6)  # t of 14 degrees, from a table
    assert quantile(2) == pytest.approx(12.7062 * np.sqrt(2), abs=1e-3)


def test_logit_by_hand() -> None:
    low, high = logit_interval(0.9, 0.03, 2.0)
    middle, half = np.log(9), 2 * 0.03 / 0.09
    assert [low, high] == pytest.approx([1 / (1 + np.exp(-(middle - half))), 1 / (1 + np.exp(-(middle + half)))])
    assert 0.9 - low > high - 0.9


@pytest.mark.parametrize(("value", "error"), [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0), (np.nan, 0.1), (0.5, np.nan)])
def test_what_did_not_vary_is_not_certain(value: float, error: float) -> None:
    assert np.isnan(logit_interval(value, error)).all()
