"""Analysis of variance of modality x reader (figures of merit) and of modality x reader x case (pseudovalues).

All factors are crossed, each cell is filled once. Mean square of a factor or an interaction: its sum of squares, which the
deviations of the marginal means by inclusion and exclusion give, over its degrees of freedom.

Source   Searle et al. 1992, Variance Components, ch. 4; for reader studies Hillis 2007, table 2.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def mean_squares(cells: NDArray[np.float64], factors: str) -> Mapping[str, float]:
    """Array with an axis for each letter of `factors` -> mean square of each factor and interaction, `"TR"` for example.

    NaN where a factor has one level: there are no degrees of freedom.
    """
    found = {}
    for size in range(1, len(factors) + 1):
        for axes in combinations(range(len(factors)), size):
            name = "".join(factors[axis] for axis in axes)
            freedom = np.prod([cells.shape[axis] - 1 for axis in axes])
            repeats = cells.size / np.prod([cells.shape[axis] for axis in axes])
            squares = repeats * np.square(_interaction(cells, axes)).sum()
            found[name] = float(squares / freedom) if freedom else float("nan")
    return found


def _interaction(cells: NDArray[np.float64], axes: tuple[int, ...]) -> NDArray[np.float64]:
    """What the means over all other axes have beyond the sums of effects of fewer factors."""
    total = np.zeros_like(cells.mean(axis=tuple(a for a in range(cells.ndim) if a not in axes), keepdims=True))
    for size in range(len(axes) + 1):
        for kept in combinations(axes, size):
            others = tuple(axis for axis in range(cells.ndim) if axis not in kept)
            sign = (-1) ** (len(axes) - size)
            total = total + sign * cells.mean(axis=others, keepdims=True)
    return total
