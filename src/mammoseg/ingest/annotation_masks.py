"""The annotations of one image -> a mask for each class, boxes, and a row of a table for each annotation."""

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mammoseg.data.columns import BOXES, MASK
from mammoseg.data.image_row import ImageRow
from mammoseg.data.masks import WINDOW
from mammoseg.ingest.annotation import Annotation, AnnotationError, Patch, check_size
from mammoseg.ingest.drawing import DrawingError, image_shape, write_mask
from mammoseg.ingest.files import readable
from mammoseg.ingest.regions import draw_box
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import read_mask
from mammoseg.records.finding import Box

logger = logging.getLogger(__name__)

FINDING_COLUMNS = ("image_id", "class", "label", "source", "item", "top", "left", "bottom", "right", "pixels", "said")
UNUSABLE = (AnnotationError, ImageReadError, DrawingError, OSError)
"""What may be wrong with files of others."""
_LONGEST = 1000
_OTHER_FRAME = (
    "the image has masks on the pixels of the model window (mask_frame window). Expected masks on those of the image file, as "
    "annotations are. Take them out of the manifest."
)


@dataclass(frozen=True)
class Drawn:
    """An annotation that has an image and a class."""

    source: Path
    annotation: Annotation
    name: str
    """Of the class."""


class ImageMasks:
    """An image with what is drawn on it so far."""

    def __init__(self, row: ImageRow) -> None:
        """`row` knows all classes. Raises AnnotationError or DrawingError if nothing can be drawn on it."""
        if row.mask_frame == WINDOW and row.masks:
            raise AnnotationError(_OTHER_FRAME)
        self.row, self.size = row, image_shape(row.path)
        self.boxes_filled = 0
        """Regions of which nothing but a box was drawn."""
        self._canvases: dict[str, NDArray[np.bool_]] = {}
        self._boxes: dict[str, list[Box]] = defaultdict(list)
        self._regions: Counter[str] = Counter()

    def add(self, drawn: Drawn) -> dict[str, object] | None:
        """Draw an annotation; its FINDING_COLUMNS, or None if it is empty: nobody drew anything. Raises one of UNUSABLE."""
        annotation = drawn.annotation
        if annotation.size is not None:
            check_size(annotation.size, self.size)
        box = annotation.box(self.size) if annotation.box else None
        patch = annotation.draw(self.size) if annotation.draw else draw_box(box, self.size) if box else None
        if patch is not None:
            if not patch.pixels.any():
                return None
            patch.paste(self._canvases.setdefault(drawn.name, np.zeros(self.size, bool)))
            self._regions[drawn.name] += 1
            self.boxes_filled += annotation.draw is None
        if box is not None:
            self._boxes[drawn.name].append(box)
        elif patch is not None:
            box = _bounds(patch)
        said = "; ".join(f"{key}: {value}" for key, value in annotation.said.items())
        return {
            "image_id": self.row.image_id,
            "class": drawn.name,
            "label": readable(annotation.label)[:_LONGEST],
            "source": readable(drawn.source),
            "item": readable(annotation.item),
            **dict(zip(("top", "left", "bottom", "right"), box or (None,) * 4, strict=True)),
            "pixels": 0 if patch is None else int(np.count_nonzero(patch.pixels)),
            "said": readable(said)[:_LONGEST],
        }

    @property
    def classes(self) -> tuple[str, ...]:
        """Those with a mask."""
        return tuple(self._canvases)

    def unite(self) -> None:
        """Add the masks that the image had. Raises AnnotationError or ImageReadError for one that does not fit."""
        for name in self._canvases.keys() & self.row.masks.keys():
            known = read_mask(self.row.masks[name])
            check_size((known.shape[0], known.shape[1]), self.size)
            self._canvases[name] |= known
            self._regions[name] += 1

    def write(self, masks: Path) -> dict[str, str | None]:
        """Write `masks`/CLASS/IMAGE.png; column of the manifest -> cell."""
        cells: dict[str, str | None] = {"mask_frame": None} if self._canvases else {}
        for name, canvas in self._canvases.items():
            cells[MASK.format(name)] = write_mask(masks / name / f"{self.row.image_id}.png", canvas)
            if self._regions[name] > 1:
                logger.info("%s: %d regions of %s are one mask", self.row.image_id, self._regions[name], name)
        for name, new in self._boxes.items():
            boxes = dict.fromkeys([*self.row.boxes.get(name, ()), *new])
            cells[BOXES.format(name)] = "; ".join(" ".join(f"{edge:.10g}" for edge in box) for box in boxes)
        return cells


def _bounds(patch: Patch) -> Box:
    rows, columns = (np.flatnonzero(patch.pixels.any(axis=axis)) for axis in (1, 0))
    top, left = patch.top, patch.left
    return float(top + rows[0]), float(left + columns[0]), float(top + rows[-1] + 1), float(left + columns[-1] + 1)
