"""Two evaluations of the same images -> tables in which every case has the scores of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mammoseg.evaluation.results import IMAGES, Results, part
from mammoseg.evaluation.scores import BREAST, FINAL, LEVELS, level_tables, score_column
from mammoseg.wording import counted, listed

A, B = "A", "B"
_FAILED, _ID, _PATIENT = "failed", "image_id", "patient_id"


class PairError(ValueError):
    """Two evaluations that cannot be compared."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """What two evaluations say of the same images."""

    images: pd.DataFrame
    """A row for each image that both have scored: ids, labels (float, NaN unknown), `score_column` of A and of B."""
    classes: tuple[str, ...]
    """Those that both have scores of."""
    left_out: tuple[str, ...]
    """Images that failed in one of them or in both."""
    maps: pd.DataFrame
    """A row for each image, class and metric of the final map that both have: image_id, patient_id, class, metric, A, B."""

    levels: tuple[str, ...] = ("image",)
    """Those that both were evaluated at."""

    @cached_property
    def cases(self) -> dict[str, pd.DataFrame]:
        """Level -> its cases with labels and scores, as `evaluate` makes them."""
        return level_tables(self.images, (A, B), self.classes, self.levels)


def paired(a: Results, b: Results) -> Pairs:
    """Match by image_id. Images that failed in one are left out of both; everything else that differs is an error.

    Raises PairError where the two are not of the same images, patients or labels, or have no class in common.
    """
    tables = {A: _images(a), B: _images(b)}
    ids = {name: set(table.index) for name, table in tables.items()}
    if ids[A] != ids[B]:
        only = {name: sorted(ids[name] - ids[other]) for name, other in ((A, B), (B, A))}
        raise PairError(
            f"{a.folder} and {b.folder} are not of the same images: {len(ids[A] & ids[B])} are common, {len(only[A])} only in the "
            f"first ({listed(only[A])}), {len(only[B])} only in the second ({listed(only[B])}). Expected two evaluations of one "
            "table of images, of the same split. Evaluate both on it."
        )
    classes = tuple(label for label in a.classes if label in b.classes)
    if not classes:
        raise PairError(
            f"{a.folder} has scores of {', '.join(a.classes) or 'no class'}, {b.folder} of {', '.join(b.classes) or 'no class'}. "
            "Expected a class in common. Compare models of the same findings."
        )
    scored = tables[A].index[_scored(tables[A]) & _scored(tables[B].loc[tables[A].index])]
    if scored.empty:
        raise PairError(
            f"{a.folder} and {b.folder}: no image has a score in both. Expected some. Look at what failed in predict."
        )
    found = {name: table.loc[scored] for name, table in tables.items()}
    _check_same(a, b, found[A], found[B], classes)
    images = found[A][[column for column in (*BREAST, "view") if column in found[A]]].copy()
    for label in classes:
        images[label] = _numbers(found[A], label)
        for name in (A, B):
            images[score_column(name, label)] = _numbers(found[name], score_column(FINAL, label))
    left_out = tuple(sorted(ids[A] - set(scored)))
    levels = tuple(level for level in LEVELS if all(part(each.metrics, "scores", level) for each in (a, b)))
    known = levels if set(BREAST) <= set(images) else ()
    maps = _maps(found[A], found[B], classes)
    return Pairs(images.rename_axis(_ID).reset_index(), classes, left_out, maps, known or ("image",))


def _images(results: Results) -> pd.DataFrame:
    table = results.images
    missing = [name for name in (_ID, _PATIENT) if name not in table]
    if missing:
        raise PairError(
            f"{results.folder / IMAGES}: has no column {' and no column '.join(missing)}. Expected the file that evaluate wrote. "
            "Evaluate again."
        )
    if table[_ID].duplicated().any():
        again = sorted(table[_ID][table[_ID].duplicated()])
        raise PairError(
            f"{results.folder / IMAGES}: {counted(len(again), 'image')} twice ({listed(again)}). Expected one row each. Evaluate "
            "again."
        )
    return table.set_index(_ID)


def _scored(table: pd.DataFrame) -> pd.Series:
    start = score_column(FINAL, "")
    scores = [column for column in table if str(column).startswith(start)]
    failed = table[_FAILED] if _FAILED in table else pd.Series("0", table.index)
    return (pd.to_numeric(failed, errors="coerce") != 1) & (table[scores] != "").any(axis=1)


def _check_same(a: Results, b: Results, in_a: pd.DataFrame, in_b: pd.DataFrame, classes: Sequence[str]) -> None:
    """Raises PairError unless patients and labels are the same."""
    differ = {_PATIENT: in_a[_PATIENT] != in_b[_PATIENT]}
    for label in classes:
        first, second = _numbers(in_a, label), _numbers(in_b, label)
        differ[label] = ~((first == second) | (first.isna() & second.isna()))
    for column, wrong in differ.items():
        if wrong.any():
            names = [str(name) for name in in_a.index[wrong]]
            raise PairError(
                f"{a.folder} and {b.folder}: {column} differs for {counted(len(names), 'image')} ({listed(names)}). Expected "
                "the same truth for both. Evaluate both with the same table of images."
            )


def _maps(in_a: pd.DataFrame, in_b: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    rows = []
    for label in classes:
        start = f"{label}_saliency_"
        for column in [name for name in map(str, in_a) if name.startswith(start) and name in in_b]:
            values = pd.DataFrame({A: _numbers(in_a, column), B: _numbers(in_b, column)}).dropna()
            about = {_PATIENT: in_a.loc[values.index, _PATIENT], "class": label, "metric": column.removeprefix(start)}
            rows.append(values.assign(**about).rename_axis(_ID).reset_index())
    return (
        pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=[_ID, A, B, _PATIENT, "class", "metric"])
    )


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    return pd.to_numeric(table[column], errors="coerce").astype(np.float64)
