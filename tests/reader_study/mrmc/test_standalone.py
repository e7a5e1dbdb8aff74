"""A stand-alone model against readers: RJafroc's numbers on simulated data, and hand computations."""

from dataclasses import astuple
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from mammoseg.reader_study.mrmc.covariance import Merits, jackknife
from mammoseg.reader_study.mrmc.merit import AUC
from mammoseg.reader_study.mrmc.orh import BOTH, CASES, READERS, analyse
from mammoseg.reader_study.mrmc.standalone import readers_minus_model, readers_minus_value
from mammoseg.statistics.ranking import Floats


@pytest.fixture(scope="module")
def simulated() -> tuple[Floats, Floats]:
    """Labels, and the scores of a model and ten readers, as Google Health draws them to compare its code with RJafroc's.

    github.com/Google-Health/google-health, analysis/reader_study_test.py (seed 1987): 200 positives, then 800 negatives; a case has
    an effect that is the model's error and, by 0.6, part of each reader's; a reader has an effect on negatives and on positives.
    """
    rng = np.random.RandomState(1987)  # the generator that their numbers are of
    labels = np.repeat([1.0, 0.0], [200, 800])
    case = rng.randn(1000)
    readings = [labels + case]
    for _ in range(10):
        of_negatives, of_positives = 0.075 * rng.randn(2)
        error = np.sqrt(1 - 0.6**2) * rng.randn(1000)
        readings.append(labels + np.where(labels == 1, of_positives, of_negatives) + 0.6 * case + error)
    return labels, np.array(readings)


def test_same_as_rjafroc(simulated: tuple[Floats, Floats]) -> None:
    labels, scores_KN = simulated
    merits = jackknife(AUC, labels, scores_KN, [str(number) for number in range(labels.size)])
    found = readers_minus_model(merits)[BOTH]
    assert found.value == pytest.approx(0.00584125, abs=5e-9)
    assert (found.low, found.high) == pytest.approx((-0.02064934, 0.03233184), abs=5e-9)
    assert found.df == pytest.approx(31.00905, abs=5e-6)
    assert found.p == pytest.approx(0.6560453, abs=5e-8)


def test_same_as_a_second_modality_in_which_all_readers_are_the_model(simulated: tuple[Floats, Floats]) -> None:
    """Kooi et al. 2016 entered the model as often as there are readers; that is the same test."""
    labels, scores_KN = simulated
    merits = jackknife(AUC, labels, scores_KN, [str(number) for number in range(labels.size)])
    twice = np.vstack([np.eye(11)[1:], np.tile(np.eye(11)[0], (10, 1))])
    pair = analyse(merits.contrast(twice), 2).analyses[BOTH].differences[0, 1]
    np.testing.assert_allclose(astuple(readers_minus_model(merits)[BOTH]), astuple(pair), rtol=1e-8)


def test_by_hand() -> None:
    """Three readers; Var 0.004, Cov2 0.001, MS(R) 0.0001."""
    theta = np.array([0.80, 0.81, 0.82])
    merits = Merits(theta, np.full((3, 3), 0.001) + 0.003 * np.eye(3), 50)
    found = readers_minus_value(merits, 0.75)
    assert {random: each.value for random, each in found.items()} == pytest.approx(dict.fromkeys(found, 0.06))
    assert found[BOTH].se == pytest.approx(np.sqrt((0.0001 + 3 * 0.001) / 3))
    assert found[BOTH].df == pytest.approx(0.0031**2 / (0.0001**2 / 2))
    assert found[CASES].se == pytest.approx(np.sqrt((0.004 + 2 * 0.001) / 3))
    assert found[READERS].p == pytest.approx(stats.ttest_1samp(theta, 0.75).pvalue)


def test_one_reader_is_compared_as_it_is(van_dyke: SimpleNamespace) -> None:
    merits = jackknife(AUC, van_dyke.labels, van_dyke.scores_TRN[::-1, 0], van_dyke.patients)
    found = readers_minus_model(merits)
    assert set(found) == {CASES}
    assert found[CASES].se == pytest.approx(0.02551213, abs=5e-9)
