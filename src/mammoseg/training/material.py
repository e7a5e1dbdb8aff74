"""What a run learns from: the images with their splits, the classes of which something is known, masks that can be read."""

import logging
from collections.abc import Sequence

import numpy as np

from mammoseg.data.cache import CropCache, prepare_all
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.data.splits import assign_by_date, assign_splits, check_leaks, draw_val, has_dates
from mammoseg.data.units import view_of
from mammoseg.io.errors import ImageReadError
from mammoseg.io.failures import Failures
from mammoseg.progress import Bar
from mammoseg.training.config import TrainConfig
from mammoseg.training.module import TrainingError
from mammoseg.wording import counted

logger = logging.getLogger(__name__)

SPLITS = ("train", "val")
_MASK = "mask"
"""Step at which an image fails whose mask cannot be read."""


def with_splits(config: TrainConfig, manifest: Manifest) -> Manifest:
    """The manifest with splits, checked before anything is written."""
    given = set(manifest.table["split"].dropna())
    if not given and config.chronological and has_dates(manifest):
        logger.info("No image has a split: patients are divided by the date of their latest exam")
        manifest = assign_by_date(manifest, config.split_fractions)
    elif not given:
        if config.chronological:
            logger.warning("Patients are divided at random: not all of them have an exam with a study_date")
        manifest = assign_splits(manifest, config.split_fractions, config.seed)
    elif "train" in given and "val" not in given:  # official splits often are training and test
        to_train, to_val, _ = config.split_fractions
        manifest = draw_val(manifest, to_val / (to_train + to_val), config.seed)
        patients = manifest.table.loc[manifest.table["split"] == "val", "patient_id"].nunique()
        logger.info("No image has split val: it is drawn, %d of the train patients", patients)
    check_leaks(manifest)
    return manifest


def with_known_classes(config: TrainConfig, manifest: Manifest) -> tuple[TrainConfig, Manifest]:
    """Both without the classes of which no training image has a known label: nothing could be learned of them, and a score
    would look like a probability."""
    classes = config.network.classes
    labels_NK = manifest.subset("train").table[list(classes)].to_numpy(dtype=np.float64)
    known = tuple(name for name, labels_N in zip(classes, labels_NK.T, strict=True) if not np.isnan(labels_N).all())
    if not known:
        raise TrainingError(
            f"{manifest.path}: none of the training images has a known label of what {config.model} predicts "
            f"({' and '.join(classes)}). Expected 0 or 1 in some of them. Fill these columns in the train rows."
        )
    if unknown := [name for name in classes if name not in known]:
        logger.warning(
            "No training image has a known label of %s: it is not trained, and has no score and no map. Fill this column in "
            "the train rows, if it is to be.",
            " or ".join(unknown),
        )
        if config.select_class in unknown:
            raise TrainingError(
                f"{manifest.path}: select_class is {config.select_class}, of which no training image has a known label. "
                "Expected 0 or 1 in some of them. Fill this column in the train rows, or choose by another class."
            )
        network = config.network.model_copy(update={"classes": known})
        config, manifest = config.model_copy(update={"network": network}), manifest.with_classes(known)
    if not np.any(labels_NK == 1):
        logger.warning(
            "No training image has a %s finding: the model can only learn that there is none. Check %s in the train rows.",
            " or ".join(known),
            " and ".join(known),
        )
    return config, manifest


def of_views(rows: list[ImageRow], views: Sequence[str]) -> list[ImageRow]:
    """The images that the model looks at."""
    kept = [row for row in rows if not views or view_of(row, views)]
    if len(kept) < len(rows):
        logger.warning(
            "%s of other views than %s take no part", counted(len(rows) - len(kept), "image"), ", ".join(views)
        )
    return kept


def prepared(
    rows: Sequence[ImageRow], cache: CropCache, workers: int, failures: Failures, with_masks: bool
) -> set[str]:
    """Ids of the images that can teach, all of which the cache has now; the others are noted. `with_masks`: training images whose
    mask cannot be read, cannot."""
    with Bar("prepare", len(rows)) as bar:
        usable = set(prepare_all(rows, cache, workers, failures, bar.advance))
    taught = [row for row in rows if row.split == "train" and row.image_id in usable] if with_masks else []
    with Bar("lesion masks of training images", len(taught)) as bar:
        for row in taught:
            try:
                WindowDataset([row], cache, classes=tuple(row.masks)).masks(0)
                failures.remove(row.image_id, _MASK)  # mended since
            except ImageReadError as error:
                failures.add(row.image_id, row.path, _MASK, error)
                usable.remove(row.image_id)
            bar.advance()
    failures.write_table()
    return usable


def count_masked(data: WindowDataset, classes: Sequence[str]) -> int:
    """How many images have a lesion in a mask of one of the classes. All masks are opened: one that cannot be read is better
    known now."""
    found = 0
    with Bar("lesion masks of validation images", len(data.rows)) as bar:
        for index in range(len(data.rows)):
            found += any(mask.any() for name, mask in data.masks(index).items() if name in classes)
            bar.advance()
    return found
