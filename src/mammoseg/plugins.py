"""A name is a file. `load("mammoseg.models", "glam", needs=("Config",))` imports `mammoseg.models.glam`.

A dotted name (`my_lab.my_model`) is imported as it stands, so a user extends mammoseg from outside.
"""

import difflib
import importlib
import pkgutil
from types import ModuleType


def names(folder: str) -> list[str]:
    """The plug-ins of a package, by name."""
    return sorted(m.name for m in pkgutil.iter_modules(importlib.import_module(folder).__path__))


def load(folder: str, name: str, *, needs: tuple[str, ...]) -> ModuleType:
    """Import one plug-in. Raises ValueError for an unknown name, and if it does not define what is needed."""
    target = name if "." in name else f"{folder}.{name}"
    module = None
    try:
        if all(part.isidentifier() for part in name.split(".")):
            module = importlib.import_module(target)
    except ModuleNotFoundError as error:
        if not f"{target}.".startswith(f"{error.name}."):
            raise  # the plug-in is there; something it imports is not
    if module is None:
        known = names(folder)
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"there is no {name!r} in {folder}.{hint} There are: {', '.join(known)}")
    if missing := [n for n in needs if not hasattr(module, n)]:
        raise ValueError(f"{module.__name__} must define {', '.join(missing)}")
    return module
