"""Lesion masks: files in one of two frames -> pixels of the image file, or of the model window.

    image    the mask has the pixels of the image file (the default)
    window   the mask has the pixels of the model window, after mirroring, cutting and padding, like the masks of the
             published NYU exam

A mask in the frame `window` fits only where the image is prepared as it was when the mask was stored.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.read import ImageReadError, read_mask
from mammoseg.records.grid import PixelGrid

IMAGE, WINDOW = "image", "window"
FRAMES = (IMAGE, WINDOW)

Files = Mapping[str, Path]
"""Class name -> mask file; not there: there is no mask, which is not an empty mask."""
Masks = dict[str, NDArray[np.bool_]]
"""Class name -> (rows, columns), True in the lesion; of the classes with a file."""


class Truth(NamedTuple):
    """What is known of the lesions of an image, where a broken file must not cost what is asked."""

    masks: Masks
    unread: dict[str, str]
    """Class name -> why its mask cannot be read."""


def readable_masks(files: Files, grid: PixelGrid, frame: str | None) -> Truth:
    """Those of `image_masks` that can be read."""
    truth = Truth({}, {})
    for name, path in files.items():
        try:
            truth.masks.update(image_masks({name: path}, grid, frame))
        except ImageReadError as error:
            truth.unread[name] = str(error)
    return truth


def image_masks(files: Files, grid: PixelGrid, frame: str | None) -> Masks:
    """The masks in the pixels of the image file; False outside the window for those drawn on it.

    `grid` is that of the window without displacement. Raises ImageReadError for a mask that cannot be read or has not
    the size of its frame.
    """
    return {name: grid.restore(mask) if frame == WINDOW else mask for name, mask in _read(files, grid, frame)}


def window_masks(files: Files, grid: PixelGrid, frame: str | None) -> Masks:
    """The masks in the pixels of the model window; like `image_masks`."""
    return {name: mask if frame == WINDOW else grid.project(mask) for name, mask in _read(files, grid, frame)}


def _read(files: Files, grid: PixelGrid, frame: str | None) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    expected = grid.model_shape if frame == WINDOW else grid.original_shape
    for name, path in files.items():
        mask = read_mask(path)
        if mask.shape != expected:
            raise ImageReadError(
                f"{path}: the mask has {mask.shape} pixels. Expected {expected}, since its mask_frame is {frame or IMAGE!r}: "
                f"the image file has {grid.original_shape}, the model window {grid.model_shape}. Correct the mask file, "
                f"or {name}_mask or mask_frame in the manifest."
            )
        yield name, mask
