"""From a row of a manifest to the breast that a model is shown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.load import HeatmapError, load_crop
from mammoseg.data.manifest import Manifest
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import read_pixels
from mammoseg.prep.pipeline import crop_breast
from mammoseg.training.config import TrainConfig


def test_an_image_and_its_breast(phantom_study: Manifest, tiny_config: TrainConfig) -> None:
    row = next(phantom_study.rows())
    image, crop = load_crop(row, tiny_config.prep, heatmaps=False)
    np.testing.assert_array_equal(image.pixels, read_pixels(row.path))
    np.testing.assert_array_equal(crop.pixels, crop_breast(image, tiny_config.prep).pixels)
    assert (image.heatmaps, crop.heatmaps) == (None, None)


def test_what_is_missing_is_told(phantom_study: Manifest, tiny_config: TrainConfig, tmp_path: Path) -> None:
    row = next(phantom_study.rows())
    with pytest.raises(HeatmapError):
        load_crop(row, tiny_config.prep, heatmaps=("benign", "malignant"))
    with pytest.raises(ImageReadError):
        load_crop(replace(row, path=tmp_path / "missing.png"), tiny_config.prep, heatmaps=False)
