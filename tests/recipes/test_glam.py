"""Every recipe of GLAM: a network that fits its window. What holds for all recipes is in test_contract.py."""

from collections.abc import Callable

import pytest
import torch

from mammoseg.config import with_overrides
from mammoseg.models import build_model
from mammoseg.models.glam.config import GlamConfig, ObjectiveConfig
from mammoseg.nn.checkpoint import open_checkpoint, packaged
from mammoseg.prep.config import PrepConfig
from mammoseg.recipes.glam import glam_demo, glam_film, glam_paper, glam_small
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.recipes import list_recipes

RECIPES = {name: recipe for name, recipe in list_recipes().items() if recipe().model == "glam"}
Recipe = Callable[[], TrainConfig]


@pytest.mark.parametrize(
    ("recipe", "grid"), [(glam_paper, (184, 120)), (glam_small, (92, 60)), (glam_demo, (92, 60)), (glam_film, (64, 40))]
)
def test_the_grid_is_the_documented_one(recipe: Recipe, grid: tuple[int, int]) -> None:
    config = recipe()
    assert isinstance(config.network, GlamConfig)
    with torch.device("meta"):
        model = build_model(config.model, config.network)
        coarse = model.global_module(torch.empty(1, 1, *config.prep.window))  # type: ignore[operator]
    assert coarse.saliency_BKhw.shape == (1, 2, *grid)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_patch_maps_fit_the_grid_of_the_final_map(recipe: Recipe) -> None:
    """A patch is a whole number of cells, and so is the window: the final map is not stretched."""
    config = recipe()
    assert isinstance(config.network, GlamConfig)
    with torch.device("meta"):
        model = build_model(config.model, config.network)
        side = config.network.patch_px
        fine = model.local_module(torch.empty(1, 1, 1, side, side))  # type: ignore[operator]
    cell, rest = divmod(side, fine.maps_BPKmm.shape[-1])
    assert rest == 0
    assert [pixels % cell for pixels in config.prep.window] == [0, 0]


def test_the_paper_is_the_published_network_and_preparation() -> None:
    assert glam_paper().network == GlamConfig()
    assert glam_paper().prep == PrepConfig(pixel_mm=0.07)
    assert glam_paper().stages["global"].epochs == 50


def test_the_weights_that_come_with_mammoseg_have_their_settings_beside_them() -> None:
    """As the command of their model card takes them, whatever becomes of the recipe."""
    folder = packaged()["glam_phantom"]
    known, config = open_checkpoint(folder), with_overrides(glam_demo(), folder / "config.yaml")
    assert config.network == type(config.network).model_validate(known.network)
    assert config.prep == PrepConfig.model_validate(known.prep)
    trained = known.provenance["training"]
    assert config.stages == {name: StageConfig.model_validate(stage) for name, stage in trained["stages"].items()}
    assert config.objective == ObjectiveConfig.model_validate(trained["objective"])
