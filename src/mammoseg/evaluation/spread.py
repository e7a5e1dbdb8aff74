"""Several models on the same images, each for itself: mean and standard deviation of every number over the models.

Source   Shen et al. 2021 (arXiv:2002.07613), Table 1; Liu et al. 2021 (arXiv:2106.07049), Table 1: five models each.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.evaluation.scores import FINAL
from mammoseg.evaluation.tables import Row, all_rows
from mammoseg.io.cells import write_csv

_WHAT = ["table", "level", "class", "of", "metric"]


def write_spread(folder: Path, metrics: Sequence[Mapping[str, Any]]) -> list[Row]:
    """spread.csv, of what `evaluate` has returned for each of two models or more; returns its rows.

    A row for each number that every model has: table, level, class, of, metric, mean, std (of a sample: over models - 1), low
    and high (the least and the largest), models, n (cases; none if models differ). What is undefined for one model is NaN.
    """
    table = pd.concat([pd.DataFrame(all_rows(each)).assign(model=number) for number, each in enumerate(metrics)])
    rows = []
    for what, group in table.groupby(_WHAT, sort=False):
        if len(group) == len(metrics):
            value, cases = group["value"].to_numpy(np.float64), set(group["n"])
            spread = {"mean": value.mean(), "std": value.std(ddof=1), "low": value.min(), "high": value.max()}
            n = cases.pop() if len(cases) == 1 else None
            rows.append({**dict(zip(_WHAT, what, strict=True)), **spread, "models": len(value), "n": n})
    write_csv(folder / "spread.csv", pd.DataFrame(rows))
    return rows


def spread_table(rows: Sequence[Row], titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Those to show: the final scores and every map, as metric, of, class, mean, std, range; all text."""
    shown = [
        row
        for row in rows
        if row["metric"] in titles and (row["table"] == "maps" or (row["table"], row["of"]) == ("scores", FINAL))
    ]
    return [
        {
            "metric": titles[row["metric"]],
            "of": f"{row['of']}, by {row['level']}" if row["table"] == "scores" else f"{row['of']} map",
            "class": row["class"],
            "mean": _number(row["mean"]),
            "std": _number(row["std"]),
            "range": "" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
        }
        for row in shown
    ]


def _number(value: float) -> str:
    return "undefined" if pd.isna(value) else f"{value:.3f}"
