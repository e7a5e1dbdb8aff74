"""Whether the AUC differs between groups of cases: Cochran's Q on the logit scale, for groups that may share patients.

    L_g     = logit(AUC_g)
    h_g(p)  = sum over the positives of patient p in g of (V10 - AUC_g) / N1_g, and over the negatives of (V01 - AUC_g) / N0_g
    C_gk    = sum over patients of h_g(p) h_k(p), scaled so that C_gg is the variance of `delong` (Obuchowski 1997)
    W       = inverse of C_gk / (AUC_g (1 - AUC_g) AUC_k (1 - AUC_k))                                          (delta method)
    Q       = (L - m)' W (L - m),   m = 1'W L / 1'W 1,   chi-square with groups - 1 degrees of freedom if all AUCs are equal

Groups without a common patient have C_gk = 0, and Q is Cochran's. Why not a permutation of the groups' labels over patients:
it tests that groups are alike in everything, and would call a vendor whose scores are shifted as a whole different though it
ranks as well. Why the logit: the AUC is nearly normal there.

Source   Cochran 1954, Biometrics 10:101; generalised least squares for correlated estimates: Gleser and Olkin 1994, ch. 22;
         Obuchowski 1997, Biometrics 53:567 (covariance by patient).
Assumes  some ten patients of both kinds in every group; below that its p is too small too often.
Shapes   n cases of a group | G groups
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from scipy.stats import chi2

from mammoseg.statistics.clusters import Floats
from mammoseg.statistics.delong import components, delong
from mammoseg.statistics.ranking import checked
from mammoseg.statistics.scale import Z95

Group = tuple[Floats, Floats, Sequence[str]]
"""Labels (n,) 0 or 1, scores (n,), patients (n,)."""


@dataclass(frozen=True)
class Heterogeneity:
    """The test; NaN where it cannot be made, and the reason why."""

    q: float
    df: int
    p: float
    difference: float
    """AUC of the second group minus that of the first, if there are two."""
    low: float
    high: float
    reason: str | None = None


def heterogeneity(groups: Sequence[Group]) -> Heterogeneity:
    """Of groups whose AUC is defined and neither 0 nor 1. Raises ValueError for cases that `checked` refuses."""
    if len(groups) < 2:
        return _none(f"{len(groups)} group{'s' * (len(groups) != 1)} to compare; needed: two")
    areas = [delong(*group) for group in groups]
    auc, variance = (np.array(values) for values in ([a.auc[0] for a in areas], [a.covariance[0, 0] for a in areas]))
    if not (variance > 0).all() or not ((auc > 0) & (auc < 1)).all():
        return _none("the variance of an AUC is 0 or unknown, or an AUC is 0 or 1")
    by_patient = _influences(groups, auc)
    scaled = by_patient * np.sqrt(variance / (by_patient**2).sum(axis=1))[:, None]
    covariance = scaled @ scaled.T
    slope = 1 / (auc * (1 - auc))
    weight = np.linalg.pinv(covariance * np.outer(slope, slope), hermitian=True)
    values = logit(auc)
    away = values - (weight.sum(axis=0) @ values) / weight.sum()
    q, df = float(away @ weight @ away), len(groups) - 1
    difference = low = high = float("nan")
    if len(groups) == 2:
        difference = float(auc[1] - auc[0])
        step = Z95 * float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0)))
        low, high = difference - step, difference + step
    return Heterogeneity(q, df, float(chi2.sf(q, df)), difference, low, high)


def _influences(groups: Sequence[Group], auc: Floats) -> Floats:
    """What each patient adds to the AUC of each group (G, patients)."""
    names, number = np.unique(np.concatenate([np.asarray(who, dtype=str) for *_, who in groups]), return_inverse=True)
    found, start = np.zeros((len(groups), names.size)), 0
    for place, (labels, scores, who) in enumerate(groups):
        truth, table = checked(labels, scores)
        v10, v01 = components(truth, table)
        of = number[start : start + len(who)]
        start += len(who)
        for values, side in ((v10[0], truth == 1), (v01[0], truth == 0)):
            found[place] += np.bincount(of[side], (values - auc[place]) / values.size, minlength=names.size)
    return found


def _none(reason: str) -> Heterogeneity:
    nan = float("nan")
    return Heterogeneity(nan, 0, nan, nan, nan, nan, reason)
