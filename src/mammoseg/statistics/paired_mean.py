"""The mean of a difference of two numbers of the same cases, such as the Dice of two models on the same images, by patient.

    D = sum d_i / sum n_i     V = I / (I - 1) * sum (d_i - D n_i)^2 / n^2     D +- t_{I-1} sqrt(V)     p from t = D / sqrt(V)

d_i is the sum over the n_i cases of a patient. With one case of each patient it is the paired t test.

Source   Student 1908; by patient: Obuchowski 1998, Statistics in Medicine 17:1495 (the ratio estimator of a clustered proportion).
Assumes  a mean over patients that is nearly normal: some twenty patients, fewer where differences are alike.
Shapes   n cases | I patients
"""

import numpy as np
from numpy.typing import ArrayLike

from mammoseg.statistics.clusters import Patients, patient_numbers
from mammoseg.statistics.comparison import Comparison, compared

METHOD = "t test by patient"
_ROUNDING = 1e-12
"""Share of the numbers below which a spread is none: it comes from their last digits."""


def mean_difference(first: ArrayLike, second: ArrayLike, patients: Patients) -> Comparison:
    """Mean of first minus second (n,). ValueError for shapes that differ, and for numbers that are not known."""
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape or one.ndim != 1 or not np.isfinite(one - other).all():
        raise ValueError(
            f"mean difference: {one.shape} and {other.shape} numbers, or one that is not known; expected two of the same cases, "
            "(n,). Keep the cases for which both are known."
        )
    number, count = patient_numbers(patients, one.size)
    if one.size == 0:
        return compared(float("nan"), float("nan"), None, METHOD, "no case")
    difference = float((one - other).mean())
    rest = np.bincount(number, one - other) - difference * np.bincount(number)
    error = float(np.sqrt(count / max(1, count - 1) * float(rest @ rest))) / one.size
    scale = float(np.abs(np.concatenate([one, other])).max())
    return compared(difference, error if error > _ROUNDING * scale else 0.0, count - 1, METHOD)
