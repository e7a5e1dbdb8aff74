"""What of a predictions folder counts as done: made by this very model and settings, of these very files, and whole."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mammoseg
from mammoseg.data.manifest import ImageRow
from mammoseg.io.errors import ImageReadError, RunFileError
from mammoseg.io.figures import FigureKind
from mammoseg.io.regular import content_hash
from mammoseg.io.runs import (
    clear_run,
    is_done,
    is_whole,
    made_by,
    overlay_path,
    predicted_ids,
    read_record,
    read_run,
    remove_prediction,
    write_run,
)

logger = logging.getLogger(__name__)

Inputs = dict[str, Any]


def open_run(out: Path, rows: Sequence[ImageRow], settings: Mapping[str, Any], overwrite: bool) -> dict[str, str]:
    """Make sure that `out` is new or a folder of these settings, which decide the predictions; returns `Prediction.made_by`.

    With `overwrite` earlier predictions are deleted. Raises RunFileError for a folder of another checkpoint or with other
    settings, and for one where others have left predictions of images that are none of `rows`: they would stay.
    """
    maker = made_by(settings)
    if overwrite:
        clear_run(out)
    elif (out / "run.json").is_file() and made_by(read_run(out)) != maker:
        raise RunFileError(
            f"{out}: holds predictions of another checkpoint or with other settings. Choose a new folder, or "
            "--overwrite to replace them."
        )
    wanted = {row.image_id for row in rows}
    foreign = [i for i in predicted_ids(out) if i not in wanted and read_record(out, i).about.made_by != maker]
    if foreign:
        raise RunFileError(
            f"{out}: holds predictions of {len(foreign)} other images, e.g. {foreign[0]}, of another checkpoint or of an "
            "earlier version. Expected those of one checkpoint. Choose a new folder, or --overwrite to replace them."
        )
    if not (out / "run.json").is_file():
        write_run(out, {"mammoseg": mammoseg.__version__, **settings})
    return maker


def not_done(
    rows: Sequence[ImageRow], out: Path, maker: Mapping[str, str], heatmaps: Sequence[str], figures: FigureKind | None
) -> list[ImageRow]:
    """The rows to predict; `figures` is the kind of figure they must have.

    What another model or earlier inputs gave is deleted: it must not stay if the new ones fail.
    """
    todo: list[ImageRow] = []
    reasons = dict.fromkeys(_REASONS, 0)
    for row in rows:
        reason = _why_again(row, out, maker, heatmaps, figures) if is_done(out, row.image_id) else ""
        if reason is None:
            continue
        if reason:
            reasons[reason] += 1
        todo.append(row)
    for reason, text in _REASONS.items():
        if reasons[reason]:
            logger.warning("%s: %d images are predicted again: %s", out, reasons[reason], text)
    return todo


_REASONS = {
    "foreign": "they were predicted by another checkpoint, with other settings, or by an earlier version",
    "changed": "their files or rows changed since, or an earlier version did not note them",
    "old": "an earlier version noted neither findings nor the file of the image",
    "broken": "their maps are missing or have another size than when they were written",
    "undrawn": "they have no figure of the kind that is wanted",
}


def _why_again(
    row: ImageRow, out: Path, maker: Mapping[str, str], heatmaps: Sequence[str], figures: FigureKind | None
) -> str | None:
    """One of _REASONS for an image that has a record, or None."""
    known, inputs = read_record(out, row.image_id), inputs_of(row, heatmaps)
    foreign = known.about.made_by != maker
    if foreign or known.about.inputs != inputs:
        if all(inputs["files"]):  # a disk that is not mounted must not cost the predictions of a study
            remove_prediction(out, row.image_id)
        return "foreign" if foreign else "changed"
    if known.old or not is_whole(out, known):
        return "old" if known.old else "broken"
    if figures is not None:
        figure = overlay_path(out, row.image_id, figures)
        return None if figure.is_file() and figure.stat().st_size else "undrawn"
    return None


def inputs_of(row: ImageRow, heatmaps: Sequence[str]) -> Inputs:
    """What decides the prediction of a row. Files by their content, so that a study can be moved and none exchanged: size and
    time would take another file for the same."""
    return inputs_with(row, [_hash(row.path), *heatmap_hashes(row, heatmaps)])


def inputs_with(row: ImageRow, files: Sequence[str | None]) -> Inputs:
    """The same with the hashes of the image and of its heatmaps, where they are known."""
    names = ("patient_id", "exam_id", "laterality", "view", "pixel_mm", "horizontal_flip")
    return {**{name: getattr(row, name) for name in names}, "files": list(files)}


def heatmap_hashes(row: ImageRow, heatmaps: Sequence[str]) -> list[str | None]:
    """Of the files of these classes, as far as the row has them; None: it cannot be read."""
    return [_hash(row.heatmaps[name]) for name in heatmaps if name in row.heatmaps]


def _hash(path: Path) -> str | None:
    try:
        return content_hash(path)
    except (ImageReadError, OSError):
        return None  # reading the file says what is wrong
