"""Predictor: a checkpoint and a mammogram -> a Prediction."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammoseg.config import ConfigError, parse, with_overrides
from mammoseg.data.domain import Domain
from mammoseg.data.manifest import ImageRow
from mammoseg.data.unlike import as_notes, differences
from mammoseg.models import build_model, check_size, load_model_plugin, network_of, seen_by
from mammoseg.nn.checkpoint import Checkpoint, CheckpointError, open_checkpoint
from mammoseg.nn.contract import ModelOutput, Network, NetworkConfig
from mammoseg.nn.device import device_from
from mammoseg.nn.inference import Precision, computing, speed_up
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import Prepared
from mammoseg.records.prediction import Patch, Prediction, Scores


class Predictor:
    """A trained model on a device. Preparation comes from the checkpoint: what the model was trained with."""

    def __init__(
        self, checkpoint: Path, device: str = "auto", sets: Sequence[str] = (), precision: Precision = "32-true"
    ) -> None:
        """`sets` change the network's own settings, e.g. `num_patches=3`. `bf16-mixed` is faster and less exact.

        `model=my_lab.my_model` among `sets` lets a checkpoint of a model outside mammoseg be opened, which imports it.
        Raises CheckpointError for a folder that is no checkpoint or whose weights do not fit, ConfigError for `sets`.
        """
        named, sets = _named_model(sets)
        self.checkpoint: Checkpoint = open_checkpoint(checkpoint)
        if named not in (None, self.checkpoint.model):
            raise ConfigError(
                f"--set model={named}: {checkpoint} is of the model {self.checkpoint.model}. Leave the setting out, or give a "
                "checkpoint of that model."
            )
        trained, self.prep = checkpoint_settings(self.checkpoint)
        self.network: NetworkConfig = with_overrides(trained, sets=sets)
        learning = load_model_plugin(self.checkpoint.model).LEARNING
        if problem := learning.misfit(self.network, None, self.prep.window):
            raise ConfigError(f"--set: {problem}. Expected patches that fit the window. Give a smaller number.")
        self.trained_on = training_images(self.checkpoint)
        self.precision = precision
        self.device = device_from(device)
        model = build_model(self.checkpoint.model, self.network)
        self.classes = self.network.classes
        self.heatmaps = seen_by(self.checkpoint.model, self.network).heatmaps
        self.checkpoint.load_weights(model)
        self.model: Network = model.to(self.device).eval()
        speed_up(self.model, precision)

    def description(self) -> dict[str, Any]:
        """What decides the predictions, as plain values."""
        return {
            "model": self.checkpoint.model,
            "checkpoint_sha256": self.checkpoint.sha256,
            "network": self.network.model_dump(mode="json"),
            "prep": self.prep.model_dump(mode="json"),
            "precision": self.precision,
        }

    def predict(self, prepared: Prepared, row: ImageRow) -> Prediction:
        """One prepared image -> scores, maps and patches. Maps cover the window at their own resolution."""
        with computing(self.device, self.precision):
            out = cast(ModelOutput, self.model(self._input(prepared)))
        return Prediction(
            image_id=row.image_id,
            patient_id=row.patient_id,
            exam_id=row.exam_id,
            laterality=row.laterality,
            view=row.view,
            scores=self._scores(out.y_BK[0]),
            grid=prepared.grid,
            maps={name: _array(value[0]) for name, value in out.maps.items()},
            patches=self._patches(out),
            parts={name: self._scores(value[0]) for name, value in out.parts.items()},
            facts=prepared.facts,
            notes=(*prepared.notes, *self._unlike(prepared, row)),
        )

    def mean_scores(self, windows: Iterable[Prepared]) -> Scores:
        """The mean prediction over several windows of one image (test-time augmentation)."""
        with computing(self.device, self.precision):
            y_NK = torch.cat([self.model.predict(self._input(window)) for window in windows])
        return self._scores(y_NK.float().mean(0))

    def _unlike(self, prepared: Prepared, row: ImageRow) -> tuple[str, ...]:
        if self.trained_on is None or prepared.facts is None:
            return ()
        return as_notes(differences(self.trained_on, prepared.facts, row.manufacturer))

    def _input(self, prepared: Prepared) -> Tensor:
        image_1CHW = torch.from_numpy(prepared.channels(self.heatmaps))[None].to(self.device)
        return image_1CHW.contiguous(memory_format=torch.channels_last)

    def _scores(self, y_K: Tensor) -> Scores:
        return dict(zip(self.classes, y_K.float().tolist(), strict=True))

    def _patches(self, out: ModelOutput) -> tuple[Patch, ...]:
        patches = out.patches
        if patches is None:
            return ()
        corners, scores = patches.corners_BP2[0].tolist(), [self._scores(y_K) for y_K in patches.y_BPK[0]]
        weights = [None] * len(corners) if patches.attention_BP is None else patches.attention_BP[0].tolist()
        found = zip(corners, scores, weights, strict=True)
        return tuple(Patch(row, col, patches.size_px, scores, attention) for (row, col), scores, attention in found)


def checkpoint_settings(checkpoint: Checkpoint) -> tuple[NetworkConfig, PrepConfig]:
    """Network and preparation as a checkpoint says them. Raises CheckpointError for those that no model can have."""
    where = str(checkpoint.folder)
    try:
        network = network_of(checkpoint.model, checkpoint.network, where)
        prep = parse(PrepConfig, checkpoint.prep, where)
        if problem := load_model_plugin(checkpoint.model).LEARNING.misfit(network, None, prep.window):
            raise ConfigError(f"{where}: {problem}")
        check_size(checkpoint.model, network)
    except ValueError as error:
        raise _impossible(where, error) from None
    return network, prep


def training_images(checkpoint: Checkpoint) -> Domain | None:
    """What a checkpoint says about the images it was trained on; None: nothing. Raises CheckpointError like the settings."""
    where = str(checkpoint.folder)
    try:
        return None if checkpoint.trained_on is None else parse(Domain, checkpoint.trained_on, where)
    except ConfigError as error:
        raise _impossible(where, error) from None


def _impossible(where: str, error: ValueError) -> CheckpointError:
    return CheckpointError(
        f"{where}: settings that cannot be: {error}. Expected what mammoseg wrote. Restore the folder from a copy, or use the "
        "version of mammoseg that wrote it."
    )


def _named_model(sets: Sequence[str]) -> tuple[str | None, list[str]]:
    """The model that `model=NAME` names, which is imported, and the other settings."""
    pairs = [(text.partition("=")[0].strip(), text) for text in sets]
    names = [text.partition("=")[2].strip() for name, text in pairs if name == "model"]
    for name in names:
        load_model_plugin(name)
    return (names[-1] if names else None), [text for name, text in pairs if name != "model"]


def _array(values: Tensor) -> NDArray[np.float32]:
    return cast(NDArray[np.float32], values.float().cpu().numpy())
