"""The preparation of GMIC for CBIS-DDSM, whole breasts resized, from training to maps on the image's own pixels."""

from pathlib import Path

import numpy as np
import torch

from mammoseg.data.manifest import Manifest
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.read import read_pixels
from mammoseg.io.runs import load_prediction
from mammoseg.training.config import TrainConfig
from mammoseg.training.extract import load_patches
from mammoseg.training.run import train


def test_from_training_to_maps(short: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    prep = short.prep.model_copy(update={"fit": "resize", "intensity": "unit", "pixel_mm": None, "buffer_px": 0})
    config = TrainConfig.model_validate({**short.model_dump(), "prep": prep.model_dump()})
    assert train(config, phantom_study, tmp_path / "run", torch.device("cpu")).failed == 0
    rows = {row.image_id: row for row in phantom_study.rows()}
    chosen, _ = load_patches(tmp_path / "run" / "stages" / "local" / "patches.csv")
    for image_id, centres in chosen.items():
        shape = read_pixels(rows[image_id].path).shape
        assert ((centres >= 0) & (centres < shape)).all(), "the window has no padding: all of it is in the image"
    predictor, out = open_predictor(tmp_path / "run", "cpu"), tmp_path / "predictions"
    assert predictor.prep == prep
    test = list(phantom_study.subset("test").rows())[:4]
    assert predict_images(predictor, test, out).failed == 0
    for row in test:
        prediction = load_prediction(out, row.image_id)
        covered = prediction.grid.restore(np.ones((1, 96, 64), bool))[0]
        assert covered[read_pixels(row.path) > 0].mean() > 0.99, "maps lie over the whole breast"
        assert not covered.all()
