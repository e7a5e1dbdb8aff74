"""predictions.csv: the scores of all records of a predictions folder (io/runs.py) as one table.

The records are the truth. Whoever computes with the scores takes them by `checked_scores`, which refuses records of two
models, and a table that says something else than they do.
"""

import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mammoseg.bounded import read_bounded
from mammoseg.calibration.stored import Calibration
from mammoseg.io.calibration import FILE, scores_hash, stored_calibration
from mammoseg.io.cells import csv_text, unescaped, write_csv
from mammoseg.io.errors import RunFileError
from mammoseg.io.record import TEXTS
from mammoseg.io.runs import made_by, predicted_ids, read_record, read_run
from mammoseg.records.label import reported
from mammoseg.records.prediction import Prediction

logger = logging.getLogger(__name__)

LEVELS = ("image", "breast", "exam")
CALIBRATED, RECALLED = "calibrated_", "recalled_"
"""What the names of columns begin with that a calibration gives."""
_TEXTS = ("level", *TEXTS)
_SHOWN = 3
_AGAIN = "Run the same mammoseg predict command again: it writes the table from the records."


def write_predictions_csv(folder: Path) -> pd.DataFrame:
    """Collect all records into predictions.csv, sorted; the table is returned too.

    Image rows come first, then breasts, then exams. The score of a breast is the mean over its images (the rule of the
    GMIC and GLAM papers for CC and MLO), the score of an exam the maximum over its breasts; `<part>_<class>` columns
    likewise. A part some images do not have is NaN there, and left out of the mean; a class the model does not predict
    is NaN everywhere. With a calibration in the folder, breasts have `calibrated_<class>`, and `recalled_<class>` (1 or 0)
    where it has an operating point; an exam is recalled when one of its breasts is. Raises RunFileError naming a damaged
    record, or saying that the records are of several models, or the calibration of another one.
    """
    table = _collected(folder).table
    write_csv(folder / "predictions.csv", table)
    return table


def read_predictions_csv(folder: Path) -> pd.DataFrame:
    """predictions.csv: ids as text (empty where a level has none), scores as float64 with NaN.

    Raises RunFileError when it is missing or not such a table.
    """
    path = folder / "predictions.csv"
    try:
        text = io.StringIO(read_bounded(path).decode("utf-8"), newline="")
        table = pd.read_csv(text, dtype=str, keep_default_na=False)
        table = unescaped(table)
        missing = [c for c in _TEXTS if c not in table]
        if missing or not table["level"].isin(LEVELS).all():
            raise ValueError(f"the columns {missing} are missing" if missing else f"a level is none of {LEVELS}")
        scores = [c for c in map(str, table) if c not in _TEXTS]
        table[scores] = table[scores].replace("", "nan").astype(np.float64)
    except FileNotFoundError:
        raise RunFileError(f"{path} is missing; expected a finished run. Run mammoseg predict again.") from None
    except (OSError, ValueError) as error:
        raise RunFileError(f"{path} is damaged or of another version ({error}). {_AGAIN}") from error
    return table


def calibration_of(folder: Path) -> Calibration | None:
    """The one that was applied to predictions; None: none was. Raises RunFileError for one of other scores, and like
    `stored_calibration`."""
    calibration = stored_calibration(folder)
    if calibration and calibration.scores_sha256 != scores_hash(read_run(folder)):
        raise RunFileError(f"{folder / FILE}: was made from the scores of another model. {_AGAIN}")
    return calibration


class Scores(NamedTuple):
    """All scores of a predictions folder."""

    table: pd.DataFrame
    """As `write_predictions_csv` returns it."""
    classes: tuple[str, ...]
    parts: tuple[str, ...]
    of_training: frozenset[str]
    """The image_ids of patients that the model has learned from."""
    calibration: Calibration | None
    """The one of the folder."""


