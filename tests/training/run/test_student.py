"""GLAM with a student, from the first stage to the checkpoint, killed while it draws outlines and while the student learns."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from mammoseg.data.manifest import Manifest
from mammoseg.models.glam.config import GlamConfig, ObjectiveConfig
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.nn.unet import UNetShape
from mammoseg.training.config import TrainConfig
from mammoseg.training.run import train

CPU = torch.device("cpu")
STAGES = ("global", "local", "joint", "student")


@pytest.fixture
def config(tiny_config: TrainConfig) -> TrainConfig:
    assert isinstance(tiny_config.network, GlamConfig)
    assert isinstance(tiny_config.objective, ObjectiveConfig)
    once, twice = (tiny_config.stages["global"].model_copy(update={"epochs": n}) for n in (1, 2))
    return tiny_config.model_copy(
        update={
            "network": tiny_config.network.model_copy(update={"student": UNetShape(widths=(4, 6))}),
            "objective": tiny_config.objective.model_copy(update={"lesion_radius_px": (2.0, 9.0)}),
            "stages": dict(zip(STAGES, (once, once, once, twice), strict=True)),
        }
    )


def test_a_killed_run_ends_like_one_that_was_not(
    config: TrainConfig, phantom_study: Manifest, tmp_path: Path, dies: Callable[..., None]
) -> None:
    cache = tmp_path / "cache"
    whole, killed = (
        train(config, phantom_study, tmp_path / "whole", CPU, cache_folder=cache).checkpoint,
        tmp_path / "run",
    )
    arguments = (config.model_dump_json(), phantom_study.path, killed, cache)
    for target, call in (
        ("mammoseg.models.glam.stages.outline", 3),
        ("mammoseg.training.chosen.save_table", 1),  # that of the patches was before
        ("mammoseg.models.glam.stages.segmentation_step", 2),
    ):
        dies("train_run", arguments, target, call)
    result = train(config, phantom_study, killed, CPU, cache_folder=cache).checkpoint
    assert open_checkpoint(result).sha256 == open_checkpoint(whole).sha256
    outlines = [pd.read_csv(run / "stages" / "student" / "outlines.csv") for run in (killed, tmp_path / "whole")]
    pd.testing.assert_frame_equal(*outlines)
    labels = {row.image_id: row.labels for row in phantom_study.rows()}
    assert all(
        labels[image][name] == 1 for image, name in zip(outlines[0]["image_id"], outlines[0]["class"], strict=True)
    )
