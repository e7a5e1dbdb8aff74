"""The mean of a paired difference: the paired t test, regression with errors by cluster, and by hand."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import ttest_rel

from mammoseg.statistics.paired_mean import mean_difference


def test_with_a_case_of_each_patient_it_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(3)
    first = rng.normal(0.6, 0.2, 25)
    second = first + rng.normal(-0.05, 0.1, 25)
    found = mean_difference(first, second, np.arange(25))
    reference = ttest_rel(first, second)
    low, high = reference.confidence_interval(0.95)
    assert (found.difference, found.p) == pytest.approx((np.mean(first - second), reference.pvalue))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_several_cases_of_a_patient_as_in_regression_with_clusters() -> None:
    """statsmodels: a constant alone, errors by cluster with its usual correction; t with as many degrees as patients less one."""
    rng = np.random.default_rng(4)
    patients = rng.integers(0, 12, 40)
    difference = rng.normal(0.1, 0.2, 40) + rng.normal(0, 0.3, 12)[patients]
    found = mean_difference(difference, np.zeros(40), patients)
    groups = {"groups": np.unique(patients, return_inverse=True)[1]}
    fit = sm.OLS(difference, np.ones(40)).fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    assert found.standard_error == pytest.approx(fit.bse[0])
    assert found.p == pytest.approx(fit.pvalues[0])
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))
    alone = mean_difference(difference, np.zeros(40), np.arange(40))
    assert alone.standard_error < found.standard_error, "images of a patient are alike here"


def test_by_hand() -> None:
    # patients a: 0.2 and 0.4, b: 0.0; D = 0.2, V = 2 / 1 * (0.2^2 + 0.2^2) / 9
    found = mean_difference([0.2, 0.4, 0.0], [0.0, 0.0, 0.0], ["a", "a", "b"])
    assert found.difference == pytest.approx(0.2)
    assert found.standard_error == pytest.approx(np.sqrt(2 * 0.08 / 9))


def test_what_cannot_be_told_says_why() -> None:
    rng = np.random.default_rng(0)
    many = rng.uniform(0, 1, 30)
    alike = (many + 0.05, many, np.arange(30))  # apart from rounding
    for given in (([], [], []), ([0.1], [0.2], ["a"]), ([0.1, 0.2], [0.1, 0.2], ["a", "b"]), alike):
        found = mean_difference(*given)
        assert np.isnan(found.p)
        assert np.isnan(found.low)
        assert found.reason


@pytest.mark.parametrize("given", [([0.1], [0.1, 0.2]), ([np.nan], [0.1]), ([[0.1]], [[0.2]])])
def test_numbers_of_other_cases_are_refused(given: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match=r"expected two of the same cases"):
        mean_difference(*given, ["a"])
