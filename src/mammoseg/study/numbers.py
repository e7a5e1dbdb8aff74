"""What a study has found: every arm over its seeds, with intervals by patient, and how much it differs from the reference.

A number of an arm is the mean over its seeds: of the AUC, and for maps image by image. Intervals are those over patients, of the
seeds at hand; `of_seeds` says how far single seeds are apart. Differences are paired: the same cases, and in the bootstrap the same
draws of patients. Intervals of those of the AUC are the deviation over the draws, times a quantile of t by the patients of the
smaller class: percentiles are too sure of few. A map without a peak does not point into a lesion.

Shapes   S seeds | n cases | R replicates
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.evaluation.results import read_results
from mammoseg.evaluation.scores import BREAST, breast_table, caution, score_column
from mammoseg.metrics import auc
from mammoseg.statistics.bootstrap import Floats, interval, interval_from, mean_interval, patient_weights
from mammoseg.statistics.paired_mean import mean_difference
from mammoseg.statistics.scale import quantile
from mammoseg.study.plan import Arm
from mammoseg.study.work import Study

AUC, MAPS = "auc", {"dice": "dice_soft", "pxap": "pxap", "pointing": "pointing_inside"}
"""Names of numbers in a study; of maps with that of their metric."""
REPLICATES = 1000
_THEIRS = "reference "


@dataclass(frozen=True, eq=False)
class Answers:
    """What an arm says of the test images."""

    arm: Arm
    images: Mapping[int, pd.DataFrame]
    """Seed -> per_image.csv of its evaluation."""
    classes: tuple[str, ...]
    unpredicted: Mapping[int, int] = field(default_factory=dict)
    """Seed -> test images that could not be predicted."""


def read_answers(study: Study, arm: Arm) -> Answers | None:
    """None: no seed is done. Raises ResultsError for a damaged evaluation."""
    found, classes, unpredicted = {}, None, {}
    for seed in study.seeds_of(arm):
        results = read_results(study.tested_folder(arm, seed) / "metrics")
        names = results.images[["image_id", *BREAST]]
        values = {column: results.values(column) for column in map(str, results.images) if column not in names}
        found[seed] = pd.concat([names, pd.DataFrame(values, index=names.index)], axis=1)
        unpredicted[seed] = int(results.metrics.get("n_failed") or 0)
        own = results.classes
        classes = own if classes is None else tuple(name for name in classes if name in own)
    return Answers(arm, found, classes or (), unpredicted) if found else None


def numbers_of(tested: Answers, reference: Answers | None, level: str) -> dict[str, dict[str, Any]]:
    """`auc_malignant`, `dice_benign` ... -> value, low, high, of_seeds (in the order of the seeds), n, caution, and of
    another arm than the reference `difference`, with value, low and high."""
    found: dict[str, dict[str, Any]] = {}
    for label in tested.classes:
        other = reference if reference is not None and label in reference.classes else None
        if tested.arm.score is not None:
            found[f"{AUC}_{label}"] = _auc(tested, other, label, level)
        for name, metric in MAPS.items():
            found[f"{name}_{label}"] = _map(tested, other, label, metric)
    return {name: number for name, number in found.items() if number}


def _auc(tested: Answers, reference: Answers | None, label: str, level: str) -> dict[str, Any]:
    cases = _cases(tested, label, level)
    if cases is None:
        return {}
    truth, patients = cases["truth"].to_numpy(np.float64), cases["patient_id"].tolist()
    scores = cases.drop(columns=["truth", "patient_id"]).to_numpy(np.float64).T
    whole = np.ones((1, truth.size))
    of_seeds = [float(auc.measure(truth, scores_n, whole)[0]) for scores_n in scores]
    units = [cases.loc[truth == side, "patient_id"].nunique() for side in (1, 0)]

    def mean(weights: Floats) -> Floats:
        return np.mean([auc.measure(truth, scores_n, weights) for scores_n in scores], axis=0)

    spread = interval(mean, patients, REPLICATES, 0, auc.SCALE, min(units))
    number = _number(of_seeds, spread.low, spread.high, truth.size) | {"caution": caution(*units)}
    if reference is not None and reference.arm.name != tested.arm.name and reference.arm.score is not None:
        number["difference"] = _auc_difference(cases, _cases(reference, label, level))
    return number


def _auc_difference(cases: pd.DataFrame, others: pd.DataFrame | None) -> dict[str, Any] | None:
    if others is None:
        return None
    theirs = others.drop(columns=["truth", "patient_id"]).add_prefix(_THEIRS)
    both = cases.join(theirs, how="inner")
    truth, patients = both["truth"].to_numpy(np.float64), both["patient_id"].tolist()
    scores = both.drop(columns=["truth", "patient_id"])
    own, reference = (
        [scores[c].to_numpy(np.float64) for c in scores if (c in theirs) is of_them] for of_them in (False, True)
    )

    def difference(weights: Floats) -> Floats:
        means = [np.mean([auc.measure(truth, s, weights) for s in side], axis=0) for side in (own, reference)]
        return np.asarray(means[0] - means[1])

    units = min(both.loc[truth == side, "patient_id"].nunique() for side in (1, 0))
    if units < 2:
        return None
    drawn = np.concatenate([difference(weights) for weights in patient_weights(patients, REPLICATES, 0)])
    margin = quantile(units) * float(np.nanstd(drawn, ddof=1))
    if interval_from(drawn, units).reason is not None:
        margin = float("nan")
    value = float(difference(np.ones((1, truth.size)))[0])
    return {"value": value, "low": value - margin, "high": value + margin}


def _cases(tested: Answers, label: str, level: str) -> pd.DataFrame | None:
    """A row for each case whose label and scores are known: truth, patient_id, and the score of each seed as `score S`. None: the
    model has no such score."""
    column = score_column(str(tested.arm.score), label)
    parts = []
    for seed, images in tested.images.items():
        if column not in images:
            return None
        scored = images[images[column].notna()]
        key = "image_id" if level == "image" else BREAST
        table = scored if level == "image" else breast_table(scored, [str(tested.arm.score)], [label])
        table = table.set_index(key, drop=False).rename_axis(None if level == "image" else [None] * len(BREAST))
        parts.append(table[[label, "patient_id", column]].set_axis(["truth", "patient_id", f"score {seed}"], axis=1))
    cases = pd.concat([parts[0], *(part.iloc[:, 2:] for part in parts[1:])], axis=1, join="inner").dropna()
    return cases if cases["truth"].nunique() > 1 else None


def _map(tested: Answers, reference: Answers | None, label: str, metric: str) -> dict[str, Any]:
    values = _of_images(tested, label, metric)
    if values is None:
        return {}
    each = values.drop(columns="patient_id")
    mean, patients = each.mean(axis=1).to_numpy(np.float64), values["patient_id"].tolist()
    spread = mean_interval(mean, patients, REPLICATES, 0)
    number = _number([float(v) for v in each.mean(axis=0)], spread.low, spread.high, mean.size)
    number["caution"] = None
    other = _of_images(reference, label, metric) if reference is not None else None
    if other is not None and reference is not None and reference.arm.name != tested.arm.name:
        theirs = other.drop(columns="patient_id").mean(axis=1)
        both = pd.DataFrame({"own": mean, "patient_id": patients}, values.index).join(
            theirs.rename("their"), how="inner"
        )
        found = mean_difference(both["own"], both["their"], both["patient_id"].tolist())
        number["difference"] = {"value": found.difference, "low": found.low, "high": found.high}
    return number


def _of_images(tested: Answers, label: str, metric: str) -> pd.DataFrame | None:
    """image_id -> patient_id and the value of each seed, of images with a lesion in a mask; None without any."""
    soft, column = (f"{label}_{tested.arm.map}_{name}" for name in (MAPS["dice"], metric))
    parts = []
    for seed, images in tested.images.items():
        if column not in images:
            return None
        lesion = images[images[soft].notna()].set_index("image_id")
        parts.append(lesion[["patient_id"]].assign(**{f"value {seed}": lesion[column].fillna(0)}))
    values = pd.concat([parts[0], *(part.iloc[:, 1:] for part in parts[1:])], axis=1, join="inner")
    return values if len(values) else None


def _number(of_seeds: Sequence[float], low: float, high: float, n: int) -> dict[str, Any]:
    return {
        "value": float(np.mean(of_seeds)),
        "low": low,
        "high": high,
        "of_seeds": list(of_seeds),
        "n": n,
    }
