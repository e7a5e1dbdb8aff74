"""Numbers of R 4: `binom.test(36, 40)$conf.int`, `prop.test(36, 40, correct=FALSE)$conf.int`; Wald's by hand."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t as student

from mammoseg.statistics.proportion import METHODS, clustered_proportion, proportion

NAN = float("nan")
R = {
    "clopper-pearson": (0.763362600124, 0.972074584706),
    "wilson": (0.769482247725, 0.960420471317),
    "wald": (0.9 - 1.959963984540 * np.sqrt(0.9 * 0.1 / 40), 0.9 + 1.959963984540 * np.sqrt(0.9 * 0.1 / 40)),
}


@pytest.mark.parametrize("method", METHODS)
def test_k_of_n_as_r_has_it(method: str) -> None:
    found = proportion(36, 40, method)
    assert (found.low, found.high) == pytest.approx(R[method], abs=1e-9)
    assert (found.value, found.k, found.n, found.method, found.reason) == (0.9, 36, 40, method, None)


def test_all_of_n_still_has_a_lower_end() -> None:
    """0.025^(1/n) by Clopper and Pearson; the rule of three, two-sided."""
    assert proportion(20, 20, "clopper-pearson").low == pytest.approx(0.025 ** (1 / 20))
    assert proportion(0, 20, "clopper-pearson").high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert 0.7 < proportion(20, 20).low < proportion(20, 20).high == 1


def test_cases_of_their_own_patients_are_independent() -> None:
    ones = np.arange(40) < 36
    found = clustered_proportion(ones, np.arange(40))
    plain = proportion(36, 40)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-12)


def test_the_standard_error_is_that_of_a_regression_robust_to_clusters() -> None:
    """Wald's interval by patient against statsmodels' cluster-robust mean: the same variance, and t."""
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(60), rng.integers(1, 5, 60))
    ones = (rng.random(60)[patients] < 0.7).astype(float)
    robust = sm.OLS(ones, np.ones_like(ones)).fit(cov_type="cluster", cov_kwds={"groups": patients}, use_t=True)
    found = clustered_proportion(ones, patients, "wald")
    n, half = ones.size, np.ptp(robust.conf_int()[0]) / 2
    normal = 1.959963984540 / student.ppf(0.975, n - 1) * np.sqrt((n - 1) / n)  # z, and the variance of a sample
    assert (found.high - found.low) / 2 == pytest.approx(half * normal, rel=1e-9)


def test_images_of_one_patient_are_not_independent() -> None:
    patients, ones = np.arange(50), np.arange(50) < 40
    once, four = clustered_proportion(ones, patients), clustered_proportion(np.tile(ones, 4), np.tile(patients, 4))
    assert four.n == 200
    assert four.high - four.low == pytest.approx(once.high - once.low, rel=0.03)
    assert proportion(160, 200).high - proportion(160, 200).low < 0.6 * (four.high - four.low)


def test_all_ones_count_patients_not_images() -> None:
    found, plain = clustered_proportion(np.ones(80), np.repeat(np.arange(20), 4)), proportion(20, 20)
    assert (found.low, found.high) == (plain.low, plain.high)


def test_alternating_cases_do_not_make_more_than_there_are() -> None:
    """One of two in every patient: the variance between patients is 0."""
    found = clustered_proportion(np.tile([0, 1], 30), np.repeat(np.arange(30), 2))
    assert (found.low, found.high) == (proportion(30, 60).low, proportion(30, 60).high)


def test_undefined_says_why() -> None:
    assert proportion(0, 0).reason == "no case"
    assert clustered_proportion([], []).reason == "no case"
    alone = clustered_proportion([1, 0], ["a", "a"])
    assert (alone.value, alone.reason) == (0.5, "fewer than two patients")
    assert np.isnan(alone.low)


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="5 of 3; expected 0 <= k <= n"):
        proportion(5, 3)
    with pytest.raises(ValueError, match="method 'exact'; expected one of wilson, clopper-pearson, wald"):
        proportion(1, 3, "exact")
    with pytest.raises(ValueError, match="1 of 2 values are neither 0 nor 1"):
        clustered_proportion([0, NAN], ["a", "b"])
