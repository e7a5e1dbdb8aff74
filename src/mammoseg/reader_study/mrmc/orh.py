"""Multi-reader multi-case analysis after Obuchowski and Rockette, with the degrees of freedom of Hillis.

Readers j = 1..r read all cases in modalities i = 1..t. The figures of merit are taken for

    theta_ij = mu + tau_i + R_j + (tau R)_ij + epsilon_ij

whose errors, of the same cases, have variance Var and covariances Cov1 (same reader, other modality), Cov2 (same modality, other
reader) and Cov3 (both differ), estimated as the means of those entries of the covariance over cases.

    readers and cases random   F = MS(T) / [MS(TR) + r max(Cov2 - Cov3, 0)],
                               df2 = [MS(TR) + r max(Cov2 - Cov3, 0)]^2 / {MS(TR)^2 / [(t - 1)(r - 1)]}
                               one modality: variance of its mean [MS(R) + r max(Cov2, 0)] / r,
                               df = [MS(R) + r max(Cov2, 0)]^2 / [MS(R)^2 / (r - 1)]
    readers fixed              chi-square = (t - 1) MS(T) / [Var - Cov1 + (r - 1) max(Cov2 - Cov3, 0)], df t - 1
                               one modality: variance [Var + (r - 1) max(Cov2, 0)] / r, normal
                               one reader: variance of a difference 2 (Var_j - Cov1_j), normal
    cases fixed                F = MS(T) / MS(TR), df (t - 1), (t - 1)(r - 1); one modality: variance MS(R) / r, df r - 1

A difference of two modalities has the variance (2 / r) times the denominator of F, and its degrees of freedom.

Source   Obuchowski and Rockette 1995, Communications in Statistics - Simulation and Computation 24:285; Hillis 2007, Statistics in
         Medicine 26:596 (degrees of freedom); Hillis 2014, Statistics in Medicine 33:330 (one modality, fixed factors).
Checked  against OR-DBM MRMC 2.51, RJafroc and MRMCaov on the data of Van Dyke et al. 1993 (tests/reader_study/mrmc).

Shapes   T modalities | R readers
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mammoseg.reader_study.mrmc.anova import mean_squares
from mammoseg.reader_study.mrmc.covariance import Merits
from mammoseg.reader_study.mrmc.inference import Estimate, Significance, estimate, f_test
from mammoseg.statistics.ranking import Floats

BOTH, CASES, READERS = "random readers, random cases", "fixed readers, random cases", "random readers, fixed cases"
"""What is taken for a sample: results hold for all readers and patients, for these readers, for these patients."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class Components:
    """Mean squares of the figures of merit, and the covariances of their errors. NaN: of one modality or one reader alone."""

    modalities: int
    ms_t: float
    ms_r: float
    ms_tr: float
    var: float
    cov1: float
    cov2: float
    cov3: float

    @property
    def var_reader(self) -> float:
        """Variance of R_j, as a study is planned with it; may be negative."""
        return (self.ms_r - self.ms_tr) / self.modalities - self.cov1 + self.cov3

    @property
    def var_modality_reader(self) -> float:
        """Variance of (tau R)_ij; may be negative."""
        return self.ms_tr - self.var + self.cov1 + self.cov2 - self.cov3


@dataclass(frozen=True)
class Analysis:
    """A study with something taken for a sample."""

    test: Significance | None
    """That all modalities are equal; None for one modality."""
    differences: Mapping[Pair, Estimate]
    """Modality a minus modality b, for all pairs a < b."""
    modalities: tuple[Estimate, ...]
    """Means over readers; that they are not 0 means nothing."""


@dataclass(frozen=True)
class Study:
    """What a study says."""

    components: Components
    analyses: Mapping[str, Analysis]
    """By what is random; of one reader alone only CASES."""
    by_reader: tuple[Mapping[Pair, Estimate], ...]
    """Differences of modalities for each reader alone."""


