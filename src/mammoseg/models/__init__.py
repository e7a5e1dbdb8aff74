"""The models. A name is a file: `models/glam/` is the model "glam"."""

from types import ModuleType

from torch import nn

from mammoseg import plugins
from mammoseg.config import Config


def list_models() -> list[str]:
    return plugins.names(__name__)


def load_model_plugin(name: str) -> ModuleType:
    """The module that defines `Config`, `build` and `STAGES` of a model. Raises ValueError for an unknown name."""
    return plugins.load(__name__, name, needs=("Config", "build", "STAGES"))


def build_model(name: str, config: Config | None = None) -> nn.Module:
    """A model with fresh weights; without a configuration, the published one."""
    plugin = load_model_plugin(name)
    model: nn.Module = plugin.build(config or plugin.Config())
    return model
