"""What every recipe promises: valid as a whole, readable back from its file, and stages that find their parameters."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mammoseg.config import ConfigError, to_yaml, with_overrides
from mammoseg.data.manifest import Manifest
from mammoseg.models import MissingPackageError, build_model, load_model_plugin
from mammoseg.recipes.glam import glam_paper
from mammoseg.recipes.gmic import gmic_small
from mammoseg.training.config import TrainConfig
from mammoseg.training.recipes import list_recipes, load_recipe

TESTS = Path(__file__).parents[1]
TOY = "my_lab.recipes.toy"
"""A recipe of others."""
RECIPES = {name: partial(load_recipe, name) for name in (*list_recipes(), TOY)}
Recipe = Callable[[], TrainConfig]


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.chdir(TESTS / "plugins")
    return request.param  # type: ignore[no-any-return]


def test_it_passes_every_check(recipe: Recipe) -> None:
    """Recipes built by model_copy have not been validated yet."""
    config = recipe()
    assert TrainConfig.model_validate(config.model_dump()) == config


@pytest.mark.parametrize("base", [glam_paper, gmic_small])
def test_it_is_read_back_from_its_file(recipe: Recipe, base: Recipe, tmp_path: Path) -> None:
    """Over any other recipe of the model: nothing of that is left."""
    file = tmp_path / "config.yaml"
    file.write_text(to_yaml(recipe()))
    if base().model == recipe().model:
        assert with_overrides(base(), file) == recipe()
    else:
        with pytest.raises(ConfigError, match="in the place of"):
            with_overrides(base(), file)


def test_it_sets_every_stage(recipe: Recipe) -> None:
    learning = load_model_plugin(recipe().model).LEARNING
    assert set(recipe().stages) == {stage.name for stage in learning.stages_of(recipe().network)}


def test_every_stage_finds_its_parameters(recipe: Recipe) -> None:
    config = recipe()
    try:
        with torch.device("meta"):
            model = build_model(config.model, config.network)
    except MissingPackageError as error:
        pytest.skip(str(error))
    for stage in load_model_plugin(config.model).LEARNING.stages_of(config.network):
        assert stage.trained_parameters(model)


def test_those_of_mammoseg_say_what_they_are() -> None:
    for recipe in list_recipes().values():
        assert recipe.__doc__


def test_one_of_others_trains_through_the_command(
    phantom_study: Manifest, tmp_path: Path, mammoseg: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(TESTS / "plugins")
    done = mammoseg("train", "--recipe", TOY, "--manifest", phantom_study.path, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (config["model"], config["stages"]["joint"]["epochs"]) == ("gmic", 1)
    assert (tmp_path / "run" / "checkpoint" / "weights.safetensors").is_file()


def test_one_that_is_not_there_or_broken_is_told_in_a_line(
    tmp_path: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_recipe.py").write_text("import a_package_that_is_not_there\n")
    options = ("--manifest", "m.csv", "--out", "run")
    for name, told in {
        "no_such_lab.recipe": ("no module no_such_lab for the recipe", str(tmp_path), "PYTHONPATH"),
        "broken_recipe.mine": ("a_package_that_is_not_there", "broken_recipe.py, line 1", "not in mammoseg"),
    }.items():
        done = command("train", "--recipe", name, *options)
        assert (done.code, done.err.count("\n")) == (2, 1)
        done.says(*told)
