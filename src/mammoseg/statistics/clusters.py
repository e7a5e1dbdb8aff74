"""Patients as clusters: what belongs to one patient is not independent of each other.

Shapes   n cases | I patients | M scores
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Patients = Sequence[str] | NDArray[np.generic]
"""To whom each of the n cases belongs: names, or numbers in an array (faster for very many)."""


def patient_numbers(patients: Patients, n: int) -> tuple[NDArray[np.intp], int]:
    """Number of the patient of each case (n,), counted from 0 in the order of the names, and how many patients there are.

    ValueError when there are not n of them.
    """
    given = np.asarray(patients) if len(patients) else np.empty(0, np.intp)
    if given.shape != (n,):
        raise ValueError(
            f"statistics: patients of shape {given.shape} for {n} cases; expected one patient for each case. "
            f"Pass the patient_id of every row."
        )
    names, number = np.unique(given if given.dtype.kind in "iuU" else given.astype(str), return_inverse=True)
    return number, names.size


def patient_sums(values: Floats, number: NDArray[np.intp], count: int) -> Floats:
    """Values (M, n) of the cases -> sums over the cases of each patient (M, I)."""
    return (
        np.stack([np.bincount(number, row, minlength=count) for row in values]) if len(values) else np.empty((0, count))
    )
