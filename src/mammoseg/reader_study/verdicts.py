"""A study that was read with `mammoseg serve` or the pages of `report`: verdicts, predictions and a manifest.

What readers say is compared with the breast scores of the models whose predictions they have not seen, and with the labels of the
manifest. A verdict given after the truth was shown is no independent one and is left out; of the others the last one counts.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mammoseg.data.breasts import breast_labels
from mammoseg.data.exam_names import exam_key
from mammoseg.data.manifest import Manifest
from mammoseg.io.cells import unescape
from mammoseg.io.scores_table import checked_scores
from mammoseg.io.text_table import TextTable
from mammoseg.reader_study.cells import check_whole, scores, truths
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.study import ALONE, Case, ReaderStudy, complete_study
from mammoseg.wording import counted, listed

NEEDED = ("exam_id", "laterality", "reader", "birads", "score", "truth_seen")
BIRADS_0 = 3.5
"""Where BI-RADS 0, recalled for more images, stands among 1 to 6: it is more suspicious than 3, less than 4."""

Breast = tuple[str, str]
"""Exam and side."""


def read_verdicts(
    table: TextTable,
    predictions: Mapping[str, Path],
    manifest: Manifest,
    label: str = "malignant",
    score: str = "score",
) -> ReaderStudy:
    """`predictions`: name of each model -> its folder; `label`: the class; `score`: `score` (0 to 100) or `birads`.

    Raises StudyError, ManifestError for a class that the manifest does not know, RunFileError for damaged predictions.
    """
    check_whole(table)
    if missing := [name for name in NEEDED if name not in table.columns]:
        raise StudyError(
            f"{table.path}: is no table of verdicts, {listed(missing)} are missing. Expected verdicts.csv of `mammoseg serve`, "
            "or the CSV of a page. Give that, or leave --predictions out for another table."
        )
    if score not in ("score", "birads"):
        raise StudyError(
            f"--score {score}: verdicts have no such number. Expected score or birads. Choose one of them."
        )
    patients, labels = _truth(manifest.with_classes([label]), label, table.path)
    models = {name: _breast_scores(folder, label) for name, folder in predictions.items()}
    strangers = _of_other_patients(table, patients)
    read, remarks = _readings(table, score, strangers)
    breasts = sorted({breast for those in read.values() for breast in those})
    if unknown := sorted({exam for exam, _ in breasts} - {exam for exam, _ in labels}):
        raise StudyError(
            f"{table.path}: {counted(len(unknown), 'exam')} of the verdicts, e.g. {listed(unknown, 3)}, are not in "
            f"{manifest.path}. Expected the manifest of the study (and its --hash-ids). Give that one."
        )
    return complete_study(
        [Case(patients[exam], f"{exam} {side}") for exam, side in breasts],
        [labels.get(breast, math.nan) for breast in breasts],
        {(ALONE, reader): [those.get(breast, math.nan) for breast in breasts] for reader, those in read.items()},
        {name: [those.get(breast, math.nan) for breast in breasts] for name, those in models.items()},
        str(table.path),
        remarks,
    )


def _of_other_patients(table: TextTable, patients: Mapping[str, str]) -> set[int]:
    """Rows on exams of other patients than those of the manifest, where the table has several exams of one id. Tables of earlier
    versions have no `exam_key` that could tell."""
    keys: dict[str, set[str]] = {}
    for row in table.rows.values():
        keys.setdefault(unescape(row["exam_id"]), set()).add(row.get("exam_key", ""))
    own = {
        exam: exam_key(patients[exam], exam)
        for exam, of_exam in keys.items()
        if len(of_exam - {""}) > 1 and exam in patients
    }
    if lost := [exam for exam, key in own.items() if key not in keys[exam]]:
        raise StudyError(
            f"{table.path}: verdicts are on several exams called {listed(lost, 3)}, none of them of the patient in the manifest. "
            "Expected the manifest of the study (and its --hash-ids). Give that one."
        )
    exams = {number: unescape(row["exam_id"]) for number, row in table.rows.items()}
    return {number for number, exam in exams.items() if exam in own and table.rows[number]["exam_key"] != own[exam]}


def _readings(table: TextTable, score: str, strangers: set[int]) -> tuple[dict[str, dict[Breast, float]], list[str]]:
    """Reader -> breast -> the last number given before the truth was seen, without the rows `strangers`."""
    numbers, seen = scores(table, score), truths(table, "truth_seen")
    found: dict[str, dict[Breast, float]] = {}
    for number, row in table.rows.items():
        if seen[number] == 0 and number not in strangers:
            value = BIRADS_0 if score == "birads" and numbers[number] == 0 else numbers[number]
            found.setdefault(unescape(row["reader"]), {})[unescape(row["exam_id"]), row["laterality"]] = value
    later = sum(value != 0 for number, value in seen.items() if number not in strangers)
    if not found:
        raise StudyError(
            f"{table.path}: no verdict was given before the truth was seen. Expected independent ones. Read again, blinded."
        )
    left_out = {
        "given with the truth seen, or that is unknown": later,
        "on exams of the same id of other patients": len(strangers),
    }
    return found, [f"{counted(number, 'verdict')} left out: {why}" for why, number in left_out.items() if number]


def _truth(manifest: Manifest, label: str, where: Path) -> tuple[dict[str, str], dict[Breast, float]]:
    """The patient of each exam, and the label of each breast."""
    images = manifest.table
    whose = images.groupby("exam_id")["patient_id"].nunique()
    if len(several := whose[whose > 1].index):
        raise StudyError(
            f"{where}: verdicts name exams, and {manifest.path} has exams of the same name of several patients, "
            f"e.g. {listed(list(several), 3)}. Expected a name for each exam. Rename them in the manifest and in the table."
        )
    of_image = list(zip(images["exam_id"], images["laterality"], strict=True))
    number = {breast: place for place, breast in enumerate(dict.fromkeys(of_image))}
    of_breasts = breast_labels(images[[label]].to_numpy(np.float64), np.array([number[breast] for breast in of_image]))
    patients = dict(zip(images["exam_id"], images["patient_id"], strict=True))
    return patients, dict(zip(number, of_breasts[:, 0].tolist(), strict=True))


def _breast_scores(folder: Path, label: str) -> dict[Breast, float]:
    known = checked_scores(folder)
    if label not in known.classes:
        raise StudyError(
            f"{folder}: the model does not predict {label!r}. It predicts {listed(known.classes)}. Name one of them (--label)."
        )
    if known.of_training:
        raise StudyError(
            f"{folder}: the model has learned from the patients of {counted(len(known.of_training), 'image')}. Expected "
            "images it has not seen, as its readers had not: it would look too good. Give predictions of other exams."
        )
    breasts = known.table[known.table["level"] == "breast"]
    return dict(zip(zip(breasts["exam_id"], breasts["laterality"], strict=True), breasts[label].tolist(), strict=True))
