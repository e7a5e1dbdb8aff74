"""Made-up scores of patients with several images or breasts, whose true AUC and the like are known: for simulations.

A score is normal within each class: a part that a patient's cases share, and one of each case; positives lie `shift` higher.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

Floats = NDArray[np.float64]
Limits = tuple[float, float]
SENSITIVITY, SPECIFICITY = 0.9, 0.9


@dataclass(frozen=True)
class Study:
    """`positive` and `negative` patients with `per` cases each; of a positive patient all are, or half (`half`)."""

    positive: int
    negative: int
    per: int
    half: bool
    correlation: float
    """Of two cases of a patient, within a class."""
    auc: float

    @property
    def shift(self) -> float:
        return float(np.sqrt(2) * norm.ppf(self.auc))

    @property
    def threshold(self) -> float:
        """Fixed beforehand: a specificity of SPECIFICITY."""
        return float(norm.ppf(SPECIFICITY))

    def cases(self) -> tuple[Floats, NDArray[np.intp]]:
        """Labels and patients of the cases (n,)."""
        patients = np.repeat(np.arange(self.positive + self.negative), self.per)
        labels = patients < self.positive
        if self.half:
            labels &= np.arange(patients.size) % self.per < (self.per + 1) // 2
        return labels.astype(np.float64), patients

    def scores(self, rng: np.random.Generator, models: int = 1, likeness: float = 0.6) -> Floats:
        """Of `models` models (models, n); `likeness` is the correlation of two of them, for patients and for cases."""
        labels, patients = self.cases()

        def parts(size: int) -> Floats:
            drawn = rng.normal(size=(models + 1, size))
            return np.sqrt(likeness) * drawn[0] + np.sqrt(1 - likeness) * drawn[1:]

        shared = parts(self.positive + self.negative)[:, patients]
        return (
            np.sqrt(self.correlation) * shared
            + np.sqrt(1 - self.correlation) * parts(labels.size)
            + self.shift * labels
        )

    def truth(self) -> dict[str, float]:
        """Name -> the value that an infinite study of this make would find."""
        share = float(self.cases()[0].mean())

        def curve(x: float) -> float:
            return float(norm.sf(norm.isf(x) - self.shift))

        def precision(t: float) -> float:
            found, false = share * norm.sf(t - self.shift), (1 - share) * norm.sf(t)
            return float(found / (found + false) * norm.pdf(t - self.shift))

        area = quad(curve, 0, 0.1)[0]
        return {
            "auc": self.auc,
            "average_precision": quad(precision, -8, self.shift + 8, limit=200)[0],
            "partial_auc": (1 + (area - 0.005) / 0.095) / 2,
            "sensitivity": float(norm.sf(self.threshold - self.shift)),
            "specificity": SPECIFICITY,
            "specificity at a sensitivity of 0.9": float(norm.cdf(self.shift + norm.ppf(1 - SENSITIVITY))),
        }

    def __str__(self) -> str:
        of = "half of the cases of a positive patient positive" if self.half and self.per > 1 else "all positive"
        return (
            f"{self.positive} positive and {self.negative} negative patients, {self.per} case{'s' * (self.per > 1)} each, {of}, "
            f"correlation {self.correlation}, AUC {self.auc}"
        )


def asked(what: str, expected: float) -> argparse.Namespace:
    """Simulations, replicates and seed of the command line; says them, and how far a share that is `expected` may be off."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    error = 100 * np.sqrt(expected * (1 - expected) / given.simulations)
    print(f"{given.simulations} simulations, {given.replicates} replicates, seed {given.seed}")
    print(f"Monte Carlo error of {100 * expected:g} %: {error:.1f} % (one standard error)")
    return given


def coverage_row(name: str, value: float, pairs: Sequence[tuple[Limits, Limits]]) -> str:
    """A row of a table: how often the naive limits and ours of each simulation hold the true value, where they are given."""
    (naive_low, naive_high), (low, high) = np.array(pairs).transpose(1, 2, 0)
    given, has_naive = ~np.isnan(low), ~np.isnan(naive_low)
    naive = 100 * np.mean(((naive_low <= value) & (value <= naive_high))[has_naive])
    below, above = 100 * np.mean(high[given] < value), 100 * np.mean(low[given] > value)
    return (
        f"| {name} | {value:.3f} | {naive:.1f} % | {100 - below - above:.1f} % | {below:.1f} % | {above:.1f} % | "
        f"{np.count_nonzero(~given)} | {np.mean((high - low)[given]):.3f} |"
    )
