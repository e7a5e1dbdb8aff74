"""Super-ensemble: the weighted mean of what different systems say of the same images, evaluated like a model.

    y = sum over systems m of w_m y_m,   w_m >= 0, sum of w_m = 1

Weights are given, equal, or those of a grid on the simplex with the highest AUC of the breasts of another part, on which systems
may have chosen their epochs, but from which they have not learned. Systems may be of any kind and preparation: predictions are
combined, not networks. Maps of different systems are not: each has its own.

    OUT/weights.json    systems, weights, how they were chosen
    OUT/...             what `evaluate` writes, with the systems as parts; per_image.csv has the scores of all and of their mean

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 4: GMIC, DMV-CNN and Faster R-CNN.
Shapes   M systems | n cases | P combinations
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mammoseg.config import ConfigError
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.evaluate import evaluate_joined
from mammoseg.evaluation.join import Joined, JoinError, join
from mammoseg.evaluation.scores import FINAL, breast_table, score_column
from mammoseg.io.atomic import write_json
from mammoseg.reader_study.ensemble import merits, simplex
from mammoseg.reader_study.mrmc.merit import AUC
from mammoseg.statistics.ranking import Floats

WEIGHTS = "weights.json"
MOST_SYSTEMS = 20


@dataclass(frozen=True)
class Chosen:
    """Weights, and where they come from."""

    weights: tuple[float, ...]
    how: Mapping[str, Any]


def combine(
    systems: Mapping[str, Path],
    manifest: Manifest,
    out: Path,
    split: str | None,
    chosen: Chosen,
    bootstrap: int = 1000,
    training: bool = False,
) -> dict[str, Any]:
    """Evaluate the weighted mean of the predictions of `systems` (name -> folder) into `out`; returns what metrics.json holds.

    Raises ConfigError for weights that are none, JoinError for systems of other images or classes, and like `join`.
    """
    parts = _joined(systems, manifest, split, training)
    _check(chosen.weights, len(parts))
    first = next(iter(parts.values()))
    images = first.images.drop(columns=[c for c in first.images if str(c).startswith("score_")])
    for label in first.classes:
        of_systems = {name: part.images[score_column(FINAL, label)] for name, part in parts.items()}
        images[score_column(FINAL, label)] = sum(
            w * s for w, s in zip(chosen.weights, of_systems.values(), strict=True)
        )
        for name, scores in of_systems.items():
            images[score_column(name, label)] = scores
    weights = {"weights": dict(zip(parts, chosen.weights, strict=True)), **chosen.how}
    about = {
        "manifest": first.about["manifest"],
        "predictions": {"parts": [p.about["predictions"] for p in parts.values()]},
        "combined": weights,
    }
    joined = replace(first, images=images, sources=(FINAL, *parts), folders=None, about=about, calibration=None)
    write_json(out / WEIGHTS, weights)
    return evaluate_joined(joined, out, bootstrap, split=split)


def equal_weights(systems: int) -> Chosen:
    """Chosen before anything is seen."""
    return Chosen((1 / systems,) * systems, {"chosen": "equal"})


def given_weights(weights: Sequence[float]) -> Chosen:
    """Brought to a sum of 1. Raises ConfigError for negative ones, and for nothing but zeros."""
    total = sum(weights)
    if not all(np.isfinite(w) and w >= 0 for w in weights) or not total > 0:
        raise ConfigError(f"--weights {list(weights)}: expected numbers from 0 on, not all 0. Correct them.")
    return Chosen(tuple(w / total for w in weights), {"chosen": "given"})


def best_weights(systems: Mapping[str, Path], manifest: Manifest, split: str, label: str, training: bool) -> Chosen:
    """Those with the highest AUC of a class on the breasts of `split`, the most even ones of several.

    Raises ConfigError without a positive or a negative breast there, and like `join`.
    """
    try:
        parts = _joined(systems, manifest, split, training)
    except JoinError as error:
        raise JoinError(
            f"--choose-on {split}: {error} Predict that part, too: predict --split {split}, into the same folders."
        ) from None
    tables = [breast_table(part.images, [FINAL], [label]) for part in parts.values() if label in part.classes]
    if len(tables) < len(parts):
        raise ConfigError(
            f"--class {label}: not all systems have scores of it. Expected a class of all. Name another one."
        )
    truth = tables[0][label].to_numpy(np.float64)
    scores_MN = np.array([table[score_column(FINAL, label)].to_numpy(np.float64) for table in tables])
    known = ~np.isnan(truth) & ~np.isnan(scores_MN).any(axis=0)
    if len(np.unique(truth[known])) < 2:
        raise ConfigError(
            f"--choose-on {split}: no breast is known to be positive, or none to be negative, in {label}. Expected both. Choose on "
            "another part, or give --weights."
        )
    weights_PM = simplex(len(parts))
    values = merits(AUC, truth[known], scores_MN[:, known], weights_PM)
    weights = weights_PM[_most_even(weights_PM, values)]
    how = {
        "chosen": f"highest AUC of {label} by breast",
        "on": split,
        "breasts": int(known.sum()),
        "positive": int(truth[known].sum()),
        "auc_there": float(values.max()),
        "combinations": len(weights_PM),
    }
    return Chosen(tuple(weights.tolist()), how)


def _most_even(weights_PM: Floats, values: Floats) -> int:
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return int(best[np.square(weights_PM[best]).sum(axis=1).argmin()])


def _joined(systems: Mapping[str, Path], manifest: Manifest, split: str | None, training: bool) -> dict[str, Joined]:
    """Of the images that all systems have scores of; they must be of the same images but for those that failed."""
    if not 2 <= len(systems) <= MOST_SYSTEMS:
        raise ConfigError(
            f"{len(systems)} systems: expected 2 to {MOST_SYSTEMS} folders of predictions. Give them all at once."
        )
    if FINAL in systems:
        raise ConfigError(
            f"{systems[FINAL]}: a system cannot be called {FINAL}, as the mean of all is. Rename the folder."
        )
    parts = {name: join(folder, manifest, split, training) for name, folder in systems.items()}
    classes = {part.classes for part in parts.values()}
    if len(classes) > 1:
        raise JoinError(
            f"the systems are about different classes: {sorted(classes)}. Expected the same. Combine those alone."
        )
    common = set.intersection(*(set(part.images["image_id"]) for part in parts.values()))
    if not common:
        raise JoinError("no image has scores of all systems. Expected some. Look at errors.csv of their predictions.")

    def kept(part: Joined) -> Joined:
        images = part.images[part.images["image_id"].isin(common)].reset_index(drop=True)
        missing = manifest.table["image_id"].isin(set(part.images["image_id"]) | set(part.failed["image_id"]))
        failed = manifest.table[missing & ~manifest.table["image_id"].isin(common)]
        return replace(part, images=images, failed=failed.reset_index(drop=True))

    return {name: kept(part) for name, part in parts.items()}


def _check(weights: Sequence[float], systems: int) -> None:
    if len(weights) != systems:
        raise ConfigError(
            f"{len(weights)} weights for {systems} systems. Expected one for each. Give them in the same order."
        )
