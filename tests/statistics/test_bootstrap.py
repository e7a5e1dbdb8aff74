import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.statistics import bootstrap
from mammoseg.statistics.bootstrap import interval, mean_interval, patient_weights

PATIENTS = ["b", "a", "b", "c", "a", "b"]


def test_every_case_of_a_patient_counts_alike_and_as_many_patients_are_drawn() -> None:
    weights = np.concatenate(list(patient_weights(PATIENTS, 200, seed=1)))
    assert weights.shape == (200, 6)
    a, b, c = weights[:, 1], weights[:, 0], weights[:, 3]
    assert np.array_equal(weights, np.stack([b, a, b, c, a, b], axis=1))
    assert set(a + b + c) == {3}
    assert weights.mean() == pytest.approx(1, abs=0.15)


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(patient_weights(PATIENTS, 101, seed=3)))
    monkeypatch.setattr(bootstrap, "_BLOCK_VALUES", 40)
    blocks = list(patient_weights(PATIENTS, 101, seed=3))
    assert max(map(len, blocks)) == 6
    assert np.array_equal(np.concatenate(blocks), whole)


def test_the_seed_decides() -> None:
    values, patients = np.arange(40.0), [str(i) for i in range(40)]
    assert mean_interval(values, patients, 50, seed=1) == mean_interval(values, patients, 50, seed=1)
    assert mean_interval(values, patients, 50, seed=1) != mean_interval(values, patients, 50, seed=2)


def test_interval_of_a_mean_is_that_of_theory() -> None:
    n = 400
    values = np.random.default_rng(0).normal(3, 2, n)
    result = mean_interval(values, [str(i) for i in range(n)], 4000, seed=0)
    half = 1.96 * values.std() / np.sqrt(n)
    assert result.low == pytest.approx(values.mean() - half, abs=0.03)
    assert result.high == pytest.approx(values.mean() + half, abs=0.03)


def test_images_of_one_patient_are_not_independent() -> None:
    patients = [str(i) for i in range(50)]
    values = np.random.default_rng(0).normal(0, 1, 50)
    single = mean_interval(values, patients, 1000, seed=0)
    copied = mean_interval(np.repeat(values, 4), list(np.repeat(patients, 4)), 1000, seed=0)
    assert copied.high - copied.low == pytest.approx(single.high - single.low)


def undefined_without(case: int, patients: list[str], replicates: int) -> bootstrap.Interval:
    """The interval of a statistic that is 0.7, and undefined where the patient of a case is not drawn."""

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(weights[:, case] > 0, 0.7, np.nan)

    return interval(statistic, patients, replicates, seed=0)


def test_undefined_replicates_are_dropped_and_counted() -> None:
    def defined_unless_all_are_b(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(weights[:, 0] < 3, weights[:, 0], np.nan)

    result = interval(defined_unless_all_are_b, PATIENTS, 1000, seed=0)
    assert (result.low, result.high, result.replicates, result.reason) == (0, 2, 1000, None)
    assert result.dropped / 1000 == pytest.approx((1 / 3) ** 3, abs=0.02)


def test_too_few_defined_replicates_give_no_interval_and_a_reason() -> None:
    """A single patient decides whether the statistic is defined: the draws without him are what is missing."""
    result = undefined_without(3, PATIENTS, 1000)
    assert np.isnan([result.low, result.high]).all()
    assert result.dropped / 1000 == pytest.approx((2 / 3) ** 3, abs=0.05)
    assert result.reason == f"{1000 - result.dropped} of 1000 replicates are defined; needed: 80%, and 40"


@pytest.mark.parametrize(("replicates", "given"), [(39, False), (40, True)])
def test_each_tail_of_an_interval_holds_a_replicate(replicates: int, given: bool) -> None:
    result = mean_interval(np.arange(6.0), PATIENTS, replicates, seed=0)
    assert (result.low < result.high, result.reason is None) == (given, given)


@pytest.mark.parametrize(("patients", "replicates"), [(PATIENTS, 0), ([], 1000), (["a", "a"], 1000)])
def test_without_replicates_or_two_patients_there_is_no_interval(patients: list[str], replicates: int) -> None:
    result = mean_interval(np.ones(len(patients)), patients, replicates, seed=0)
    assert np.isnan([result.low, result.high]).all()
    assert result.reason == ("fewer than two patients" if replicates else None), "none was asked for"


def test_negative_number_of_replicates() -> None:
    with pytest.raises(ValueError, match="-1 replicates, expected 0"):
        interval(lambda weights: weights[:, 0], PATIENTS, -1, seed=0)
