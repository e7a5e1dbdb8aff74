"""One image as a manifest describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.repeats import renamed
from mammoseg.records.finding import Box
from mammoseg.records.image import Laterality, Mammogram
from mammoseg.records.source import Source


@dataclass(frozen=True)
class ImageRow:
    """One row of a manifest. Unknown is None; what is not known of a class is not in the mapping."""

    patient_id: str
    exam_id: str
    image_id: str
    laterality: Laterality
    view: str
    path: Path
    labels: Mapping[str, int] = field(default_factory=dict)
    """Class -> 0 or 1."""
    masks: Mapping[str, Path] = field(default_factory=dict)
    """Class -> file of the lesion mask. Not there: no mask was drawn, which is not an empty mask."""
    mask_frame: str | None = None
    """Which pixels the masks have: `image` (also None) or `window`, see data/masks.py."""
    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    """Class -> boxes around its lesions, in pixels of the image file. Not there: nobody drew any."""
    heatmaps: Mapping[str, Path] = field(default_factory=dict)
    """Class -> heatmap file, see data/load.py; of every class that the manifest knows, since a model may see those of
    classes that it does not predict."""
    split: str | None = None
    study_date: str | None = None
    """ISO date, YYYY-MM-DD."""
    pixel_mm: float | None = None
    horizontal_flip: bool | None = None
    """See `Mammogram.horizontal_flip`."""
    manufacturer: str | None = None
    """Of the machine."""
    salt: str = ""
    """Of a row whose ids are pseudonyms: a hash of the salt that made them (ingest/pseudonyms.py). Its files, which may be called
    like a person, are then neither written down nor told: see `shown`."""

    @property
    def breast_key(self) -> tuple[str, str]:
        """(exam_id, laterality): images with the same key show the same breast at the same time."""
        return self.exam_id, self.laterality

    def label_K(self, classes: Sequence[str]) -> NDArray[np.float64]:
        """(K,) labels of these classes, in their order: 0, 1 or NaN (unknown)."""
        return np.array([self.labels.get(name, np.nan) for name in classes], dtype=np.float64)

    def shown(self, text: object) -> str:
        """A text as it may be written and told: where ids are pseudonyms, the files are called by that of the image."""
        files = [self.path, *self.masks.values(), *self.heatmaps.values()] if self.salt else []
        return renamed(str(text), files, self.image_id)

    def mammogram(
        self, pixels: NDArray[np.generic], reading: tuple[str, ...] = (), source: Source | None = None
    ) -> Mammogram:
        """The pixels (H, W) of `path` together with what the row knows about them; `reading` and `source` as in `Mammogram`."""
        if source and self.salt:
            source = replace(source, path=None, dicom=None)
        if source and self.pixel_mm and not source.pixel_mm:
            source = replace(source, pixel_mm=(self.pixel_mm, self.pixel_mm))
        about = (self.laterality, self.view, self.image_id, self.pixel_mm, self.horizontal_flip)
        return Mammogram(pixels, *about, reading=reading, source=source)
