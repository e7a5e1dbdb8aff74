"""Groups of lesions by their size: in millimetres where it is known of all of them, else thirds."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EDGES_MM = (5.0, 10.0, 20.0)
"""Effective diameters between groups: those between the categories T1a, T1b, T1c and T2 of breast tumours (AJCC, 8th edition)."""


class Sizes(NamedTuple):
    """Lesions in groups."""

    names: list[str]
    """Of the groups, the smallest first."""
    group: NDArray[np.int64]
    """(n,) index of the group of each lesion."""


def by_size(diameter_px: NDArray[np.float64], diameter_mm: NDArray[np.float64]) -> Sizes:
    """Effective diameters (n,) of lesions in pixels and in millimetres, NaN where the pixel size is unknown.

    A lesion with a diameter on the edge belongs to the smaller group.
    """
    if not np.isnan(diameter_mm).any():
        edges, diameter, unit = np.array(EDGES_MM), diameter_mm, "mm"
    else:
        edges, diameter, unit = np.quantile(diameter_px, [1 / 3, 2 / 3]), diameter_px, "px"
    first, last = f"up to {edges[0]:.4g} {unit}", f"over {edges[-1]:.4g} {unit}"
    between = [f"over {low:.4g} to {high:.4g} {unit}" for low, high in pairwise(edges)]
    return Sizes([first, *between, last], np.searchsorted(edges, diameter, side="left").astype(np.int64))
