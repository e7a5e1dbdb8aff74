"""Where lesions can be: places inside the breast tissue of both views."""

from collections.abc import Mapping

import numpy as np

from mammoseg.phantom.breast import BreastShape, Projection, View, height_mm
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Place


def sample_place(
    shape: BreastShape,
    views: Mapping[View, Projection],
    radius_mm: float,
    config: PhantomConfig,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """A place that lies `radius_mm` + 3 mm inside the skin in both views and off the border of the image.

    If 200 draws find none, the one deepest inside is taken.
    """
    best, best_room = (0.0, 0.0, 0.5 * shape.depth_mm), -np.inf
    for _ in range(200):
        depth = rng.uniform(0.12, 0.88) * shape.depth_mm
        lateral, superior = rng.uniform(-0.75, 0.75, 2) * shape.half_width_mm
        room = min(_room(views[v], height_mm(v, lateral, superior, shape.angle), depth, config) for v in views)
        if room > best_room:
            best, best_room = (float(lateral), float(superior), float(depth)), room
        if room >= radius_mm + 3:
            break
    return best


def _room(drawn: Projection, height: float, depth: float, config: PhantomConfig) -> float:
    """Distance in mm to the skin, the chest wall side or the muscle (which is no breast tissue); negative outside."""
    row, column = (int(np.floor(x)) for x in drawn.place(height, depth, config.pixel_mm))
    if not (0 <= row < config.rows and 0 <= column < config.columns) or not drawn.mask[row, column]:
        return -1.0
    if drawn.pectoral[row, column] > 0:
        return 0.0
    border = min(row, config.rows - 1 - row, column) * config.pixel_mm
    return float(min(drawn.skin_mm[row, column], border))
