"""Recipes are found by name, and a wrong name is met with the right one."""

import inspect

import pytest

from mammoseg.config import ConfigError
from mammoseg.recipes import glam, gmic
from mammoseg.training.config import TrainConfig
from mammoseg.training.recipes import list_recipes, load_recipe


def test_every_public_recipe_of_the_model_files_is_listed() -> None:
    public = {
        name
        for module, model in ((glam, "glam"), (gmic, "gmic"))
        for name, _ in inspect.getmembers(module, inspect.isfunction)
        if name.startswith(f"{model}_")
    }
    assert {"glam_paper", "glam_small", "gmic_paper", "gmic_cbis_paper", "gmic_small"} <= public
    assert public <= list_recipes().keys()
    assert list(list_recipes()) == sorted(list_recipes())


def test_only_recipes_are_listed() -> None:
    for name, function in list_recipes().items():
        assert not name.startswith("_")
        assert isinstance(function(), TrainConfig)


def test_a_recipe_by_name() -> None:
    assert load_recipe("glam_small") == glam.glam_small()


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match=r"no recipe 'glam_smal'. Did you mean glam_small\? There are: .*glam_paper"):
        load_recipe("glam_smal")
    with pytest.raises(ConfigError, match=r"no recipe 'xyz'. There are: "):
        load_recipe("xyz")
