"""Recipes by name: every public function returning a TrainConfig, in the modules of this folder that are about a model."""

import difflib
import inspect
from collections.abc import Callable

from mammoseg import plugins
from mammoseg.config import ConfigError
from mammoseg.training.config import TrainConfig

_PACKAGE = "mammoseg.recipes"
_NO_RECIPES = {"advice", "catalogue", "demo"}


def list_recipes() -> dict[str, Callable[[], TrainConfig]]:
    found = {}
    for module_name in set(plugins.names(_PACKAGE)) - _NO_RECIPES:
        module = plugins.load(_PACKAGE, module_name, needs=())
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and inspect.signature(function).return_annotation is TrainConfig:
                found[name] = function
    return dict(sorted(found.items()))


def load_recipe(name: str) -> TrainConfig:
    """Raises ConfigError for an unknown name."""
    recipes = list_recipes()
    if name not in recipes:
        close = difflib.get_close_matches(name, recipes, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ConfigError(f"there is no recipe {name!r}.{hint} There are: {', '.join(recipes)}")
    return recipes[name]()
