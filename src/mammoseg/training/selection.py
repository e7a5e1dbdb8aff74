"""Which epoch is the best one: validation scores, and the one number that decides.

Localisation and classification part ways during training: the epoch with the best AUC rarely draws the best maps. So where
validation has enough lesion masks, Dice decides (Liu et al. 2021, stage 1); else AUC; else, if that is undefined, the loss.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mammoseg.data.breasts import breast_labels
from mammoseg.data.manifest import ImageRow
from mammoseg.metrics import dice, pointing
from mammoseg.metrics.auc import roc_auc
from mammoseg.nn.contract import Criterion
from mammoseg.statistics.histogram import MapOnMask, to_levels

logger = logging.getLogger(__name__)

FEW_BREASTS = 10
"""With fewer validation breasts with or without a class, its AUC says little."""
LEAST_MASKED = 0.5
"""Share of the validation images with a lesion that have it in a mask, from which Dice may choose the epoch."""


def choose_criterion(
    wanted: str, judged_by: Sequence[Criterion], rows: Sequence[ImageRow], classes: Sequence[str], masked: int
) -> Criterion:
    """`dice`, `auc` or `loss`, as far as the validation images allow what is wanted: `dice`, `auc`, or with `auto` what the
    stage is `judged_by`, in this order.

    `classes` are those that decide; `masked` images have a lesion in a mask of one of them. On its own, Dice decides where so
    has at least LEAST_MASKED of the images with a lesion: a few outlines do not speak for the rest. Which one it is, and why,
    is logged. Raises ValueError if `dice` is wanted and no image has one.
    """
    labels_NK = np.array([row.label_K(classes) for row in rows])
    has_both = any({0, 1} <= set(labels_N.tolist()) for labels_N in labels_NK.T)
    positive = max(masked, int((labels_NK == 1).any(axis=1).sum()))
    enough = masked > 0 and masked >= LEAST_MASKED * positive
    allowed = {"dice": enough or (masked > 0 and wanted == "dice"), "auc": has_both, "loss": True}
    if wanted == "dice" and not masked:
        raise ValueError(
            "select_by is 'dice', but no validation image has a lesion in its masks. Expected at least one. Add "
            f"{' or '.join(f'{name}_mask' for name in classes)} to the manifest, or choose --set select_by=auc."
        )
    order = judged_by if wanted == "auto" else (cast(Criterion, wanted), "loss")
    chosen: Criterion = next((criterion for criterion in order if allowed[criterion]), "loss")
    breasts = {name: _breasts(rows, labels_N) for name, labels_N in zip(classes, labels_NK.T, strict=True)}
    if few := [name for name, counts in breasts.items() if chosen == "auc" and 0 < min(counts) < FEW_BREASTS]:
        logger.warning(
            "Validation has %s: an AUC of so few is mostly chance, and so is the choice of the epoch. Give validation more "
            "patients, or let the epochs before count, too: --set select_smoothing=0.7.",
            " and ".join(f"{breasts[name][1]} breasts with {name} and {breasts[name][0]} without" for name in few),
        )
    if chosen == "loss" and "auc" in order:
        logger.warning(
            "Validation has no class with both positive and negative images (%s), so AUC is undefined: the epoch with the lowest "
            "loss is kept. Give validation more patients for a better choice.",
            " or ".join(classes),
        )
    logger.info(
        "Epochs are chosen by %s of %s: %d of %d validation images with a lesion have it in a mask%s",
        *(chosen, " and ".join(classes), masked, positive),
        "" if enough or "dice" not in order else f", and Dice needs at least {LEAST_MASKED:.0%} of them",
    )
    return chosen


def _breasts(rows: Sequence[ImageRow], labels_N: NDArray[np.float64]) -> tuple[int, int]:
    """How many breasts are without, and with a class."""
    number = {key: index for index, key in enumerate(dict.fromkeys(row.breast_key for row in rows))}
    labels_B1 = breast_labels(labels_N[:, None], np.array([number[row.breast_key] for row in rows]))
    return int((labels_B1 == 0).sum()), int((labels_B1 == 1).sum())


@dataclass(frozen=True)
class Found:
    """What some images of a validation pass have given."""

    y: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """Number of the row -> (K,) scores."""
    of_maps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """`dice_*` and `peak_*` (pointing game, 0 or 1) of each image with a lesion mask; `moves_*` (nn/equivariance.py) where
    Dice does not decide."""
    parts: dict[str, dict[int, NDArray[np.float64]]] = field(default_factory=lambda: defaultdict(dict))
    """Part of the model -> number of the row -> (K,) scores."""
    losses: list[tuple[float, int]] = field(default_factory=list)
    """Of each batch, with the number of its images."""


class ValidationScores:
    """Collects what one validation pass produces. Shapes: K classes of the model, which may be a part of `CLASSES`."""

    def __init__(self, rows: Sequence[ImageRow], classes: Sequence[str]) -> None:
        self.rows = rows
        self.classes = classes
        self.found = Found()

    def add(self, indices: Sequence[int], y_BK: NDArray[np.floating], loss: float) -> None:
        self.found.y.update(zip(indices, y_BK.astype(np.float64), strict=True))
        self.found.losses.append((loss, len(indices)))

    def add_part(self, part: str, indices: Sequence[int], y_BK: NDArray[np.floating]) -> None:
        self.found.parts[part].update(zip(indices, y_BK.astype(np.float64), strict=True))

    def add_map(self, name: str, saliency_HW: NDArray[np.floating], mask_HW: NDArray[np.bool_]) -> None:
        """A map of one class on the pixels of its lesion mask."""
        image = MapOnMask(to_levels(np.clip(saliency_HW, 0, 1)), mask_HW)
        for kind, score in (("dice", dice.measure(image)["soft"]), ("peak", pointing.measure(image)["inside"])):
            if np.isfinite(score):
                self.found.of_maps[f"{kind}_{name}"].append(score)

    def add_moving(self, name: str, scores: Sequence[float]) -> None:
        """Of maps of one class, of images that show it."""
        self.found.of_maps[f"moves_{name}"] += [score for score in scores if np.isfinite(score)]

    def merge(self, parts: Sequence[Found]) -> None:
        """Go on with all that several processes have found."""
        self.found = Found()
        for part in parts:
            self.found.y.update(part.y)
            self.found.losses.extend(part.losses)
            for name, y in part.parts.items():
                self.found.parts[name].update(y)
            for name, scores in part.of_maps.items():
                self.found.of_maps[name].extend(scores)

    def compute(self, criterion: str, deciding: Sequence[str] = ()) -> dict[str, float]:
        """`loss`, breast-level `auc_*` (those of parts: `PART/auc_*`), mean `dice_*`, `peak_*` and `moves_*` as far as defined, and
        `select`, the mean over the `deciding` classes, without any all of them: higher is better."""
        losses, images = np.array(self.found.losses).T
        values = {"loss": float(np.average(losses, weights=images))}
        values |= {name: float(np.mean(scores)) for name, scores in self.found.of_maps.items() if scores}
        for part, y in {"": self.found.y, **self.found.parts}.items():
            place = f"{part}/" if part else ""
            values |= {f"{place}auc_{name}": auc for name, auc in self._breast_auc(y).items() if np.isfinite(auc)}
        names = [f"{criterion}_{name}" for name in deciding or self.classes]
        decide = [values[name] for name in names if name in values]
        return values | {"select": float(np.mean(decide)) if decide else -values["loss"]}

    def _breast_auc(self, y: Mapping[int, NDArray[np.float64]]) -> Mapping[str, float]:
        breasts: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index in y:
            breasts[self.rows[index].breast_key].append(index)
        y_BK = np.array([np.mean([y[i] for i in images], axis=0) for images in breasts.values()])
        number = np.repeat(np.arange(len(breasts)), [len(images) for images in breasts.values()])
        label_NK = np.array([self.rows[i].label_K(self.classes) for images in breasts.values() for i in images])
        label_BK = breast_labels(label_NK, number)
        known = ~np.isnan(label_BK) & ~np.isnan(y_BK)
        return {name: roc_auc(label_BK[known[:, k], k], y_BK[known[:, k], k]) for k, name in enumerate(self.classes)}
