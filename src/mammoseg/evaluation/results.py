"""An evaluation as it lies in a folder: what `evaluate` has written there, read back.

The files may come from anywhere: texts are made printable, and whatever is missing but metrics.json is empty.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.bounded import parse_json, read_bounded
from mammoseg.evaluation.scores import FINAL, score_column
from mammoseg.io.cells import unescaped, utf8_text

SETTINGS, NUMBERS, IMAGES = "metrics.json", "metrics.csv", "per_image.csv"
_AGAIN = "Run mammoseg evaluate, or name the folder that it wrote to."


class ResultsError(ValueError):
    """A folder that holds no evaluation, or a damaged one."""


@dataclass(frozen=True, eq=False)
class Results:
    """What is known of an evaluation."""

    folder: Path
    metrics: Mapping[str, Any]
    """metrics.json; undefined numbers are None."""
    numbers: pd.DataFrame
    """metrics.csv as text: a row for each number."""
    images: pd.DataFrame
    """per_image.csv as text: a row for each image, failed ones among them."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Those whose final score the images have."""
        start = score_column(FINAL, "")
        names = [column.removeprefix(start) for column in map(str, self.images) if column.startswith(start)]
        return tuple(name for name in names if name in self.images)

    @property
    def titles(self) -> Mapping[str, str]:
        """Name of a number -> what people call it, of those in the summary."""
        return {name: str(title) for name, title in part(self.metrics, "titles").items()}

    def values(self, column: str) -> pd.Series:
        """A column of the images as numbers (n,), NaN where there is none."""
        if column not in self.images:
            return pd.Series(np.nan, self.images.index)
        return pd.to_numeric(self.images[column], errors="coerce").astype(np.float64)


def read_results(folder: Path) -> Results:
    """Read what `evaluate` wrote into a folder. Raises ResultsError where metrics.json is missing or a file is damaged."""
    path = folder / SETTINGS
    try:
        metrics = printable(parse_json(read_bounded(path)))
    except FileNotFoundError:
        raise ResultsError(f"{folder}: holds no evaluation. Expected {SETTINGS} in it. {_AGAIN}") from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: cannot be read ({error}). Expected what evaluate wrote. {_AGAIN}") from error
    if not isinstance(metrics, dict):
        raise ResultsError(f"{path}: holds no results but a {type(metrics).__name__}. Expected an object. {_AGAIN}")
    return Results(folder, metrics, _table(folder / NUMBERS), _table(folder / IMAGES))


def part(tree: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """What lies in a dictionary under these keys, one below the other; empty where there is nothing or no dictionary."""
    found: Any = tree
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def printable(value: Any) -> Any:
    """The same with texts that can be written as UTF-8: half of a surrogate pair becomes an escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {printable(name): printable(item) for name, item in value.items()}
    return [printable(item) for item in value] if isinstance(value, list) else value


def _table(path: Path) -> pd.DataFrame:
    try:
        text = utf8_text(read_bounded(path))
        table = pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False)
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return pd.DataFrame()
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: cannot be read ({error}). Expected what evaluate wrote. {_AGAIN}") from error
    return unescaped(table)
