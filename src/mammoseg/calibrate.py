"""From predictions to a calibration: of a part of the manifest that the model has not learned from, breast by breast; and from the
scores of another site, without labels, to one that is aligned to it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mammoseg
from mammoseg.calibration.alignment import align, reference_of
from mammoseg.calibration.fits import fit
from mammoseg.calibration.points import choose, read_rule
from mammoseg.calibration.stored import Calibration, CalibrationError, Method, OfClass
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.join import join
from mammoseg.evaluation.scores import FINAL, breast_table, score_column
from mammoseg.inference.ensemble import hash_of
from mammoseg.io.calibration import FILE, scores_hash
from mammoseg.io.runs import read_run
from mammoseg.io.scores_table import checked_scores
from mammoseg.nn.checkpoint import home_of, members_of, open_checkpoint, packaged

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibrated:
    """What was made."""

    calibration: Calibration
    left_out: dict[str, str]
    """Classes without a calibration, and why."""


def calibrate(
    predictions: Path,
    manifest: Manifest,
    split: str | None = None,
    method: Method = "platt",
    prevalence: float | None = None,
    at: str | None = None,
    training: bool = False,
) -> Calibrated:
    """Fit a calibration for every class, and choose an operating point if `at` says how (`sensitivity=0.9`).

    Only breasts with a known label count, apart from the reference, which is of all. `prevalence` is the share of positive
    breasts in the population that probabilities are wanted for. Raises CalibrationError if no class has enough patients, and like
    `join`: for predictions and a manifest that do not fit, and for patients that the model has learned from, unless `training`
    lets them in.
    """
    rule = read_rule(at) if at else None
    joined = join(predictions, manifest, split, training)
    if split == "test":
        logger.warning("%s: calibrated on the split test: what is evaluated on it is no test any more", manifest.path)
    breasts, run = breast_table(joined.images, [FINAL], joined.classes), read_run(predictions)
    classes, left_out = {}, {}
    for name in joined.classes:
        scored = breasts[breasts[score_column(FINAL, name)].notna()]
        known = scored[scored[name].notna()]
        labels, scores = (known[column].to_numpy(np.float64) for column in (name, score_column(FINAL, name)))
        patients = known["patient_id"].to_numpy(str)
        try:
            fitted = fit(method, labels, scores, patients, prevalence)
        except CalibrationError as error:
            left_out[name] = str(error)
            continue
        point = choose(labels, scores, patients, *rule, prevalence) if rule else None
        everything = scored[score_column(FINAL, name)].to_numpy(np.float64)
        reference = reference_of(everything, scored["patient_id"].to_numpy(str))
        classes[name] = OfClass(fit=fitted, point=point, reference=reference)
    if not classes:
        reasons = "\n".join(f"  {name}: {why}" for name, why in left_out.items())
        raise CalibrationError(f"{predictions}: cannot be calibrated.\n{reasons}")
    return Calibrated(
        Calibration(
            mammoseg=mammoseg.__version__,
            checkpoint_sha256=_checkpoint_of(run, predictions),
            scores_sha256=scores_hash(run),
            manifest_sha256=manifest.sha256(splits=True),
            split=split,
            of_training=joined.of_training,
            classes=classes,
        ),
        left_out,
    )


def _checkpoint_of(run: Mapping[str, Any], predictions: Path) -> str:
    if not (found := run.get("checkpoint_sha256")):
        raise CalibrationError(
            f"{predictions / 'run.json'}: does not say which checkpoint predicted. Expected predictions of this version. "
            "Predict again."
        )
    return str(found)


def align_to(predictions: Path, calibration: Calibration) -> Calibration:
    """The same calibration for a site or machine whose scores are distributed in another way: those of all breasts of
    `predictions`.

    Raises CalibrationError for predictions of another model, and for too few breasts.
    """
    run = read_run(predictions)
    if scores_hash(run) != calibration.scores_sha256:
        raise CalibrationError(
            f"{predictions}: scores of another checkpoint or of other settings than those that the calibration was made from. "
            "Expected the same model at another site. Predict with that checkpoint."
        )
    table = checked_scores(predictions).table
    breasts = table[table["level"] == "breast"]
    classes = {}
    for name, of_class in calibration.classes.items():
        if name not in breasts:
            raise CalibrationError(f"{predictions}: has no scores of {name}. Expected those of the same model.")
        scored = breasts[breasts[name].notna()]
        moved = align(scored[name].to_numpy(np.float64), scored["patient_id"].to_numpy(str), of_class.reference)
        classes[name] = of_class.model_copy(update={"alignment": moved})
    return calibration.model_copy(update={"classes": classes})


def place_in(checkpoint: Path, calibration: Calibration) -> Path:
    """Where the calibration of a checkpoint or of a folder of several belongs.

    Raises CheckpointError for a folder that is none, CalibrationError if it is another model, or one that comes with mammoseg.
    """
    folder = home_of(checkpoint)
    hashes = [open_checkpoint(path).sha256 for path in members_of(checkpoint) or [checkpoint]]
    if folder in packaged().values():
        raise CalibrationError(
            f"{checkpoint}: comes with mammoseg, and its folder is not written to. Give a file with --out, and that file to "
            "`mammoseg predict --calibration`."
        )
    if hash_of(hashes) != calibration.checkpoint_sha256:
        raise CalibrationError(
            f"{checkpoint}: the predictions are of another checkpoint. Expected the one that predicted. Give that, or --out FILE."
        )
    return folder / FILE


def recalled_before_and_after(predictions: Path, calibration: Calibration) -> dict[str, tuple[float, float]]:
    """Of classes with an operating point: the share of breasts recalled without the alignment and with it."""
    table = checked_scores(predictions).table
    breasts = table[table["level"] == "breast"]
    shares = {}
    for name, of_class in calibration.classes.items():
        if of_class.point is not None:
            scores = breasts[name].dropna().to_numpy(np.float64)
            before, after = (
                values >= of_class.point.threshold for values in (scores, calibration.aligned(name, scores))
            )
            shares[name] = float(np.mean(before)), float(np.mean(after))
    return shares
