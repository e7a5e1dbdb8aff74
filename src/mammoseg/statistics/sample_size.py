"""How many cases a study of AUCs needs.

    C(AUC1, AUC2, r) = (F2(z1, z2; r / 2) - AUC1 AUC2) (1 + 1 / k)                         of continuous scores, as models give
                     = exp(-(A1^2 + A2^2) / 4) / (4 pi) * (r + r / k + A1 A2 (5 r^2 + r^2 / k) / 8)    of ratings of readers
    V(AUC)           = C(AUC, AUC, 1)                              z = Phi^-1(AUC), A = sqrt(2) z, F2 the bivariate normal

    width        positives = z_a^2 V / width^2                                      95 % interval of AUC +- width
    against      positives = (z_a sqrt(V(AUC0)) + z_b sqrt(V(AUC)))^2 / (AUC - AUC0)^2    AUC0 fixed, as 0.5
    difference   positives = (z_a + z_b)^2 (V(AUC1) + V(AUC2) - 2 C(AUC1, AUC2, r)) / (AUC1 - AUC2)^2
    times        1 + (m - 1) rho for m cases of a patient that are correlated by rho

Tests are two-sided at 5 %. k are the negatives for each positive, V and C variance and covariance of estimated AUCs times the
positives, r is the correlation of the two scores among cases of one class: 0 for two different sets of cases.

Assumed  Normal scores of equal variance in both classes (a binormal ROC curve). With an AUC above 0.95, or an answer below 20
         positives, take more.
Source   Obuchowski and McClish 1997, Statistics in Medicine 16:1529 (ratings; the same as in R's pROC for one AUC); for continuous
         scores, on which that is half too many, the large-sample variance of Hanley and McNeil 1982 and DeLong et al. 1988,
         written out for normal scores: the chance that one positive is above two negatives. Kish 1965 (design effect).
Deviates The variance of a difference is not taken under equal AUCs: the test (comparison.py) does not take it there either.
"""

from dataclasses import dataclass
from math import ceil, exp, pi, sqrt

from scipy.special import ndtri
from scipy.stats import multivariate_normal

from mammoseg.statistics.scale import Z95

SCORES = ("continuous", "ratings")


@dataclass(frozen=True)
class Cases:
    """Cases that are needed, the correlation within patients included."""

    positives: int
    negatives: int


def cases_for_width(
    auc: float, width: float, ratio: float = 1.0, effect: float = 1.0, scores: str = "continuous"
) -> Cases:
    """So many that the 95 % interval is AUC +- `width`; `ratio` negatives for each positive, `effect` is of `design_effect`.

    `scores` is one of SCORES.

    ValueError for an AUC, a width, ratio or effect that cannot be.
    """
    _inside(auc=auc, width=width)
    return _cases(Z95**2 * covariance(auc, auc, ratio, 1, scores) / width**2, ratio, effect)


def cases_for_auc(
    auc: float,
    fixed: float = 0.5,
    power: float = 0.8,
    ratio: float = 1.0,
    effect: float = 1.0,
    scores: str = "continuous",
) -> Cases:
    """So many that an AUC is told from a `fixed` one, which is not estimated, with `power`. ValueError as above."""
    _inside(auc=auc, fixed=fixed, power=power)
    _different(auc, fixed)
    spread = [sqrt(covariance(each, each, ratio, 1, scores)) for each in (fixed, auc)]
    return _cases((Z95 * spread[0] + float(ndtri(power)) * spread[1]) ** 2 / (auc - fixed) ** 2, ratio, effect)


def cases_for_difference(
    auc: float,
    other: float,
    correlation: float,
    power: float = 0.8,
    ratio: float = 1.0,
    effect: float = 1.0,
    scores: str = "continuous",
) -> Cases:
    """So many that two AUCs are told apart with `power`, of scores with this `correlation`. ValueError as above."""
    _inside(auc=auc, other=other, power=power)
    _different(auc, other)
    if not 0 <= correlation < 1:
        raise ValueError(f"sample size: correlation {correlation}, expected a number from 0 to below 1.")
    variance = covariance(auc, auc, ratio, 1, scores) + covariance(other, other, ratio, 1, scores)
    variance -= 2 * covariance(auc, other, ratio, correlation, scores)
    return _cases((Z95 + float(ndtri(power))) ** 2 * variance / (auc - other) ** 2, ratio, effect)


def design_effect(per_patient: float, correlation: float) -> float:
    """How many times more cases are needed when a patient has `per_patient` of them, correlated within a patient."""
    if not (per_patient >= 1 and 0 <= correlation <= 1):
        raise ValueError(
            f"sample size: {per_patient} cases of a patient, correlation {correlation}; expected at least 1, and 0 to 1."
        )
    return 1 + (per_patient - 1) * correlation


def covariance(auc: float, other: float, ratio: float, correlation: float, scores: str = "continuous") -> float:
    """C: covariance of two estimated AUCs times the number of positives; the variance for the same AUC and correlation 1.

    ValueError unless `scores` is one of SCORES and `ratio` above 0.
    """
    if scores not in SCORES:
        raise ValueError(f"sample size: scores {scores!r}; expected one of {', '.join(SCORES)}. Name one of these.")
    if not ratio > 0:
        raise ValueError(f"sample size: {ratio} negatives for each positive, expected more than 0.")
    z, r = ndtri([auc, other]), correlation
    if scores == "continuous":
        both = multivariate_normal.cdf(z, cov=[[1, r / 2], [r / 2, 1]])
        return float(both - auc * other) * (1 + 1 / ratio)
    a, b = map(float, sqrt(2) * z)
    return exp(-(a**2 + b**2) / 4) / (4 * pi) * (r + r / ratio + a * b * r**2 * (5 + 1 / ratio) / 8)


def _cases(positives: float, ratio: float, effect: float) -> Cases:
    if not effect >= 1:
        raise ValueError(f"sample size: design effect {effect}, expected at least 1.")
    return Cases(ceil(positives * effect), ceil(positives * effect * ratio))


def _inside(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 < value < 1:
            raise ValueError(f"sample size: {name} {value}, expected a number between 0 and 1.")


def _different(auc: float, other: float) -> None:
    if auc == other:
        raise ValueError(f"sample size: both AUCs are {auc}; expected different ones. No study tells equal ones apart.")
