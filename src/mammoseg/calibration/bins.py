"""Cases in bins of probabilities, as many in each: the reliability curve, the parts of the Brier score, the calibration error.

Bins lie between quantiles of the probabilities; equal ones are in one bin, so that there may be fewer bins, or larger ones. They
are found once, on all cases, and held in the bootstrap.

    curve   bin k: mean probability p_k, share of positives o_k
    ECE     sum n_k / n |o_k - p_k|
    Brier   mean (p_i - y_i)^2 = reliability - resolution + uncertainty + within
            reliability  sum n_k / n (p_k - o_k)^2           uncertainty  o (1 - o)
            resolution   sum n_k / n (o_k - o)^2             within       1 / n sum (p_i - p_k)^2 - 2 / n sum (p_i - p_k)(y_i - o_k)

ECE is never negative, and chance alone makes it larger than 0: `expected_ece` says what perfect probabilities would show in the
mean. `within` is 0 where all probabilities of a bin are the same; without it the parts do not sum up.

Source   Murphy 1973 (parts); Stephenson et al. 2008 (within bins); Naeini et al. 2015 (ECE), Nguyen and O'Connor 2015 (bins of
         equal mass), Roelofs et al. 2022 (its bias).
Shapes   n cases | B bins | R replicates
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_BINS = 10
FEWEST_IN_BIN = 10


@dataclass(frozen=True, eq=False)
class Binned:
    """n cases with probabilities and labels 0 or 1, in B bins."""

    labels: Floats
    probabilities: Floats
    member_nB: Floats
    """1 where a case is in a bin."""

    def totals(self, weights_Rn: Floats) -> tuple[Floats, Floats, Floats]:
        """Weight, sum of the probabilities and sum of the labels in each bin, (R, B) each."""
        p, y = self.probabilities[:, None], self.labels[:, None]
        return weights_Rn @ self.member_nB, weights_Rn @ (self.member_nB * p), weights_Rn @ (self.member_nB * y)

    @cached_property
    def _squares_nB(self) -> tuple[Floats, Floats]:
        p, y = self.probabilities[:, None], self.labels[:, None]
        return self.member_nB * p**2, self.member_nB * p * y


def binned(labels: Floats, probabilities: Floats) -> Binned:
    """MOST_BINS bins, or fewer, so that FEWEST_IN_BIN cases are in each."""
    bins = int(np.clip(labels.size // FEWEST_IN_BIN, 1, MOST_BINS))
    inner = np.quantile(probabilities, np.arange(1, bins) / bins, method="higher") if labels.size else np.empty(0)
    edges = np.unique(inner)
    place = np.searchsorted(edges, probabilities, side="right")
    _, place = np.unique(place, return_inverse=True)
    member = np.zeros((labels.size, int(place.max(initial=-1)) + 1))
    member[np.arange(labels.size), place] = 1
    return Binned(labels, probabilities, member)


def brier_parts(cases: Binned, weights_Rn: Floats) -> dict[str, Floats]:
    """`brier`, its four parts and `scaled_brier`, 1 - brier / uncertainty (0: no better than the prevalence), (R,) each."""
    n_RB, p_RB, y_RB = cases.totals(weights_Rn)
    square_RB, product_RB = (weights_Rn @ table_nB for table_nB in cases._squares_nB)
    n_R = n_RB.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = y_RB.sum(axis=1) / n_R
        mean_p, mean_y = (np.where(n_RB > 0, total / n_RB, 0) for total in (p_RB, y_RB))
        brier = (square_RB.sum(axis=1) - 2 * product_RB.sum(axis=1) + y_RB.sum(axis=1)) / n_R
        reliability = np.sum(n_RB * (mean_p - mean_y) ** 2, axis=1) / n_R
        resolution = np.sum(n_RB * (mean_y - share[:, None]) ** 2, axis=1) / n_R
        spread = np.sum(square_RB - n_RB * mean_p**2, axis=1) / n_R
        common = np.sum(product_RB - n_RB * mean_p * mean_y, axis=1) / n_R
        uncertainty = share * (1 - share)
        return {
            "brier": brier,
            "brier_reliability": reliability,
            "brier_resolution": resolution,
            "brier_uncertainty": uncertainty,
            "brier_within": spread - 2 * common,
            "scaled_brier": np.where(uncertainty > 0, 1 - brier / uncertainty, np.nan),
        }


def expected_calibration_error(cases: Binned, weights_Rn: Floats) -> Floats:
    """ECE (R,)."""
    n_RB, p_RB, y_RB = cases.totals(weights_Rn)
    with np.errstate(invalid="ignore"):
        return np.abs(p_RB - y_RB).sum(axis=1) / n_RB.sum(axis=1)


def expected_ece(cases: Binned, counts_n: Floats) -> float:
    """What the ECE of these cases, each counting `counts_n`, is in the mean if every probability is right: in each bin the mean
    of the absolute value of a normal variable, sqrt(2 / pi) of its standard deviation. Cases of a patient count as independent,
    so that it is rather too small."""
    p = cases.probabilities
    variance_B = (counts_n**2 * p * (1 - p)) @ cases.member_nB
    return float(np.sqrt(2 / np.pi) * np.sqrt(variance_B).sum() / counts_n.sum()) if p.size else float("nan")
