"""Multi-reader multi-case analysis after Dorfman, Berbaum and Metz: analysis of variance of jackknife pseudovalues.

    Y_ijk = G theta_ij - (G - 1) theta_ij(k)      the pseudovalue of patient k, of G, for reader j in modality i

shifted so that the mean over patients is theta_ij, are taken for a modality x reader x patient design of one observation in each
cell:

    readers and cases random   F = MS(T) / {MS(TR) + max[MS(TC) - MS(TRC), 0]},
                               df2 = {the denominator of F}^2 / {MS(TR)^2 / [(t - 1)(r - 1)]}
                               one modality: variance of its mean {MS(R) + max[MS(C) - MS(RC), 0]} / (r G), df likewise
    readers fixed              F = MS(T) / MS(TC), df (t - 1), (t - 1)(G - 1); one modality: variance MS(C) / (r G), df G - 1
    cases fixed                F = MS(T) / MS(TR), df (t - 1), (t - 1)(r - 1); one modality: variance MS(R) / (r G), df r - 1

A difference of two modalities has the variance 2 / (r G) times the denominator of F. With the covariance of the jackknife the
results with random readers are those of Obuchowski, Rockette and Hillis (orh.py), exactly.

Source   Dorfman, Berbaum and Metz 1992, Investigative Radiology 27:723; Hillis, Obuchowski, Schartz and Berbaum 2005, Statistics in
         Medicine 24:1579 (shifted pseudovalues, equivalence); Hillis, Berbaum and Metz 2008, Academic Radiology 15:647 (df2).
Checked  against RJafroc on the data of Van Dyke et al. 1993 (tests/reader_study/mrmc).

Shapes   T modalities | R readers | G patients
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from mammoseg.reader_study.mrmc.anova import mean_squares
from mammoseg.reader_study.mrmc.covariance import without_each_patient
from mammoseg.reader_study.mrmc.inference import estimate, f_test
from mammoseg.reader_study.mrmc.merit import FigureOfMerit
from mammoseg.reader_study.mrmc.orh import BOTH, CASES, READERS, Analysis, freedom
from mammoseg.statistics.ranking import Floats


@dataclass(frozen=True)
class PseudovalueStudy:
    """What a study says."""

    mean_squares: Mapping[str, float]
    """T, R, C, TR, TC, RC, TRC."""
    analyses: Mapping[str, Analysis]
    """By what is random; of one reader alone only readers fixed."""


def pseudovalues(
    merit: FigureOfMerit, labels: Floats, scores_TRN: Floats, patients: Sequence[str]
) -> tuple[Floats, Floats]:
    """Figures of merit (T, R) and shifted pseudovalues (T, R, G). Raises StudyError where one is undefined."""
    t, r, n = scores_TRN.shape
    whole, without_GK = without_each_patient(merit, labels, scores_TRN.reshape(t * r, n), patients)
    groups = len(without_GK)
    values_GK = groups * whole - (groups - 1) * without_GK
    values_GK += whole - values_GK.mean(axis=0)
    return whole.reshape(t, r), values_GK.T.reshape(t, r, groups)


def analyse(pseudovalues_TRG: Floats) -> PseudovalueStudy:
    """Pseudovalues -> tests, differences and means of modalities."""
    t, r, g = pseudovalues_TRG.shape
    ms = mean_squares(pseudovalues_TRG, "TRC")
    each = [mean_squares(values_RG, "RC") for values_RG in pseudovalues_TRG]
    found = {
        CASES: _analysis(pseudovalues_TRG, ms["T"], (ms["TC"], (t - 1) * (g - 1)), [(m["C"], g - 1) for m in each])
    }
    if r > 1:
        error = ms["TR"] + max(ms["TC"] - ms["TRC"], 0.0)
        sums = [m["R"] + max(m["C"] - m["RC"], 0.0) for m in each]
        of_sums = [(whole, freedom(whole, m["R"], r - 1)) for whole, m in zip(sums, each, strict=True)]
        free = (t - 1) * (r - 1)
        found[BOTH] = _analysis(pseudovalues_TRG, ms["T"], (error, freedom(error, ms["TR"], free)), of_sums)
        found[READERS] = _analysis(pseudovalues_TRG, ms["T"], (ms["TR"], free), [(m["R"], r - 1) for m in each])
    return PseudovalueStudy(ms, found)


def _analysis(
    values_TRG: Floats, ms_t: float, error: tuple[float, float], alone: Sequence[tuple[float, float]]
) -> Analysis:
    """`error` and `alone`: mean square and its degrees of freedom, of the difference and of each modality."""
    t, r, g = values_TRG.shape
    means = values_TRG.mean(axis=(1, 2))
    denominator, df = error
    differences = {
        (a, b): estimate(float(means[a] - means[b]), 2 / (r * g) * denominator, df)
        for a, b in combinations(range(t), 2)
    }
    modalities = tuple(
        estimate(float(m), square / (r * g), free) for m, (square, free) in zip(means, alone, strict=True)
    )
    return Analysis(f_test(ms_t, denominator, t - 1, df) if t > 1 else None, differences, modalities)
