"""Columns of a table -> groups of cases: texts as they stand, numbers with many values cut into ranges."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.config import ConfigError
from mammoseg.evaluation.scores import BREAST
from mammoseg.wording import listed

UNKNOWN = "unknown"
MOST_GROUPS = 50
FEW_VALUES = 10
"""Numbers with so many values or fewer are groups of their own."""
_MOST_COLUMNS = 2
_QUARTILES = (0.25, 0.5, 0.75)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
_CUT = re.compile(r"\s*(?P<column>.+?)\s*=(?P<edges>[^=]*)")


class Groups:
    """Every image in one group of each of one or two columns."""

    def __init__(self, images: pd.DataFrame, name: str, cuts: Mapping[str, Sequence[float]]) -> None:
        """`name` is a column, or two with a comma between them; `cuts` the edges of numbers, by column.

        Raises ConfigError where there is no such column, or more than MOST_GROUPS groups.
        """
        self.columns = _columns(images, name)
        self.cuts: dict[str, list[float]] = {}
        """Edges of the columns that were cut: a range holds its lower edge, not its upper one."""
        self.stated = {column: column in cuts for column in self.columns}
        parts: dict[str, Any] = {
            column: self._grouped(column, images[column], cuts.get(column)) for column in self.columns
        }
        self.of_image = pd.DataFrame(parts, index=images.index)
        """(images, columns) categories in the order in which they are shown."""
        keys = [images[key] for key in BREAST]
        codes = self.of_image.apply(lambda column: column.cat.codes)
        self.per_breast = bool((codes.groupby(keys).nunique() == 1).all(axis=None))
        """Whether all images of every breast are in the same group."""

    def named(self) -> dict[str, tuple[str, ...]]:
        """What each group is called -> its values, in the order in which they are shown; texts of which two could be read as
        the same name are in quotes."""
        table = self.of_image.drop_duplicates().sort_values(self.columns)
        keys = [tuple(map(str, key)) for key in table.itertuples(index=False, name=None)]
        names = [" / ".join(key) for key in keys]
        if len(set(names)) < len(names):
            names = [" / ".join(map(repr, key)) for key in keys]
        return dict(zip(names, keys, strict=True))

    def of_breast(self, images: pd.DataFrame) -> pd.DataFrame:
        """(breasts, columns) in the order of `breast_table`."""
        codes = self.of_image.apply(lambda column: column.cat.codes).groupby([images[key] for key in BREAST], sort=True)
        first = codes.first().reset_index(drop=True)
        types: dict[str, Any] = {column: self.of_image[column].dtype for column in self.columns}
        return pd.DataFrame(
            {name: pd.Categorical.from_codes(first[name].tolist(), dtype=kind) for name, kind in types.items()}
        )

    def _grouped(self, column: str, cells: pd.Series, edges: Sequence[float] | None) -> Any:
        texts = cells.map(lambda value: UNKNOWN if pd.isna(value) or value == "" else str(value))
        known = texts[texts != UNKNOWN]
        distinct = known.unique()
        numeric = len(distinct) > 0 and all(map(_NUMBER.fullmatch, distinct))
        if edges is not None and not numeric:
            raise ConfigError(
                f"breakdown by {column!r}: it is to be cut at {listed([*edges])}, and holds texts, such as {distinct[:1]!r:.60}. "
                "Expected numbers. Leave the edges out, or write numbers."
            )
        if numeric and (edges is not None or len(distinct) > FEW_VALUES):
            values = texts.where(texts != UNKNOWN, "nan").str.replace(",", ".", regex=False).astype(np.float64)
            self.cuts[column] = sorted(set(edges or np.unique(np.nanquantile(values, _QUARTILES)).tolist()))
            return _cut(values.to_numpy(np.float64), self.cuts[column])
        if len(distinct) > MOST_GROUPS:
            raise ConfigError(
                f"breakdown by {column!r}: it has {len(distinct)} values. Expected at most {MOST_GROUPS}: on a case each, nothing "
                "can be said. Name another column, or write groups into one."
            )
        order = sorted(distinct, key=lambda text: (float(text.replace(",", ".")) if numeric else 0, text))
        return pd.Categorical(texts, [*order, UNKNOWN])


def read_cuts(texts: Sequence[str]) -> dict[str, list[float]]:
    """`age=40,50,60` -> {"age": [40.0, 50.0, 60.0]}. Raises ConfigError for anything else."""
    found = {}
    for text in texts:
        matched = _CUT.fullmatch(text)
        edges = [edge.strip() for edge in matched["edges"].split(",")] if matched else []
        if not matched or not all(re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", edge) for edge in edges):
            raise ConfigError(
                f"cut {text!r:.80}: expected a column and where it is cut, such as age=40,50,60. Write it that way."
            )
        found[matched["column"]] = sorted({float(edge) for edge in edges})
    return found


def _columns(images: pd.DataFrame, name: str) -> list[str]:
    there = [str(column) for column in images.columns if not str(column).startswith("score_")]
    wanted = [name] if name in there else [part.strip() for part in name.split(",")]
    if missing := [part for part in wanted if part not in there]:
        raise ConfigError(
            f"breakdown by {missing[0]!r:.80}: there is no such column. There are: {listed(there, 40)}. Name one of these."
        )
    if len(set(wanted)) < len(wanted) or len(wanted) > _MOST_COLUMNS:
        raise ConfigError(
            f"breakdown by {name!r:.80}: {len(wanted)} columns. Expected one or two different ones. Name fewer; --by can "
            "be repeated."
        )
    return wanted


def _cut(values: NDArray[np.floating], edges: Sequence[float]) -> Any:
    shown = [f"{edge:.6g}" for edge in edges]
    between = [f"{low} to below {high}" for low, high in pairwise(shown)]
    names = [f"below {shown[0]}", *between, f"{shown[-1]} and above"]
    codes: Any = np.where(np.isnan(values), len(names), np.searchsorted(np.array(edges), values, side="right"))
    return pd.Categorical.from_codes(codes, pd.Index([*names, UNKNOWN]))
