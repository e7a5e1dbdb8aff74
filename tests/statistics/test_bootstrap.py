import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.metrics import auc, average_precision
from mammoseg.statistics import bootstrap
from mammoseg.statistics.bootstrap import interval, interval_from, interval_of_scores, mean_interval, patient_weights
from mammoseg.statistics.delong import delong

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


def test_few_patients_make_an_interval_wider() -> None:
    """The replicates are the same; with 15 that decide more of them lie inside than with 1000."""
    drawn = np.random.default_rng(0).normal(0.6, 0.05, 5000)
    few, many = interval_from(drawn, 15), interval_from(drawn, 1000)
    assert many.high - many.low == pytest.approx(2 * 1.96 * 0.05, rel=0.05)
    assert few.high - few.low == pytest.approx(2 * 2.22 * 0.05, rel=0.05)  # t of 14 degrees times sqrt(15 / 14)
    assert interval_from(drawn, 2).low == pytest.approx(drawn.min(), abs=1e-3)


def test_the_logit_scale_leans_to_the_middle_and_stays_inside() -> None:
    drawn = np.clip(np.random.default_rng(0).normal(0.95, 0.03, 5000), 0, 1)
    found = interval_from(drawn, 1000, "logit", 0.95)
    assert 0.95 - found.low > 2 * (found.high - 0.95)
    assert found.high < 1
    at_the_end = interval_from(drawn, 1000, "logit", 1.0)
    assert (np.isnan(at_the_end.low), at_the_end.reason) == (True, "the value is 1: at the end of its scale")
    with pytest.raises(ValueError, match="scale 'log'; expected one of percentile, logit"):
        interval_from(drawn, 10, "log")


def test_what_never_varies_is_not_certain() -> None:
    """A perfect separation is an AUC of 1 in every draw."""
    labels, scores = np.repeat([0.0, 1.0], 20), np.arange(40.0)
    found = interval_of_scores(auc.measure, labels, scores, np.arange(40), 200, 0, "logit")
    assert np.isnan(found.low)
    assert found.reason is not None
    assert found.reason.startswith("the value is the same in every replicate")


def test_the_patients_that_decide_are_those_without_whom_a_metric_is_undefined() -> None:
    rng = np.random.default_rng(0)
    labels, patients = np.repeat([1.0, 0.0], [12, 400]), [f"p{i // 2}" for i in range(412)]
    scores = rng.normal(size=412) + labels
    for metric, units in ((auc, 6), (average_precision, 6)):
        found = interval_of_scores(metric.measure, labels, scores, patients, 500, 3)
        by_hand = interval(lambda w, m=metric: m.measure(labels, scores, w), patients, 500, 3, units=units)
        assert (found.low, found.high) == pytest.approx((by_hand.low, by_hand.high), abs=1e-12)
    share = interval_of_scores(lambda y, s, w: w @ s / np.maximum(w.sum(axis=1), 1), labels, scores, patients, 500, 3)
    every = interval(lambda w: w @ scores / w.sum(axis=1), patients, 500, 3)
    assert (share.low, share.high) == pytest.approx((every.low, every.high), abs=1e-12)


def test_very_many_cases_get_fewer_replicates_that_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bootstrap.affordable(2000, 10_000) == 2000
    assert bootstrap.affordable(2000, 1_000_000) == 200
    assert bootstrap.affordable(50, 1_000_000) == 50
    rng = np.random.default_rng(1)
    labels = (rng.random(3000) < 0.2).astype(float)
    scores, patients = rng.normal(size=3000) + labels, np.arange(3000) // 2
    given = (auc.measure, labels, scores, patients, 4000, 0, "logit")
    long = interval_of_scores(*given)
    monkeypatch.setattr(bootstrap, "BUDGET", 1)
    short = interval_of_scores(*given)
    assert (long.replicates, short.replicates) == (4000, 200)
    assert short.high - short.low == pytest.approx(long.high - long.low, rel=0.15)
    areas = delong(labels, scores, patients).interval()
    assert areas == pytest.approx((long.low, long.high), abs=0.002)
