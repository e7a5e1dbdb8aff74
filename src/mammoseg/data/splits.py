"""Dividing patients into train, val and test, and the proof that nobody is in two of them."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mammoseg.data.columns import SPLITS
from mammoseg.data.manifest import Manifest

logger = logging.getLogger(__name__)

STRATA = ("unknown", "normal")
"""A patient's worst label, from best to worst; after these the classes. Normal: something is known and nothing positive."""
_NEEDED_FIRST = (0, 2, 1)  # a class with too few patients is needed in train first, then in test, then in val


class SplitError(ValueError):
    """Fractions that cannot be used."""


class SplitLeakError(ValueError):
    """The same patient or file in two splits."""


def assign_splits(manifest: Manifest, fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0) -> Manifest:
    """The manifest with a new `split` column (an old one is replaced): whole patients, stratified by worst label.

    `fractions` are the parts of the patients in train, val and test, together 1. Every split gets a patient of every
    stratum that has enough of them; a warning is logged where one has not. The outcome depends on the patients, their
    labels and `seed`, not on the order of rows. Raises SplitError for other fractions.
    """
    _check_fractions(fractions)
    strata = _worst_labels(manifest)
    rng = np.random.default_rng(seed)
    split_of: dict[str, str] = {}
    assigned = np.zeros(len(SPLITS), dtype=np.int64)
    for stratum in (*reversed(manifest.classes), *reversed(STRATA)):
        patients = sorted(p for p, s in strata.items() if s == stratum)
        counts = _divide(len(patients), np.asarray(fractions), assigned)
        assigned += counts
        split_of.update(zip(rng.permutation(patients).tolist(), np.repeat(SPLITS, counts).tolist(), strict=True))
        without = [name for name, n, f in zip(SPLITS, counts, fractions, strict=True) if f > 0 and n == 0]
        if patients and without and stratum != "unknown":
            logger.warning("%d %s patients are too few: none in %s", len(patients), stratum, ", ".join(without))
    splits = [split_of[p] for p in manifest.table["patient_id"]]
    return replace(manifest, table=manifest.table.assign(split=pd.Series(splits, manifest.table.index, dtype=object)))


def has_dates(manifest: Manifest) -> bool:
    """Whether every patient has an exam whose date is known."""
    return bool(_latest(manifest).notna().all())


def assign_by_date(manifest: Manifest, fractions: Sequence[float] = (0.8, 0.1, 0.1)) -> Manifest:
    """The manifest with a new `split` column: patients in the order of their latest exam, the first in train, the last in test, so
    that a model is tested on what comes after. Source: Wu et al. 2019 (arXiv:1903.08297). Labels play no part.

    Raises SplitError for other fractions, and if a patient has no exam whose date is known.
    """
    _check_fractions(fractions)
    latest = _latest(manifest)
    if unknown := latest[latest.isna()].index.tolist():
        image_id = manifest.table.loc[manifest.table["patient_id"] == unknown[0], "image_id"].iloc[0]
        raise SplitError(
            f"{manifest.path}: {len(unknown)} patients have no study_date, e.g. of image {image_id}. Expected a date in an exam of "
            "each patient. Fill the column, or divide at random."
        )
    patients = latest.sort_index().sort_values(kind="stable").index
    counts = _divide(len(patients), np.asarray(fractions), np.zeros(len(SPLITS), dtype=np.int64))
    split_of = dict(zip(patients, np.repeat(SPLITS, counts).tolist(), strict=True))
    splits = [split_of[patient] for patient in manifest.table["patient_id"]]
    return replace(manifest, table=manifest.table.assign(split=pd.Series(splits, manifest.table.index, dtype=object)))


def _latest(manifest: Manifest) -> pd.Series:
    """patient_id -> ISO date of the latest exam; missing where none is known."""
    table = manifest.table
    dates = table["study_date"] if "study_date" in table else pd.Series(None, table.index, dtype=object)
    known = dates.dropna().astype(str).groupby(table["patient_id"]).max()
    return known.reindex(table["patient_id"].unique())


def draw_val(manifest: Manifest, fraction: float, seed: int = 0) -> Manifest:
    """The manifest with `fraction` of its train patients as val, drawn as in `assign_splits`; val and test stay."""
    table = manifest.table
    in_train = table["split"] == "train"
    train = replace(manifest, table=table[in_train])
    split = table["split"].copy()
    split[in_train] = assign_splits(train, (1 - fraction, fraction, 0), seed).table["split"].to_numpy()
    return replace(manifest, table=table.assign(split=split))


