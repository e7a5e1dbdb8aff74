"""What `mammoseg scan` advises: which recipes see the breasts of a folder, and the next command to type."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mammoseg.ingest.report.summary import UNKNOWN
from mammoseg.prep.config import PrepConfig
from mammoseg.training.recipes import list_recipes

_FOR_FILMS = ("glam_film",)
_FOR_DIGITAL = ("glam_small", "glam_paper")
"""The one that gives an answer soonest first."""


def recipe_windows() -> dict[str, PrepConfig]:
    """The windows that recipes cut, by the names of all recipes that share one; not those which show whole breasts."""
    names: dict[str, list[str]] = {}
    preps: dict[str, PrepConfig] = {}
    for name, recipe in list_recipes().items():
        prep = recipe().prep
        if prep.fit == "cut":
            preps[prep.model_dump_json()] = prep
            names.setdefault(prep.model_dump_json(), []).append(name)
    return {", ".join(group): preps[key] for key, group in names.items()}


def advise(quality: Mapping[str, Any], manifest: Path) -> list[str]:
    """Lines to print, from the report of a scan (`summarise`) whose manifest was written."""
    sizes, images = quality["pixel_sizes"], quality["counts"]["images"]
    lines = []
    if unknown := sizes.get(UNKNOWN, 0):
        lines.append(
            f"The pixel size of {unknown} of {images} images is unknown, and recipes resample to theirs only where it is known. "
            "If you know it, scan again with --pixel-mm MM."
        )
    if not quality["windows"]:
        return [*lines, "Which recipe fits is told where pixels are read (without --no-pixels)."]
    fitting = [name for window in quality["windows"] if window["fits"] for name in window["recipes"].split(", ")]
    suited = _FOR_FILMS if any(window["film_wanted"] for window in quality["windows"]) else _FOR_DIGITAL
    recipe = next((name for name in suited if name in fitting), None)
    if recipe is None:
        lines.append("No recipe's window fits as it is: prep.fit=resize brings every breast to the size of the window.")
        recipe = f"{suited[0]} --set prep.fit=resize"
    labels, table = quality["labels"], shlex.quote(str(manifest))
    if labels and labels["images_with_label"]:
        return [*lines, f"Next: mammoseg train --recipe {recipe} --manifest {table} --out run"]
    return [
        *lines,
        f"Next: mammoseg predict --checkpoint CHECKPOINT --manifest {table} --out predictions",
        f"  or, to train with --recipe {recipe}: scan again with --labels TABLE.",
    ]