def analyse(merits: Merits, modalities: int) -> Study:
    """Figures of merit, modality by modality, each for all readers in the same order."""
    t, r = modalities, merits.theta_K.size // modalities
    theta_TR, cov_TRTR = merits.theta_K.reshape(t, r), merits.cov_KK.reshape(t, r, t, r)
    all_of = _components(theta_TR, cov_TRTR)
    each = [_components(theta_TR[i : i + 1], cov_TRTR[i : i + 1, :, i : i + 1]) for i in range(t)]
    between = max(all_of.cov2 - all_of.cov3, 0.0) if r > 1 and t > 1 else 0.0
    within = [max(one.cov2, 0.0) if r > 1 else 0.0 for one in each]
    fixed = all_of.var - all_of.cov1 + (r - 1) * between
    alone = [(one.var + (r - 1) * cov2) / r for one, cov2 in zip(each, within, strict=True)]
    found = {CASES: _analysis(theta_TR, all_of.ms_t, (fixed, np.inf), [(v, np.inf) for v in alone])}
    if r > 1:
        free = (t - 1) * (r - 1)
        error = all_of.ms_tr + r * between
        sums = [one.ms_r + r * cov2 for one, cov2 in zip(each, within, strict=True)]
        of_sums = [(s / r, freedom(s, one.ms_r, r - 1)) for s, one in zip(sums, each, strict=True)]
        found[BOTH] = _analysis(theta_TR, all_of.ms_t, (error, freedom(error, all_of.ms_tr, free)), of_sums)
        of_readers = [(one.ms_r / r, float(r - 1)) for one in each]
        found[READERS] = _analysis(theta_TR, all_of.ms_t, (all_of.ms_tr, free), of_readers)
    return Study(all_of, found, tuple(_of_reader(theta_TR[:, j], cov_TRTR[:, j, :, j]) for j in range(r)))


def _components(theta_TR: Floats, cov_TRTR: Floats) -> Components:
    squares = mean_squares(theta_TR, "TR")
    t, r = theta_TR.shape
    i, j, k, m = np.ogrid[:t, :r, :t, :r]
    chosen = ((i == k) & (j == m), (i != k) & (j == m), (i == k) & (j != m), (i != k) & (j != m))
    entries = (cov_TRTR[np.broadcast_to(each, cov_TRTR.shape)] for each in chosen)
    means = [float(some.mean()) if some.size else float("nan") for some in entries]
    return Components(t, squares["T"], squares["R"], squares["TR"], *means)


def freedom(whole: float, square: float, df: float) -> float:
    """Of a sum of which only `square`, a mean square with `df` degrees of freedom, is uncertain (Satterthwaite; Hillis 2007)."""
    return df * (whole / square) ** 2 if square > 0 else float("inf")


def _analysis(theta_TR: Floats, ms_t: float, error: tuple[float, float], alone: list[tuple[float, float]]) -> Analysis:
    """`error`: denominator of F and its degrees of freedom; `alone`: those of the mean of each modality, with its variance."""
    t, r = theta_TR.shape
    means = theta_TR.mean(axis=1)
    denominator, df = error
    differences = {
        (a, b): estimate(float(means[a] - means[b]), 2 / r * denominator, df) for a, b in combinations(range(t), 2)
    }
    modalities = tuple(estimate(float(mean), *each) for mean, each in zip(means, alone, strict=True))
    return Analysis(f_test(ms_t, denominator, t - 1, df) if t > 1 else None, differences, modalities)


def _of_reader(theta_T: Floats, cov_TT: Floats) -> Mapping[Pair, Estimate]:
    """With the mean variance and covariance of the reader, as for one reader in the model above."""
    t = theta_T.size
    own = ~np.eye(t, dtype=bool)
    variance = 2 * (np.diag(cov_TT).mean() - cov_TT[own].mean()) if t > 1 else float("nan")
    return {
        (a, b): estimate(float(theta_T[a] - theta_T[b]), float(variance), np.inf) for a, b in combinations(range(t), 2)
    }
