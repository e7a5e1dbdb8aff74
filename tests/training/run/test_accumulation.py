"""Gradients of several batches make one step."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mammoseg.data.manifest import Manifest
from mammoseg.training.recipes import load_recipe
from mammoseg.training.run import train

PLUGINS = Path(__file__).parents[2] / "plugins"


def test_four_batches_of_one_image_are_one_of_four(
    phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network has no batch norm, which would see each batch alone."""
    monkeypatch.syspath_prepend(PLUGINS)
    config = load_recipe("my_lab.recipes.tiny.unet")
    found = {}
    for name, batch, accumulate in (("whole", 4, 1), ("parts", 1, 4), ("alone", 1, 1)):
        stage = config.stages["pixels"].model_copy(update={"batch_size": batch, "accumulate": accumulate})
        run = config.model_copy(update={"stages": {"pixels": stage}})
        folder = train(
            run, phantom_study, tmp_path / name, torch.device("cpu"), cache_folder=tmp_path / "cache"
        ).checkpoint
        found[name] = load_file(folder / "weights.safetensors")
    for name, value in found["whole"].items():
        torch.testing.assert_close(found["parts"][name], value, rtol=1e-4, atol=1e-5, msg=name)
    assert any((found["alone"][name] - value).abs().max() > 1e-4 for name, value in found["whole"].items())
