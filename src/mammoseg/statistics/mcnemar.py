"""Two decisions on the same cases: difference of two sensitivities (give the positives) or specificities (the negatives).

b cases are right by the first alone, c by the second alone, of n:

    exact     p of a binomial of b + c draws with 1/2                            never too many false alarms, often too few
    mid-p     half the chance of the table itself is left out                                        the default
    both: (b - c) / n, interval after one was added to b and to c: (b - c) / (n + 2) +- z sqrt(...)

Several cases of a patient, d_i right by the first less those by the second, of n_i:

    D = sum d_i / sum n_i     V = I / (I - 1) * sum (d_i - D n_i)^2 / n^2     D +- t_{I-1} sqrt(V)     p from t = D / sqrt(V)

Source   McNemar 1947; Fagerland, Lydersen and Laake 2013 (mid-p); Bonett and Price 2012 (interval); by patient: Obuchowski 1998
         (Statistics in Medicine 17:1495), the ratio estimator of a clustered proportion.
Shapes   n cases | I patients
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from mammoseg.statistics.clusters import Floats, Patients
from mammoseg.statistics.comparison import Comparison, compared
from mammoseg.statistics.paired_mean import mean_difference
from mammoseg.statistics.scale import Z95

METHODS = ("mid-p", "exact")


@dataclass(frozen=True)
class Discordant:
    """Cases that one of the two has right and the other has not."""

    first_alone: int
    second_alone: int
    n: int
    comparison: Comparison


def mcnemar(first: ArrayLike, second: ArrayLike, method: str = "mid-p") -> Discordant:
    """Independent cases (n,), 1 where the decision is right, else 0. ValueError for other values, shapes and methods."""
    if method not in METHODS:
        raise ValueError(f"McNemar: method {method!r}; expected one of {', '.join(METHODS)}. Name one of these.")
    one, other = _decisions(first, second)
    b, c, n = int(np.sum(one > other)), int(np.sum(one < other)), one.size
    name = f"McNemar, {method}"
    if n == 0:
        return Discordant(0, 0, 0, compared(float("nan"), float("nan"), None, name, "no case"))
    tail = 2 * float(binom.cdf(min(b, c), b + c, 0.5))
    p = tail - float(binom.pmf(b, b + c, 0.5)) if method == "mid-p" else tail
    share_b, share_c = (b + 1) / (n + 2), (c + 1) / (n + 2)
    error = float(np.sqrt((share_b + share_c - (share_b - share_c) ** 2) / (n + 2)))
    middle = share_b - share_c
    low, high = max(-1.0, middle - Z95 * error), min(1.0, middle + Z95 * error)
    return Discordant(b, c, n, Comparison((b - c) / n, low, high, min(1.0, p), name, error))


def clustered_mcnemar(first: ArrayLike, second: ArrayLike, patients: Patients) -> Discordant:
    """Cases (n,) of patients, 1 where the decision is right, else 0."""
    one, other = _decisions(first, second)
    comparison = replace(mean_difference(one, other, patients), method="McNemar by patient")
    return Discordant(int(np.sum(one > other)), int(np.sum(one < other)), one.size, comparison)


def _decisions(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(
            f"McNemar: decisions of {one.shape} and {other.shape}; expected two on the same cases, (n,). Keep what both have."
        )
    if not np.isin(np.concatenate([one, other]), (0, 1)).all():
        raise ValueError(
            "McNemar: a decision is neither 0 nor 1; expected 1 where it is right. Apply a threshold first."
        )
    return one, other
