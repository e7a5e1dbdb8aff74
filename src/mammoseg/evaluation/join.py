"""Match predictions to the manifest. A missing or an extra image is an error, never a smaller average.

An image that failed in prediction, as errors.csv of the predictions says, has no score; it is left out, counted and named.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mammoseg.data.manifest import Manifest
from mammoseg.evaluation.scores import FINAL, score_column
from mammoseg.io.failures import Failures
from mammoseg.io.scores_table import Scores, checked_scores


class JoinError(ValueError):
    """Predictions and manifest that are not about the same images."""


@dataclass(frozen=True, eq=False)
class Joined:
    """What there is to evaluate."""

    images: pd.DataFrame
    """One row per predicted image: the manifest's columns and `score_column` of every source."""
    failed: pd.DataFrame
    """The manifest's rows of images that failed in prediction."""
    of_training: int
    """How many of the images are of patients that the model has learned from."""
    sources: tuple[str, ...]
    """Whose scores there are: "final" and the parts of the model."""
    classes: tuple[str, ...]
    """What results are about: as `reported` of records/label.py."""
    predicted: tuple[str, ...]
    """Those of them with scores (all, where no image was predicted)."""


def join(predictions: Path, manifest: Manifest, split: str | None = None, training: bool = False) -> Joined:
    """The images of a manifest (of one split of it) with their scores.

    Predictions of other splits of the same manifest are left aside. Raises JoinError when an image of the split has
    neither a prediction nor a failure, when a prediction is not in the manifest, or when the model has learned from the
    patient of one and `training` does not let such in; RunFileError when predictions.csv does not say what the records say;
    ManifestError when there is no such split, or when the manifest says nothing of a class that was predicted.
    """
    known = checked_scores(predictions)
    manifest = manifest.with_classes(known.classes)
    chosen = manifest.table if split is None else manifest.subset(split).table
    scores, sources = _image_scores(known)
    predicted = set(scores.index)
    failed = set(Failures(predictions).image_ids()) - predicted
    _check_same_images(predictions, set(chosen["image_id"]) - failed, set(manifest.table["image_id"]), predicted)
    found = chosen["image_id"].isin(predicted)
    learned = chosen["image_id"].isin(known.of_training)
    if not training and learned.any():
        raise JoinError(
            f"{predictions}: the model has learned from the patients of {learned.sum()} of the {len(chosen)} images to evaluate, "
            f"e.g. {', '.join(chosen.loc[learned, 'image_id'][:3])}. Expected images it has not seen: its scores on the others are "
            "too good. Evaluate a part with --split, or say that it is meant: --allow-training-images."
        )
    columns = scores.loc[chosen.loc[found, "image_id"]].reset_index(drop=True)
    images = pd.concat([chosen[found].reset_index(drop=True), columns], axis=1)
    scored = tuple(label for label in known.classes if scores[score_column(FINAL, label)].notna().any())
    return Joined(
        images,
        chosen[~found].reset_index(drop=True),
        int(learned.sum()),
        sources,
        known.classes,
        scored or known.classes,
    )


def _check_same_images(run: Path, expected: set[str], labelled: set[str], predicted: set[str]) -> None:
    missing, extra = sorted(expected - predicted), sorted(predicted - labelled)
    if missing or extra:
        raise JoinError(
            f"{run}: predictions and manifest are not for the same images.\n"
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
