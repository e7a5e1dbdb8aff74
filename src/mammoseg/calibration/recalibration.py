"""How probabilities would have to be changed to be right: a straight line on the scale of log odds, and their mean.

    logit P(y = 1) = a + b logit p     b: slope, 1 is right; below 1 the probabilities are too extreme, above 1 not enough
                                       a: cox_intercept, 0 is right where b is 1
    with b held at 1                   a: intercept, 0 is right; below 0 the probabilities are too high as a whole
    observed_minus_expected            mean y - mean p          (calibration in the large)
    observed_to_expected               mean y / mean p

Source   Cox 1958; Van Calster et al. 2019 (which of them to give: `intercept` and `slope`). Probabilities of 0 and 1 are held
         at 1e-6 and 1 - 1e-6 on the scale of log odds.
Shapes   n cases | R replicates
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.calibration.logistic import fit_intercept, fit_line, log_odds

Floats = NDArray[np.float64]


def recalibration(labels: Floats, probabilities: Floats, weights_Rn: Floats) -> dict[str, Floats]:
    """The five numbers (R,). NaN: a class is missing, or (slope, cox_intercept) nothing lies between the classes."""
    x = log_odds(probabilities)
    cox, slope = fit_line(x, labels, weights_Rn)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed, expected = ((weights_Rn @ values) / weights_Rn.sum(axis=1) for values in (labels, probabilities))
        both = (observed > 0) & (observed < 1)
        return {
            "slope": np.where(both, slope, np.nan),
            "intercept": np.where(both, fit_intercept(x, labels, weights_Rn), np.nan),
            "cox_intercept": np.where(both, cox, np.nan),
            "observed_minus_expected": observed - expected,
            "observed_to_expected": np.where(expected > 0, observed / expected, np.nan),
        }
