"""Probabilities for a population in which the finding is rarer, or more frequent, than in the cases they were fitted on.

    odds' = odds * [t / (1 - t)] / [f / (1 - f)]        f: share of positives in the fit, t: in the population

Holds where positives look like positives and negatives like negatives in both, and only their shares differ, as after
balanced sampling. What the model was trained on does not matter here: a fit to validation cases has taken it away.

Source   King and Zeng 2001, eq. 7 (the intercept of a logistic regression becomes a - ln[(1 - t) / t * f / (1 - f)]);
         Elkan 2001, Theorem 2 (the same for any probability).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def shifted(probabilities: Floats, fitted: float, target: float) -> Floats:
    """Probabilities of any shape, for shares of positives in (0, 1). 0 stays 0 and 1 stays 1."""
    given = np.asarray(probabilities, np.float64)
    positive, negative = case_weights(fitted, target)
    raised = positive * given
    return raised / (raised + negative * (1 - given))


def case_weights(found: float, target: float) -> tuple[float, float]:
    """What a positive and a negative count, so that a share `found` of positives becomes `target`, and n stays n."""
    return target / found, (1 - target) / (1 - found)
