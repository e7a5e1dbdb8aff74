"""A reader and a model together: lambda * reader + (1 - lambda) * model, as if the reader weighed the two scores.

Both are probabilities, on the same scale. With lambda = 0.5, chosen before any data are seen, a hybrid is as good as it looks. The
lambda that is best is chosen on the cases that it is judged on: what it gives is too good, the more so the fewer positives there
are.

Source   Shen et al. 2021, Medical Image Analysis 68:101908, section 3.4 (GMIC): "reader study, hybrids".

Shapes   L values of lambda | R readers | n cases
"""

from dataclasses import dataclass

import numpy as np

from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.mrmc.merit import FigureOfMerit
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.statistics.ranking import Floats

HALF = 0.5
STEP = 0.01
CHOSEN_HERE = "chosen on the cases that it is judged on: too good"


def hybrids(readers_RN: Floats, model_N: Floats, weight: float = HALF) -> Floats:
    """`weight` is lambda, that of the reader."""
    return weight * readers_RN + (1 - weight) * model_N


@dataclass(frozen=True, eq=False)
class Weighing:
    """A figure of merit over lambda."""

    lambda_L: Floats
    """From 0, the model alone, to 1, the reader alone."""
    merit_LR: Floats

    @property
    def best_R(self) -> Floats:
        """For each reader the lambda with the largest merit, the smallest of several."""
        return self.lambda_L[self.merit_LR.argmax(axis=0)]


def weighing(merit: FigureOfMerit, labels: Floats, readers_RN: Floats, model_N: Floats) -> Weighing:
    """The merit of hybrids for lambda = 0, 0.01, ... 1."""
    lambda_L = np.linspace(0, 1, round(1 / STEP) + 1)
    once = np.ones((1, labels.size))
    merits = [[merit(labels, row, once)[0] for row in hybrids(readers_RN, model_N, weight)] for weight in lambda_L]
    return Weighing(lambda_L, np.array(merits))


def scaled(study: ReaderStudy, modality: str, scale: float | None) -> Floats:
    """The scores of its readers divided by `scale`, as probabilities. Raises StudyError if they, or those of a model, are none."""
    if scale is None:
        raise StudyError("categories are no probabilities. Expected such scores, to be weighed with those of a model.")
    readers_RN = study.of(modality) / scale
    outside = {
        **dict(zip(study.readers, readers_RN, strict=True)),
        **study.models,
    }
    wrong = [name for name, row in outside.items() if row.min() < 0 or row.max() > 1]
    if wrong:
        low, high = min(outside[name].min() for name in wrong), max(outside[name].max() for name in wrong)
        raise StudyError(
            f"scores of {wrong[0]} are from {low:g} to {high:g}. Expected probabilities, from 0 to 1, to be weighed with each "
            "other. Say what the highest score of readers is (--reader-scale 100 for percent), or leave the model out."
        )
    return readers_RN
