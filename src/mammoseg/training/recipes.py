"""Recipes by name: every function of a file in recipes/ that says it returns a TrainConfig, and those of others."""

import inspect
from collections.abc import Callable
from types import ModuleType

from mammoseg.config import ConfigError
from mammoseg.plugins import RECIPES, import_named, load, names, nearest
from mammoseg.training.config import TrainConfig

Recipe = Callable[[], TrainConfig]


def list_recipes() -> dict[str, Recipe]:
    """Those that come with mammoseg, by name."""
    found = [item for name in names(RECIPES) for item in _recipes_in(load(RECIPES, name)).items()]
    return dict(sorted(found))


def load_recipe(name: str) -> TrainConfig:
    """One of mammoseg by its name; one of others by the dotted name of its function, or of its module if it is alone there.

    Raises ConfigError for an unknown name, and PluginError for a module that cannot be imported.
    """
    recipes = _of_others(name) if "." in name else list_recipes()
    if name not in recipes:
        known = list(recipes) or ["none that returns a TrainConfig, and says so"]
        raise ConfigError(f"there is no recipe {name!r}.{nearest(name, known)}")
    return recipes[name]()


def _of_others(name: str) -> dict[str, Recipe]:
    """By dotted names."""
    outer, _, last = name.rpartition(".")
    module = import_named(RECIPES, outer)
    if last not in _recipes_in(module) and hasattr(module, "__path__"):
        module = import_named(RECIPES, name)
    found = _recipes_in(module)
    alone = dict(zip((module.__name__,), found.values(), strict=True)) if len(found) == 1 else {}
    return {f"{module.__name__}.{function}": recipe for function, recipe in found.items()} | alone


def _recipes_in(module: ModuleType) -> dict[str, Recipe]:
    """The recipes that are written there, and not imported from elsewhere."""
    functions = inspect.getmembers(module, inspect.isfunction)
    return {
        name: function
        for name, function in functions
        if function.__module__ == module.__name__ and inspect.signature(function).return_annotation is TrainConfig
    }
