"""The borders of regions of pixels or cells, as polygons of their corners."""

import cv2
import numpy as np
from numpy.typing import NDArray


def outlines(region: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    """(H, W) -> for each connected part (N, 2) corners (row, column), pixel i covering [i, i + 1), not closed; holes have none.

    An outline holds all of its pixels, and half a pixel more where the border steps inwards.
    """
    padded = np.pad(region, 1)
    corners = padded[1:, 1:] | padded[1:, :-1] | padded[:-1, 1:] | padded[:-1, :-1]
    found, _ = cv2.findContours(corners.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [np.ascontiguousarray(line[:, 0, ::-1]) for line in found]
