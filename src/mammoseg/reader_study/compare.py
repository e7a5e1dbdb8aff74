"""Readers against models, and modalities against each other, for all readers and patients (mrmc/)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.mrmc import dbm, orh
from mammoseg.reader_study.mrmc.covariance import Merits, bootstrap, delong, jackknife
from mammoseg.reader_study.mrmc.inference import Estimate, Significance
from mammoseg.reader_study.mrmc.merit import AUC, FigureOfMerit
from mammoseg.reader_study.mrmc.orh import Analysis
from mammoseg.reader_study.mrmc.standalone import readers_minus_model
from mammoseg.reader_study.performance import that_count
from mammoseg.reader_study.settings import Settings
from mammoseg.reader_study.study import ReaderStudy
from mammoseg.statistics.comparison import holm
from mammoseg.statistics.ranking import Floats


def merits_of(
    scores_KN: Floats, labels: Floats, patients: Sequence[str], settings: Settings, merit: FigureOfMerit = AUC
) -> Merits:
    """Figures of merit of readings with their covariance. DeLong's is of AUCs alone: others have the jackknife in its place."""
    if settings.covariance == "delong" and merit is AUC:
        return delong(labels, scores_KN, patients)
    if settings.covariance == "bootstrap":
        return bootstrap(merit, labels, scores_KN, patients, settings.bootstrap, settings.seed)
    return jackknife(merit, labels, scores_KN, patients)


def with_models(study: ReaderStudy, modality: str, settings: Settings) -> dict[str, Any]:
    """Model -> what is random -> mean AUC of the readers minus that of the model; `p_holm` for all models together.

    Raises StudyError with too few patients.
    """
    scores_KN = np.vstack([*study.models.values(), study.of(modality)])
    merits = merits_of(scores_KN, study.labels, study.patients, settings)
    readers = range(len(study.models), len(scores_KN))
    found = {}
    for index, name in enumerate(study.models):
        differences = readers_minus_model(merits.contrast(np.eye(len(scores_KN))[[index, *readers]]))
        found[name] = {random: numbers(each) for random, each in differences.items()}
    for random in next(iter(found.values())):
        adjusted = holm([each[random]["p"] for each in found.values()])
        for each, p in zip(found.values(), adjusted, strict=True):
            each[random]["p_holm"] = p
    return found


def modalities(study: ReaderStudy, metric: str, merit: FigureOfMerit, settings: Settings) -> dict[str, Any]:
    """Modalities compared by Obuchowski, Rockette and Hillis, and by Dorfman, Berbaum and Metz. Raises StudyError as above."""
    t, r = len(study.modalities), len(study.readers)
    labels, scores_KN, patients = that_count(metric, study.labels, study.scores_TRN.reshape(t * r, -1), study.patients)
    merits = merits_of(scores_KN, labels, patients, settings, merit)
    found, parts = orh.analyse(merits, t), {}
    for name in ("ms_t", "ms_r", "ms_tr", "var", "cov1", "cov2", "cov3", "var_reader", "var_modality_reader"):
        parts[name] = getattr(found.components, name)
    by_pseudovalues = dbm.analyse(dbm.pseudovalues(merit, labels, scores_KN.reshape(t, r, -1), patients)[1])
    return {
        "components": parts,
        "analyses": _analyses(found.analyses, study.modalities),
        "by_reader": {
            reader: _differences(each, study.modalities)
            for reader, each in zip(study.readers, found.by_reader, strict=True)
        },
        "dbm": {
            "mean_squares": dict(by_pseudovalues.mean_squares),
            "analyses": _analyses(by_pseudovalues.analyses, study.modalities),
        },
    }


def numbers(estimate: Estimate) -> dict[str, Any]:
    """As results have it."""
    found = {name: getattr(estimate, name) for name in ("value", "low", "high", "se", "df", "statistic", "p")}
    return found | {"reason": "no variation" if np.isnan(estimate.p) else None}


def _analyses(found: Mapping[str, Analysis], modalities: Sequence[str]) -> dict[str, Any]:
    return {random: _analysis(each, modalities) for random, each in found.items()}


def _analysis(found: Analysis, modalities: Sequence[str]) -> dict[str, Any]:
    means = zip(modalities, found.modalities, strict=True)
    return {
        "test": _test(found.test) if found.test else None,
        "differences": _differences(found.differences, modalities),
        "modalities": {
            name: {key: number for key, number in numbers(each).items() if key not in ("statistic", "p")}
            for name, each in means
        },
    }


def _test(test: Significance) -> dict[str, Any]:
    return {"statistic": test.statistic, "df1": test.df1, "df2": test.df2, "p": test.p}


def _differences(found: Mapping[tuple[int, int], Estimate], modalities: Sequence[str]) -> dict[str, Any]:
    return {f"{modalities[a]} - {modalities[b]}": numbers(each) for (a, b), each in found.items()}


def or_reason(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` gives, or why it cannot."""
    try:
        return make()
    except StudyError as error:
        return {"reason": str(error)}
