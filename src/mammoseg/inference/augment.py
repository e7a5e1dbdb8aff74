"""Test-time augmentation: the mean of the predictions over several displaced windows of one image.

Source   Shen et al. 2021 (arXiv:2002.07613), Sec. 3.3: ten windows drawn with the noise of training, 100 pixels for position
         and size as in the released preprocessing (in proportion for a smaller window). Every image starts from the same
         seed, as in the published software, so that its score does not depend on the others.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mammoseg.data.learned import Patients
from mammoseg.inference.engine import Engine, Inputs, Outputs
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import Prepared, prepare_window
from mammoseg.prep.projection import projection_of
from mammoseg.prep.window import WindowNoise

_PUBLISHED_ROWS, _PUBLISHED_NOISE = 2944, 100
_PUBLISHED_ROWS_OF = {"CC": 2677, "MLO": 2974}
"""Where each projection has a window of its own."""


class Displaced(Engine):
    """An engine whose scores are the mean of another one's over displaced windows; all else is of the window in its place."""

    def __init__(self, engine: Engine, count: int) -> None:
        self.engine, self.displaced = engine, count
        self.classes, self.prep, self.sees = engine.classes, engine.prep, engine.sees
        self.trained_on, self.patches_of = engine.trained_on, engine.patches_of
        self.at_once, self.enter_thread = engine.at_once, engine.enter_thread  # type: ignore[method-assign]

    @property
    def learned_from(self) -> tuple[Patients, ...]:
        return self.engine.learned_from

    def description(self) -> dict[str, Any]:
        return self.engine.description()

    def __call__(self, inputs: Inputs) -> Outputs:
        y_NBK = [self.engine.scores(Inputs(image_BCHW, inputs.there_UV)) for image_BCHW in inputs.displaced]
        return self.engine(inputs)._replace(y_BK=np.mean(y_NBK, axis=0, dtype=np.float64))


def displaced_windows(crop: BreastCrop, prep: PrepConfig, count: int) -> Iterator[Prepared]:
    """`count` windows of a crop, one after the other."""
    published = _PUBLISHED_ROWS_OF[projection_of(crop.view)] if prep.windows else _PUBLISHED_ROWS
    # noise is in pixels before resizing
    rows = crop.pixels.shape[0] if prep.fit == "resize" else prep.window_of(crop.view)[0]
    reach = round(_PUBLISHED_NOISE * rows / published)
    noise, rng = WindowNoise((reach, reach), reach), np.random.RandomState(0)
    for _ in range(count):
        yield prepare_window(crop, prep, noise, rng)
