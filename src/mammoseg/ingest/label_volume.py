"""Label maps as medical tools store them, an array and the directions of its indices -> rows and columns of the image.

Tools that write NRRD and NIfTI put the column first, i, and the row second, j. ITK, 3D Slicer and MONAI Label give a picture
without orientation, as mammograms are, the directions of the patient axes: i to the left (L), j to the back (P). A direction that
is turned round is a picture that was turned round:

    i to L, j to P      as the picture: ITK, 3D Slicer, MONAI Label, ITK-SNAP (NIfTI, which counts to R and A: both negative)
    i to R, j to A      as the picture: the unit matrix that MONAI and nibabel write for a picture without orientation
    i to L, j to A      rows from below
    i to R, j to P      columns from the right
    nothing is said     as the picture

No other direction is of a picture: an AnnotationError.
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.ingest.annotation import AnnotationError, Patch, Size, check_size

MOST_BYTES = 1 << 29
"""Largest label map in memory."""
MOST_LABELS = 1000


def as_picture(indexed: NDArray[np.generic], directions: NDArray[np.float64] | None) -> NDArray[np.generic]:
    """(columns, rows) or (columns, rows, 1 ...) -> (rows, columns) with the first row above.

    `directions` (2, 2 or more): of i and of j, their share along L and along P; None or not a number: unknown.
    """
    if indexed.ndim < 2 or any(side != 1 for side in indexed.shape[2:]):
        raise AnnotationError(
            f"the label map has {' x '.join(map(str, indexed.shape))} voxels. Expected a picture: columns x rows, or one slice."
        )
    picture = indexed.reshape(indexed.shape[:2]).T
    if directions is None or not np.isfinite(directions[:2, :2]).all():
        return picture
    along = np.abs(directions[:2])
    if along[0].argmax() != 0 or along[1].argmax() != 1 or not along.any(axis=1).all():
        raise AnnotationError(
            "the axes of the label map are not those of a picture. Expected the first index to the left or right of the patient, "
            "the second to the back or front, as tools write for images without orientation. Export the segmentation as DICOM SEG."
        )
    to_left, to_back = directions[0, 0] > 0, directions[1, 1] > 0
    if to_left and not to_back:
        return picture[::-1]
    return picture[:, ::-1] if to_back and not to_left else picture


def labels_in(values: NDArray[np.generic]) -> list[int]:
    """The labels of a map, without 0. Raises AnnotationError if the values are no labels."""
    found = np.unique(values)
    if found.size > MOST_LABELS or not np.equal(found, np.round(np.nan_to_num(found))).all():
        raise AnnotationError(
            f"the values are no labels ({found.size} different ones). Expected whole numbers, 0 where nothing is."
        )
    return [int(value) for value in found if value]


def placed(region: NDArray[np.bool_], size: Size, corner: Size | None = None) -> Patch:
    """The region (rows, columns) as a patch of an image of this size. A smaller one lies with its upper left pixel at `corner`.

    Raises AnnotationError if it does not fit.
    """
    rows, columns = region.shape
    if region.shape == size or corner is None:
        check_size((rows, columns), size)
        return Patch(0, 0, region)
    top, left = corner
    if not (0 <= top <= size[0] - rows and 0 <= left <= size[1] - columns):
        check_size((rows, columns), size)
    return Patch(top, left, region)
