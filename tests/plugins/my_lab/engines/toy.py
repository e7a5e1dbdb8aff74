"""An engine without a network: what is bright is malignant. It needs neither weights nor PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np

from mammoseg.inference.engine import Engine, Inputs, Outputs
from mammoseg.prep.config import PrepConfig

CELL = 8
"""Pixels of the window in a cell of the map, each way."""


class Brightness(Engine):
    """The share of bright pixels in each cell."""

    classes = ("malignant",)

    def __init__(self, above: float) -> None:
        self.above = above
        self.prep = PrepConfig(window=(96, 64), pixel_mm=2.24, opening_px=3, buffer_px=2)

    def description(self) -> dict[str, Any]:
        prep = self.prep.model_dump(mode="json")
        return {"model": "brightness", "checkpoint_sha256": "", "network": {"above": self.above}, "prep": prep}

    def __call__(self, inputs: Inputs) -> Outputs:
        B, _, H, W = inputs.image_BCHW.shape
        bright_BHW = inputs.image_BCHW[:, 0] > self.above
        cells = bright_BHW.reshape(B, 1, H // CELL, CELL, W // CELL, CELL)
        map_BKhw = cells.mean((3, 5)).astype(np.float32)
        return Outputs(map_BKhw.max((2, 3)), {"saliency": map_BKhw})


def open_engine(checkpoint: Path, device: str, sets: list[str], precision: str) -> Brightness:
    """`checkpoint` is a text file with the intensity from which a pixel is bright."""
    return Brightness(float(checkpoint.read_text()))
