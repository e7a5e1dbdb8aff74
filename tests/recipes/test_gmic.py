"""Every recipe of GMIC: the published network and preparation, and patches that fit the grid of the map."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mammoseg.config import ConfigError, with_overrides
from mammoseg.data.warp import WarpConfig
from mammoseg.models import build_model
from mammoseg.models.gmic.config import GmicConfig
from mammoseg.models.gmic.published import CBIS
from mammoseg.prep.config import PrepConfig
from mammoseg.recipes.glam import glam_small
from mammoseg.recipes.gmic import gmic_cbis_paper, gmic_paper, gmic_small
from mammoseg.training.config import StageConfig, TrainConfig

Recipe = Callable[[], TrainConfig]


@pytest.mark.parametrize(
    ("recipe", "classes", "grid"),
    [(gmic_paper, 2, (46, 30)), (gmic_small, 2, (46, 30)), (gmic_cbis_paper, 1, (92, 60))],
)
def test_the_grid_is_the_documented_one_and_patches_fit_it(recipe: Recipe, classes: int, grid: tuple[int, int]) -> None:
    config = recipe()
    assert isinstance(config.network, GmicConfig)
    with torch.device("meta"):
        model = build_model(config.model, config.network)
        coarse = model.global_module(torch.empty(1, 1, *config.prep.window))  # type: ignore[operator]
    assert coarse.saliency_BKhw.shape == (1, classes, *grid)
    cells = {divmod(pixels, number) for pixels, number in zip(config.prep.window, grid, strict=True)}
    [(cell, rest)] = cells
    assert (rest, config.network.patch_px % cell) == (0, 0), "square cells, and whole cells in a patch"


def test_the_paper_is_the_published_network_and_preparation() -> None:
    paper = gmic_paper()
    assert (paper.model, paper.network, paper.prep) == ("gmic", GmicConfig(), PrepConfig(pixel_mm=0.07))
    assert paper.stages == {"joint": StageConfig(epochs=50, learning_rate=1e-4, batch_size=16, whole_exams=True)}
    assert (paper.select_by, paper.select_class, paper.chronological) == ("auc", "malignant", True)


def test_cbis_is_the_paper_with_the_published_variant() -> None:
    cbis = gmic_cbis_paper()
    assert cbis.network == CBIS
    assert cbis.prep == PrepConfig(fit="resize", intensity="unit")
    assert cbis.augment.warp == WarpConfig()
    assert not cbis.stages["joint"].whole_exams, "its labels and scores are of images"
    others = {name: getattr(gmic_paper(), name) for name in ("network", "prep", "augment", "stages")}
    assert cbis.model_copy(update=others) == gmic_paper()


def test_a_recipe_is_for_one_model(tmp_path: Path) -> None:
    """Network, objective and stages of one model say nothing about another."""
    file = tmp_path / "own.yaml"
    file.write_text("model: gmic\nseed: 3\n")
    with pytest.raises(
        ConfigError, match=r"own\.yaml: model 'gmic' in the place of 'glam'.*choose a recipe of that model"
    ):
        with_overrides(glam_small(), file)
    assert with_overrides(gmic_small(), file).seed == 3
