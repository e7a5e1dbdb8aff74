"""Numbers of R 4, pROC 1.18.0 (`roc.test(roc(y, a), roc(y, d), method="delong")`, conftest.py) and MLstatkit 0.1.91."""

import numpy as np
import pytest

from mammoseg.metrics import auc, average_precision, partial_auc
from mammoseg.statistics.comparison import by_bootstrap, by_delong, by_permutation, holm, non_inferiority

NAN = float("nan")


def test_delong_is_that_of_proc_and_mlstatkit(made) -> None:
    found = by_delong(made.y, made.a, made.d)
    assert found.difference / found.standard_error == pytest.approx(-3.97625152853, abs=1e-9)  # pROC, MLstatkit
    assert found.p == pytest.approx(7.00100756297e-05, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((-0.0723567350982, -0.0245765982352), abs=1e-10)
    assert found.standard_error**2 == pytest.approx(0.0001485725596189274, abs=1e-12)  # MLstatkit, var_diff


def test_the_other_way_round_is_the_negative(made) -> None:
    one, other = by_delong(made.y, made.a, made.b, made.patients), by_delong(made.y, made.b, made.a, made.patients)
    assert (one.difference, one.low, one.p) == pytest.approx((-other.difference, -other.high, other.p))


@pytest.mark.parametrize("second", ["b", "d"])
def test_bootstrap_and_delong_by_patient_agree(made, second: str) -> None:
    pair = (made.y, made.a, getattr(made, second), made.patients)
    one, other = by_delong(*pair), by_bootstrap(auc.measure, *pair, 2000)
    assert other.difference == pytest.approx(one.difference, abs=1e-12)
    assert other.standard_error == pytest.approx(one.standard_error, rel=0.1)


@pytest.mark.parametrize("metric", [auc, average_precision, partial_auc])
def test_interval_and_p_of_any_metric_agree(made, metric) -> None:
    for second in (made.a[::-1], made.b, made.d):
        found = by_bootstrap(metric.measure, made.y, made.a, second, made.patients, 300)
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)
        assert found == by_bootstrap(metric.measure, made.y, made.a, second, made.patients, 300)


def test_permutation_does_not_mind_units(made) -> None:
    one = by_permutation(auc.measure, made.y, made.a, made.d, made.patients, 400)
    other = by_permutation(auc.measure, made.y, 1000 * made.a - 3, np.exp(made.d), made.patients, 400)
    assert one.p == other.p < 0.02
    assert one.difference == pytest.approx(by_delong(made.y, made.a, made.d).difference)
    assert by_permutation(auc.measure, made.y, made.a, made.b, made.patients, 400).p > 0.5
    assert np.isnan(one.low)


def test_permutation_by_hand() -> None:
    """Four patients, the first score right and the second wrong: of the 16 exchanges all or none are as extreme."""
    labels, first, second = [0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1]
    values = []
    for kept in range(16):
        keep = np.array([kept >> bit & 1 for bit in range(4)], bool)
        one, other = np.where(keep, first, second), np.where(keep, second, first)
        values.append(auc.roc_auc(labels, one) - auc.roc_auc(labels, other))
    exact = np.mean(np.abs(values) >= 1 - 1e-9)
    found = by_permutation(auc.measure, labels, first, second, ["a", "b", "c", "d"], 4000)
    assert found.p == pytest.approx(exact, abs=0.02)


def test_a_score_against_itself(made) -> None:
    found = by_delong(made.y, made.a, made.a, made.patients)
    assert (found.difference, np.isnan(found.p)) == (0, True)
    assert found.reason is not None
    assert found.reason.startswith("the difference is the same in every draw")
    assert by_bootstrap(auc.measure, made.y, made.a, made.a, made.patients, 100).reason == found.reason
    assert by_permutation(auc.measure, made.y, made.a, made.a, made.patients, 100).p == 1


def test_a_missing_class_says_why() -> None:
    zeros, who = np.zeros(4), np.arange(4)
    assert by_delong(zeros, who, who).reason == "no case with a positive label"
    assert by_permutation(auc.measure, zeros, who, who, who, 50).reason == "the metric is undefined"
    assert by_bootstrap(auc.measure, zeros, who, who, who, 50).reason == "0 of 50 replicates are defined"
    with pytest.raises(ValueError, match="expected two scores of the same cases"):
        by_delong(zeros, who, np.arange(5))


def test_non_inferiority_is_the_low_end_above_the_margin(made) -> None:
    found = by_delong(made.y, made.a, made.d)
    assert non_inferiority(found, 0.08).shown
    assert not non_inferiority(found, 0.07).shown
    at_the_edge = non_inferiority(found, -found.low)
    assert at_the_edge.p == pytest.approx(0.025)
    assert not at_the_edge.shown
    no_interval = non_inferiority(by_permutation(auc.measure, made.y, made.a, made.d, made.patients, 50), 0.1)
    assert no_interval.reason == "the method 'permutation by patient' gives no interval"
    with pytest.raises(ValueError, match="margin 0, expected a number above 0"):
        non_inferiority(found, 0)


def test_holm_is_that_of_r() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # p.adjust(p, "holm")
    assert holm([0.02, NAN]) == pytest.approx([0.02, NAN], nan_ok=True)
    assert holm([]) == []
