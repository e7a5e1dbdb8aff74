import numpy as np
import pytest
from scipy.special import ndtri

from mammoseg.statistics.comparison import by_delong
from mammoseg.statistics.delong import delong
from mammoseg.statistics.sample_size import (
    cases_for_auc,
    cases_for_difference,
    cases_for_width,
    covariance,
    design_effect,
)


def test_ratings_against_proc() -> None:
    """R, pROC 1.18.0: power.roc.test(auc=0.8, power=0.9, sig.level=0.05, kappa=2)$ncases is 12.81."""
    found = cases_for_auc(0.8, power=0.9, ratio=2, scores="ratings")
    assert (found.positives, found.negatives) == (13, 26)


def test_variance_of_ratings_is_that_of_the_paper() -> None:
    """0.0099 exp(-A^2 / 2) (5 A^2 + 8 + (A^2 + 8) / k), rounded as printed there."""
    a = 1.414 * ndtri(0.85)
    printed = 0.0099 * np.exp(-(a**2) / 2) * (5 * a**2 + 8 + (a**2 + 8) / 2)
    assert covariance(0.85, 0.85, 2, 1, "ratings") == pytest.approx(printed, rel=0.006)


def draw(
    rng: np.random.Generator, positives: int, negatives: int, aucs: list[float], r: float
) -> tuple[np.ndarray, np.ndarray]:
    labels = (np.arange(positives + negatives) < positives).astype(float)
    noise = rng.normal(size=(3, labels.size))
    return labels, np.sqrt(r) * noise[0] + np.sqrt(1 - r) * noise[1:] + np.sqrt(2) * ndtri(aucs)[:, None] * labels


def test_covariance_of_continuous_scores_is_what_delong_finds() -> None:
    labels, scores = draw(np.random.default_rng(0), 4000, 8000, [0.85, 0.78], 0.5)
    found = 4000 * delong(labels, scores).covariance
    expected = [
        [covariance(one, other, 2, 1 if one == other else 0.5) for other in (0.85, 0.78)] for one in (0.85, 0.78)
    ]
    assert found == pytest.approx(np.array(expected), rel=0.06)


def test_the_power_is_as_asked() -> None:
    needed = cases_for_difference(0.85, 0.78, correlation=0.5, power=0.8, ratio=2)
    rng = np.random.default_rng(0)
    found = [by_delong(*draw_pair(rng, needed.positives, needed.negatives)).p < 0.05 for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def draw_pair(rng: np.random.Generator, positives: int, negatives: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, (first, second) = draw(rng, positives, negatives, [0.85, 0.78], 0.5)
    return labels, first, second


def test_more_cases_for_less() -> None:
    assert cases_for_width(0.9, 0.02).positives > 3 * cases_for_width(0.9, 0.04).positives
    assert cases_for_difference(0.9, 0.85, 0.0).positives > 1.5 * cases_for_difference(0.9, 0.85, 0.6).positives
    assert cases_for_width(0.9, 0.04, effect=design_effect(4, 0.5)).positives == pytest.approx(
        2.5 * cases_for_width(0.9, 0.04).positives, abs=2.5
    )
    assert cases_for_width(0.9, 0.04, scores="ratings").positives > cases_for_width(0.9, 0.04).positives


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="auc 90, expected a number between 0 and 1"):
        cases_for_width(90, 0.05)
    with pytest.raises(ValueError, match=r"both AUCs are 0\.8"):
        cases_for_difference(0.8, 0.8, 0.5)
    with pytest.raises(ValueError, match="correlation 1, expected"):
        cases_for_difference(0.8, 0.9, 1)
    with pytest.raises(ValueError, match="scores 'ordinal'; expected one of continuous, ratings"):
        cases_for_width(0.8, 0.05, scores="ordinal")
    with pytest.raises(ValueError, match=r"0\.5 cases of a patient"):
        design_effect(0.5, 0.5)
    with pytest.raises(ValueError, match="-1 negatives for each positive"):
        cases_for_width(0.8, 0.05, ratio=-1)


def test_no_negatives_are_told() -> None:
    with pytest.raises(ValueError, match="0 negatives for each positive"):
        cases_for_width(0.8, 0.05, ratio=0)
