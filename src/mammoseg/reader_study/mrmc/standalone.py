"""A model that reads alone, or a value that is given, against the mean of readers who stand for all readers.

The differences psi_j = theta_j - theta_model of r readers of the same cases are the figures of merit of one modality:

    readers and cases random   t = mean(psi) / sqrt{[MS(R) + r max(Cov2, 0)] / r},
                               df = [MS(R) + r max(Cov2, 0)]^2 / [MS(R)^2 / (r - 1)]
    readers fixed              z = mean(psi) / sqrt{[Var + (r - 1) max(Cov2, 0)] / r}
    cases fixed                t = mean(psi) / sqrt{MS(R) / r}, df = r - 1: the t-test of one sample

with MS(R) the variance of psi over readers, Var and Cov2 the variance of psi_j over cases and its covariance between readers. A
value is a model that is the same on all cases.

Source   Hillis 2007, Statistics in Medicine 26:596, section 5.3 (one modality against a value); Chakraborty 2017, Observer
         Performance Methods for Diagnostic Imaging, ch. 22 (differences from a stand-alone algorithm; 1T-RRRC and 1T-RRFC of
         RJafroc). "Cases fixed" says nothing of other patients; it is what Hupse et al. 2013, European Radiology 23:93, did.
Checked  against RJafroc's numbers on simulated data that Google Health published with its code (tests/reader_study/mrmc).

Shapes   R readers
"""

from collections.abc import Mapping

import numpy as np

from mammoseg.reader_study.mrmc.covariance import Merits
from mammoseg.reader_study.mrmc.inference import Estimate
from mammoseg.reader_study.mrmc.orh import analyse


def readers_minus_model(merits: Merits) -> Mapping[str, Estimate]:
    """Figures of merit of the model, then of the readers -> mean difference by what is random (orh.py).

    Of one reader alone only with fixed readers.
    """
    readers = merits.theta_K.size - 1
    differences = np.hstack([-np.ones((readers, 1)), np.eye(readers)])
    found = analyse(merits.contrast(differences), modalities=1)
    return {random: each.modalities[0] for random, each in found.analyses.items()}


def readers_minus_value(merits: Merits, value: float) -> Mapping[str, Estimate]:
    """Figures of merit of the readers -> mean difference from `value`, which is known without error."""
    shifted = Merits(merits.theta_K - value, merits.cov_KK, merits.patients)
    return {random: each.modalities[0] for random, each in analyse(shifted, modalities=1).analyses.items()}
