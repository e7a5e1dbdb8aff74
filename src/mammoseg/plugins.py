"""A name is a file. `load("mammoseg.models", "glam", needs=("Config",))` imports `mammoseg.models.glam`.

A dotted name (`my_lab.my_model`) is imported as it stands, so a user extends mammoseg from outside. Such names come from
code or from the command line. A file that names one does not have it imported (`is_foreign`): opening a file runs nothing.
"""

import difflib
import importlib
import pkgutil
import sys
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


def is_foreign(name: object) -> bool:
    """Whether a name that stands in a file is of a module that nobody has imported yet: it is not loaded."""
    return isinstance(name, str) and "." in name and name not in sys.modules