def assign_folds(manifest: Manifest, folds: int, seed: int = 0) -> dict[str, int]:
    """patient_id -> fold, from 1: as many patients in each, and as many of each worst label, as can be. The outcome depends on the
    patients, their labels and `seed`, not on the order of rows. Raises SplitError for fewer than two folds or patients than folds.
    """
    strata = _worst_labels(manifest)
    if not 2 <= folds <= len(strata):
        raise SplitError(
            f"{folds} folds of {len(strata)} patients; expected at least 2 and at most one for each patient."
        )
    rng = np.random.default_rng(seed)
    dealt: list[str] = []
    for stratum in (*reversed(manifest.classes), *reversed(STRATA)):
        dealt += rng.permutation(sorted(p for p, s in strata.items() if s == stratum)).tolist()
    return {patient: number % folds + 1 for number, patient in enumerate(dealt)}


def check_leaks(manifest: Manifest) -> None:
    """Raises SplitLeakError if a patient, or a file (also through a link), is in two splits."""
    table = manifest.table[manifest.table["split"].notna()]
    files = pd.Series([str(Path(p).resolve()) for p in table["path"]], table.index, dtype=object)
    problems = []
    for what, keys in (("patients", table["patient_id"]), ("files", files)):
        leaking = table["split"].groupby(keys).transform("nunique") > 1
        if leaking.any():
            images = table.loc[leaking, "image_id"].sort_values().tolist()
            problems.append(f"  {keys[leaking].nunique()} {what} are in more than one split, with images {images[:5]}")
    if problems:
        raise SplitLeakError(
            f"{manifest.path}: the splits are not separate.\n" + "\n".join(problems) + "\n"
            "Results on val or test would be too good. Divide by patient: mammoseg.data.splits.assign_splits."
        )


def describe_splits(manifest: Manifest) -> pd.DataFrame:
    """A row per split (`none`: images without one): patients, exams, images, and per class the positive and the
    unknown images."""
    table = manifest.table.assign(split=manifest.table["split"].fillna("none"))
    rows = {}
    for name in (*SPLITS, "none"):
        part = table[table["split"] == name]
        if len(part):
            counts = {"patients": part["patient_id"].nunique(), "exams": part["exam_id"].nunique(), "images": len(part)}
            for label in manifest.classes:
                counts[label] = int((part[label] == 1).sum())
                counts[f"{label}_unknown"] = int(part[label].isna().sum())
            rows[name] = counts
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("split")


def _check_fractions(fractions: Sequence[float]) -> None:
    if len(fractions) != len(SPLITS) or not all(f >= 0 for f in fractions) or not math.isclose(sum(fractions), 1):
        raise SplitError(
            f"fractions are {tuple(fractions)}; expected three parts for {', '.join(SPLITS)}, none negative, "
            "together 1, such as (0.8, 0.1, 0.1)."
        )


def _worst_labels(manifest: Manifest) -> dict[str, str]:
    """patient_id -> stratum."""
    labels, strata = manifest.table[list(manifest.classes)], (*STRATA, *manifest.classes)
    rank = np.where(labels.notna().any(axis=1), STRATA.index("normal"), STRATA.index("unknown"))
    for name in manifest.classes:
        rank = np.where(labels[name] == 1, strata.index(name), rank)
    worst = pd.Series(rank, manifest.table.index).groupby(manifest.table["patient_id"]).max()
    return {str(patient): strata[int(r)] for patient, r in worst.items()}


def _divide(patients: int, fractions: np.ndarray, assigned: np.ndarray) -> np.ndarray:
    """How many patients of a stratum go to each split; `assigned` are those of the strata before.

    Whole parts by fraction; the rest goes where the total is furthest behind, so that rounding does not add up over
    the strata. Then a split left without takes one from the largest.
    """
    counts = np.floor(patients * fractions + 1e-9).astype(np.int64)
    target = (assigned.sum() + patients) * fractions
    while counts.sum() < patients:
        behind = np.where(fractions > 0, target - assigned - counts, -np.inf)
        counts[int(np.argmax(behind))] += 1
    for split in _NEEDED_FIRST:
        if fractions[split] > 0 and counts[split] == 0 and counts.max() > 1:
            counts[int(np.argmax(counts))] -= 1
            counts[split] += 1
    return counts
