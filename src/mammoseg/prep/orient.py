"""Which way the breast points in the file.

    horizontal_flip   left breast      right breast
    NO                points right     points left
    YES               points left      points right

Source   Released preprocessing of the NYU models. Where the table is silent the pixels decide: the breast has
         most rows at the chest wall and narrows towards the nipple.
"""

import numpy as np

from mammoseg.prep.breast import Mask
from mammoseg.records.image import Mammogram

_END = 0.1  # share of the breast's columns that is looked at on either side
_CLEAR = 1.5  # one end this many times as tall as the other settles the side


def points_right(image: Mammogram, breast: Mask) -> tuple[bool, tuple[str, ...]]:
    """Whether the breast (mask of the working image) points right in the file, and notes for the user."""
    mirrored = image.horizontal_flip
    by_table = (image.laterality == "L") != bool(mirrored)
    by_pixels = points_right_by_pixels(breast)
    if by_pixels is None or by_pixels == by_table:
        return by_table, ()
    seen = "right" if by_pixels else "left"
    if mirrored is None:
        note = f"the {image.laterality} breast points {seen}: wrong laterality in the table or mirrored file: check"
        return by_pixels, (note,)
    stated = "mirrored" if mirrored else "not mirrored"
    note = f"the {image.laterality} breast of a file stated as {stated} seems to point {seen}: check horizontal_flip"
    return by_table, (note,)


def points_right_by_pixels(breast: Mask) -> bool | None:
    """The direction seen in a non-empty breast mask: True right, False left, None unclear."""
    tall = breast.sum(axis=0)
    cols = np.flatnonzero(tall)
    tall = tall[cols[0] : cols[-1] + 1]
    end = max(1, round(len(tall) * _END))
    left, right = float(tall[:end].mean()), float(tall[-end:].mean())
    if max(left, right) < _CLEAR * min(left, right):
        return None
    return left > right
