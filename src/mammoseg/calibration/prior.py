"""Probabilities for a population in which the finding is rarer, or more frequent, than in the cases they were fitted on.

    odds' = odds * [t / (1 - t)] / [f / (1 - f)]        f: share of positives in the fit, t: in the population

Holds where positives look like positives and negatives like negatives in both, and only their shares differ, as after
balanced sampling. What the model was trained on does not matter here: a fit to validation cases has taken it away.

Source   King and Zeng 2001, eq. 7 (the intercept of a logistic regression becomes a - ln[(1 - t) / t * f / (1 - f)]);
         Elkan 2001, Theorem 2 (the same for any probability).
Shapes   n cases | R replicates
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def shifted(probabilities: Floats, fitted: float, target: float) -> Floats:
    """Probabilities of any shape, for shares of positives in (0, 1). 0 stays 0 and 1 stays 1."""
    given = np.asarray(probabilities, np.float64)
    raised = target / fitted * given
    return raised / (raised + (1 - target) / (1 - fitted) * (1 - given))


def weighted_to(labels_n: Floats, weights_Rn: Floats, target: float | None) -> Floats:
    """Weights (R, n) of cases with labels 0 or 1, changed so that in each row the share of positives is `target`; the sum of a row
    stays. None changes nothing; a row without positives or without negatives becomes NaN.

    The prevalence of the population is known, and does not vary from one replicate to the next as that of the cases does.
    """
    if target is None:
        return weights_Rn
    share_R = (weights_Rn @ labels_n) / weights_Rn.sum(axis=1)
    share_R = np.where((share_R > 0) & (share_R < 1), share_R, np.nan)[:, None]
    return weights_Rn * np.where(labels_n == 1, target / share_R, (1 - target) / (1 - share_R))
