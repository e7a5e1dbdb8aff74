"""A reader study -> its results, one dictionary: what reader_study.json holds.

    format, version   of this structure, of mammoseg
    n, positives ...  counts of cases and patients; `left_out` why -> cases; `remarks`, `caution`
    settings          as given
    titles            metric -> what people call it
    models            name -> metric -> number
    modalities        name -> readers        name -> metric -> number
                              mean           metric -> value, std, and low, high for all readers and patients
                              against_models model -> what is random -> mean AUC of the readers minus that of the model
                              hybrids, consensus   as together.py has them
    between           if there are several modalities: metric -> their comparison (`modalities` of compare.py)
    ensembles         metric -> equal weights, best weights of the models

A number is a dictionary with value, low, high (95 %); `no_interval` or `reason` say why something is missing.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

import mammoseg
from mammoseg.reader_study import compare, consensus, performance, together
from mammoseg.reader_study.performance import Measuring
from mammoseg.reader_study.settings import Settings
from mammoseg.reader_study.study import ReaderStudy

FORMAT = 1
FEW_PATIENTS = 10
"""With fewer patients on one side, positive or negative, results come with a caution."""


def analyse(study: ReaderStudy, settings: Settings) -> dict[str, Any]:
    """All results. What one part of them needs and the study does not have is said there, as `reason`."""
    sensitivities = settings.sensitivities or _mean_sensitivity(study, settings.recall_at)
    how = Measuring(sensitivities, settings.bootstrap, settings.seed)
    labels, patients = study.labels, study.patients
    names = [*how.metrics(), *(("sensitivity", "specificity") if settings.recall_at is not None else ())]
    return {
        "format": FORMAT,
        "version": mammoseg.__version__,
        **_counts(study),
        "settings": asdict(settings) | {"sensitivities": sensitivities},
        "titles": {name: performance.title(name) for name in names},
        "models": {name: performance.measured(labels, scores, patients, how) for name, scores in study.models.items()},
        "modalities": {name: _modality(study, name, settings, how) for name in study.modalities},
        "between": _between(study, settings),
        "ensembles": together.ensembles(study) if len(study.models) > 1 else {},
    }


def _mean_sensitivity(study: ReaderStudy, recall_at: float | None) -> tuple[float, ...]:
    """Of all readers; of the first modality where there are several."""
    if recall_at is None:
        return ()
    return (float(consensus.recalls(study.scores_TRN[0], recall_at)[:, study.labels == 1].mean()),)


def _counts(study: ReaderStudy) -> dict[str, Any]:
    sides = {
        name: {p for p, y in zip(study.patients, study.labels, strict=True) if y == value}
        for value, name in ((1, "positive"), (0, "negative"))
    }
    few = [f"{len(those)} {name}" for name, those in sides.items() if len(those) < FEW_PATIENTS]
    return {
        "n": study.labels.size,
        "positives": int(study.labels.sum()),
        "negatives": int((study.labels == 0).sum()),
        "patients": len({*study.patients}),
        **{f"{name}_patients": len(those) for name, those in sides.items()},
        "readers": len(study.readers),
        "left_out": dict(study.left_out),
        "remarks": list(study.remarks),
        "caution": f"caution: only {' and '.join(few)} patients" if few else None,
    }


def _modality(study: ReaderStudy, modality: str, settings: Settings, how: Measuring) -> dict[str, Any]:
    labels, patients, readers_RN = study.labels, study.patients, study.of(modality)
    found = {r: performance.measured(labels, s, patients, how) for r, s in zip(study.readers, readers_RN, strict=True)}
    if settings.recall_at is not None:
        for reader, scores in zip(study.readers, readers_RN, strict=True):
            found[reader] |= performance.decided(labels, scores, settings.recall_at, patients)
    mean = performance.average(list(found.values()))
    for name, merit in performance.smooth(settings.recall_at).items():
        mean[name] |= performance.for_all_readers(name, merit, labels, readers_RN, patients)
    of_models: dict[str, Any] = {}
    if study.models:
        of_models = {
            "against_models": compare.or_reason(lambda: compare.with_models(study, modality, settings)),
            "hybrids": compare.or_reason(lambda: together.hybrids(study, modality, settings, how)),
        }
    return {
        "readers": found,
        "mean": mean,
        **of_models,
        "consensus": together.consensus(study, modality, settings, how),
    }


def _between(study: ReaderStudy, settings: Settings) -> dict[str, Any]:
    """AUC, and where readers decide sensitivity and specificity."""
    if len(study.modalities) < 2:
        return {}
    merits = {k: v for k, v in performance.smooth(settings.recall_at).items() if k != "average_precision"}
    return {
        name: compare.or_reason(partial(compare.modalities, study, name, merit, settings))
        for name, merit in merits.items()
    }
