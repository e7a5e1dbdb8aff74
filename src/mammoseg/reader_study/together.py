"""Readers and models together: hybrids, majority votes, means of models; what each of them adds.

hybrids    model -> readers (name -> metric -> value) and mean (metric -> value, std) of hybrids with lambda = 0.5; gain: their AUC
           minus that of the readers alone, by what is random; weighing: metric -> best lambda and what it gives, mean and standard
           deviation over readers, and the `curve` over lambda
consensus  sensitivity and specificity of the majority of recalls; specificities of the models at that sensitivity
ensembles  metric -> equal: value; best: value, weights (model -> weight)
"""

from typing import Any

import numpy as np

from mammoseg.reader_study import compare, performance
from mammoseg.reader_study.consensus import majority, recalls
from mammoseg.reader_study.ensemble import merits, simplex
from mammoseg.reader_study.hybrid import CHOSEN_HERE, Weighing, scaled, weighing
from mammoseg.reader_study.hybrid import hybrids as weighed
from mammoseg.reader_study.mrmc.merit import AUC, AVERAGE_PRECISION, specificity_at_sensitivity
from mammoseg.reader_study.mrmc.orh import analyse
from mammoseg.reader_study.performance import Measuring
from mammoseg.reader_study.settings import Settings
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.statistics.ranking import Floats

WEIGHED = {"auc": AUC, "average_precision": AVERAGE_PRECISION}
"""What is followed over lambda, and over weights of models."""


def hybrids(study: ReaderStudy, modality: str, settings: Settings, how: Measuring) -> dict[str, Any]:
    """Of each model with each reader. Raises StudyError if scores are no probabilities."""
    readers_RN = scaled(study, modality, settings.reader_scale)
    return {name: _hybrids(study, readers_RN, scores, settings, how) for name, scores in study.models.items()}


def _hybrids(
    study: ReaderStudy, readers_RN: Floats, model_N: Floats, settings: Settings, how: Measuring
) -> dict[str, Any]:
    half_RN = weighed(readers_RN, model_N)
    found = {
        reader: {
            name: {"value": performance.value(merit, study.labels, scores)} for name, merit in how.metrics().items()
        }
        for reader, scores in zip(study.readers, half_RN, strict=True)
    }

    def gain() -> dict[str, Any]:
        both = compare.merits_of(np.vstack([half_RN, readers_RN]), study.labels, study.patients, settings)
        return {random: compare.numbers(each.differences[0, 1]) for random, each in analyse(both, 2).analyses.items()}

    return {
        "readers": found,
        "mean": performance.average(list(found.values())),
        "gain": compare.or_reason(gain),
        "weighing": {
            metric: _weighed(weighing(merit, study.labels, readers_RN, model_N)) for metric, merit in WEIGHED.items()
        },
    }


def _weighed(found: Weighing) -> dict[str, Any]:
    """The best lambda of each reader, and the merit over lambda: means and standard deviations over readers."""
    best_R, merit_R = found.best_R, found.merit_LR.max(axis=0)
    return {
        "lambda": float(best_R.mean()),
        "lambda_std": float(best_R.std()),
        "value": float(merit_R.mean()),
        "std": float(merit_R.std()),
        "caution": CHOSEN_HERE,
        "curve": {
            "lambda": found.lambda_L.tolist(),
            "value": found.merit_LR.mean(axis=1).tolist(),
            "std": found.merit_LR.std(axis=1).tolist(),
        },
    }


def consensus(study: ReaderStudy, modality: str, settings: Settings, how: Measuring) -> dict[str, Any]:
    """Or `reason`: without a threshold nobody has recalled anything."""
    if settings.recall_at is None:
        return {"reason": "it is not known from which score on readers recall (--recall-at)"}
    vote = majority(recalls(study.of(modality), settings.recall_at)).astype(np.float64)
    found = performance.decided(study.labels, vote, 1, study.patients)
    least = found["sensitivity"]["value"]
    models = {
        name: performance.number(specificity_at_sensitivity(least), study.labels, scores, study.patients, how)
        for name, scores in study.models.items()
    }
    return {**found, "models": models}


def ensembles(study: ReaderStudy) -> dict[str, Any]:
    """Of all models of the study, at least two."""
    models_MN, names = np.array(list(study.models.values())), list(study.models)
    weights_PM, equal = simplex(len(names)), np.full((1, len(names)), 1 / len(names))
    found = {}
    for metric, merit in WEIGHED.items():
        values = merits(merit, study.labels, models_MN, weights_PM)
        best = int(values.argmax())
        found[metric] = {
            "equal": {"value": float(merits(merit, study.labels, models_MN, equal)[0])},
            "best": {
                "value": float(values[best]),
                "weights": dict(zip(names, weights_PM[best].tolist(), strict=True)),
                "combinations": len(weights_PM),
                "caution": CHOSEN_HERE,
            },
        }
    return found
