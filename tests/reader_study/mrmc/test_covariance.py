"""Covariances of figures of merit over patients: by definition, against each other, and with patients of several cases."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.mrmc.covariance import bootstrap, delong, jackknife, without_each_patient
from mammoseg.reader_study.mrmc.merit import AUC, of_function
from mammoseg.statistics.ranking import Floats

LABELS = np.array([1.0, 1, 1, 0, 0, 0, 0, 1, 0])
SCORES = np.array([[9.0, 5, 2, 6, 5, 1, 0, 7, 8], [3.0, 8, 2, 1, 5, 2, 4, 7, 6]])
PATIENTS = ["a", "a", "b", "b", "c", "c", "c", "d", "e"]
"""b has a positive and a negative case."""


def test_jackknife_leaves_out_patients_with_all_their_cases() -> None:
    whole, without = without_each_patient(AUC, LABELS, SCORES, PATIENTS)
    assert whole == pytest.approx([roc_auc_score(LABELS, scores) for scores in SCORES])
    slowly = without_each_patient(of_function(roc_auc_score), LABELS, SCORES, PATIENTS)[1]
    np.testing.assert_allclose(without, slowly)
    for row, patient in zip(without, "abcde", strict=True):
        kept = np.array([p != patient for p in PATIENTS])
        assert row == pytest.approx([roc_auc_score(LABELS[kept], scores[kept]) for scores in SCORES])
    centred = without - without.mean(axis=0)
    np.testing.assert_allclose(jackknife(AUC, LABELS, SCORES, PATIENTS).cov_KK, 4 / 5 * centred.T @ centred)


def test_delong_by_hand() -> None:
    """One score, every case a patient: DeLong et al. 1988, eq. 5, with all pairs counted."""
    positive, negative = SCORES[0][LABELS == 1], SCORES[0][LABELS == 0]
    won = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = np.var(won.mean(axis=1), ddof=1) / positive.size + np.var(won.mean(axis=0), ddof=1) / negative.size
    found = delong(LABELS, SCORES, list("123456789"))
    assert found.theta_K[0] == pytest.approx(won.mean())
    assert found.cov_KK[0, 0] == pytest.approx(variance)
    assert found.patients == 9


def _correlated(patients: int) -> tuple[Floats, Floats, list[str]]:
    """Two breasts of each patient, alike in label and score."""
    rng = np.random.default_rng(3)
    labels = np.repeat(rng.random(patients) < 0.4, 2).astype(float)
    shared = np.repeat(rng.normal(size=patients), 2)
    scores = labels + shared + 0.1 * rng.normal(size=(3, 2 * patients))
    return labels, scores, [str(number // 2) for number in range(2 * patients)]


def test_three_ways_agree_and_see_that_breasts_of_a_patient_are_alike() -> None:
    labels, scores, patients = _correlated(150)
    found = [
        jackknife(AUC, labels, scores, patients),
        delong(labels, scores, patients),
        bootstrap(AUC, labels, scores, patients, 1000, 0),
    ]
    variances = [each.cov_KK[0, 0] for each in found]
    assert max(variances) < 1.15 * min(variances)
    alone = [str(number) for number in range(300)]
    assert min(variances) > 1.5 * delong(labels, scores, alone).cov_KK[0, 0]


def test_differences_are_linear_combinations(van_dyke: SimpleNamespace) -> None:
    merits = jackknife(AUC, van_dyke.labels, van_dyke.scores_KN[:2], van_dyke.patients)
    difference = merits.contrast(np.array([[1.0, -1.0]]))
    expected = merits.cov_KK[0, 0] + merits.cov_KK[1, 1] - 2 * merits.cov_KK[0, 1]
    assert difference.cov_KK[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("patients", [["a"] * 9, list("aaabbbbab")])
def test_too_few_patients(patients: list[str]) -> None:
    with pytest.raises(StudyError, match="Expected"):
        jackknife(AUC, LABELS, SCORES, patients)
    if len({*patients}) == 1:
        with pytest.raises(StudyError, match="at least two patients"):
            delong(LABELS, SCORES, patients)


def test_bootstrap_of_a_single_patient_with_a_positive() -> None:
    with pytest.raises(StudyError, match="replicates"):
        bootstrap(AUC, np.array([1.0, 0, 0, 0]), np.array([[4.0, 1, 2, 3]]), list("abcd"), 200, 0)
