"""The tables of predictions that the published software writes (GMIC and GLAM; DMV-CNN), to compare or feed its tools."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mammoseg.config import Config
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.data.predictions import Predictions
from mammoseg.ingest.exam_list import FIRST_OF_VIEW, VIEWS
from mammoseg.io.atomic import write_text
from mammoseg.io.errors import RunFileError
from mammoseg.io.scores_table import read_predictions_csv
from mammoseg.records.label import CLASSES

FILE = "predictions_published.csv"
_TEXTS = ["patient_id", "exam_id", "image_id", "laterality", "view"]
HEADER = "image_index,benign_pred,malignant_pred,benign_label,malignant_label"
BREASTS = tuple((side, name) for name in CLASSES for side in ("L", "R"))
"""Columns of the table of exams."""
_SIDES = {"L": "left", "R": "right"}
EXAMS_HEADER = ",".join(("index", *(f"{_SIDES[side]}_{name}" for side, name in BREASTS)))


class Options(Config):
    sorted_ids: bool = False
    """As the ensemble of GMIC writes it, sorted by image id with labels 0.0000 and 1.0000."""
    exams: bool = False
    """As DMV-CNN writes it, a row for each exam, counted from 0, with the scores of both breasts and no labels."""


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/predictions_published.csv. Labels are those of the manifest; without one they are empty."""
    if options.exams and options.sorted_ids:
        raise RunFileError(
            "sorted_ids and exams are two tables. Expected one of them. Leave one out, or export twice into two folders."
        )
    write_published_csv(predictions.folder, predictions.manifest, options.sorted_ids, out, options.exams)


def write_published_csv(
    run: Path, manifest: Manifest | None, sorted_ids: bool = False, out: Path | None = None, exams: bool = False
) -> Path:
    """Write predictions_published.csv into the folder `out`, else the predictions folder `run`, and return its path.

    A row for the first image of each view of an exam, exams in the order of the manifest, views in the order of `VIEWS`
    (others after them); images without a prediction are left out. Scores have four decimals, labels are 0 or 1, what is
    unknown or not predicted is empty. `sorted_ids` as in `Options`; `exams`: a row for each exam, of a breast the mean of its rows.

    Raises RunFileError if the run has no predictions.csv, or none of its images is in the manifest.
    """
    table = read_predictions_csv(run)
    if not {*CLASSES} <= {*table}:
        raise RunFileError(
            f"{run}: its scores are of other classes than {' and '.join(CLASSES)}, which the published table has. Expected those "
            "of a GLAM or GMIC. Use predictions.csv."
        )
    images = table[table["level"] == "image"]
    manifest = manifest or Manifest.from_table(images[_TEXTS].assign(path="-"), run / "predictions.csv")
    scores = dict(zip(images["image_id"], images[list(CLASSES)].to_numpy().tolist(), strict=True))
    if scores and scores.keys().isdisjoint(manifest.table["image_id"]):
        raise RunFileError(
            f"{run}: none of its {len(scores)} images is in {manifest.path}. Expected the manifest that was predicted. "
            "Give that one."
        )
    path = (out or run) / FILE
    rows = [row for row in _first_of_views(manifest) if row.image_id in scores]
    if exams:
        write_text(path, "\n".join([EXAMS_HEADER, *_of_exams(rows, scores)]) + "\n")
        return path
    if sorted_ids:
        rows.sort(key=lambda row: row.image_id)
    label = "{:.4f}" if sorted_ids else "{:.0f}"
    lines = [
        ",".join([row.image_id, *_cells(scores[row.image_id], "{:.4f}"), *_cells(row.label_K(CLASSES).tolist(), label)])
        for row in rows
    ]
    write_text(path, "\n".join([HEADER, *lines]) + "\n")
    return path


def _of_exams(rows: Sequence[ImageRow], scores: Mapping[str, Sequence[float]]) -> list[str]:
    """A line for each exam, in their order."""
    exams: dict[str, list[tuple[str, Sequence[float]]]] = {}
    for row in rows:
        exams.setdefault(row.exam_id, []).append((row.laterality, scores[row.image_id]))
    lines = []
    for number, images in enumerate(exams.values()):
        values = []
        for side, name in BREASTS:
            of_breast = [score_K[CLASSES.index(name)] for laterality, score_K in images if laterality == side]
            values.append(sum(of_breast) / len(of_breast) if of_breast else math.nan)
        lines.append(",".join([str(number), *_cells(values, "{:.4f}")]))
    return lines


def _first_of_views(manifest: Manifest) -> list[ImageRow]:
    """As the column FIRST_OF_VIEW says; without it, the first row of each exam, side and view."""
    rows = list(manifest.rows())
    if FIRST_OF_VIEW in manifest.table:
        marks = pd.to_numeric(manifest.table[FIRST_OF_VIEW], errors="coerce") == 1
        first = [row for row, mark in zip(rows, marks, strict=True) if mark]
    else:
        first = list({(row.exam_id, _view(row)): row for row in reversed(rows)}.values())[::-1]
    exams = {exam: number for number, exam in enumerate(dict.fromkeys(row.exam_id for row in rows))}
    return sorted(first, key=lambda row: (exams[row.exam_id], _place(row)))


def _view(row: ImageRow) -> str:
    return f"{row.laterality}-{row.view}"


def _place(row: ImageRow) -> int:
    return VIEWS.index(_view(row)) if _view(row) in VIEWS else len(VIEWS)


def _cells(values: Sequence[float], form: str) -> list[str]:
    return ["" if math.isnan(value) else form.format(value) for value in values]
