"""Against statsmodels for groups of different patients, and against the bootstrap for groups that share them."""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import chi2
from statsmodels.stats.meta_analysis import combine_effects

from mammoseg.metrics.auc import measure
from mammoseg.statistics.bootstrap import patient_weights
from mammoseg.statistics.delong import delong
from mammoseg.statistics.heterogeneity import Group, heterogeneity


def group(patients: int, effect: float, name: str, seed: int) -> Group:
    """Two cases a patient, alike; every third patient is positive."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), 2)
    truth = (who % 3 == 0).astype(float)
    scores = effect * truth + rng.normal(size=patients)[who] + rng.normal(size=who.size)
    return truth, scores, [f"{name}{i}" for i in who]


def test_groups_of_different_patients_have_the_q_of_cochran() -> None:
    groups = [group(60 + 20 * k, 1 + 0.4 * k, f"g{k}-", k) for k in range(4)]
    found = heterogeneity(groups)
    areas = [delong(*each) for each in groups]
    auc = np.array([a.auc[0] for a in areas])
    variance = np.array([a.covariance[0, 0] for a in areas]) / (auc * (1 - auc)) ** 2
    expected = combine_effects(logit(auc), variance, method_re="dl").q
    assert (found.q, found.df) == (pytest.approx(expected), 3)
    assert found.p == pytest.approx(chi2.sf(expected, 3))
    assert np.isnan(found.difference)


def test_two_groups_by_hand() -> None:
    groups = [group(90, 1.5, "a", 1), group(60, 0.7, "b", 2)]
    first, second = (delong(*each) for each in groups)
    found = heterogeneity(groups)
    difference = second.auc[0] - first.auc[0]
    step = 1.959964 * np.sqrt(first.covariance[0, 0] + second.covariance[0, 0])
    assert (found.difference, found.low, found.high) == pytest.approx(
        (difference, difference - step, difference + step), rel=1e-5
    )


def test_the_same_patients_in_both_groups_against_the_bootstrap() -> None:
    truth, scores, who = group(150, 1.2, "p", 5)
    sides = [np.arange(truth.size) % 2 == k for k in (0, 1)]
    views = [(truth[side], scores[side], [w for w, there in zip(who, side, strict=True) if there]) for side in sides]
    found = heterogeneity(views)
    drawn = []
    for weights in patient_weights(who, 2000, 0):
        areas = [measure(truth[side], scores[side], weights[:, side]) for side in sides]
        drawn.append(logit(areas[1]) - logit(areas[0]))
    spread = np.concatenate(drawn).std()
    auc = [delong(*each).auc[0] for each in views]
    assert found.q == pytest.approx(((logit(auc[1]) - logit(auc[0])) / spread) ** 2, rel=0.15)
    independent = sum(delong(*each).covariance[0, 0] for each in views)
    assert (found.high - found.low) ** 2 < 0.8 * 4 * 1.96**2 * independent  # what is shared makes the difference surer


def test_a_shift_of_all_scores_is_no_difference() -> None:
    truth, scores, who = group(90, 1.0, "a", 3)
    shifted = (truth, 5 * scores + 7, [f"b{w}" for w in who])
    found = heterogeneity([(truth, scores, who), shifted])
    assert found.q == pytest.approx(0, abs=1e-9)
    assert found.p == pytest.approx(1)


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([], "0 groups to compare; needed: two"),
        ([group(30, 1, "a", 0)], "1 group to compare; needed: two"),
        (
            [group(30, 1, "a", 0), (np.array([0.0, 1, 0, 1]), np.array([0.1, 0.9, 0.2, 0.8]), list("wxyz"))],
            "the variance of an AUC is 0 or unknown, or an AUC is 0 or 1",
        ),
    ],
)
def test_what_cannot_be_tested_says_why(groups: list[Group], reason: str) -> None:
    found = heterogeneity(groups)
    assert found.reason == reason
    assert np.isnan([found.q, found.p, found.difference]).all()
