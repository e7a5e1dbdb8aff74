"""Match predictions to the manifest. A missing or an extra image is an error, never a smaller average.

An image that failed in prediction, as errors.csv of the predictions says, has no score; it is left out, counted and named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.bounded import sha256_of
from mammoseg.calibration.stored import Calibration
from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.scores import FINAL, LEVELS, score_column
from mammoseg.io.calibration import stored_calibration
from mammoseg.io.failures import Failures
from mammoseg.io.runs import read_run
from mammoseg.io.scores_table import Scores, checked_scores
from mammoseg.wording import listed


class JoinError(ValueError):
    """Predictions and manifest that are not about the same images."""


@dataclass(frozen=True, eq=False)
class Joined:
    """What there is to evaluate."""

    images: pd.DataFrame
    """One row per image with scores: the manifest's columns and `score_column` of every source."""
    failed: pd.DataFrame
    """The rows of images that failed in prediction."""
    of_training: int | None
    """How many of the images are of patients that the model has learned from; None: cannot be known."""
    sources: tuple[str, ...]
    """Whose scores there are: "final" and the parts of the model."""
    classes: tuple[str, ...]
    """What results are about: as `reported` of records/label.py."""
    predicted: tuple[str, ...]
    """Those of them with scores (all, where no image was predicted)."""
    levels: tuple[str, ...] = LEVELS
    """Those that there are."""
    folders: Mapping[str, Path] | None = None
    """image_id -> the predictions folder that has its maps; None: scores of a table have no maps."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Where all of it comes from, as in metrics.json."""
    calibration: Calibration | None = None
    """What the predictions apply to their scores; None: nothing, or not the same in all parts."""


def join(
    predictions: Path | Sequence[Path], manifest: Manifest, split: str | None = None, training: bool = False
) -> Joined:
    """The images of a manifest (of one split of it) with their scores.

    Several folders are parts of one evaluation: of disjoint images, each of another model perhaps. Predictions of other splits
    of the same manifest are left aside. Raises JoinError when an image of the split has neither a prediction nor a failure,
    when a prediction is not in the manifest or in two parts, when parts are about other classes, or when the model has
    learned from the patient of one and `training` does not let such in; RunFileError when predictions.csv does not say what the
    records say; ManifestError when there is no such split, or when the manifest says nothing of a class that was predicted.
    """
    folders = [predictions] if isinstance(predictions, Path) else list(predictions)
    where = listed(folders, len(folders))
    parts = [checked_scores(folder) for folder in folders]
    _check_parts(folders, parts)
    manifest = manifest.with_classes(parts[0].classes)
    chosen = manifest.table if split is None else manifest.subset(split).table
    tables, sources = zip(*map(_image_scores, parts), strict=True)
    scores = pd.concat(tables)
    places = {str(name): folder for folder, table in zip(folders, tables, strict=True) for name in table.index}
    failed = {name for folder in folders for name in Failures(folder).image_ids()} - places.keys()
    _check_same_images(where, set(chosen["image_id"]) - failed, set(manifest.table["image_id"]), set(places))
    found = chosen["image_id"].isin(places)
    learned = chosen["image_id"].isin(frozenset().union(*(part.of_training for part in parts)))
    if not training and learned.any():
        raise JoinError(
            f"{where}: the model has learned from the patients of {learned.sum()} of the {len(chosen)} images to evaluate, "
            f"e.g. {', '.join(chosen.loc[learned, 'image_id'][:3])}. Expected images it has not seen: its scores on the others are "
            "too good. Evaluate a part with --split, or say that it is meant: --allow-training-images."
        )
    columns = scores.loc[chosen.loc[found, "image_id"]].reset_index(drop=True)
    images = pd.concat([chosen[found].reset_index(drop=True), columns], axis=1)
    classes = parts[0].classes
    scored = tuple(label for label in classes if scores[score_column(FINAL, label)].notna().any())
    return Joined(
        images,
        chosen[~found].reset_index(drop=True),
        int(learned.sum()),
        sources[0],
        classes,
        scored or classes,
        folders=places,
        about=_about(folders, manifest),
        calibration=parts[0].calibration if len({p.calibration and p.calibration.sha256 for p in parts}) == 1 else None,
    )


def _about(folders: Sequence[Path], manifest: Manifest) -> dict[str, Any]:
    runs = [
        {
            "run_sha256": sha256_of(folder / "run.json"),
            "table_sha256": sha256_of(folder / "predictions.csv"),
            "calibration_sha256": (calibration := stored_calibration(folder)) and calibration.sha256,
            "run": read_run(folder),
        }
        for folder in folders
    ]
    return {
        "manifest": {"file": manifest.path.name, "sha256": manifest.sha256()},
        "predictions": runs[0] if len(runs) == 1 else {"parts": runs},
    }


def _check_parts(folders: Sequence[Path], parts: Sequence[Scores]) -> None:
    """Together they are one set of scores: the same classes and parts of the model, and no image twice."""
    seen: dict[str, Path] = {}
    for folder, part in zip(folders, parts, strict=True):
        if (part.classes, part.parts) != (parts[0].classes, parts[0].parts):
            raise JoinError(
                f"{folder}: has scores of {listed([*part.classes, *part.parts], 20)}, {folders[0]} of "
                f"{listed([*parts[0].classes, *parts[0].parts], 20)}. Expected the same in all parts. Evaluate them one by one."
            )
        images = part.table.loc[part.table["level"] == "image", "image_id"]
        if twice := [name for name in images if name in seen]:
            raise JoinError(
                f"{folder}: {len(twice)} of its {len(images)} images are in {seen[twice[0]]}, too, e.g. {listed(twice, 3)}. "
                "Expected parts of disjoint images, such as out-of-fold predictions. Leave one out; models on the same images are "
                "evaluated side by side without --pool."
            )
        seen |= dict.fromkeys(images, folder)


def _check_same_images(where: str, expected: set[str], labelled: set[str], predicted: set[str]) -> None:
    missing, extra = sorted(expected - predicted), sorted(predicted - labelled)
    if missing or extra:
        raise JoinError(
            f"{where}: predictions and manifest are not for the same images.\n"
            f"  {len(missing)} of {len(expected)} images to evaluate have no prediction, e.g. {missing[:3]}\n"
            f"  {len(extra)} of {len(predicted)} predictions are not in the manifest, e.g. {extra[:3]}\n"
            f"A score over the rest would not be comparable. Finish the run with the same mammoseg predict command,\n"
            f"evaluate with the manifest that was predicted (and its --hash-ids), or evaluate a named subset with --split."
        )


def _image_scores(known: Scores) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Scores of the images, indexed by image_id, columns named by `score_column`; the sources."""
    images = known.table[known.table["level"] == "image"].set_index("image_id")
    names = {label: score_column(FINAL, label) for label in known.classes}
    names |= {f"{part}_{label}": score_column(part, label) for part in known.parts for label in known.classes}
    return images[list(names)].rename(columns=names), (FINAL, *known.parts)
