"""The models. A name is a file: `models/glam/` is the model "glam"."""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from mammoseg import plugins
from mammoseg.config import Config, ConfigError, parse
from mammoseg.nn.contract import Network, NetworkConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.records.sees import Sees

MOST_PARAMETERS = 1_000_000_000
"""Four gigabytes of weights."""


def list_models() -> list[str]:
    return plugins.names(plugins.MODELS)


def load_model_plugin(name: str) -> ModuleType:
    """The module of a model, see nn/contract.py. Raises PluginError for an unknown name."""
    return plugins.load(plugins.MODELS, name)


class MissingPackageError(ValueError):
    """A model takes a package that is not installed."""


def check_installed(name: str) -> None:
    """Raises MissingPackageError for a model that cannot be built here."""
    needed, extra = getattr(load_model_plugin(name), "NEEDS", (None, None))
    if needed and find_spec(needed) is None:
        raise MissingPackageError(
            f"{name}: takes the package {needed}, which is not installed. Expected it beside mammoseg. Install it: "
            f"pip install 'mammoseg[{extra}]', from a clone of mammoseg pip install -c constraints.txt -e '.[{extra}]'."
        )


def build_model(name: str, config: NetworkConfig | None = None, values: bool = True) -> Network:
    """A model with fresh weights; without a configuration, the published one. Without `values`, for those that are loaded, its
    parameters may be on the meta device, which takes no time.

    Raises ConfigError for a network of more than MOST_PARAMETERS, before any memory is taken, and like `check_installed`.
    """
    check_installed(name)
    plugin = load_model_plugin(name)
    config = config or plugin.Config()
    empty = check_size(name, config)
    model: Network = plugin.build(config) if values or empty is None else empty
    return model


def network_of(name: str, values: Mapping[str, Any], where: str) -> NetworkConfig:
    """The configuration that a checkpoint gives, of this or an earlier version. Raises ConfigError for one that cannot be."""
    kind: type[NetworkConfig] = load_model_plugin(name).Config
    gone = {field for field, value in values.items() if kind.retired.get(field) in (..., value)}
    return parse(kind, {field: value for field, value in values.items() if field not in gone}, where)


def seen_by(name: str, config: NetworkConfig) -> Sees:
    """What a model looks at."""
    sees: Sees = load_model_plugin(name).LEARNING.sees(config)
    return sees


def misfit(name: str, network: NetworkConfig, objective: Config | None, prep: PrepConfig) -> str | None:
    """Why a model and the windows that are prepared for it do not fit together, if they do not."""
    learning, own = load_model_plugin(name).LEARNING, seen_by(name, network).windows
    if own != prep.windows:
        wanted = " and ".join(f"{rows} x {cols} ({view})" for view, (rows, cols) in sorted(own.items()))
        return f"{name} sees windows of {wanted or 'one size'}; those that are prepared have {prep.shown} pixels"
    return next((problem for window in prep.shapes if (problem := learning.misfit(network, objective, window))), None)


def parameters(model: nn.Module) -> int:
    """Numbers that training can change; batch-norm statistics are none."""
    return sum(parameter.numel() for parameter in model.parameters())


def check_size(name: str, config: NetworkConfig) -> Network | None:
    """The network without values; None: of a model of others, which may not know how to be built so.

    Raises ConfigError for one of more than MOST_PARAMETERS.
    """
    if "." in name:
        return None
    try:
        with torch.device("meta"), _Unfilled():
            model: Network = load_model_plugin(name).build(config)
            count = parameters(model)
    except RuntimeError:  # more than a number of 64 bits can say
        count = sys.maxsize
    if count > MOST_PARAMETERS:
        raise ConfigError(
            f"{name}: a network with these widths and blocks has {count:,} parameters. Expected at most {MOST_PARAMETERS:,}; "
            "the published ones have at most 42 million. Choose smaller widths or fewer blocks."
        )
    return model


class _Unfilled(TorchFunctionMode):
    """Parameters are not filled with their first values, which takes a second to prepare even where there are none."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func in _FILLING else func(*args, **(kwargs or {}))


_FILLING = {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.fill_, torch.Tensor.zero_}
