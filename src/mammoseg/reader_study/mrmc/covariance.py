"""Figures of merit of several readings of the same cases, and how they vary together from one set of cases to another.

The patient is the unit that is left out (jackknife) or drawn (bootstrap): breasts and exams of a patient are not independent.

    jackknife   C = (G - 1) / G * sum over g of (theta_(g) - mean) (theta_(g) - mean)'
                with theta_(g) the figures of merit without patient g            (Efron 1982, ch. 3; with each case a patient of its
                own what OR-DBM MRMC, RJafroc and MRMCaov compute)
    bootstrap   the covariance of the figures of merit over draws of the patients  (Efron and Tibshirani 1993, ch. 6)
    DeLong      of AUCs alone, from the structural components                     (DeLong et al. 1988; Obuchowski 1997 for patients)

Shapes   K readings | n cases | G patients
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.mrmc.merit import AUC, FigureOfMerit
from mammoseg.statistics import delong as formula
from mammoseg.statistics.bootstrap import MIN_SHARE, patient_weights
from mammoseg.statistics.ranking import Floats

_BLOCK_VALUES = 2_000_000  # weights in memory at a time


@dataclass(frozen=True, eq=False)
class Merits:
    """Figures of merit and their covariance over cases."""

    theta_K: Floats
    cov_KK: Floats
    patients: int

    def contrast(self, weights_LK: NDArray[np.float64]) -> "Merits":
        """Linear combinations of the figures of merit, such as differences."""
        return Merits(weights_LK @ self.theta_K, weights_LK @ self.cov_KK @ weights_LK.T, self.patients)


def without_each_patient(
    merit: FigureOfMerit, labels: Floats, scores_KN: Floats, patients: Sequence[str]
) -> tuple[Floats, Floats]:
    """The figures of merit of all cases (K,), and without each of the patients (G, K).

    Raises StudyError if one is undefined, as without the only patient with a positive.
    """
    _, patient_of_case = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    groups = int(patient_of_case.max(initial=-1)) + 1
    if groups < 2:
        raise StudyError(
            "all cases are of one patient. Expected several: nothing says how patients vary. Add patients."
        )
    whole = np.array([merit(labels, scores, np.ones((1, labels.size)))[0] for scores in scores_KN])
    if merit is AUC and not np.isnan(whole).any():
        without_GK = _aucs_without(labels, scores_KN, patient_of_case, groups)
    else:
        without_GK = _weighed_without(merit, labels, scores_KN, patient_of_case, groups)
    if np.isnan(whole).any() or np.isnan(without_GK).any():
        raise StudyError(
            "the figure of merit is undefined, for all cases or without one of the patients. Expected at least two patients with a "
            "positive case and two with a negative one. Add cases."
        )
    return whole, without_GK


def _weighed_without(
    merit: FigureOfMerit, labels: Floats, scores_KN: Floats, patient_of_case: NDArray[np.intp], groups: int
) -> Floats:
    rows, parts = max(1, _BLOCK_VALUES // labels.size), []
    for start in range(0, groups, rows):
        left_out = np.arange(start, min(start + rows, groups))[:, None]
        weights = (patient_of_case != left_out).astype(np.float64)
        parts.append(np.stack([merit(labels, scores, weights) for scores in scores_KN], axis=1))
    return np.concatenate(parts)


def _aucs_without(labels: Floats, scores_KN: Floats, patient_of_case: NDArray[np.intp], groups: int) -> Floats:
    """The same for AUCs in one go: pairs that are won, less those that a patient has a part in."""
    positive = labels == 1
    sides = [patient_of_case[positive], patient_of_case[~positive]]
    v10_KM, v01_KN = formula.components(labels, scores_KN)
    m, n = v10_KM.shape[1], v01_KN.shape[1]
    of_positives, of_negatives = (
        np.array([np.bincount(side, values, groups) for values in each_K])
        for side, each_K in zip(sides, (n * v10_KM, m * v01_KN), strict=True)
    )
    within_KG = np.zeros((len(scores_KN), groups))
    for g in np.intersect1d(*sides):
        own = patient_of_case == g
        high, low = scores_KN[:, own & positive, None], scores_KN[:, None, own & ~positive]
        within_KG[:, g] = ((high > low) + 0.5 * (high == low)).sum(axis=(1, 2))
    left_m, left_n = (size - np.bincount(side, minlength=groups) for side, size in zip(sides, (m, n), strict=True))
    won_KG = n * v10_KM.sum(axis=1, keepdims=True) - of_positives - of_negatives + within_KG
    pairs_G = left_m * left_n
    return np.divide(won_KG, pairs_G, out=np.full_like(won_KG, np.nan), where=pairs_G > 0).T


def jackknife(merit: FigureOfMerit, labels: Floats, scores_KN: Floats, patients: Sequence[str]) -> Merits:
    """Covariance by leaving out patients; for any figure of merit. Raises StudyError as `without_each_patient`."""
    whole, without_GK = without_each_patient(merit, labels, scores_KN, patients)
    centred = without_GK - without_GK.mean(axis=0)
    groups = len(without_GK)
    return Merits(whole, (groups - 1) / groups * centred.T @ centred, groups)


def bootstrap(
    merit: FigureOfMerit, labels: Floats, scores_KN: Floats, patients: Sequence[str], replicates: int, seed: int
) -> Merits:
    """Covariance over draws of the patients; draws in which a figure of merit is undefined are dropped.

    Raises StudyError if it is undefined in more than a fifth of them.
    """
    whole = np.array([merit(labels, scores, np.ones((1, labels.size)))[0] for scores in scores_KN])
    drawn_BK = np.concatenate(
        [
            np.stack([merit(labels, scores, weights) for scores in scores_KN], axis=1)
            for weights in patient_weights(patients, replicates, seed)
        ]
    )
    defined_BK = drawn_BK[~np.isnan(drawn_BK).any(axis=1)]
    if np.isnan(whole).any() or len(defined_BK) < max(2, MIN_SHARE * replicates):
        raise StudyError(
            f"the figure of merit is undefined in {replicates - len(defined_BK)} of {replicates} bootstrap replicates. Expected "
            "more patients with a positive and with a negative case. Add cases."
        )
    return Merits(whole, np.atleast_2d(np.cov(defined_BK, rowvar=False)), len(set(patients)))


def delong(labels: Floats, scores_KN: Floats, patients: Sequence[str]) -> Merits:
    """AUCs with DeLong's covariance, by patient (statistics/delong.py). Raises StudyError where there is none."""
    areas = formula.delong(labels, scores_KN, np.asarray(patients))
    if areas.reason:
        raise StudyError(
            f"{areas.reason}. Expected at least two patients with a positive case and two with a negative one. Add cases."
        )
    return Merits(areas.auc, areas.covariance, len(set(patients)))
