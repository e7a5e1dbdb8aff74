"""Cross-validation by patient: a training run for each fold, and of every image one prediction, by the run that has not seen its
patient. For data sets that are too small to keep a part of them aside.

    RUN/fold-K/          a whole training run (training/run.py), K from 1; the images of its fold are its split `test`
    RUN/cache/           prepared images; may be deleted
    RUN/manifest.csv     the images with their fold
    RUN/predictions/     of all of them, each out of its fold (io/runs.py): for `evaluate` and `export` like any others

The same call continues what was stopped.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from mammoseg.data.manifest import Manifest
from mammoseg.data.splits import SplitError, assign_folds
from mammoseg.inference.batch import predict_images
from mammoseg.inference.ensemble import Ensemble
from mammoseg.inference.predictor import Loaded, Predictor, open_predictor
from mammoseg.models import load_model_plugin
from mammoseg.progress import Bar
from mammoseg.records.prediction import Prediction
from mammoseg.training.config import TrainConfig
from mammoseg.training.distributed import launched
from mammoseg.training.run import train

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrossValidated:
    manifest: Path
    predictions: Path
    failed: int
    """Images without a prediction; they stand in errors.csv of the predictions."""


def cross_validate(
    config: TrainConfig,
    manifest: Manifest,
    out: Path,
    device: torch.device,
    folds: int,
    workers: int = 0,
    overwrite: bool = False,
    cache_folder: Path | None = None,
) -> CrossValidated:
    """Train `folds` times and predict every image once. Images of a split `test` take no part; other splits are drawn anew.

    Each run selects its epochs on a part of its patients, as large as `config.split_fractions` says. Raises SplitError for fewer
    patients than folds, for a class that is known in one fold alone, for a model that learns nothing and for processes of torchrun;
    and like `train` and `predict_images`.
    """
    if not load_model_plugin(config.model).LEARNING.stages_of(config.network):
        raise SplitError(
            f"{config.model} learns nothing, so it has no folds. Expected a model with stages. Train it without --folds, and "
            "predict all images."
        )
    if launched():
        raise SplitError(
            "torchrun has started this cross-validation. Expected one process, which trains one fold after the other. Start the "
            "command without torchrun."
        )
    kept = manifest.table[manifest.table["split"] != "test"]
    if left_out := len(manifest.table) - len(kept):
        logger.info("%d images of split test take no part", left_out)
    manifest = replace(manifest, table=kept)
    fold_of = assign_folds(manifest, folds, config.seed)
    fold_of_row = manifest.table["patient_id"].map(fold_of)
    for name in config.network.classes:
        if name in manifest.table and fold_of_row[manifest.table[name].notna()].nunique() == 1:
            raise SplitError(
                f"{manifest.path}: labels of {name} are known in one of {folds} folds alone, and the run of that fold could not "
                "learn them. Expected them of more patients. Fill the column, or leave the class out."
            )
    cache, checkpoints = cache_folder or out / "cache", []
    for fold in range(1, folds + 1):
        logger.info("fold %d of %d", fold, folds)
        split = fold_of_row.map(lambda own, fold=fold: "test" if own == fold else "train").astype(object)
        own = replace(manifest, table=manifest.table.assign(split=split))  # its val is drawn by the run
        result = train(config, own, out / f"fold-{fold}", device, workers, overwrite, cache)
        checkpoints.append(result.checkpoint)
    table = out / "manifest.csv"
    replace(manifest, table=manifest.table.assign(split=None, fold=fold_of_row)).to_csv(table)
    predictor = OutOfFold([open_predictor(path, str(device)) for path in checkpoints], checkpoints, fold_of)
    rows = list(manifest.rows())
    with Bar("predict out of fold", len(rows)) as bar:
        result_of = predict_images(
            predictor, rows, out / "predictions", max(1, workers), overwrite, progress=bar.advance
        )
    return CrossValidated(table, out / "predictions", result_of.failed)


class OutOfFold(Predictor):
    """Asks the run that has not seen the patient."""

    def __init__(self, members: Sequence[Predictor], paths: Sequence[Path], fold_of: Mapping[str, int]) -> None:
        """`fold_of`: patient_id -> number of the fold, from 1; `paths` of the checkpoints are for messages."""
        super().__init__(_Folds([member.engine for member in members], list(map(str, paths))))
        self.members, self.fold_of = members, fold_of

    def predict_unit(self, unit: Sequence[Loaded | None]) -> list[Prediction]:
        patient = next(loaded.row.patient_id for loaded in unit if loaded is not None)
        return self.members[self.fold_of[patient] - 1].predict_unit(unit)


class _Folds(Ensemble):
    """What all runs share; they are never asked together."""

    def description(self) -> dict[str, Any]:
        return super().description() | {"model": "folds"}
