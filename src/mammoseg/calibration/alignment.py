"""Unsupervised prediction alignment: scores of another site or machine, moved so that they are distributed as those before.

The k-th quantile of the new scores becomes the k-th quantile of the reference, straight in between and from the outermost to 0
and 1. No label of the new site is used. The order of the scores stays, and so does the AUC.

Assumes that both sites see the same patients: the same share of cancers, the same case mix. Whatever differs between the
distributions is taken for the machine's doing. Where a site has twice the cancers, the method takes half of them away.

Source   Roschewitz et al. 2023 (Nature Communications, doi 10.1038/s41467-023-42396-y): a piecewise linear function that matches
         the distributions; 1000 cases for the alignment in mammography. Rebuilt from the description. Ours: where the pieces
         begin, and how many cases are needed.
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.calibration.stored import Alignment, CalibrationError, Points, Reference
from mammoseg.statistics.clusters import Patients

Floats = NDArray[np.float64]

LEVELS = (*(np.arange(0.5, 50) / 50).tolist(), 0.995, 0.9975, 0.999)
"""Of the quantiles that are matched: in steps of 2 %, finer where the cancers are."""
FEWEST_BREASTS = 200
"""On both sides: four for each step."""
_FEWEST_ABOVE = 2
"""Breasts above a quantile, on both sides, without which it is not matched."""


def reference_of(scores: Floats, patients: Patients) -> Reference:
    """What is remembered of the scores of breasts (n,)."""
    return Reference(
        breasts=scores.size,
        patients=len(set(np.asarray(patients).tolist())),
        levels=LEVELS,
        quantiles=tuple(np.quantile(scores, LEVELS).tolist()),
    )


def align(scores: Floats, patients: Patients, reference: Reference) -> Alignment:
    """The way from the scores of breasts (n,) of a site to the reference. CalibrationError for too few of either."""
    for where, breasts in (
        ("the site", scores.size),
        ("the part that the calibration was made from", reference.breasts),
    ):
        if breasts < FEWEST_BREASTS:
            raise CalibrationError(
                f"{breasts} breasts of {where}: too few to know how scores are distributed. Expected at least {FEWEST_BREASTS}, "
                "better 2000, one after the other as they come, not chosen. Take more."
            )
    levels = np.array(reference.levels)
    used = (1 - levels) * min(scores.size, reference.breasts) >= _FEWEST_ABOVE - 1e-9
    found = np.quantile(scores, levels[used])
    if found[0] == found[-1]:
        raise CalibrationError("all scores of the site are the same. Expected scores that differ. Check the images.")
    x, first = np.unique(np.concatenate([[0.0], found, [1.0]]), return_index=True)
    y = np.concatenate([[0.0], np.array(reference.quantiles)[used], [1.0]])
    ends = np.append(first[1:], y.size)
    middle = [float(np.mean(y[start:end])) for start, end in zip(first, ends, strict=True)]  # of equal quantiles
    return Alignment(
        points=Points(x=tuple(x.tolist()), y=tuple(np.maximum.accumulate(middle).tolist())),
        breasts=scores.size,
        patients=len(set(np.asarray(patients).tolist())),
    )
