"""FROC: the share of lesions that is found, at so many false marks per image.

    at_F     the largest lesion localisation fraction of a threshold with at most F non-lesion localisations per image,
             for F = 1/8, 1/4, 1/2, 1, 2, 4, 8
    cpm      their mean, the competition performance metric
    found    the share of lesions with any mark: the end of the curve
    false    non-lesion localisations per image there

Source   Bunch et al. 1978; Niemeijer et al. 2011, IEEE Transactions on Medical Imaging 30:215 (CPM); counting of marks as in
         Chakraborty 2017 (statistics/froc.py). Images of both kinds are counted in F.
Deviates Between two points of the curve the lower one counts, so that every number is reached by a threshold; where the curve has
         ended, its end counts.
"""

import numpy as np

from mammoseg.statistics.froc import Marked, froc_curve
from mammoseg.statistics.ranking import Floats

KIND = "marks"
TITLE = "FROC"
RATES = (0.125, 0.25, 0.5, 1, 2, 4, 8)


def measure(marked: Marked, weights: Floats) -> dict[str, Floats]:
    """Each number for every row of `weights` (R, n) -> (R,); NaN where no lesion has a weight."""
    curve = froc_curve(marked, weights)
    at = {f"at_{rate:g}": curve.found_at(rate) for rate in RATES}
    return {"cpm": np.mean([*at.values()], axis=0), **at, "found": curve.found[:, -1], "false": curve.false[:, -1]}
