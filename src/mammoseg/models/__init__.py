"""The models. A name is a file: `models/glam/` is the model "glam"."""

import sys
from types import ModuleType

import torch
from torch import nn

from mammoseg import plugins
from mammoseg.config import Config, ConfigError
from mammoseg.nn.cost import parameters

MOST_PARAMETERS = 1_000_000_000
"""Four gigabytes of weights."""


def list_models() -> list[str]:
    return plugins.names(plugins.MODELS)


def load_model_plugin(name: str) -> ModuleType:
    """The module that defines `Config`, `build` and `STAGES` of a model. Raises PluginError for an unknown name."""
    return plugins.load(plugins.MODELS, name)


def build_model(name: str, config: Config | None = None) -> nn.Module:
    """A model with fresh weights; without a configuration, the published one.

    Raises ConfigError for a network of more than MOST_PARAMETERS, before any memory is taken.
    """
    plugin = load_model_plugin(name)
    config = config or plugin.Config()
    check_size(name, config)
    model: nn.Module = plugin.build(config)
    return model


def check_size(name: str, config: Config) -> None:
    """Raises ConfigError for a network of more than MOST_PARAMETERS, which is built without values."""
    if "." in name:  # models of others may not know how to be built so
        return
    try:
        with torch.device("meta"):
            count = parameters(load_model_plugin(name).build(config))
    except RuntimeError:  # more than a number of 64 bits can say
        count = sys.maxsize
    if count > MOST_PARAMETERS:
        raise ConfigError(
            f"{name}: a network with these widths and blocks has {count:,} parameters. Expected at most {MOST_PARAMETERS:,}; "
            "the published ones have 13 to 30 million. Choose smaller widths or fewer blocks."
        )
