"""A name is a file: `load(MODELS, "glam")` imports `mammoseg.models.glam`. There is no list or registry to edit.

A dotted name (`my_lab.my_model`) is imported as it stands, so a user extends mammoseg from outside. Such names come from
code or from the command line. A file that names one does not have it imported (`is_foreign`): opening a file runs nothing.
"""

import difflib
import importlib
import os
import pkgutil
import sys
import traceback
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Kind:
    """What all plug-ins of a kind have in common."""

    what: str
    folder: str
    """The package with those that come with mammoseg."""
    defines: tuple[str, ...] = ()
    """Names that every one of them must define."""


MODELS = Kind("model", "mammoseg.models", ("Config", "build", "LEARNING", "TINY"))
RECIPES = Kind("recipe", "mammoseg.recipes")
STUDIES = Kind("study", "mammoseg.studies", ("PLAN",))
ENGINES = Kind("engine", "mammoseg.inference.engines", ("open_engine",))
METRICS = Kind("metric", "mammoseg.metrics", ("KIND", "TITLE", "measure"))
EXPORTERS = Kind("exporter", "mammoseg.export", ("Options", "export"))
ADAPTERS = Kind("data set", "mammoseg.ingest.adapters", ("ABOUT", "make_manifest"))
ANNOTATIONS = Kind(
    "format of annotations", "mammoseg.ingest.annotations", ("TITLE", "IMAGES", "Options", "reads", "read")
)


class PluginError(ValueError):
    """A plug-in that is not there, cannot be imported or does not define what its kind needs."""


def names(kind: Kind) -> list[str]:
    """The plug-ins that come with mammoseg, by name."""
    return sorted(m.name for m in pkgutil.iter_modules(importlib.import_module(kind.folder).__path__))


def load(kind: Kind, name: str) -> ModuleType:
    """Import one plug-in by its name, or one of others by its dotted name. Raises PluginError."""
    if "." not in name and name not in (known := names(kind)):
        raise PluginError(f"there is no {kind.what} {name!r}.{nearest(name, known)}")
    module = import_named(kind, name if "." in name else f"{kind.folder}.{name}")
    if missing := [n for n in kind.defines if not hasattr(module, n)]:
        raise PluginError(
            f"{module.__name__} is no {kind.what}: it does not define {', '.join(missing)}. Expected "
            f"{', '.join(kind.defines)}, as CONTRIBUTING.md shows. Add what is missing, or give another name."
        )
    return module


def import_named(kind: Kind, name: str) -> ModuleType:
    """Import a module for a plug-in; for those of others, the current folder is searched last. Raises PluginError."""
    if not name.startswith("mammoseg.") and (here := os.getcwd()) not in sys.path:  # noqa: PTH109
        sys.path.append(here)
    try:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ModuleNotFoundError(name=name)
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        absent = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        raise PluginError(_not_found(kind, name) if absent else _broken(kind, name, error)) from None


def nearest(name: str, known: list[str]) -> str:
    """The end of a message about an unknown name."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"{f' Did you mean {close[0]}?' if close else ''} There are: {', '.join(known)}"


def is_foreign(name: object) -> bool:
    """Whether a name that stands in a file is of a module that nobody has imported yet: it is not loaded."""
    return isinstance(name, str) and "." in name and name not in sys.modules


def _not_found(kind: Kind, name: str) -> str:
    ours = [
        path for path in sys.path if "site-packages" not in path and not path.startswith((sys.base_prefix, sys.prefix))
    ]
    return (
        f"there is no module {name} for the {kind.what}. Python looked for it among the installed packages and in "
        f"{', '.join(ours)}. Expected a folder or file {name.partition('.')[0]} in one of them. Start the command in the folder "
        "that holds it, or set PYTHONPATH to that folder."
    )


def _broken(kind: Kind, name: str, error: BaseException) -> str:
    """Whose fault it is, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next(frame for frame in reversed(frames) if not frame.filename.startswith("<"))
    file, line = (error.filename, error.lineno) if isinstance(error, SyntaxError) else (frame.filename, frame.lineno)
    return (
        f"{name}: importing this {kind.what} ends in {type(error).__name__}: {' '.join(str(error).split())} ({file}, line {line}). "
        f"Expected a module that can be imported. The mistake is there, not in mammoseg: try python -c 'import {name}'."
    )
