"""What every recipe promises: valid as a whole, readable back from its file, and stages that find their parameters."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mammoseg.config import to_yaml, with_overrides
from mammoseg.models import build_model, load_model_plugin
from mammoseg.recipes.glam import glam_paper
from mammoseg.recipes.gmic import gmic_small
from mammoseg.training.config import TrainConfig
from mammoseg.training.recipes import list_recipes

RECIPES = list_recipes()
Recipe = Callable[[], TrainConfig]


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return request.param  # type: ignore[no-any-return]


def test_it_passes_every_check(recipe: Recipe) -> None:
    """Recipes built by model_copy have not been validated yet."""
    config = recipe()
    assert TrainConfig.model_validate(config.model_dump()) == config


@pytest.mark.parametrize("base", [glam_paper, gmic_small])
def test_it_is_read_back_from_its_file(recipe: Recipe, base: Recipe, tmp_path: Path) -> None:
    """Over any other recipe, of another model too: nothing of that is left."""
    file = tmp_path / "config.yaml"
    file.write_text(to_yaml(recipe()))
    assert with_overrides(base(), file) == recipe()


def test_it_says_what_it_is_and_sets_every_stage(recipe: Recipe) -> None:
    assert recipe.__doc__
    assert set(recipe().stages) == {stage.name for stage in load_model_plugin(recipe().model).STAGES}


def test_every_stage_finds_its_parameters(recipe: Recipe) -> None:
    config = recipe()
    with torch.device("meta"):
        model = build_model(config.model, config.network)
    for stage in load_model_plugin(config.model).STAGES:
        assert stage.trained_parameters(model)
