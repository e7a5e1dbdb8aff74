"""Ensemble: several checkpoints predict as the mean of what they say.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3: the five best models. The mean of the maps is ours; the published software
         shows those of the first model alone.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.data.manifest import ImageRow
from mammoseg.inference.predictor import Predictor
from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.nn.inference import Precision
from mammoseg.prep.pipeline import Prepared
from mammoseg.records.prediction import Prediction, Scores


class Ensemble:
    """Predicts like a Predictor; all members share preparation and classes."""

    def __init__(
        self,
        checkpoints: Sequence[Path],
        device: str = "auto",
        sets: Sequence[str] = (),
        precision: Precision = "32-true",
    ) -> None:
        """Raises CheckpointError if members see images prepared in different ways, predict different classes, or are the
        same; else like Predictor."""
        self.members = [Predictor(path, device, sets, precision) for path in checkpoints]
        first = self.members[0]
        self.prep = first.prep
        self.trained_on = first.trained_on
        self.classes = self.members[0].classes
        self.heatmaps = max((member.heatmaps for member in self.members), key=len)
        for path, member in zip(checkpoints, self.members, strict=True):
            if (member.prep, member.classes) != (first.prep, first.classes):
                raise CheckpointError(
                    f"{path}: prepares images in another way than {checkpoints[0]}, or predicts other classes. Expected "
                    "members of an ensemble to see the same windows. Predict with each on its own."
                )
        if len({member.checkpoint.sha256 for member in self.members}) < len(self.members):
            raise CheckpointError(
                f"{', '.join(map(str, checkpoints))}: the same weights are given twice. Expected every member of an ensemble "
                "once. Leave out the copies."
            )

    def description(self) -> dict[str, Any]:
        """What decides the predictions, as plain values."""
        members = [member.description() for member in self.members]
        hashes = "".join(member["checkpoint_sha256"] for member in members)
        return {
            "model": "ensemble",
            "checkpoint_sha256": hashlib.sha256(hashes.encode()).hexdigest(),
            "network": {"members": [{k: m[k] for k in ("model", "checkpoint_sha256", "network")} for m in members]},
            "prep": members[0]["prep"],
            "precision": members[0]["precision"],
        }

    def predict(self, prepared: Prepared, row: ImageRow) -> Prediction:
        """Mean scores, parts and maps of the members; the patches are those of the first."""
        found = [member.predict(prepared, row) for member in self.members]
        parts = [name for name in found[0].parts if all(name in p.parts for p in found)]
        maps = [name for name in found[0].maps if all(name in p.maps for p in found)]
        return replace(
            found[0],
            patches_of="checkpoint 1",
            scores=_mean([p.scores for p in found]),
            parts={name: _mean([p.parts[name] for p in found]) for name in parts},
            maps={name: _mean_map([p.maps[name] for p in found]) for name in maps},
        )

    def mean_scores(self, windows: Iterable[Prepared]) -> Scores:
        """The mean prediction of all members over several windows of one image."""
        return _mean([_mean([member.mean_scores([window]) for member in self.members]) for window in windows])


def _mean(scores: Sequence[Scores]) -> Scores:
    return {name: float(np.mean([s[name] for s in scores])) for name in scores[0]}


def _mean_map(maps: Sequence[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Mean of maps (K, rows, columns) of one window on the finest of their grids, by nearest neighbour."""
    rows, cols = max(values.shape[1:] for values in maps)
    same = [
        values
        if values.shape[1:] == (rows, cols)
        else np.stack([cv2.resize(v, (cols, rows), interpolation=cv2.INTER_NEAREST_EXACT) for v in values])
        for values in maps
    ]
    return np.stack(same).mean(axis=0)


def open_predictor(
    checkpoints: Sequence[Path], device: str = "auto", sets: Sequence[str] = (), precision: Precision = "32-true"
) -> Predictor | Ensemble:
    """One checkpoint as it is, several as their ensemble. Raises like both."""
    if len(checkpoints) == 1:
        return Predictor(checkpoints[0], device, sets, precision)
    return Ensemble(checkpoints, device, sets, precision)
