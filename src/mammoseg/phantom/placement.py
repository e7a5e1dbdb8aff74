"""Where lesions can be: inside the breast tissue of both views."""

from collections.abc import Mapping

import numpy as np

from mammoseg.phantom.breast import BreastShape, Projection, View, height_mm
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Place

_MARGIN_MM = 3.0
_DRAWS = 200


def sample_place(
    shape: BreastShape,
    views: Mapping[View, Projection],
    radius_mm: float,
    config: PhantomConfig,
    rng: np.random.Generator,
) -> Place:
    """A place uniform among those `radius_mm` + 3 mm inside the skin and the image borders of both views.

    In the MLO it is not behind the muscle. If 200 draws find none (a large lesion in a small breast), the roomiest
    place of them is taken.
    """
    best, best_room = Place(0.0, 0.0, 0.5 * shape.depth_mm), -np.inf
    for _ in range(_DRAWS):
        lateral, superior = rng.uniform(-0.75, 0.75, 2) * shape.half_width_mm
        place = Place(float(lateral), float(superior), rng.uniform(0.12, 0.88) * shape.depth_mm)
        room = min(_room(view, drawn, place, shape, config) for view, drawn in views.items())
        if room > best_room:
            best, best_room = place, room
        if room >= radius_mm + _MARGIN_MM:
            break
    return best


def _room(view: View, drawn: Projection, place: Place, shape: BreastShape, config: PhantomConfig) -> float:
    """Distance in mm to the skin or the border of the image; 0 behind the muscle, negative outside the breast."""
    height = height_mm(view, place.lateral, place.superior, shape.angle)
    row, column = (int(np.floor(x)) for x in drawn.pixel(height, place.depth, config.pixel_mm))
    if not (0 <= row < config.rows and 0 <= column < config.columns) or not drawn.mask[row, column]:
        return -1.0
    if drawn.pectoral[row, column] > 0:
        return 0.0
    border = min(row, config.rows - 1 - row, column, config.columns - 1 - column) * config.pixel_mm
    return float(min(drawn.skin_mm[row, column], border))