def checked_scores(folder: Path) -> Scores:
    """The scores as the records say them, which is found to be what predictions.csv says.

    Raises RunFileError if the table is missing or says something else, or if the records are of several models.
    """
    given, scores = read_predictions_csv(folder), _collected(folder)
    table = scores.table
    if csv_text(given) == csv_text(table):
        return scores
    rows = [
        set(zip(t["image_id"], map(repr, t.itertuples(index=False, name=None)), strict=True)) for t in (given, table)
    ]
    images = sorted({image_id for image_id, _ in rows[0] ^ rows[1]} - {""})
    where = (
        f"{len(images)} images differ, e.g. {', '.join(images[:_SHOWN])}"
        if images
        else "other rows than those of images"
    )
    raise RunFileError(
        f"{folder / 'predictions.csv'}: does not say what the records say ({where}). Expected the scores as they were predicted: "
        f"the table was changed, or the run was cut short. {_AGAIN}"
    )


def _collected(folder: Path) -> Scores:
    records = [read_record(folder, image_id).about for image_id in predicted_ids(folder)]
    _check_one_model(folder, records)
    classes = reported(dict.fromkeys(name for record in records for name in record.scores))
    parts = sorted({part for record in records for part in record.parts})
    columns = [*classes, *(f"{part}_{name}" for part in parts for name in classes)]
    images = pd.DataFrame([_score_row(record) for record in records], columns=[*_TEXTS, *columns])
    exam = ["patient_id", "exam_id"]
    breasts = images.groupby([*exam, "laterality"])[columns].mean().reset_index()
    calibration = calibration_of(folder)
    decided = _calibrated(folder, breasts, classes, columns, calibration) if calibration else breasts[[]]
    breasts = pd.concat([breasts, decided], axis=1)
    recalls = [name for name in map(str, decided) if name.startswith(RECALLED)]
    exams = breasts.groupby(exam)[[*columns, *recalls]].max().reset_index()
    levels = [
        images,
        breasts.assign(level="breast", image_id="", view=""),
        exams.assign(level="exam", image_id="", view="", laterality=""),
    ]
    keys = [*exam, "laterality", "view", "image_id"]
    table = pd.concat([t.sort_values(keys) for t in levels if len(t)] or [images], ignore_index=True)
    of_training = frozenset(record.image_id for record in records if record.of_training)
    shown = table.reindex(columns=[*_TEXTS, *columns, *decided])
    return Scores(shown, classes, tuple(parts), of_training, calibration)


def _calibrated(
    folder: Path, breasts: pd.DataFrame, classes: Sequence[str], taken: Sequence[str], calibration: Calibration
) -> pd.DataFrame:
    """Columns of probabilities and decisions, for the classes that the calibration knows."""
    found = {}
    for name in (name for name in classes if name in calibration.classes):
        scores = breasts[name].to_numpy(np.float64)
        found[f"{CALIBRATED}{name}"] = calibration.probabilities(name, scores)
        if (recalled := calibration.recalled(name, scores)) is not None:
            found[f"{RECALLED}{name}"] = recalled
    if twice := [name for name in found if name in taken]:
        raise RunFileError(
            f"{folder}: {twice[0]} would be twice a column, of a part of the model and of its calibration. Rename the part."
        )
    return pd.DataFrame(found, breasts.index)


def _check_one_model(folder: Path, records: Sequence[Prediction]) -> None:
    """Every record names its checkpoint and settings; together they must be of one, which is the one of run.json."""
    groups: dict[str, list[str]] = {}
    for record in records:
        groups.setdefault(str(record.made_by.get("settings_sha256")), []).append(record.image_id)
    if len(groups) > 1:
        counts = ", ".join(f"{len(ids)} (e.g. {ids[0]})" for ids in groups.values())
        raise RunFileError(
            f"{folder}: holds predictions of {len(groups)} checkpoints or settings: {counts} images. Expected those of one. "
            "Predict all images into a new folder, or again with --overwrite."
        )
    [known] = groups or ["None"]
    if known == "None":
        if records:
            logger.warning(
                "%s: the records are of an earlier version and do not say which checkpoint they are of", folder
            )
    elif known != made_by(read_run(folder))["settings_sha256"]:
        raise RunFileError(
            f"{folder / 'run.json'}: is about another checkpoint or other settings than the records. Expected the file that "
            "was written with them. Restore it, or predict all images again with --overwrite."
        )


def _score_row(record: Prediction) -> dict[str, Any]:
    row = {"level": "image", **{name: getattr(record, name) for name in TEXTS}, **record.scores}
    return row | {f"{part}_{name}": p for part, scores in record.parts.items() for name, p in scores.items()}
