import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as of_statsmodels

from mammoseg.statistics.mcnemar import clustered_mcnemar, mcnemar

FIRST = np.repeat([1, 1, 0, 0], [20, 10, 4, 30])
SECOND = np.repeat([1, 0, 1, 0], [20, 10, 4, 30])


def test_exact_is_that_of_statsmodels_and_r() -> None:
    found = mcnemar(FIRST, SECOND, "exact")
    assert (found.first_alone, found.second_alone, found.n) == (10, 4, 64)
    assert found.comparison.p == pytest.approx(0.179565429688, abs=1e-10)  # R: binom.test(4, 14)$p.value
    assert found.comparison.p == pytest.approx(of_statsmodels([[20, 10], [4, 30]], exact=True).pvalue)


def test_mid_p_by_hand() -> None:
    """The exact p less the chance of the table itself (Fagerland et al. 2013, eq. 4)."""
    found = mcnemar(FIRST, SECOND)
    assert found.comparison.p == pytest.approx(0.179565429688 - binom.pmf(4, 14, 0.5), abs=1e-10)
    assert found.comparison.difference == pytest.approx(6 / 64)


def test_interval_of_bonett_and_price_by_hand() -> None:
    low, high = mcnemar(FIRST, SECOND).comparison.low, mcnemar(FIRST, SECOND).comparison.high
    b, c, n = 11 / 66, 5 / 66, 66
    half = 1.959964 * np.sqrt((b + c - (b - c) ** 2) / n)
    assert (low, high) == pytest.approx((b - c - half, b - c + half), abs=1e-6)


def test_no_discordant_case_is_no_difference() -> None:
    found = mcnemar([1, 0, 1], [1, 0, 1])
    assert (found.comparison.p, found.comparison.difference) == (1, 0)
    assert found.comparison.low < 0 < found.comparison.high
    assert mcnemar([], []).comparison.reason == "no case"
    by_patient = clustered_mcnemar([1, 0, 1], [1, 0, 1], ["a", "b", "c"])
    assert by_patient.comparison.reason is not None


def test_by_patient_with_one_case_each_is_near_the_plain_one() -> None:
    one = clustered_mcnemar(FIRST, SECOND, np.arange(64)).comparison
    assert one.difference == pytest.approx(6 / 64)
    assert one.standard_error == pytest.approx(np.std(FIRST - SECOND, ddof=1) / 8)
    assert one.p == pytest.approx(mcnemar(FIRST, SECOND).comparison.p, abs=0.03)


def test_copies_within_a_patient_tell_nothing_new() -> None:
    once = clustered_mcnemar(FIRST, SECOND, np.arange(64)).comparison
    four = clustered_mcnemar(np.tile(FIRST, 4), np.tile(SECOND, 4), np.tile(np.arange(64), 4)).comparison
    assert (four.p, four.low) == pytest.approx((once.p, once.low))
    assert mcnemar(np.tile(FIRST, 4), np.tile(SECOND, 4)).comparison.p < 0.01


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="method 'chi2'; expected one of mid-p, exact"):
        mcnemar([1], [0], "chi2")
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        mcnemar([0.5], [0])
    with pytest.raises(ValueError, match="expected two on the same cases"):
        mcnemar([1, 0], [0])
