"""mammoseg: weakly supervised, high-resolution segmentation and classification of mammograms. Research use only."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_FROM = {
    "Finding": "records.finding",
    "Manifest": "data.manifest",
    "Model": "api",
    "Result": "api",
    "evaluate": "evaluation.evaluate",
    "load": "api",
    "load_manifest": "data.manifest",
    "load_recipe": "training.recipes",
    "train": "training.run",
}
"""Public name -> where it is. Type checkers read __init__.pyi."""


__all__ = list(_FROM)


def __getattr__(name: str) -> Any:
    """A public name is imported when it is asked for: `import mammoseg` loads nothing heavy."""
    if name in _FROM:
        return getattr(import_module(f"mammoseg.{_FROM[name]}"), name)
    raise AttributeError(f"module 'mammoseg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
