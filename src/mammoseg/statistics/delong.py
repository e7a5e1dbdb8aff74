"""Areas under ROC curves of several scores on the same cases, and their covariance, also with several cases of a patient.

    V10_i  = share of the negatives that positive i is above (ties count half)      V01_j  likewise of negative j
    AUC    = mean of V10 = mean of V01
    Cov    = S10 / N1 + S01 / N0 + (S11 + S11') / (N1 N0)
    S10    = I1 / ((I1 - 1) N1) * sum over patients (V10 of the patient, summed, - its positives * AUC)(same of the other score)
    S01    likewise over the I0 patients with negatives;   S11 = I / (I - 1) * sum over patients (positive part)(negative part)'

With one case for each patient S11 is 0 and the rest is DeLong's. The V come from midranks, in O(n log n).

Source   DeLong, DeLong and Clarke-Pearson 1988; Sun and Xu 2014 (midranks); Obuchowski 1997, Biometrics 53:567 (patients).
Shapes   n cases | M scores | N1 positives, N0 negatives | I patients
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from mammoseg.statistics.clusters import Floats, Patients, patient_numbers, patient_sums
from mammoseg.statistics.ranking import checked
from mammoseg.statistics.scale import logit_interval


@dataclass(frozen=True, eq=False)
class Areas:
    """AUCs (M,) and covariance (M, M); NaN where undefined, and the reason why."""

    auc: Floats
    covariance: Floats
    reason: str | None = None

    def interval(self, which: int = 0) -> tuple[float, float]:
        """95 % interval of one AUC, on the logit scale; NaN for an AUC of 0 or 1."""
        return logit_interval(float(self.auc[which]), float(np.sqrt(self.covariance[which, which])))


def delong(labels: ArrayLike, scores: ArrayLike, patients: Patients | None = None) -> Areas:
    """Labels (n,) of 0 and 1, scores (M, n) or (n,); without `patients` every case counts as independent.

    One class alone gives NaN for all, one patient on a side a covariance of NaN, each with a reason. Raises ValueError for
    labels or scores that are not known, and for shapes that do not fit.
    """
    truth, table = checked(labels, scores)
    positive = truth == 1
    count = len(table)
    nothing = np.full((count, count), np.nan)
    missing = [name for name, there in (("positive", positive.any()), ("negative", (~positive).any())) if not there]
    if missing:
        return Areas(np.full(count, np.nan), nothing, f"no case with a {' and none with a '.join(missing)} label")
    v10, v01 = components(truth, table)
    auc = v10.mean(axis=1)
    number, total = (np.arange(truth.size), truth.size) if patients is None else patient_numbers(patients, truth.size)
    of_patient = [np.bincount(number[side], minlength=total) for side in (positive, ~positive)]
    having = [int(np.count_nonzero(cases)) for cases in of_patient]
    if min(having) < 2:
        name = "positive" if having[0] < 2 else "negative"
        return Areas(auc, nothing, f"one {name} patient alone: its chance cannot be told")
    above, below = (
        patient_sums(v, number[side], total) - auc[:, None] * cases
        for v, side, cases in zip((v10, v01), (positive, ~positive), of_patient, strict=True)
    )
    n1, n0 = v10.shape[1], v01.shape[1]
    cross = total / (total - 1) * above @ below.T / (n1 * n0)
    within = [h / (h - 1) * part @ part.T / n**2 for h, part, n in zip(having, (above, below), (n1, n0), strict=True)]
    return Areas(auc, within[0] + within[1] + cross + cross.T)


def components(truth: NDArray[np.float64], table: Floats) -> tuple[Floats, Floats]:
    """V10 (M, N1) of the positives and V01 (M, N0) of the negatives, in the order of the cases; both classes are there."""
    positive = truth == 1
    n1, n0 = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(table, axis=1)
    v10 = (ranks[:, positive] - rankdata(table[:, positive], axis=1)) / n0
    v01 = 1 - (ranks[:, ~positive] - rankdata(table[:, ~positive], axis=1)) / n1
    return v10, v01
