"""Predictor: a checkpoint and a mammogram -> a Prediction."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammoseg.config import Config, parse, with_overrides
from mammoseg.data.manifest import ImageRow
from mammoseg.models import build_model, load_model_plugin
from mammoseg.nn.checkpoint import Checkpoint, device_from, open_checkpoint
from mammoseg.nn.contract import ModelOutput
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import Prepared
from mammoseg.records.label import CLASSES
from mammoseg.records.prediction import Patch, Prediction, Scores


class Predictor:
    """A trained model on a device. Preparation comes from the checkpoint: what the model was trained with."""

    def __init__(self, checkpoint: Path, device: str = "auto", sets: Sequence[str] = ()) -> None:
        """`sets` change the network's own settings, e.g. `num_patches=3`.

        Raises CheckpointError for a folder that is no checkpoint or whose weights do not fit, ConfigError for `sets`.
        """
        self.checkpoint: Checkpoint = open_checkpoint(checkpoint)
        where = str(self.checkpoint.folder)
        self.prep: PrepConfig = parse(PrepConfig, self.checkpoint.prep, where)
        plugin = load_model_plugin(self.checkpoint.model)
        self.network: Config = with_overrides(parse(plugin.Config, self.checkpoint.network, where), sets=sets)
        self.device = device_from(device)
        model = build_model(self.checkpoint.model, self.network)
        self.checkpoint.load_weights(model)
        self.model = model.to(self.device).eval()
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs

    def predict(self, prepared: Prepared, row: ImageRow) -> Prediction:
        """One prepared image -> scores, maps and patches. Maps cover the window at their own resolution."""
        window_11HW = torch.from_numpy(prepared.window)[None, None].to(self.device)
        with torch.inference_mode():
            out = cast(ModelOutput, self.model(window_11HW.contiguous(memory_format=torch.channels_last)))
        return Prediction(
            image_id=row.image_id,
            patient_id=row.patient_id,
            exam_id=row.exam_id,
            laterality=row.laterality,
            view=row.view,
            scores=_scores(out.y_BK[0]),
            grid=prepared.grid,
            maps={name: _array(value[0]) for name, value in out.maps.items()},
            patches=_patches(out, int(getattr(self.model, "patch_px", 0))),
            parts={name: _scores(value[0]) for name, value in out.parts.items()},
            notes=prepared.notes,
        )


def _array(values: Tensor) -> NDArray[np.float32]:
    return cast(NDArray[np.float32], values.float().cpu().numpy())


def _scores(y_K: Tensor) -> Scores:
    return dict(zip(CLASSES, y_K.float().tolist(), strict=True))


def _patches(out: ModelOutput, size: int) -> tuple[Patch, ...]:
    if out.corners_BP2 is None or out.y_patch_BPK is None:
        return ()
    corners = out.corners_BP2[0].tolist()
    return tuple(Patch(row, col, size, _scores(y)) for (row, col), y in zip(corners, out.y_patch_BPK[0], strict=True))
